"""Average precision where an image has any number of labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.classification import binary_average_precision

from .gather import GatheredMetric


class MultiLabelAP(GatheredMetric[tuple[Tensor, Tensor]]):
    """Mean over classes of the area under precision and recall, of images ranked by their score for the class.

    ``compute`` returns ``map``, a float32 scalar. Classes that no judged image shows are left out of the mean; -1 where
    there are none at all. torchmetrics' own fails on a class for which no image is to be judged, and cannot gather ranks
    without samples.
    """

    higher_is_better = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def update(self, preds: Tensor, target: Tensor, index: Tensor) -> None:
        """Add B images: ``preds`` float (B, C), ``target`` int64 (B, C) of 1, 0 or -1 = not to be judged, ``index`` (B,)."""
        both = torch.stack([preds.double(), target.double()]).cpu()  # in one copy, which is waited for; both are exact
        for place, scores, truth in zip(index.tolist(), both[0].float(), both[1].long(), strict=True):
            self.add(place, (scores, truth))

    def compute(self) -> dict[str, Tensor]:
        """The mean over all images: see the class."""
        values = []
        if records := self.in_order():
            scores, truth = (torch.stack(part) for part in zip(*records, strict=True))
            for c in range(scores.shape[1]):
                judged = truth[:, c] >= 0
                if bool((truth[:, c] == 1).any()):
                    values.append(binary_average_precision(scores[judged, c], truth[judged, c]))
        return {"map": torch.stack(values).mean() if values else torch.tensor(-1.0)}
