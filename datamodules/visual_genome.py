"""Visual Genome: regions of images, each with a phrase that a person wrote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from .base import DataModule, Size, Split
from .files import SceneFiles, below, read_json, refuse_twice, split_of
from .images import list_images, read_image
from .scene import DatasetMetadata, InputError, Scene, SceneError, quoted

_LAYOUT = "region_descriptions.json and image_data.json, as homes.cs.washington.edu/~ranjay/visualgenome has them"

Region = tuple[tuple[float, ...], str]
_Item = tuple[Path, tuple[int, int], list[Region]]


class VisualGenome(DataModule):
    """Visual Genome's region descriptions (Krishna et al. 2017), for dense captioning (Johnson et al. 2016).

    ``captions`` are phrases in lower case without punctuation: words with one space between them. Regions whose phrase
    has no word are left out. There are no official splits: 80/10/10 by a hash of the image's id.

    Args:
        root: the folder of ``region_descriptions.json`` and ``image_data.json``.
        images: folders of images named by their id (``107.jpg``, ``000000000107.jpg``), absolute or in ``root``.
        min_count: the vocabulary is the words that occur at least so many times; DenseCap takes 15.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"boxes", "captions"})

    def __init__(
        self,
        root: str = "data/visual_genome",
        *,
        images: Sequence[str] = ("VG_100K", "VG_100K_2"),
        min_count: int = 15,
        image_size: Size = 320,
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.images, self.min_count = Path(root), tuple(images), min_count

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name="Visual Genome", image_size=self.image_size, vocabulary=self.vocabulary)

    @cached_property
    def regions(self) -> dict[int, list[Region]]:
        """The boxes (xyxy) and phrases of each image, by its id."""
        path = self.root / "region_descriptions.json"
        try:
            entries = read_json(path, _LAYOUT)
            refuse_twice(str(path), "id", [_id(entry["id"]) for entry in entries])
            return {entry["id"]: [_region(r) for r in entry["regions"] if words(r["phrase"])] for entry in entries}
        except _OTHER_FORMAT as error:
            raise _wrong(path, error) from None

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of the training phrases that occur at least ``min_count`` times, sorted."""
        counts = Counter(
            word
            for image, regions in self.regions.items()
            if split_of(str(image)) == "train"
            for _, phrase in regions
            for word in phrase.split()
        )
        return tuple(sorted(word for word, count in counts.items() if count >= self.min_count))

    def scenes(self, split: Split) -> SceneFiles[_Item]:
        path = self.root / "image_data.json"
        try:
            data = read_json(path, _LAYOUT)
            refuse_twice(str(path), "image_id", [_id(entry.get("image_id", entry.get("id"))) for entry in data])
            sizes = {_id(entry.get("image_id", entry.get("id"))): (entry["height"], entry["width"]) for entry in data}
        except _OTHER_FORMAT as error:
            raise _wrong(path, error) from None
        folders = [self.root / folder for folder in self.images if (self.root / folder).is_dir()]
        if not folders:
            raise InputError(f"{self.root}: has none of {', '.join(self.images)} (data.images), folders of <id>.jpg")
        paths = {int(p.stem): p for folder in folders for p in list_images(folder) if p.stem.isdecimal()}
        images = [image for image in self.regions if split_of(str(image)) == split]
        if unknown := set(images) - set(sizes):
            raise InputError(f"{path} lacks image {min(unknown)} of region_descriptions.json")
        # An image that is missing on disk is named, and passed over or not, when it is read.
        items = [(paths.get(i) or below(folders[0], f"{i}.jpg", path), sizes[i], self.regions[i]) for i in images]
        return SceneFiles(items, _read)


_OTHER_FORMAT = (KeyError, TypeError, AttributeError, OverflowError)
"""What reading a file of another form is led to, beside ValueError, which InputError is."""


def _wrong(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not of Visual Genome's format ({type(error).__name__}: {quoted(str(error))})")


def _id(value: Any) -> int:
    """An image's id, which its file is named by."""
    if not isinstance(value, int):
        raise TypeError(f"an image's id is {quoted(value)}, expected a whole number")
    return value


def words(phrase: str) -> list[str]:
    """The words of a phrase: in lower case, without punctuation."""
    return re.findall(r"[a-z0-9]+", phrase.lower().replace("'", ""))


def _region(region: dict[str, Any]) -> Region:
    """A region's box and phrase; a box without its four numbers is named, or left out, with its image's others."""
    try:
        x, y, width, height = (float(region[key]) for key in ("x", "y", "width", "height"))
    except (ValueError, TypeError, KeyError, OverflowError):
        x = y = width = height = float("nan")
    return (x, y, x + width, y + height), " ".join(words(region["phrase"]))


def _read(item: _Item) -> Scene:
    path, (height, width), regions = item
    image = read_image(path)
    if tuple(image.shape[1:]) != (height, width):
        size = f"{image.shape[2]} x {image.shape[1]}"
        raise SceneError(f"{path}: the image is {size}, in image_data.json {quoted(width)} x {quoted(height)} (W x H)")
    return {
        "image": image,
        "boxes": torch.tensor([box for box, _ in regions], dtype=torch.float32).reshape(-1, 4),
        "captions": [phrase for _, phrase in regions],
        "name": f"{path.parent.name}/{path.name}",
    }
