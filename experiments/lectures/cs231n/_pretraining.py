"""A backbone that has learned to classify other shapes, in place of ImageNet's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import AdamW

from datamodules import Shapes
from experiments.measures.pretraining import PretrainedBackbone
from experiments.studies.lazy import L


def pretrained(*, drawings: int, object_size: Sequence[float]) -> dict[str, Any]:
    """A callback: before its run the backbone classifies so many drawings of one object each, of six shapes of its own."""
    style: Any = {
        "classes": ["ellipse", "bar", "crescent", "heart", "arrow", "bolt"],
        "objects": [1, 1],
        "object_size": list(object_size),
        "clutter": 0.3,
    }
    others = L(Shapes)(image_size=32, batch_size=64, workers=0, train=drawings, data_seed=1, style=style)
    made: dict[str, Any] = L(PretrainedBackbone)(data=others, optimizer=L(AdamW)(lr=5e-3), epochs=4)
    return made
