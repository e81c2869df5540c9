"""The splits of one's own data: those that its folders name, and what is held out of the training images for the others."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from .base import Split
from .files import split_of

T = TypeVar("T")

SPLIT_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trainval", "train_set"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "val_set"), "val"),
    **dict.fromkeys(("test", "testing", "test_set"), "test"),
}
"""What exports and people call a split's folder, file or subset, in lower case and without a year."""

SPLITS: tuple[Split, ...] = get_args(Split)


def named_split(name: str) -> Split | None:
    """The split that a folder or file is named by: ``Train``, ``valid``, ``val2017``; None where it is another name."""
    return SPLIT_NAMES.get(re.sub(r"[\s_-]*\d+$", "", name.strip().lower()))


def with_held_out(
    source: str,
    official: Mapping[Split, Sequence[T]],
    name_of: Callable[[T], str],
    remark: Callable[[str], Any] = warnings.warn,
) -> dict[Split, list[T]]:
    """All three splits. One that the data set has not is a tenth of its training images, and is trained on no more.

    Which tenth depends on an image's name alone (:func:`datamodules.files.split_of`), but where so few images leave a split
    without one: it then takes the training image whose name's digest is the greatest. Copies of one photograph
    that an export has made (``x.rf.1234.jpg``, as Roboflow names them) go together.

    No split stands in for another: what is held out is said.

    Args:
        source: the data module's name and root, for what is said.
        official: the items of the splits that the data set itself has; an empty one counts as missing.
        name_of: an item's name below the root.
        remark: is told; a data module's :meth:`DataModule.remark`, which keeps it for the run's report.
    """
    splits: dict[Split, list[T]] = {split: list(official.get(split, ())) for split in SPLITS}
    missing = [split for split in SPLITS[1:] if not splits[split]]
    if not missing or not splits["train"]:
        return splits
    everything, splits["train"] = splits["train"], []
    for item in everything:
        split = split_of(_photograph(name_of(item)))
        splits[split if split in missing else "train"].append(item)
    for split in missing:
        if not splits[split] and len({_photograph(name_of(item)) for item in splits["train"]}) > 1:
            chosen = max((_photograph(name_of(item)) for item in splits["train"]), key=_digest)
            splits[split] = [item for item in splits["train"] if _photograph(name_of(item)) == chosen]
            splits["train"] = [item for item in splits["train"] if _photograph(name_of(item)) != chosen]
    held = " and ".join(f"{len(splits[split])} for {split}" for split in missing)
    remark(f"{source} has no {' and no '.join(missing)} split: of {len(everything)} training images {held} are held out")
    return splits


def written_name(name: str) -> str:
    """A file's name as UTF-8 can hold it: the same, but that bytes which are none (of a zip file in CP949) are spelled out."""
    return name.encode("utf-8", "backslashreplace").decode()


def _photograph(name: str) -> str:
    """The name of what was photographed, of a copy of it that Roboflow has augmented."""
    return re.sub(r"\.rf\.[0-9A-Za-z_-]+(?=\.[^.]*$|$)", "", name)


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()
