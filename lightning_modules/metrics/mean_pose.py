"""What a constant answer reaches in pose estimation: a baseline that tells what a result is worth."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .gather import GatheredMetric
from .pose import BoxPCK, TorsoPCK


class MeanPose(GatheredMetric[tuple[Tensor, Tensor, Tensor]]):
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

    def update(self, target: Tensor, boxes: Tensor, index: Tensor, scale: Tensor | None = None) -> None:
        """Add B instances: ``target`` float (B, K, 3), ``boxes`` float (B, 4) xyxy, ``index`` int64 (B,); and ``scale`` as
        :meth:`~lightning_modules.metrics.pose.SegmentPCK.update` has it. The mean is that of the resized images."""
        scale = torch.ones_like(boxes[:, :2]) if scale is None else scale
        every = torch.cat([target.flatten(1), boxes, scale], 1).cpu()  # in one copy, which is waited for
        instances, corners, scales = every[:, :-6].view(target.shape), every[:, -6:-2], every[:, -2:]
        for place, *record in zip(index.tolist(), instances, corners, scales, strict=True):
            self.add(place, (record[0], record[1], record[2]))

    def compute(self) -> dict[str, Tensor]:
        """The baseline over all instances: see the class."""
        records = self.in_order()
        if not records:
            return {}
        target, boxes, scale = (torch.stack(values) for values in zip(*records, strict=True))
        labelled = (target[..., 2] > 0).double()[..., None]
        mean = (target[..., :2].double() * labelled).sum(0) / labelled.sum(0).clamp(min=1)
        pck = self.kind(self.keypoints)
        constant = mean.float().expand(len(target), -1, -1)
        if isinstance(pck, BoxPCK):
            pck.update(constant, target, boxes, scale)
        else:
            pck.update(constant, target, scale)
        return {f"mean_pose_{key}": value for key, value in pck.compute().items() if key in pck.thresholds}
