"""Which weights of a file belong to which of a task's: those of one name and shape, before whose names others may stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

COMPARED = 64
"""Weights of one last name and one shape that are compared with one another in search of prefixes; it bounds the time."""
TRIED = 16
"""Pairs of prefixes, those that were seen most, that are tried on all weights."""


class Matches(NamedTuple):
    """What was found for each of the task's weights, by its name there."""

    same: dict[str, str]
    """The name in the file of one with the same shape."""
    of_another_shape: dict[str, str]
    """Those that the file has in another shape, with the name there."""


def match(source: Mapping[str, Tensor], target: Mapping[str, Tensor], aliases: Mapping[str, str]) -> Matches:
    """Finds the weights of a file that a task can take.

    Names are taken as they are, or with one prefix of the file's exchanged for one of the task's: the pair with which most
    weights have one name and one shape. So a classifier's ``network.backbone.…`` is found in a detector, and what torchvision
    calls ``layer1.…`` in a network around it. Names as they are win where no pair has more.

    Args:
        source: the file's weights.
        target: the task's.
        aliases: other names of the task's weights, as torchvision has them.

    Returns:
        Nothing is found by scalars alone, such as the counts of batch normalisation: any network has those. Nor is it by one
        layer behind two different prefixes: it only happens to look alike.
    """
    source = {name: value for name, value in source.items() if isinstance(value, Tensor)}
    own = {name: [name] for name in target}
    tried = [_by_prefix(source, target, own, "", "")]
    also: dict[str, list[str]] = defaultdict(list)
    for name, alias in aliases.items():
        if name in target:
            also[alias].append(name)
    for names in (own, also):
        for there, here in _prefixes(source, target, names):
            found = _by_prefix(source, target, names, there, here)
            if not (there and here) or len({_layer(name) for name in found.same if target[name].dim()}) > 1:
                tried.append(found)
    best = max(tried, key=lambda found: len(found.same))
    return best if any(target[name].dim() for name in best.same) else Matches({}, {})


def _by_prefix(
    source: Mapping[str, Tensor], target: Mapping[str, Tensor], names: Mapping[str, Sequence[str]], there: str, here: str
) -> Matches:
    """What is found where ``here`` before a name of ``names`` stands for ``there`` before one of the file's."""
    same, other = dict[str, str](), dict[str, str]()
    for name, wanted in names.items():
        stored = there + name.removeprefix(here)
        if not name.startswith(here) or stored not in source:
            continue
        for weight in wanted:
            if _alike(source[stored], target[weight]):
                same[weight] = stored
            else:
                other[weight] = stored
    return Matches(same, other)


def _prefixes(
    source: Mapping[str, Tensor], target: Mapping[str, Tensor], names: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    """The pairs of prefixes that most weights of one shape have before what their names have in common.

    What is in common must name a layer, and not only its ``weight``; unless the prefix is all that stands before the whole.
    """
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = defaultdict(list)
    for name, value in source.items():
        groups[_last(name), tuple(value.shape)].append(name)
    seen: Counter[tuple[str, str]] = Counter()
    counted: Counter[tuple[str, tuple[int, ...]]] = Counter()
    for name, wanted in names.items():
        group = _last(name), tuple(target[wanted[0]].shape)
        counted[group] += 1
        if counted[group] > COMPARED:
            continue
        for stored in groups[group][:COMPARED]:
            there, here, common = _split(stored, name)
            if "." in common or not there or not here:
                seen[there, here] += 1
    return [pair for pair, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:TRIED]]


def _split(there: str, here: str) -> tuple[str, str, str]:
    """Two names as what stands before the parts that they end with both, each with its dot, and these parts."""
    ours, theirs, n = there.split("."), here.split("."), 0
    while n < min(len(ours), len(theirs)) and ours[-1 - n] == theirs[-1 - n]:
        n += 1
    first, second = ours[: len(ours) - n], theirs[: len(theirs) - n]
    return "".join(f"{part}." for part in first), "".join(f"{part}." for part in second), ".".join(ours[len(ours) - n :])


def _alike(stored: Tensor, wanted: Tensor) -> bool:
    return stored.shape == wanted.shape and stored.is_floating_point() == wanted.is_floating_point()


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def groups_of(some: Iterable[str], all_names: Iterable[str]) -> dict[str, list[str]]:
    """Some of many dotted names, under the shortest prefixes that no other name has."""
    chosen = dict.fromkeys(some)
    others = {prefix for name in all_names if name not in chosen for prefix in _above(name)}
    found: dict[str, list[str]] = defaultdict(list)
    for name in chosen:
        found[next((prefix for prefix in _above(name) if prefix not in others), name)].append(name)
    return dict(found)


def _above(name: str) -> list[str]:
    """A dotted name's prefixes, from the shortest to itself."""
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]
