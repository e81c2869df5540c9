"""Deformable part models as a task: an epoch is a round of the latent SVM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor
from torch.optim import SGD

from datamodules.scene import Batch, InputError

from .defaults import Metadata
from .detection import Detection
from .feature_store import FeatureStore, ImageFeatures
from .latent_svm import LatentSVM, TrainingImage
from .networks.dpm import DPM
from .prediction import Prediction


class PartPrediction(Prediction, total=False):
    """What is said of one image, with the parts of each object."""

    parts: Tensor
    """float32 (N, P, 4), xyxy in pixels of the batch's image: the box of each object's parts. It may reach beyond the image."""


class DeformablePartsDetection(Detection):
    """Every object's class, box and score by deformable part models (deck "CNN, R-CNN", "Deformable part models(DPM)").

    An epoch is a round of the latent SVM (Felzenszwalb et al. 2010, section 5): HOG features of the training images are written
    to disk as the epoch augments them, and with the last batch objects are placed by the model so far, hard negatives are
    mined, and the SVM is fitted. The first rounds fit the root filters alone (``svm.root_rounds``); then come the parts. So
    ``trainer.max_epochs`` is the number of rounds, and there is no learning rate and no optimizer. What a round was made of is
    logged as ``latent/…``. An interrupted run goes on where it was; a round's fit begins anew.

    Predictions have ``parts`` beside the boxes. Metrics are those of :class:`Detection`; there are no validation losses.

    Args:
        network: called with the number of classes, gives a :class:`DPM`.
        svm: builds what fits it.
        metadata: the data set's; the command line fills it in.

    Raises:
        InputError: the network is no DPM.
    """

    network: DPM  # type: ignore[assignment]
    default_network = "lightning_modules.networks.DPM"

    def __init__(
        self, metadata: Metadata, *, network: Callable[[int], DPM] | None = None, svm: Callable[[], LatentSVM] = LatentSVM
    ) -> None:
        super().__init__(metadata, network=network)
        if not isinstance(self.network, DPM):
            raise InputError(f"DeformablePartsDetection fits a DPM; {type(self.network).__name__} is trained by Detection")
        self.make_optimizer = idle_optimizer
        self.svm = svm()
        self._written: list[int] = []
        """The images whose features are on disk."""

    def normalized(self, images: Tensor) -> Tensor:
        """Images as they are: HOG normalises by itself."""
        return images.float()

    # Training ---------------------------------------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if (
            stage == "fit" and self.trainer.world_size > 1
        ):  # before DDP, which refuses a model without parameters in its own words
            raise InputError("DeformablePartsDetection fits its SVM in one process; set trainer.devices to 1")

    def on_fit_start(self) -> None:
        rounds = self.trainer.max_epochs or -1
        smoke_test = bool(self.trainer.fast_dev_run)  # type: ignore[attr-defined]
        if not smoke_test and (self.trainer.max_steps != -1 or rounds < 1):
            raise InputError("DeformablePartsDetection counts rounds; set trainer.max_epochs, and no max_steps")
        if not smoke_test and self.network.finer and rounds <= self.svm.root_rounds:
            rank_zero_info(
                f"DeformablePartsDetection: {rounds} round(s), of which the first {self.svm.root_rounds} have roots alone: the "
                "parts are not learned; set trainer.max_epochs higher"
            )

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if batch_idx == 0:
            self._written = []
        self._write(batch)
        if self.trainer.is_last_batch:
            self._fit()
        return torch.zeros((), device=self.device, requires_grad=True)

    def optimizer_step(self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None) -> None:
        optimizer_closure()  # the training step; there is nothing that a gradient moves

    @torch.no_grad()
    def _write(self, batch: Batch) -> None:
        pyramid = self.respond(batch)
        store, (boxes, labels) = self._store(), self.objects(batch)
        for i, index in enumerate(batch["index"].tolist()):
            rows = pyramid.layout.rows(pyramid, i)
            features, own, classes = (t.cpu().numpy() for t in (rows, boxes[i].float(), labels[i]))
            store.write(index, ImageFeatures(features, own, classes, np.zeros((0, 2), np.int64), np.zeros((0, 0), np.float32)))
            self._written.append(index)

    def _images(self, size: tuple[int, int]) -> Iterator[TrainingImage]:
        layout = self.network.layout(size)
        for index, image in zip(self._written, self._store().all(self._written), strict=True):
            pyramid = layout.from_rows(torch.from_numpy(np.array(image.features)))
            yield TrainingImage(index, pyramid, torch.from_numpy(image.boxes), torch.from_numpy(image.labels))

    def _fit(self) -> None:
        """The round, on the CPU and from disk."""
        size, place = self.metadata.image_size, self.device
        self.network.cpu()
        found = self.svm.fit(self.network, lambda: self._images(size), self.current_epoch)
        self.network.to(place)
        metrics = {f"latent/{name}": float(value) for name, value in found._asdict().items()}
        for logger in self.loggers:  # at once: at the epoch's end, as Lightning would, is behind the epoch's checkpoint
            logger.log_metrics({**metrics, "epoch": self.current_epoch}, step=self.global_step)
        rank_zero_info(
            f"round {self.current_epoch}: {found.positives} positives, {found.negatives} negatives, objective "
            f"{found.objective:.4g}{', with parts' if self.network.has_parts else ''}"
        )

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        pass  # no means of losses are due

    # The features on disk ---------------------------------------------------------------------------------------------

    @cached_property
    def _no_run(self) -> TemporaryDirectory[str]:
        return TemporaryDirectory(prefix="lectern-features-")

    def _store(self) -> FeatureStore:
        """In the run's folder; where there is no run (a smoke test), in the system's temporary one."""
        run = next((logger.log_dir for logger in self.loggers if logger.log_dir), None) or self._no_run.name
        return FeatureStore(Path(run) / "features")

    def on_train_end(self) -> None:
        self._store().delete()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["latent"] = {"written": self._written}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        if "latent" in checkpoint:
            self._written = list(checkpoint["latent"]["written"])


def idle_optimizer(parameters: Any) -> SGD:
    """An optimizer of nothing: Lightning counts its steps, and no gradient trains what has been given."""
    return SGD([torch.zeros(1, requires_grad=True)], lr=0.0)
