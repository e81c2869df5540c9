"""What the studies of the R-CNN family measure after a training: a detector's parts apart, its corrections, its proposals."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.func import functional_call
from torchvision.ops import box_area, clip_boxes_to_image

from datamodules.base import PreparedScenes
from lightning_modules import Detection, RegionDetection
from lightning_modules.evaluating import evaluating
from lightning_modules.networks.boxes import MIN_SIDE, paired_iou
from lightning_modules.networks.region_heads import RegionHead, SoftmaxHead, StagedHead

from .training import most


class TrainingSeconds(pl.Callback):
    """Notes what a training cost: ``training/cpu_seconds`` of this process and ``training/seconds`` of the clock.

    From the first step to the last, R-CNN's later stages included, without validation and what comes before (a backbone's
    pre-training). Every training scene is asked for once beforehand, so that no run pays for drawings, or for proposals in a
    cache, that others find there.
    """

    def __init__(self) -> None:
        self._before = self._validation = (0.0, 0.0)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        scenes = PreparedScenes(trainer.datamodule, "train", augment=False)  # type: ignore[attr-defined]
        for i in range(min(len(scenes), most(trainer))):
            scenes[(0, i)]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._before = _now()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation = _now()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # What validation took is as though the training had begun so much later.
        now = _now()
        self._before = (
            self._before[0] + now[0] - self._validation[0],
            self._before[1] + now[1] - self._validation[1],
        )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        now = _now()
        values = {"training/seconds": now[0] - self._before[0], "training/cpu_seconds": now[1] - self._before[1]}
        _log(trainer, values)


class AnswersInParts(pl.Callback):
    """Scores, after the training and on test scenes, what a detector on given regions answers without some of its parts.

    In the run's log, with the task's own metrics:

    - of a head in stages ``softmax/…`` (the fine-tuned softmax, boxes as they are proposed), ``svm/…`` (the SVMs on the same)
      and ``softmax_and_boxes/…`` (the softmax with corrected boxes), as far as they were fitted;
    - of Fast R-CNN's head ``unmoved/…``, boxes as they are proposed.

    Nothing for other detectors.
    """

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not isinstance(pl_module, RegionDetection):
            return
        network = pl_module.network
        parts = without_parts(network.head)
        metrics = {name: pl_module.metrics().to(pl_module.device) for name in parts}
        for batch, outputs in _answers(trainer, pl_module):
            regions = torch.cat(outputs.proposals)
            counts = [len(boxes) for boxes in outputs.proposals]
            features = network.features(outputs.shared, outputs.proposals)
            for name, state in parts.items():
                boxes, scores = functional_call(network.head, dict(state), (features, regions))
                chosen = zip(boxes.split(counts), scores.split(counts), strict=True)
                predictions: Any = [network.select(b, s, outputs.size) for b, s in chosen]
                metrics[name].update(**pl_module.metric_inputs(predictions, batch))
        _log(trainer, {f"{name}/{key}": float(v) for name, metric in metrics.items() for key, v in metric.compute().items()})


def without_parts(head: RegionHead) -> dict[str, Mapping[str, Tensor]]:
    """By name, what a head's state is with some of its parts left out."""
    if isinstance(head, SoftmaxHead):
        return {"unmoved": {f"boxes.{name}": torch.zeros_like(p) for name, p in head.boxes.named_parameters()}}
    if not isinstance(head, StagedHead):
        return {}
    off = torch.zeros_like(head.has_svm)
    parts: dict[str, Mapping[str, Tensor]] = {"softmax": {"has_svm": off, "has_regressor": off}}
    if head.has_svm:
        parts["svm"] = {"has_regressor": off}
    if head.has_regressor:
        parts["softmax_and_boxes"] = {"has_svm": off}
    return parts


JITTERS = 8
"""Regions drawn around each object."""
SHIFT, GROWTH = 0.2, 1.5
"""They are shifted by at most this part of a side, and each side is between 1 / GROWTH and GROWTH times the object's."""
NEAR = 0.5
"""Regions that overlap their object less are left out: they are no proposals of it."""
OUTSIDE = 0.1
"""A box that has at least this part of its area outside its region has been moved outwards."""


