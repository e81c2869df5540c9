"""Which keypoints are left and right of each other, by their names in any spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .scene import InputError, quoted

Pairs = tuple[tuple[int, int], ...]

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
_SIDES = {"left": "left", "l": "left", "lt": "left", "right": "right", "r": "right", "rt": "right"}


def pairs_by_name(names: Sequence[str]) -> Pairs:
    """The pairs (left, right) of indices that a mirror exchanges: ``left_eye``, ``eye left``, ``l_eye``, ``LEye``, ``eye.R`` …

    A name's side is a word of it, or where no name has such a word its first letter (``leye`` and ``reye``). Empty where the
    names tell no pair, and where one says a side and none says the other: then nobody knows what a mirror makes of it.
    """
    split = [_side_and_rest(name) for name in names]
    if not any(side for side, _ in split):
        split = [_by_first_letter(name, names) for name in names]
    sides: dict[str, dict[tuple[str, ...], int]] = {"left": {}, "right": {}}
    for index, (side, rest) in enumerate(split):
        if side and sides[side].setdefault(rest, index) != index:
            return ()  # two names for one place
    left, right = sides["left"], sides["right"]
    return tuple((left[rest], right[rest]) for rest in left) if left.keys() == right.keys() else ()


def pairs_given(names: Sequence[str], given: Sequence[tuple[str, str]]) -> Pairs:
    """The pairs of indices that an argument names; a keypoint of no pair is its own mirror image.

    Raises:
        InputError: a name is no keypoint's, or is there twice.
    """
    named = [name for pair in given for name in pair]
    if strange := [name for name in named if name not in names]:
        raise InputError(f"data.flip_pairs: {quoted(strange[0])} is no keypoint; they are {', '.join(names)}")
    if twice := [name for name in named if named.count(name) > 1]:
        raise InputError(f"data.flip_pairs: {quoted(twice[0])} is there twice; a keypoint has one mirror image")
    exchanged = [(names.index(a), names.index(b)) for a, b in given]
    return (*exchanged, *((i, i) for i, name in enumerate(names) if name not in named))


def _side_and_rest(name: str) -> tuple[str, tuple[str, ...]]:
    """The side that a name says, empty where it says none or both, and its other words."""
    words = [word.lower() for word in _WORDS.findall(name)]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    if not sides and len(words) == 1:  # lefteye, eyeleft
        for side in ("left", "right"):
            for rest in (words[0].removeprefix(side), words[0].removesuffix(side)):
                if rest and rest != words[0]:
                    return side, (rest,)
    return (sides[0] if len(sides) == 1 else ""), tuple(word for word in words if word not in _SIDES)


def _by_first_letter(name: str, names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    lower, others = name.lower(), {other.lower() for other in names}
    for letter, other, side in (("l", "r", "left"), ("r", "l", "right")):
        if len(lower) > 2 and lower.startswith(letter) and other + lower[1:] in others:
            return side, (lower[1:],)
    return "", (lower,)
