"""What is said of a scene or a prediction, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from datamodules.scene import DatasetMetadata
from experiments.training.legend import worth_drawing

MOST = 4
"""Classes that are named; of more the number is said."""


def said(fields: Mapping[str, Any], metadata: DatasetMetadata) -> str:
    """The classes of an image, of its objects or of its pixels, with scores where there are some, or «nothing».

    Args:
        fields: of a scene or a prediction.
        metadata: names the classes.
    """
    if "label" in fields:
        name = metadata.classes[int(fields["label"])]
        return f"{name} {float(fields['scores'].max()):.2f}" if "scores" in fields else name
    if "mask" in fields:
        values, counts = torch.as_tensor(fields["mask"]).unique(return_counts=True)
        found = sorted(zip(counts.tolist(), values.tolist(), strict=True), reverse=True)
        names = [metadata.mask_classes[v] for _, v in found if v < len(metadata.mask_classes)]
        return _listed([name for name in names if name != "background"])
    shown = worth_drawing(fields)
    labels = shown["labels"].tolist() if "labels" in shown else []
    scores = shown["scores"].tolist() if "boxes" in shown and "scores" in shown else [None] * len(labels)
    best: dict[int, float | None] = {}
    for label, score in zip(labels, scores, strict=True):  # the best first
        best.setdefault(label, score)
    return _listed([metadata.classes[k] + ("" if v is None else f" {v:.2f}") for k, v in best.items()])


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return (", ".join(names[:MOST]) or "nothing") + more
