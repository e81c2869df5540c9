"""What studies of masks and keypoints measure beyond AP: what a trivial baseline scores, and what a branch costs an image."""

from __future__ import annotations

import statistics
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from torchmetrics import Metric

from datamodules.base import PreparedScenes
from lightning_modules.base import Prediction
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.oks import KeypointAP
from lightning_modules.networks.branches import BranchedRCNN
from lightning_modules.networks.faster_rcnn import FasterRCNN
from lightning_modules.networks.mask_rcnn import paste

from .training import most, training_batches


class TrivialBaseline(pl.Callback):
    """Scores the test set's detections with an answer in a branch's place that takes no look at the image.

    The boxes, classes and scores stay those of the network, so that the difference is what the branch knows.
    """

    prefix: str
    """Before the metric's own names in the run's log."""

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.metric = self.metric_of(pl_module)

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *args: Any) -> None:
        if outputs is not None:
            size = (batch["image"].shape[-2], batch["image"].shape[-1])
            answers = [self.answer(prediction, size) for prediction in outputs]
            self.metric.update(**pl_module.metric_inputs(answers, batch))

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log_dict({f"test/{self.prefix}_{name}": value for name, value in self.metric.compute().items()})
        self.metric.reset()

    @abstractmethod
    def metric_of(self, task: Any) -> Metric:
        """The metric to score with."""

    @abstractmethod
    def answer(self, prediction: Prediction, size: tuple[int, int]) -> Prediction:
        """The prediction for an image of ``size`` (H, W) with the trivial answer in it."""


class FilledBoxes(TrivialBaseline):
    """Takes each detection's whole box for its mask: ``test/filled_mask_mAP``, ``test/filled_mask_mAP50``, ..."""

    prefix = "filled"

    def metric_of(self, task: Any) -> Metric:
        return CocoAP(task.metadata.classes, iou_type="segm")

    def answer(self, prediction: Prediction, size: tuple[int, int]) -> Prediction:
        boxes = prediction["boxes"]
        filled = paste(torch.ones(len(boxes), 1, 1, device=boxes.device), boxes, size) > 0
        return {**prediction, "masks": filled.to(torch.uint8)}


class MeanPoses(TrivialBaseline):
    """Puts the mean pose into each detection's box: ``test/mean_pose_keypoint_mAP``, ``test/mean_pose_keypoint_mAP50``, ...

    That is, of each keypoint the mean place in the boxes of training scenes, in parts of their sides.

    Args:
        samples: how many training scenes the mean is taken over.
    """

    prefix = "mean_pose"

    def __init__(self, samples: int = 300) -> None:
        self.samples = samples

    def on_test_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        super().on_test_start(trainer, pl_module)
        batches = training_batches(trainer, self.samples)
        self.pose = mean_pose(
            [boxes for batch in batches for boxes in batch["boxes"]],
            [keypoints for batch in batches for keypoints in batch["keypoints"]],
        )

    def metric_of(self, task: Any) -> Metric:
        return KeypointAP(task.metadata.classes, task.metadata.keypoints, sigmas=task.sigmas)

    def answer(self, prediction: Prediction, size: tuple[int, int]) -> Prediction:
        low, high = prediction["boxes"][:, None].split(2, -1)
        places = low + self.pose.to(low) * (high - low)
        return {**prediction, "keypoints": torch.cat([places, torch.ones_like(places[..., :1])], -1)}


def mean_pose(boxes: Sequence[Tensor], keypoints: Sequence[Tensor]) -> Tensor:
    """float (K, 2): the mean place of each keypoint, over the instances where it is labelled, in parts of their boxes' sides.

    Args:
        boxes: float (N, 4), xyxy, for each image.
        keypoints: float (N, K, 3) for each image.
    """
    corners, points = torch.cat(list(boxes))[:, None], torch.cat(list(keypoints))
    parts = (points[..., :2] - corners[..., :2]) / (corners[..., 2:] - corners[..., :2])
    labelled = (points[..., 2:] > 0).to(parts)
    return (parts * labelled).sum(0) / labelled.sum(0).clamp(min=1)


class BranchCost(pl.Callback):
    """After training, what the branches add to the time of an image: each validation image with and without them, in turn.

    Without, the detections are the same, only that nothing more is said of them. In the run's log, on the CPU whatever the
    training ran on, and meaningful with one thread:

    - ``cost/ms`` and ``cost/ms_without``: CPU-milliseconds an image, from the image to its detections;
    - ``cost/branch_time``: the first through the second, and ``cost/branch_flop`` the same of floating-point operations;
    - ``cost/detections``: how many an image has.

    Args:
        images: how many are timed.
        repeats: how often each is; the median counts.
    """

    def __init__(self, images: int = 20, repeats: int = 5) -> None:
        self.images, self.repeats = images, repeats

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        scenes: Any = PreparedScenes(trainer.datamodule, "val", augment=False)  # type: ignore[attr-defined]
        network = deepcopy(pl_module.network).cpu().eval()
        mean, std = pl_module.mean.cpu(), pl_module.std.cpu()
        images = [(scenes[(0, i)]["image"][None] - mean) / std for i in range(min(self.images, len(scenes), most(trainer)))]
        for logger in trainer.loggers:
            logger.log_metrics(branch_cost(network, images, self.repeats), step=max(0, trainer.global_step - 1))


@torch.no_grad()
def branch_cost(network: BranchedRCNN, images: Sequence[Tensor], repeats: int) -> dict[str, float]:
    """What :class:`BranchCost` logs, of images (1, 3, H, W), normalised."""
    ways: tuple[Callable[[Any], Any], ...] = (network.predict, lambda outputs: FasterRCNN.predict(network, outputs))
    milliseconds, operations, detections = [0.0, 0.0], [0, 0], 0
    for image in images:
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(1 + repeats):  # the first does not count
            for way, times in zip(ways, taken, strict=True):
                began = time.process_time()
                found = way(network(image))
                times.append(1000 * (time.process_time() - began))
        detections += len(found[0]["labels"])
        for i, (way, times) in enumerate(zip(ways, taken, strict=True)):
            milliseconds[i] += statistics.median(times[1:])
            with FlopCounterMode(display=False) as counter:
                way(network(image))
            operations[i] += counter.get_total_flops()
    return {
        "cost/ms": milliseconds[0] / len(images),
        "cost/ms_without": milliseconds[1] / len(images),
        "cost/branch_time": milliseconds[0] / milliseconds[1],
        "cost/branch_flop": operations[0] / operations[1],
        "cost/detections": detections / len(images),
    }
