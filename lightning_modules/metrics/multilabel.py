"""Average precision where an image has any number of labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.classification import MultilabelF1Score
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


class MultiLabelF1(MultilabelF1Score):  # type: ignore[misc]
    """F1 at a probability of 0.5, averaged over the classes that a judged image shows; -1 where there are none.

    torchmetrics' own counts every other class as 0, so that of twenty classes of which five occur the best network has 0.25.
    Such a class says nothing of what is found: it is left out here, as it is of :class:`MultiLabelAP`.

    Args:
        num_classes: C.
        kwargs: those of ``torchmetrics.classification.MultilabelF1Score``; what is not to be judged is -1.
    """

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(num_classes, average="macro", ignore_index=-1, validate_args=False, **kwargs)

    def compute(self) -> Tensor:
        """The mean over all images: see the class."""
        right, false, _, missed = (count.float() for count in self._final_state())
        occurs = (right + missed > 0).float()
        if not bool(occurs.any()):
            return occurs.new_tensor(-1.0)
        each = 2 * right / (2 * right + missed + false).clamp(min=1)
        return (occurs * each / occurs.sum()).sum()
