"""Pose regression: the keypoints of an image's main instance, as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MetricCollection

from datamodules.scene import Batch, scales_of

from .base import Prediction, Task
from .defaults import Metadata
from .means import Mean, counted, full_precision
from .metrics.mean_pose import MeanPose
from .metrics.pose import BoxPCK, KeypointError, PCKh, TorsoPCK
from .prediction import unstacked
from .uploads import numbers, uploaded


class MainInstances(NamedTuple):
    """The largest instance of each image that has one."""

    rows: Tensor
    """int64 (M,), the places of those images in the batch."""
    keypoints: Tensor
    """float32 (M, K, 3): x, y in pixels, and v > 0 where labelled."""
    boxes: Tensor
    """float32 (M, 4), xyxy, the tight box of the labelled keypoints."""

    def on(self, device: torch.device) -> MainInstances:
        """The same on a device."""
        return MainInstances(*(uploaded(values, device) for values in self))


def main_instances(batch: Batch) -> MainInstances:
    """The instance of each image whose labelled keypoints spread over the largest box, on the device of the keypoints."""
    rows, chosen, boxes = [], [], []
    for row, instances in enumerate(batch["keypoints"]):
        extents = [_extent(instance) for instance in instances]
        areas = [float((e[2] - e[0]) * (e[3] - e[1])) for e in extents]
        if areas and max(areas) > 0:
            best = areas.index(max(areas))
            rows.append(row)
            chosen.append(instances[best])
            boxes.append(extents[best])
    if not rows:
        keypoints = batch["keypoints"][0].shape[1] if batch["keypoints"] else 0
        none = torch.zeros(0, dtype=torch.long)
        return MainInstances(none, torch.zeros(0, keypoints, 3), torch.zeros(0, 4))
    points = torch.stack(chosen)
    return MainInstances(torch.tensor(rows, device=points.device), points, torch.stack(boxes))


def _extent(instance: Tensor) -> Tensor:
    """(4,), the box of the labelled keypoints of an instance (K, 3); of no area where fewer than two are labelled."""
    labelled = instance[instance[:, 2] > 0, :2]
    if len(labelled) < 2:
        return instance.new_zeros(4)
    return torch.cat([labelled.amin(dim=0), labelled.amax(dim=0)])


class Pose(Task):
    """The keypoints of the largest instance as 2K numbers (CS231n 2017, lecture 11, "Human Pose Estimation"; DeepPose).

    Keypoints that are not labelled are neither trained on nor scored. Metrics: PCK of the torso where the keypoints have one
    (otherwise of the instance's extent), PCKh where they have a head, the mean error in pixels, each also by keypoint; and
    ``mean_pose_…``, what the best constant answer, the mean pose of the evaluated set itself, reaches.

    Args:
        loss: the mean over paired coordinates (M, 2), M > 0, in parts of the image's sides: ``torch.nn.MSELoss`` (the
            lecture's L2), ``torch.nn.L1Loss`` or ``torch.nn.SmoothL1Loss``.
        kwargs: see :class:`Task`; the network gives (B, K, 2), x and y in parts of the image's sides.
    """

    needs = frozenset({"keypoints"})
    on_host = Task.on_host | {"keypoints"}
    monitor = "val/keypoint_error"
    mode = "min"
    default_network = "lightning_modules.networks.KeypointRegressor"

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        loss: Callable[[], nn.Module] = nn.MSELoss,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.loss = loss()

    def outputs(self) -> int:
        return len(self.metadata.keypoints)

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        rows, keypoints, _ = main_instances(batch)
        instance, keypoint = (keypoints[..., 2] > 0).nonzero(as_tuple=True)  # on the CPU: places, and no mask to wait for
        places = (uploaded(place, outputs.device) for place in (rows[instance], keypoint))
        predicted = full_precision(outputs[tuple(places)])
        total = predicted.sum()  # 0 where no keypoint is labelled, whose mean loss would be NaN
        if len(predicted):
            target = (keypoints[..., :2] / self._sides(keypoints))[instance, keypoint].to(predicted.dtype)
            total = len(predicted) * self.loss(predicted, uploaded(target, predicted.device))
        return {"keypoints": Mean(total, counted(len(predicted), predicted))}

    def predict(self, outputs: Tensor) -> list[Prediction]:
        return unstacked(self.stacked(outputs))

    def stacked(self, outputs: Tensor) -> dict[str, Tensor]:
        points = outputs.float()
        return {"keypoints": F.pad(points * self._sides(points), (0, 1), value=1.0)[:, None]}

    def metrics(self) -> MetricCollection:
        keypoints = self.metadata.keypoints
        torso, head = set(TorsoPCK.ends) <= set(keypoints), set(PCKh.ends) <= set(keypoints)
        pck = TorsoPCK(keypoints) if torso else BoxPCK(keypoints)
        chosen: list[Any] = [pck, KeypointError(keypoints), MeanPose(pck, keypoints)]
        return MetricCollection([*chosen, PCKh(keypoints)] if head else chosen, compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        main = main_instances(batch)
        rows, keypoints, boxes = main.on(batch["image"].device)
        found = torch.cat([p["keypoints"] for p in predictions])
        return {
            "keypoints": found[rows],
            "target": keypoints,
            "boxes": boxes,
            "index": batch["index"][main.rows],
            "scale": self._scale(batch, main.rows, keypoints),
        }

    def _scale(self, batch: Batch, rows: Tensor, like: Tensor) -> Tensor | None:
        """(M, 2), the pixels of the batch's images in one of the annotation; None where each is one."""
        scales = scales_of(batch)
        if all(scale == (1, 1) for scale in scales):
            return None
        return uploaded(torch.tensor(scales, dtype=torch.float64)[rows.cpu()].float(), like.device)

    def _sides(self, like: Tensor) -> Tensor:
        height, width = self.metadata.image_size
        return numbers([width, height], like)
