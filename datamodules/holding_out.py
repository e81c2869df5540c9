"""Validation for data sets that have two official splits: it is held out of training, and is never the test by a fall-back.

Checkpoints, learning rates and stopping are chosen by validation. Where it is the test split under another name, the test's
figures are of what was chosen by them, and too good.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, TypeVar

from .prepared import Split
from .scene import InputError

_Item = TypeVar("_Item")

SHARE = 0.1
"""Of the training images, what is held out where nothing else is said."""
MOST = 5_000
"""Images that are held out at most: more make an epoch longer, and its figure hardly surer."""
FEWEST = 8
"""Training images of which one can be spared."""


def checked_share(share: float, data: str) -> float:
    """A data module's ``hold_out``.

    Raises:
        InputError: it is no part of a whole.
    """
    if not 0 <= share < 1:
        raise InputError(f"{data}: hold_out is {share:g}: a share of the training images expected, from 0 to below 1")
    return share


def held_out(names: Sequence[str], share: float, groups: Sequence[Hashable] = ()) -> list[int]:
    """The indices of the images that are held out, in order.

    They are ``share`` of all, at least one and at most :data:`MOST`, and of fewer than :data:`FEWEST` none. Which ones, a hash
    of the names decides, whatever their order; of each group (a class) there is as large a part.

    Args:
        names: of the training images; each has one of its own.
        share: of them.
        groups: of each image; nothing where there are none.
    """
    if not share or len(names) < FEWEST:
        return []
    members: dict[Hashable, list[int]] = defaultdict(list)
    for i, group in enumerate(groups or [0] * len(names)):
        members[group].append(i)
    places = []
    for indices in members.values():
        hashed = sorted(indices, key=lambda i: hashlib.sha256(names[i].encode("utf-8", "surrogatepass")).digest())
        places += [((rank + 0.5) / len(hashed), names[i], i) for rank, i in enumerate(hashed)]
    return sorted(i for _, _, i in sorted(places)[: max(1, min(MOST, int(len(names) * share)))])


def divided(
    split: Split,
    there: Collection[Split],
    listed: Callable[[Split], Sequence[_Item]],
    share: float,
    remark: Callable[[str], Any],
    *,
    name: Callable[[_Item], str] = str,
    group: Callable[[_Item], Hashable] = lambda item: 0,
) -> Sequence[_Item]:
    """The items of a split, where the data set may have no official one: validation is then held out of training.

    Args:
        split: which one.
        there: the official splits that there are. Where ``val`` or ``test`` is missing, the other is the test.
        listed: gives the items of an official split.
        share: of training that is held out; with 0, validation is the test.
        remark: is told what was made of it.
        name: of an item, by which it is held out or not.
        group: of an item; see :func:`held_out`.
    """
    others = {"val", "test"}.intersection(there)
    if len(others) != 1 or (split == "train" and "train" not in there):
        return listed(split)
    other: Split = "val" if "val" in others else "test"
    if split == "test":
        return listed(other)
    if "train" not in there:
        remark(f"there is {other} alone: validation and test are the same")
        return listed(other)
    missing = "no validation split" if other == "test" else "no test split, val is taken for it"
    train = listed("train")
    held = held_out([name(item) for item in train], share, [group(item) for item in train])
    if not held:
        why = f"{len(train)} training images are too few to hold some out" if share else "data.hold_out is 0"
        remark(f"there is {missing}; {why}: validation is the test split, so what is chosen by it looks better than it is")
        return train if split == "train" else listed(other)
    remark(f"there is {missing}; held out for validation: {len(held):,} of the {len(train):,} training images (data.hold_out)")
    chosen = set(held)
    return [item for i, item in enumerate(train) if (i in chosen) == (split == "val")]
