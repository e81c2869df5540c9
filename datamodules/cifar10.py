"""CIFAR-10: 60,000 small photographs of ten classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torchvision

from .base import DataModule, PreparedScenes, Size, Split
from .batches import BatchTransform, PreparedBatches, augmented
from .files import LabelledImages, hold_out
from .scene import DatasetMetadata, InputError


class CIFAR10(DataModule):
    """CIFAR-10 (Krizhevsky 2009): photographs of ten classes, 32 x 32.

    Training has the first 45,000 images of the official training set, validation its last 5,000 (He et al. 2015,
    section 4.2), test the official 10,000. (A folder of CIFAR's classes as image files is an ``ImageFolder``.)

    Args:
        root: the folder of ``cifar-10-batches-py/``, as torchvision leaves it; downloaded where it is missing.
        image_size: side of the square images of a batch, or (H, W).
        augment_batch: transforms for training, of ``datamodules.batches``, in place of ``augment``: batches are taken whole,
            and augmented where the network computes. As ever they depend on (seed, epoch, index) alone.
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label"})

    def __init__(
        self,
        root: str = "data",
        *,
        image_size: Size = 32,
        augment_batch: Sequence[BatchTransform] = (),
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.augment_batch = Path(root), list(augment_batch)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(
            name="CIFAR-10",
            image_size=self.image_size,
            classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            mean=(0.4914, 0.4822, 0.4465),
            std=(0.2470, 0.2435, 0.2616),
        )

    def prepare_data(self) -> None:
        try:
            torchvision.datasets.CIFAR10(str(self.root), download=True)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{self._missing()} (the download failed: {error})") from None

    def scenes(self, split: Split) -> LabelledImages:
        if any(not path.is_file() for path in (self.root / "cifar-10-batches-py").glob("*")):
            raise InputError(self._missing())  # a pipe would wait for ever
        try:
            # Its files are pickles; torchvision unpickles none whose checksum is not the official one.
            official = torchvision.datasets.CIFAR10(str(self.root), train=split != "test")
        except RuntimeError:
            raise InputError(self._missing()) from None
        images = torch.from_numpy(official.data).permute(0, 3, 1, 2)
        data = LabelledImages(images, torch.tensor(official.targets), "test" if split == "test" else "train")
        return data if split == "test" else hold_out(data, split)

    def prepared(self, split: Split, *, augment: bool) -> PreparedScenes:
        if not self.augment_batch:
            return super().prepared(split, augment=augment)
        return PreparedBatches(self, split, self.augment_batch, augment=augment)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return augmented(batch, self.augment_batch)

    def _missing(self) -> str:
        return (
            f"CIFAR10: {self.root}/cifar-10-batches-py/ lacks data_batch_1 to 5, test_batch and batches.meta, or they "
            "are damaged; they are in cifar-10-python.tar.gz of www.cs.toronto.edu/~kriz/cifar.html"
        )
