"""A data module of eleven squares, and its batches as Lightning asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor

from datamodules.base import DataModule, Split
from datamodules.scene import Batch, DatasetMetadata, Scene, SceneError

COUNT = 11


class Squares:
    """Scene i: a square of brightness i in an image of its own size, with i % 3 objects; some scenes can be broken."""

    def __init__(self, broken: Sequence[int] = ()) -> None:
        self.broken = broken

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> Scene:
        if index in self.broken:
            raise SceneError(f"scene {index}: broken")
        image = torch.full((3, 20 + index, 30), index, dtype=torch.uint8)
        boxes = torch.tensor([[2.0, 3, 10, 12], [5, 5, 25, 15]])[: index % 3]
        return {"image": image, "boxes": boxes, "labels": torch.arange(len(boxes)), "name": f"scene {index}"}


class SquaresData(DataModule):
    provides = frozenset({"boxes", "labels"})

    def __init__(self, broken: Sequence[int] = (), **options: Any) -> None:
        defaults: dict[str, Any] = {"image_size": (16, 24), "batch_size": 4, "workers": 0}
        super().__init__(**defaults | options)
        self.broken = broken

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name="squares", image_size=self.image_size, classes=("a", "b"))

    def scenes(self, split: Split) -> Squares:
        return Squares(self.broken)


def epochs(data: DataModule, count: int = 2) -> list[list[Batch]]:
    """The training batches of some epochs, as Lightning asks for them: first iter, then the epoch, then next."""
    loader, found = data.train_dataloader(), []
    for epoch in range(count):
        batches = iter(loader)
        loader.sampler.set_epoch(epoch)
        found.append([batch for batch in batches if batch is not None])
    return found


def on_rank(data: SquaresData, rank: int, ranks: int, seen: int = 0) -> SquaresData:
    """The module as a process of a distributed (or resumed) run has it."""
    progress = SimpleNamespace(current=SimpleNamespace(ready=seen))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    data.trainer = cast(Any, SimpleNamespace(global_rank=rank, world_size=ranks, fit_loop=loop))
    return data


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(torch.equal(a, b)) if isinstance(a, Tensor) else bool(a == b)
