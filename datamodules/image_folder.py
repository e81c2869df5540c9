"""Any folder of class folders."""

from __future__ import annotations

import os
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .base import DataModule, Size, Split
from .files import SceneFiles, existing, split_of
from .images import image_names, read_image
from .scene import DatasetMetadata, InputError, Scene

_LAYOUT = "a folder for each class with its images in it, <class>/*.jpg, or such folders in train/, val/ and test/"


class ImageFolder(DataModule):
    """Images in folders that are named by their class; ImageNet and its subsets are laid out so, by WordNet ids.

    With ``train/``, ``val/`` and ``test/`` each is its split; where ``test/`` is missing the test split is ``val/``,
    and the reverse. With ``train/`` alone, or with the class folders in ``root`` itself, the images are split 80/10/10
    by a hash of their path.

    Args:
        root: the folder.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label"})

    def __init__(self, root: str, *, image_size: Size = 224, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root = Path(root)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name=self.root.resolve().name, image_size=self.image_size, classes=self.classes)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of the class folders, sorted.

        Raises:
            InputError: there is no folder, or none in it.
        """
        folder = next(iter(self._splits.values()), self.root)
        if not (names := _folders(folder)):
            raise InputError(f"{folder} has no folders: expected {_LAYOUT}")
        return tuple(names)

    @cached_property
    def _splits(self) -> dict[str, Path]:
        """The folders of the official splits; none where the class folders lie in ``root`` itself."""
        names = _folders(existing(self.root, _LAYOUT))
        found: dict[str, Path] = {name: self.root / name for name in ("train", "val", "test") if name in names}
        # A class may be called train: it holds images then, and no folders.
        return found if len(found) == len(names) or _folders(self.root / "train") else {}

    def scenes(self, split: Split) -> SceneFiles[str]:
        """The images of a split, each by its path below ``root``."""
        official = {"train": ("train",), "val": ("val", "test"), "test": ("test", "val")}[split]
        if set(self._splits) - {"train"}:
            if not (folders := [self._splits[name] for name in official if name in self._splits]):
                raise InputError(f"{self.root} has no train/: expected {_LAYOUT}")
            return self._list(folders[0])
        everything = self._list(self._splits.get("train", self.root))
        return SceneFiles([name for name in everything.items if split_of(name) == split], everything.read)

    def _list(self, folder: Path) -> SceneFiles[str]:
        if strangers := set(_folders(folder)) - set(self.classes):
            raise InputError(f"{folder / min(strangers)}: no such class among the {len(self.classes)} of train/")
        above = "" if folder == self.root else f"{folder.name}/"
        images = [f"{above}{name}/{image}" for name in self.classes for image in image_names(folder / name)]
        if not images:
            raise InputError(f"{folder} holds no images: expected {_LAYOUT}")
        indices = {name: i for i, name in enumerate(self.classes)}
        return SceneFiles(images, partial(_read, self.root, above.count("/"), indices))


def _folders(path: Path) -> list[str]:
    """The names of the folders in a folder, sorted; hidden ones are passed over."""
    try:
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and Path(entry).is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(root: Path, depth: int, indices: dict[str, int], name: str) -> Scene:
    """The scene of an image by its path below ``root``, whose part number ``depth`` is its class."""
    label = indices[name.split("/")[depth]]
    return {"image": read_image(root / name), "label": torch.from_numpy(np.array(label)), "name": name}