class BoxCorrections(pl.Callback):
    """Measures, after the training, what the correction of boxes does to regions around the objects of test scenes.

    The regions are drawn at random (the same for every run), shifted, too large and too small. In the run's log, under
    ``corrections/…``:

    - ``iou_before`` and ``iou_after``, the mean IoU with the object;
    - ``outward``, the share of boxes that reach outside their region, and ``outward_gain``, the IoU that these gain;
    - ``small_outward`` and ``small_gain``, the same of regions that lie inside their object.

    NaN where there are none. Nothing for detectors that are not given regions, or do not correct them.
    """

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not isinstance(pl_module, RegionDetection):
            return
        network, rng = pl_module.network, torch.Generator().manual_seed(0)
        found: list[tuple[Tensor, Tensor, Tensor]] = []
        for batch, outputs in _answers(trainer, pl_module):
            objects, labels = pl_module.objects(batch)
            regions = [clip_boxes_to_image(jittered(boxes, rng), outputs.size) for boxes in objects]
            targets = [boxes.repeat_interleave(JITTERS, 0) for boxes in objects]
            near = [paired_iou(r, t) >= NEAR for r, t in zip(regions, targets, strict=True)]
            regions = [r[keep] for r, keep in zip(regions, near, strict=True)]
            boxes, _ = network.head(network.features(outputs.shared, regions), torch.cat(regions))
            if boxes.ndim == 2:
                return
            chosen = torch.cat([each.repeat_interleave(JITTERS)[keep] for each, keep in zip(labels, near, strict=True)])
            after = clip_boxes_to_image(boxes[torch.arange(len(chosen)), chosen], outputs.size)
            kept = torch.cat([t[keep] for t, keep in zip(targets, near, strict=True)])
            found.append((torch.cat(regions), after, kept))
        parts = (torch.cat(part).double().cpu() for part in zip(*found, strict=True))
        _log(trainer, {f"corrections/{name}": value for name, value in corrections(*parts).items()})


def jittered(boxes: Tensor, rng: torch.Generator) -> Tensor:
    """float (N, 4) to (N · JITTERS, 4): regions around each box, one after another."""
    boxes = boxes.repeat_interleave(JITTERS, 0)
    random = torch.rand(len(boxes), 2, 2, generator=rng).to(boxes) * 2 - 1
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + SHIFT * random[:, 0] * sides
    halves = sides / 2 * GROWTH ** random[:, 1]
    return torch.cat([centres - halves, centres + halves], 1)


def corrections(regions: Tensor, boxes: Tensor, objects: Tensor) -> dict[str, float]:
    """What :class:`BoxCorrections` says of regions (R, 4), what became of them, and the objects that they are of."""
    before, after = paired_iou(regions, objects), paired_iou(boxes, objects)
    low, high = torch.maximum(regions[:, :2], boxes[:, :2]), torch.minimum(regions[:, 2:], boxes[:, 2:])
    inside = (high - low).clamp(min=0).prod(1) / box_area(boxes).clamp(min=MIN_SIDE**2)
    outward = 1 - inside >= OUTSIDE
    small = (regions[:, :2] >= objects[:, :2]).all(1) & (regions[:, 2:] <= objects[:, 2:]).all(1)
    return {
        "iou_before": float(before.mean()),
        "iou_after": float(after.mean()),
        "outward": float(outward.double().mean()),
        "outward_gain": float((after - before)[outward].mean()),
        "small_outward": float(outward[small].double().mean()),
        "small_gain": float((after - before)[small].mean()),
    }


class ProposalRecall(pl.Callback):
    """Measures, after the training and on test scenes, the proposals that a detector is given or makes itself.

    In the run's log: ``proposals/recall50`` and ``proposals/recall70``, the shares of objects that a proposal overlaps with an
    IoU of at least 0.5 and 0.7; ``proposals/count`` of an image. Nothing for detectors without proposals.
    """

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not isinstance(pl_module, Detection):
            return
        best: list[Tensor] = []
        counts: list[float] = []
        for batch, outputs in _answers(trainer, pl_module):
            if not hasattr(outputs, "proposals"):
                return
            for boxes, proposals in zip(pl_module.objects(batch)[0], outputs.proposals, strict=True):
                counts.append(len(proposals))
                overlap = paired_iou(boxes[:, None], proposals[None])
                best.append(overlap.amax(1) if len(proposals) else overlap.sum(1))
        overlaps = torch.cat(best)
        values = {f"proposals/recall{t}": float((overlaps >= t / 100).double().mean()) for t in (50, 70)}
        _log(trainer, {**values, "proposals/count": sum(counts) / len(counts)})


def _answers(trainer: pl.Trainer, task: Detection) -> Iterator[tuple[Any, Any]]:
    """Each batch of the test set with what the network, in evaluation mode, says of it."""
    with evaluating(task):
        batches = int(trainer.fast_dev_run) or None  # type: ignore[attr-defined]
        for batch in islice(trainer.datamodule.test_dataloader(), batches):  # type: ignore[attr-defined]
            moved = task.transfer_batch_to_device(batch, task.device, 0)
            with torch.no_grad():
                yield moved, task.respond(moved)


def _log(trainer: pl.Trainer, values: Mapping[str, float]) -> None:
    for logger in trainer.loggers:
        logger.log_metrics(dict(values), step=max(0, trainer.global_step - 1))


def _now() -> tuple[float, float]:
    """Seconds of the clock and of this process's CPU."""
    return time.monotonic(), time.process_time()
