"""R-CNN's training as it was: fine-tuning, features on disk, a linear SVM for each class, and regressors of boxes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from torchvision.ops import box_iou

from datamodules.scene import Batch, InputError

from .defaults import Metadata
from .feature_store import FeatureStore, ImageFeatures
from .linear_svms import LinearSVMs
from .networks.region_heads import StagedHead
from .networks.regions import RegionDetector
from .region_detection import RegionDetection
from .ridge_regressors import RidgeRegressors
from .schedules import Schedule

STAGES = ("fine_tuning", "features", "svms", "regressors")


class StagedDetection(RegionDetection):
    """A detector trained in the stages of R-CNN, all in one run (deck "CNN, R-CNN"; Girshick et al. 2014, section 2.3).

    1. Fine-tuning: all epochs but the last are ordinary ones, with the log loss on regions of the training images.
    2. Features: in the last epoch nothing is learned; the features of every region of every training image are written to
       disk, as that epoch augments it. (So ``trainer.max_epochs: 1`` leaves out the fine-tuning.)
    3. At its end the SVMs are fitted to them (``svms``), and
    4. the regressors that correct boxes (``regressors``).

    What is fitted so far is what predicts: the softmax of the fine-tuning, then the SVMs on unmoved boxes, then all. Seconds
    (of the clock, waiting for data included, and of this process's CPU) and bytes on disk of each stage are logged as
    ``stages/…``. An interrupted run goes on in whichever stage it was: features that were written stay, and the fits, which
    begin when all are there, begin anew.

    Args:
        network: called with the number of classes, gives a :class:`RegionDetector` with a :class:`StagedHead`.
        svms: builds what fits the SVMs; None leaves the softmax in their place.
        regressors: builds what fits the regressors; None leaves boxes where they are proposed.
        features: the folder below which features are written; None is the run's own.
        keep_features: whether they stay there when the run has ended.
        kwargs: see :class:`Task`.
    """

    default_network = "lightning_modules.networks.RCNN"

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], RegionDetector] | None = None,
        svms: Callable[[], LinearSVMs] | None = LinearSVMs,
        regressors: Callable[[], RidgeRegressors] | None = RidgeRegressors,
        features: str | None = None,
        keep_features: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.svms, self.regressors = svms and svms(), regressors and regressors()
        self.features, self.keep_features = features, keep_features
        if not isinstance(self.network.head, StagedHead):
            raise InputError(
                f"StagedDetection trains a network with a StagedHead; {type(self.network).__name__} has a "
                f"{type(self.network.head).__name__}, which RegionDetection trains"
            )
        self._written: list[int] = []
        """The images whose features are on disk."""
        self._seconds = dict.fromkeys(STAGES, 0.0)
        self._cpu_seconds = dict.fromkeys(STAGES, 0.0)
        self._since = 0.0, 0.0

    @cached_property
    def _no_run(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="lectern-features-")

    @property
    def head(self) -> StagedHead:
        """The network's, which holds what the stages fit."""
        return cast("StagedHead", self.network.head)

    # Training ---------------------------------------------------------------------------------------------------------

    def on_fit_start(self) -> None:
        if self.trainer.world_size > 1:
            raise InputError("StagedDetection fits its SVMs in one process; set trainer.devices to 1")
        whole = self.trainer.max_steps == -1 and (self.trainer.max_epochs or -1) >= 1
        if not (whole or self.trainer.fast_dev_run):  # type: ignore[attr-defined]
            raise InputError("StagedDetection writes features in its last epoch; set trainer.max_epochs, and no max_steps")

    @property
    def fine_tuning(self) -> bool:
        """Whether this epoch is one of the first stage."""
        return self.current_epoch < (self.trainer.max_epochs or 1) - 1

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if self.fine_tuning:
            return super().training_step(batch, batch_idx)
        if batch_idx == 0:
            self._written = []  # a run that was made longer wrote features in what was its last epoch before
        self.network.eval()  # at each batch: validation inside the epoch puts it back into training mode
        self._write_features(batch)
        return torch.zeros((), device=self.device, requires_grad=True)

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        if self.fine_tuning:
            super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)
        else:
            optimizer_closure()  # the training step; no weight moves, not by decay or momentum either

    def lr_scheduler_step(self, scheduler: Any, metric: Any | None) -> None:
        if self.fine_tuning:
            super().lr_scheduler_step(scheduler, metric)

    def schedule_steps(self, scheduler: Schedule) -> int:
        """Those of the fine-tuning: done, and still to come before the last epoch.

        In a run that was made longer they are fewer than its epochs have: what was its last epoch before taught nothing.
        """
        done = scheduler.last_epoch
        steps = super().schedule_steps(scheduler)
        return max(1, done + max(0, steps - steps // (self.trainer.max_epochs or 1) - self.global_step))

    @torch.no_grad()
    def _write_features(self, batch: Batch) -> None:
        network, near = self.network, self.regressors.near if self.regressors else 1.0
        outputs = self.respond(batch)
        boxes, labels = self.objects(batch)
        regions = [torch.cat(parts) for parts in zip(boxes, batch["proposals"], strict=True)]
        pooled = network.features(outputs.shared, regions)
        counts = [len(rows) for rows in regions]
        features = self.head.layers(pooled).float().split(counts)
        store = self._store()
        for i, rows in enumerate(pooled.float().split(counts)):
            pairs = _pairs(regions[i], boxes[i], near)
            image = ImageFeatures(
                *(t.cpu().numpy() for t in (features[i], regions[i], labels[i], pairs, rows[pairs[:, 0]])),
            )
            index = int(batch["index"][i])
            store.write(index, image)
            self._written.append(index)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        if self.fine_tuning:
            super().on_train_batch_end(outputs, batch, batch_idx)
        elif means := self._due_means():
            # Of the last steps that learned; Lightning would log them again at each later step of the epoch.
            self.log_directly(means, self.current_epoch)
        self._count("fine_tuning" if self.fine_tuning else "features")
        if not self.fine_tuning and self.trainer.is_last_batch:
            self._fit()

    def _fit(self) -> None:
        """The stages after the features; on the CPU, from disk."""
        store, classes = self._store(), self.network.num_classes
        images = partial(store.all, self._written)
        if self.svms:
            self.head.svm.copy_(_tensor(self.svms.fit(images, classes)))
            self.head.has_svm.fill_(True)
        self._count("svms")
        if self.regressors:
            self.head.regressor.copy_(_tensor(self.regressors.fit(images, classes)))
            self.head.has_regressor.fill_(True)
        self._count("regressors")
        features, total = store.size(self._written)
        values: dict[str, float] = {"images": len(self._written), "features_bytes": features, "bytes": total}
        values |= {f"{stage}_seconds": seconds for stage, seconds in self._seconds.items()}
        values |= {f"{stage}_cpu_seconds": seconds for stage, seconds in self._cpu_seconds.items()}
        metrics = {f"stages/{name}": float(value) for name, value in values.items()}
        self.log_dict(metrics, logger=False, on_step=False, on_epoch=True, batch_size=1)
        for logger in self.loggers:  # at once: at the epoch's end, as Lightning would, is behind the epoch's checkpoint
            logger.log_metrics({**metrics, "epoch": self.current_epoch}, step=self.global_step - 1)
        times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self._seconds.items())
        rank_zero_info(f"stages: {times}; {len(self._written)} images' features took {total / 1e6:.1f} MB in {store.folder}")

    def on_train_end(self) -> None:
        self._delete_features()

    def on_fit_end(self) -> None:
        self._delete_features()  # of a run that was interrupted behind its last checkpoint: no training ends there

    def _delete_features(self) -> None:
        if not self.keep_features and not self.fine_tuning:
            self._store().delete()

    def _store(self) -> FeatureStore:
        """In the run's folder; below ``features``, where that is given, each run has a folder of its own.

        Where there is no run (a smoke test), the system's temporary folder: nothing beside the user's files is touched.
        """
        run = Path(next((logger.log_dir for logger in self.loggers if logger.log_dir), "") or self._no_run.name)
        below = Path(self.features, *run.parts[run.is_absolute() :]) if self.features else run
        return FeatureStore(below / "features")

    # The clock --------------------------------------------------------------------------------------------------------

    def on_train_epoch_start(self) -> None:
        self._since = _now()

    def on_train_start(self) -> None:
        super().on_train_start()
        self._since = _now()
        if self.fine_tuning:  # again, in a run that was made longer
            self.head.has_svm.fill_(False)
            self.head.has_regressor.fill_(False)

    def on_validation_end(self) -> None:
        self._since = _now()

    def _count(self, stage: str) -> None:
        """Puts the time since the last call down to a stage."""
        before, self._since = self._since, _now()
        self._seconds[stage] += self._since[0] - before[0]
        self._cpu_seconds[stage] += self._since[1] - before[1]

    # Checkpoints ------------------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["stages"] = {"written": self._written, "seconds": self._seconds, "cpu_seconds": self._cpu_seconds}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if "stages" not in checkpoint:
            return
        stages = checkpoint["stages"]
        self._written = list(stages["written"])
        self._seconds, self._cpu_seconds = dict(stages["seconds"]), dict(stages["cpu_seconds"])


def _pairs(regions: Tensor, boxes: Tensor, near: float) -> Tensor:
    """int64 (M, 2): the regions, objects' own boxes left out, with an IoU above ``near``, and the object each is nearest to."""
    if not len(boxes) or len(regions) == len(boxes):
        return torch.zeros(0, 2, dtype=torch.long, device=regions.device)
    overlap, nearest = box_iou(regions[len(boxes) :], boxes).max(1)
    rows = (overlap > near).nonzero()[:, 0]
    return torch.stack([len(boxes) + rows, nearest[rows]], 1)


def _tensor(values: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(values).float()


def _now() -> tuple[float, float]:
    """Seconds of the clock and of this process's CPU."""
    return time.monotonic(), time.process_time()
