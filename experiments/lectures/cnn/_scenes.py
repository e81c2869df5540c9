"""A recipe's training images as tensors, for what is measured on them without a training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from datamodules import Shapes
from datamodules.base import PreparedScenes
from datamodules.drawing import Style
from datamodules.loading import collate
from experiments.studies.study import configuration


def training_images(recipe: str, count: int, **changes: Any) -> tuple[Tensor, Tensor]:
    """The first drawn scenes that ``recipe`` trains on: float32 (N, 3, H, W), normalised as a task does, and int64 labels (N,).

    ``changes`` are arguments of :class:`~datamodules.Shapes` in place of the recipe's.
    """
    arguments = configuration(recipe, {})["data"]["init_args"] | {"workers": 0} | changes
    data = Shapes(**arguments | {"style": Style(**arguments.get("style", {}))})
    data.require(frozenset({"label"}))
    scenes = PreparedScenes(data, "train", augment=False)
    batch = collate([scenes[(0, i)] for i in range(count)])
    assert batch is not None
    about = data.metadata
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) * 255 for value in (about.mean, about.std))
    return (batch["image"] - mean) / std, batch["label"]
