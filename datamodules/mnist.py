"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from torch import Tensor

from .base import DataModule, Size, Split
from .files import LabelledImages, hold_out
from .scene import DatasetMetadata, InputError

_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


MOST = 1_000_000
"""Examples in a file: MNIST has 60,000, and none of what is laid out like it has more than EMNIST's 700,000."""


class MNIST(DataModule):
    """MNIST (LeCun et al. 1998): handwritten digits, 28 x 28, white on black, in three equal channels.

    Training has the first 55,000 digits of the official training set, validation its last 5,000, test the official
    10,000.

    Args:
        root: the folder of ``MNIST/raw/`` and its four files, packed (.gz) or not, as torchvision leaves them; what is
            missing is downloaded.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label"})

    def __init__(self, root: str = "data", *, image_size: Size = 28, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root = Path(root)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(
            name="MNIST",
            image_size=self.image_size,
            classes=tuple("0123456789"),
            mean=(0.1307, 0.1307, 0.1307),
            std=(0.3081, 0.3081, 0.3081),
        )

    def prepare_data(self) -> None:
        if all(any(self._paths(name)) for name in _FILES):
            return
        try:
            torchvision.datasets.MNIST(str(self.root), download=True)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{self._missing()} (the download failed: {error})") from None

    def scenes(self, split: Split) -> LabelledImages:
        part = "t10k" if split == "test" else "train"
        images = self._read(f"{part}-images-idx3-ubyte", header=16, each=28 * 28).reshape(-1, 1, 28, 28)
        labels = self._read(f"{part}-labels-idx1-ubyte", header=8, each=1).long()
        if len(images) != len(labels):
            raise InputError(f"MNIST: {self.root}/MNIST/raw/ has {len(images)} images and {len(labels)} labels of {part}")
        data = LabelledImages(images.expand(-1, 3, -1, -1), labels, part)
        return data if split == "test" else hold_out(data, split)

    def _paths(self, name: str) -> list[Path]:
        raw = self.root / "MNIST" / "raw"
        return [path for path in (raw / name, raw / f"{name}.gz") if path.is_file()]

    def _missing(self) -> str:
        missing = ", ".join(name for name in _FILES if not self._paths(name))
        return f"MNIST: {self.root}/MNIST/raw/ lacks {missing}, packed (.gz) or not"

    def _read(self, name: str, header: int, each: int) -> Tensor:
        """The bytes behind the header, ``each`` an example; torchvision reads the unpacked files alone, and unpacks into
        ``root``."""
        if not (paths := self._paths(name)):
            raise InputError(self._missing())
        path, largest = paths[0], header + each * MOST
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                data = bytearray(file.read(largest + 1))  # a packed file of a megabyte can hold a gigabyte of zeros
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: damaged, or cannot be read ({error})") from None
        if not header < len(data) <= largest or (len(data) - header) % each:
            raise InputError(f"{path}: not a header of {header} bytes and {each} for each of up to {MOST:,} examples")
        return torch.from_numpy(np.frombuffer(data, np.uint8, offset=header))
