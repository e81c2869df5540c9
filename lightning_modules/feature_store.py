"""The features of regions on disk, between the stages of R-CNN's training.

Girshick 2015, "Fast R-CNN", section 1.1: "for SVM and bounding-box regressor training, features are extracted from each object
proposal in each image and written to disk"; they "require hundreds of gigabytes of storage".
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from datamodules.scene import InputError

Floats = npt.NDArray[np.float32]


class ImageFeatures(NamedTuple):
    """One image's regions, its G objects' own boxes first, and what the stages need of them.

    Read from disk, ``features`` and ``pooled`` are maps of their files: what is not looked at is not read.
    """

    features: Floats
    """float32 (R, D), the last layer's (fc7), for the SVMs."""
    boxes: Floats
    """float32 (R, 4), xyxy in pixels."""
    labels: npt.NDArray[np.int64]
    """int64 (G,), the class of each object, from 0."""
    near: npt.NDArray[np.int64]
    """int64 (M, 2): the proposals that are near an object (rows of ``boxes``), and which object that is."""
    pooled: Floats
    """float32 (M, F), the features of the regions themselves (pool5) of these proposals, for the regressors."""


class FeatureStore:
    """A folder with three files an image: ``<index>.features.npy``, ``<index>.pooled.npy``, and ``<index>.npz`` with the rest.

    A file is written beside and renamed, so that one that is there is whole.

    Args:
        folder: made with the first image.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, index: int, image: ImageFeatures) -> None:
        """Writes one image, over what was there of it.

        Raises:
            InputError: the disk is full, the folder read-only, or the like.
        """
        beside = self.folder / f".{index}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for part in ("features", "pooled"):
                with beside.open("wb") as file:
                    np.save(file, getattr(image, part))
                beside.replace(self._path(index, f"{part}.npy"))
            with beside.open("wb") as file:
                np.savez(file, boxes=image.boxes, labels=image.labels, near=image.near)
            beside.replace(self._path(index, "npz"))
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise InputError(f"{self.folder}: features cannot be written ({error.strerror})") from error

    def read(self, index: int) -> ImageFeatures:
        """What :meth:`write` wrote.

        Raises:
            InputError: a file is not there, or damaged.
        """
        try:
            features, pooled = (
                np.load(self._path(index, f"{part}.npy"), mmap_mode="r", allow_pickle=False) for part in ("features", "pooled")
            )
            with np.load(self._path(index, "npz"), allow_pickle=False) as rest:
                return ImageFeatures(features, rest["boxes"], rest["labels"], rest["near"], pooled)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(
                f"{self.folder}: the features of image {index} are missing or damaged ({type(error).__name__}); begin the run "
                "anew, or resume it from a checkpoint of an epoch before its last"
            ) from error

    def all(self, indices: list[int]) -> Iterator[ImageFeatures]:
        """The images ``indices``, one after another."""
        return (self.read(index) for index in indices)

    def size(self, indices: list[int]) -> tuple[int, int]:
        """Bytes on disk of the images ``indices``: of the features of all their regions, and of everything."""
        features = sum(self._path(index, "features.npy").stat().st_size for index in indices)
        rest = sum(self._path(index, kind).stat().st_size for index in indices for kind in ("pooled.npy", "npz"))
        return features, features + rest

    def delete(self) -> None:
        """Removes all features, and the folder where nothing else lies in it."""
        for pattern in ("*.features.npy", "*.pooled.npy", "*.npz", ".*.*"):
            for path in self.folder.glob(pattern):
                if path.name.lstrip(".").split(".")[0].isdigit():
                    path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _path(self, index: int, kind: str) -> Path:
        return self.folder / f"{index:06}.{kind}"
