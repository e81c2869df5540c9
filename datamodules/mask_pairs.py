"""Which of a folder's images are masks, and of which image each is one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .base import Split
from .images import image_names
from .own_splits import named_split
from .scene import InputError

LAYOUT = "images/ and masks/ (or labels/, annotations/, gt/), each in or above train/ and val/, or x.jpg beside x_mask.png"

_IMAGES = re.compile(r"^(images?|imgs?|jpegimages|photos?|inputs?|rgb|frames?)$")
_MASKS = re.compile(r"^(masks?|labels?|annotations?|annots?|segmentations?|segmentationclass|seg|gt|ground_?truths?|targets?)$")
_MARKED = re.compile(r"^(.+?)[_-]?(masks?|labels?|annotations?|annot|segmentations?|gt|images?|imgs?)$")
"""A folder such as ``trainannot`` or ``train_masks``."""
_ENDING = re.compile(r"^(.+?)[_-](mask|masks|label|labels|labelids|seg|segmentation|gt)$", re.IGNORECASE)
"""The name, without its ending, of a mask such as ``x_mask.png``."""
_OTHER = re.compile(r"^(segmentationobject|instances?)$")
"""Folders of masks that count objects, and no classes."""


@dataclass(frozen=True)
class MaskedImage:
    """An image and its mask, by their paths below the root."""

    image: str
    mask: str
    """Empty where there is none."""


def pairs_below(root: Path, images: str | None = None, masks: str | None = None) -> dict[Split, list[MaskedImage]]:
    """The images and masks of the splits that folders are named by; all of them as ``train`` where none is.

    Args:
        root: the folder.
        images: the folder of the images below ``root``; found by its name where nothing is said.
        masks: the folder of the masks below ``root``.

    Raises:
        InputError: there are no images or no masks, two masks of one image, or not a single mask has an image's name.
    """
    photographs: dict[tuple[str, ...], str] = {}
    found: dict[tuple[str, ...], str] = {}
    for is_mask, key, name in _sorted_out(root, images, masks):
        kind = found if is_mask else photographs
        if key in kind:
            what = "masks of one image" if is_mask else "images of one name"
            raise InputError(f"{root}: {kind[key]} and {name} are two {what}; data.images and data.masks name the folders")
        kind[key] = name
    if not photographs or not found:
        raise InputError(f"{root} has no {'masks' if photographs else 'images'} below it: expected {LAYOUT}")
    if not photographs.keys() & found.keys():
        example = f"{next(iter(found.values()))} of {next(iter(photographs.values()))}"
        raise InputError(f"{root}: no mask has the name of an image, such as {example}: expected {LAYOUT}")
    splits: dict[Split, list[MaskedImage]] = {}
    for key, name in photographs.items():
        named = {split for part in key[:-1] if (split := named_split(part))}
        if len(named) > 1:
            raise InputError(f"{root / name}: its folders name two splits, {' and '.join(sorted(named))}")
        splits.setdefault(named.pop() if named else "train", []).append(MaskedImage(name, found.get(key, "")))
    return splits


def _sorted_out(root: Path, images: str | None, masks: str | None) -> Iterable[tuple[bool, tuple[str, ...], str]]:
    """Of each image file below the root: whether it is a mask, what image and mask have in common, and its name."""
    if images is not None or masks is not None:
        for is_mask, folder in ((False, images or "images"), (True, masks or "masks")):
            for name in image_names(root / folder):
                path = PurePosixPath(name)
                yield is_mask, (*path.parts[:-1], _stem(path) if is_mask else path.stem), f"{folder}/{name}"
        return
    names = image_names(root)
    stems = {(PurePosixPath(name).parent, PurePosixPath(name).stem) for name in names}
    for name in names:
        path = PurePosixPath(name)
        if any(_OTHER.match(folder.lower()) for folder in path.parts[:-1]):
            continue
        is_mask, folders = False, []
        for folder in path.parts[:-1]:
            lower = folder.lower()
            marked = _MARKED.match(lower)
            if _MASKS.match(lower):
                is_mask = True
            elif marked and named_split(marked[1]):
                is_mask = is_mask or not _IMAGES.match(marked[2])
                folders.append(marked[1])
            elif not _IMAGES.match(lower):
                folders.append(folder)
        ending = _ENDING.match(path.stem)
        if not is_mask and ending and (path.parent, ending[1]) in stems:
            is_mask = True  # beside its image
        yield is_mask, (*folders, _stem(path) if is_mask else path.stem), name


def is_mask_like(name: str) -> bool:
    """Whether a path has the folder or the ending of a mask."""
    path = PurePosixPath(name)
    marked = [found for folder in path.parts[:-1] if (found := _MARKED.match(folder.lower()))]
    known = any(_MASKS.match(folder.lower()) for folder in path.parts[:-1])
    return known or bool(_ENDING.match(path.stem)) or any(named_split(found[1]) for found in marked)


def _stem(path: PurePosixPath) -> str:
    """The name of a mask's image."""
    ending = _ENDING.match(path.stem)
    return ending[1] if ending else path.stem
