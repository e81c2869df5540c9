"""Pose regression: the joints of an image's main figure, as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from datamodules.scene import Batch

from .base import Prediction, Task
from .means import Mean, counted, full_precision
from .metrics.mean_pose import MeanPose
from .metrics.pose import BoxPCK, JointError, PCKh, TorsoPCK


class MainFigures(NamedTuple):
    """The largest figure of each image that has one."""

    rows: Tensor
    """int64 (M,), the places of those images in the batch."""
    joints: Tensor
    """float32 (M, K, 3): x, y in pixels, and v > 0 where labelled."""
    boxes: Tensor
    """float32 (M, 4), xyxy, the tight box of the labelled joints."""


def main_figures(batch: Batch) -> MainFigures:
    """The figure of each image whose labelled joints spread over the largest box."""
    rows, chosen, boxes = [], [], []
    for row, figures in enumerate(batch["keypoints"]):
        extents = [_extent(figure) for figure in figures]
        areas = [float((e[2] - e[0]) * (e[3] - e[1])) for e in extents]
        if areas and max(areas) > 0:
            best = areas.index(max(areas))
            rows.append(row)
            chosen.append(figures[best])
            boxes.append(extents[best])
    device = batch["image"].device
    if not rows:
        joints = batch["keypoints"][0].shape[1] if batch["keypoints"] else 0
        none = torch.zeros(0, dtype=torch.long, device=device)
        return MainFigures(none, torch.zeros(0, joints, 3, device=device), torch.zeros(0, 4, device=device))
    return MainFigures(torch.tensor(rows, device=device), torch.stack(chosen), torch.stack(boxes))


def _extent(figure: Tensor) -> Tensor:
    """(4,), the box of the labelled joints of a figure (K, 3); of no area where fewer than two are labelled."""
    labelled = figure[figure[:, 2] > 0, :2]
    if len(labelled) < 2:
        return figure.new_zeros(4)
    return torch.cat([labelled.amin(dim=0), labelled.amax(dim=0)])


class Pose(Task):
    """The joints of the largest figure as 2K numbers (CS231n 2017, lecture 11, "Human Pose Estimation"; DeepPose).

    Joints that are not labelled are neither trained on nor scored. Metrics: PCK of the torso where the joints have one
    (otherwise of the figure's extent), PCKh where they have a head, the mean error in pixels, each also by joint; and
    ``mean_pose_…``, what the best constant answer, the mean pose of the evaluated set itself, reaches.

    Args:
        loss: the mean over paired coordinates (M, 2), M > 0, in parts of the image's sides: ``torch.nn.MSELoss`` (the
            lecture's L2), ``torch.nn.L1Loss`` or ``torch.nn.SmoothL1Loss``.
        kwargs: see :class:`Task`; the network gives (B, K, 2), x and y in parts of the image's sides.
    """

    needs = frozenset({"keypoints"})
    monitor = "val/joint_error"
    mode = "min"

    def __init__(
        self, *, network: Callable[[int], nn.Module], loss: Callable[[], nn.Module] = nn.MSELoss, **kwargs: Any
    ) -> None:
        super().__init__(network=network, **kwargs)
        self.loss = loss()

    def outputs(self) -> int:
        return len(self.specification.joints)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        rows, joints, _ = main_figures(batch)
        labelled = joints[..., 2] > 0
        predicted = full_precision(outputs[rows][labelled])
        total = predicted.sum()  # 0 where no joint is labelled, whose mean loss would be NaN
        if len(predicted):
            total = len(predicted) * self.loss(predicted, (joints[..., :2] / self._sides())[labelled].to(predicted))
        return {"joints": Mean(total, counted(len(predicted), predicted))}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        points = outputs.float() * self._sides()
        return [{"keypoints": torch.cat([p, torch.ones_like(p[:, :1])], dim=1)[None]} for p in points]

    def metrics(self) -> MetricCollection:
        joints = self.specification.joints
        torso, head = set(TorsoPCK.ends) <= set(joints), set(PCKh.ends) <= set(joints)
        pck = TorsoPCK(joints) if torso else BoxPCK(joints)
        chosen: list[Any] = [pck, JointError(joints), MeanPose(pck, joints)]
        return MetricCollection([*chosen, PCKh(joints)] if head else chosen, compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        rows, joints, boxes = main_figures(batch)
        found = torch.cat([p["keypoints"] for p in predictions])
        return {
            "keypoints": found[rows],
            "target": joints,
            "boxes": boxes,
            "index": batch["index"].to(rows.device)[rows],
        }

    def _sides(self) -> Tensor:
        height, width = self.specification.image_size
        return torch.tensor([width, height], device=self.device)
