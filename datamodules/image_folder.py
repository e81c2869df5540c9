"""Any folder of class folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .base import DataModule, Size, Split
from .files import SceneFiles, existing, split_of
from .holding_out import SHARE, checked_share, divided
from .images import image_names, read_image
from .scene import DatasetMetadata, InputError, Scene
from .split_folders import distinct, images_in, inmost, split_folders, subfolders
from .unread import passed_over

_LAYOUT = "a folder for each class with its images in it, <class>/*.jpg, or such folders in train/, val/ and test/"


class ImageFolder(DataModule):
    """Images in folders that are named by their class; ImageNet and its subsets are laid out so, by WordNet ids.

    With ``train/``, ``val/`` and ``test/`` each is its split; other names of theirs (``training``, ``valid``, ``validation``,
    ``Test`` …) are known too, and one folder may lie around them all. With ``train/`` and one of the others, that one is the
    test, and a part of ``train/`` is held out for validation. With ``train/`` alone, or with the class folders in ``root``
    itself, the images are split 80/10/10 by a hash of their path. What was made of the folders is said, once, and kept in the
    run's summary.

    Where no annotation is asked for (``require(frozenset())``) nothing is validated, and nothing is held out.

    Args:
        root: the folder.
        hold_out: share of the training images (5,000 at most) that is held out for validation, of each class as large a part,
            where it has no split but the test's; with 0 it is the test's.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label"})

    def __init__(self, root: str, *, hold_out: float = SHARE, image_size: Size = 224, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.hold_out = Path(root), checked_share(hold_out, "ImageFolder")

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name=self.root.resolve().name, image_size=self.image_size, classes=self.classes)

    @cached_property
    def folder(self) -> Path:
        """The folder of the splits or the classes: ``root``, or the only folder in it."""
        if (folder := inmost(existing(self.root, _LAYOUT))) != self.root:
            self.remark(f"{self.root}: the data are those of {folder}, the only folder there")
        return folder

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of the class folders, sorted.

        Raises:
            InputError: there is no folder, none in it, or one without an image.
        """
        folder, names = self._class_folders
        for name in names:
            unread: Counter[str] = Counter()
            if not images_in(folder / name) and not image_names(folder / name, unread=unread):
                what = passed_over(folder / name, unread) or "a class needs some, and what is no class is moved away"
                raise InputError(f"{folder / name} holds no images: {what}")
        return names

    @cached_property
    def _class_folders(self) -> tuple[Path, tuple[str, ...]]:
        """The folder of the class folders that count, and their names."""
        folder = next(iter(self._splits.values()), self.folder)
        if not (names := subfolders(folder)):
            raise InputError(f"{folder} has no folders: expected {_LAYOUT}")
        distinct((folder / name for name in names), "classes")
        return folder, tuple(names)

    @cached_property
    def _splits(self) -> dict[Split, Path]:
        """The folders of the official splits; none where the class folders lie in ``folder`` itself."""
        return split_folders(self.folder, self.remark)

    def scenes(self, split: Split) -> SceneFiles[str]:
        """The images of a split, each by its path below ``folder``."""
        if self._splits.keys() <= {"train"}:
            names = self._list(self._splits.get("train", self.folder))
            return self._files([name for name in names if split_of(name) == split], len(self._splits))
        if "train" not in self._splits:
            raise InputError(f"{self.root} has no train/: expected {_LAYOUT}")
        if split in self._splits:
            self._hold_to_classes(self._splits[split])

        def listed(official: Split) -> list[str]:
            return self._list(self._splits[official])

        share, remark = (self.hold_out, self._remark_of_splits) if self.fields else (0, _say_nothing)
        return self._files(divided(split, self._splits, listed, share, remark, group=_class_of), 1)

    def _remark_of_splits(self, text: str) -> None:
        self.remark(f"{self.root}: {text}")

    def _files(self, names: Sequence[str], depth: int) -> SceneFiles[str]:
        return SceneFiles(names, partial(_read, self.folder, depth, {name: i for i, name in enumerate(self.classes)}))

    def _hold_to_classes(self, folder: Path) -> None:
        names = self._class_folders[1]
        if strangers := set(subfolders(folder)) - set(names):
            raise InputError(f"{folder / min(strangers)}: no such class among the {len(names)} of train/")

    def _list(self, folder: Path) -> list[str]:
        """The images of a split's folder, or of all, each by its path below ``self.folder``."""
        self._hold_to_classes(folder)
        names = self._class_folders[1]
        above = "" if folder == self.folder else f"{folder.name}/"
        seen, unread = {os.path.realpath(folder / name) for name in names}, Counter[str]()
        images = [f"{above}{name}/{path}" for name in names for path in image_names(folder / name, seen=seen, unread=unread)]
        if not images:
            raise InputError(f"{folder} holds no images: expected {_LAYOUT}")
        if what := passed_over(folder, unread):
            self.remark(what)
        if count := images_in(folder):
            self.remark(f"{folder}: {count} images beside the class folders have no class, and are passed over")
        return images


def _class_of(name: str) -> str:
    """The class of an image of a split, by its path."""
    return name.split("/")[1]


def _say_nothing(text: str) -> None:
    pass


def _read(root: Path, depth: int, indices: dict[str, int], name: str) -> Scene:
    """The scene of an image by its path below ``root``, whose part number ``depth`` is its class."""
    label = indices[name.split("/")[depth]]
    return {"image": read_image(root / name), "label": torch.from_numpy(np.array(label)), "name": name}
