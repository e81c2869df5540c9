"""The keypoints of an image's main instance: which are found, how far off they are, and what the mean pose reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from datamodules.scene import Batch
from experiments.runs.findings import Finding, TableFinding
from lightning_modules.base import Prediction
from lightning_modules.metrics.mean_pose import MeanPose
from lightning_modules.metrics.pose import PCK, BoxPCK, KeypointError, distances
from lightning_modules.pose import Pose, main_instances

from .inquiry import Inquiry, MeasuredValues, TrainingSample, merged


class PoseInquiry(Inquiry[Pose]):
    """Of :class:`~lightning_modules.pose.Pose`; what is true of each instance is that of the task's own ``MeanPose``.

    How wrong an image is: the mean distance of its labelled keypoints from the truth, in parts of the instance's longer side.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.truth: dict[int, tuple[Tensor, Tensor, Tensor]] = {}

    def add(self, predictions: list[Prediction], batch: Batch) -> Sequence[float]:
        inputs = self.task.metric_inputs(predictions, batch)
        target, boxes = inputs["target"], inputs["boxes"]
        labelled = target[..., 2] > 0
        far = (distances(inputs["keypoints"], target) * labelled).sum(1) / labelled.sum(1).clamp(min=1)
        far = (far / (boxes[:, 2:] - boxes[:, :2]).amax(1).clamp(min=1e-6)).nan_to_num(1e6).tolist()
        wrong = [0.0] * len(predictions)
        for row, own in zip(main_instances(batch).rows.tolist(), far, strict=True):
            wrong[row] = own
        return wrong

    def take(self) -> None:
        own = self.metric(MeanPose)
        self.truth = {} if own is None else dict(own.records)

    def gather(self) -> None:
        self.truth = merged(self.truth)

    def sections(self, measured: MeasuredValues, training: TrainingSample) -> list[Finding]:
        if not self.truth:
            return []
        target, boxes, scale = (torch.stack(part) for part in zip(*self.truth.values(), strict=True))
        known = target
        if training.scenes:
            known = main_instances(training.batch()).keypoints
        constant = mean_pose(known)
        values: dict[str, float] = {}
        for metric in self.metrics:
            if isinstance(metric, PCK | KeypointError):
                values |= scored(metric, constant.expand(len(target), -1, -1), target, boxes, scale)
        names = [name for name in values if "/" not in name and not name.endswith("_left_out")]
        columns = [part for name in names for part in (name, f"{name} of the mean pose")]
        rows = [
            (
                keypoint,
                int((target[:, k, 2] > 0).sum()),
                *(
                    part
                    for name in names
                    for part in (
                        measured.values.get(f"{measured.split}/{name}/{keypoint}"),
                        values.get(f"{name}/{keypoint}"),
                    )
                ),
            )
            for k, keypoint in enumerate(self.metadata.keypoints)
        ]
        origin = training if training.scenes else "the evaluated images themselves"
        note = f"Each keypoint at the mean of its labelled places in {origin}."
        title, errors = "By keypoint", tuple(name for name in names if name.startswith("keypoint_error"))
        return [
            *measured.beside({name: values[name] for name in names}, "the mean pose", errors, note),
            TableFinding(title=title, columns=("keypoint", "labelled", *columns)[:32], rows=tuple(row[:32] for row in rows)),
        ]


def mean_pose(keypoints: Tensor) -> Tensor:
    """(K, 3): each keypoint at the mean of its labelled places, of instances (N, K, 3)."""
    labelled = (keypoints[..., 2] > 0).double()[..., None]
    mean = (keypoints[..., :2].double() * labelled).sum(0) / labelled.sum(0).clamp(min=1)
    return torch.cat([mean, torch.ones(len(mean), 1)], 1).float()


def scored(metric: Metric, found: Tensor, target: Tensor, boxes: Tensor, scale: Tensor) -> Mapping[str, float]:
    """What a metric of poses says of others than those it was given; it is not changed."""
    fresh = type(metric)(metric.keypoints)
    if isinstance(fresh, BoxPCK):
        fresh.update(found, target, boxes, scale)
    else:
        fresh.update(found, target, scale)
    return {name: float(value) for name, value in fresh.compute().items()}
