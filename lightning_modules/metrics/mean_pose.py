"""What a constant answer reaches in pose estimation: a baseline that tells what a result is worth."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .gather import GatheredMetric
from .pose import BoxPCK, TorsoPCK


class MeanPose(GatheredMetric[tuple[Tensor, Tensor]]):
    """PCK of the mean pose: each keypoint at the mean of its labelled places in the evaluated set itself.

    No constant answer learned from training data can be chosen with more knowledge. ``compute`` returns
    ``mean_pose_<key>`` for the overall thresholds of ``pck``.

    Args:
        pck: the kind of PCK; it is not changed.
        keypoints: the names of the K keypoints.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True

    def __init__(self, pck: TorsoPCK | BoxPCK, keypoints: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = type(pck)
        self.keypoints = keypoints

    def update(self, target: Tensor, boxes: Tensor, index: Tensor) -> None:
        """Add B instances: ``target`` float (B, K, 3), ``boxes`` float (B, 4) xyxy, ``index`` int64 (B,)."""
        both = torch.cat([target.flatten(1), boxes], 1).cpu()  # in one copy, which is waited for
        instances, corners = both[:, :-4].view(target.shape), both[:, -4:]
        for place, instance, box in zip(index.tolist(), instances, corners, strict=True):
            self.add(place, (instance, box))

    def compute(self) -> dict[str, Tensor]:
        """The baseline over all instances: see the class."""
        records = self.in_order()
        if not records:
            return {}
        target, boxes = (torch.stack(values) for values in zip(*records, strict=True))
        labelled = (target[..., 2] > 0).double()[..., None]
        mean = (target[..., :2].double() * labelled).sum(0) / labelled.sum(0).clamp(min=1)
        pck = self.kind(self.keypoints)
        constant = mean.float().expand(len(target), -1, -1)
        if isinstance(pck, BoxPCK):
            pck.update(constant, target, boxes)
        else:
            pck.update(constant, target)
        return {f"mean_pose_{key}": value for key, value in pck.compute().items() if key in pck.thresholds}
