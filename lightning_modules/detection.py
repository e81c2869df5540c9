"""Object detection: every object's class and box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from datamodules.scene import Batch, scales_of

from .base import Prediction, Task
from .defaults import Metadata
from .draws import generator
from .means import Mean
from .metrics.voc import BoxAP
from .networks.detector import Detector
from .transfer import fields_on_cpu
from .uploads import uploaded

JUDGED = ("boxes", "labels", "scores", "difficult", "crowd", "area", "masks", "keypoints")
"""The fields of a prediction and of a target that the metrics look at."""


class Detection(Task):
    """Every object's class, box and score (CS231n 2017, lecture 11, "Object Detection").

    The losses are the detector's own, logged by name: Faster R-CNN's four are four curves. Objects marked ``difficult`` or
    ``crowd`` are not trained on, and evaluation passes over them as PASCAL VOC's and COCO's own code does. An image
    without objects is an image like any other.

    Args:
        network: called with the number of classes, gives a :class:`Detector`.
        kwargs: see :class:`Task`.
    """

    needs = frozenset({"boxes", "labels"})
    uses = frozenset({"difficult", "crowd", "area"})
    monitor = "val/mAP"
    default_network = "lightning_modules.networks.FasterRCNN"

    network: Detector

    def __init__(self, metadata: Metadata, *, network: Callable[[int], Detector] | None = None, **kwargs: Any) -> None:
        super().__init__(metadata, network=cast("Callable[[int], nn.Module] | None", network), **kwargs)

    def outputs(self) -> int:
        return len(self.metadata.classes)

    def losses(self, outputs: Any, batch: Batch) -> dict[str, Mean]:
        return self.network.losses(outputs, *self.objects(batch), self.rngs(batch))

    def rngs(self, batch: Batch) -> list[torch.Generator]:
        """What is drawn of each image for its losses: by (seed, epoch, image), in evaluation by (seed, image).

        So it does not depend on what an image shares its batch with, nor on the process that it is given to.
        """
        epoch = (self.current_epoch,) if self.training else ()
        return [generator(*epoch, index) for index in batch["index"].tolist()]

    def objects(self, batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
        """Boxes and labels of the objects of each image that are trained on."""
        return self.of_objects(batch, "boxes"), self.of_objects(batch, "labels")

    def of_objects(self, batch: Batch, field: str) -> list[Tensor]:
        """A field of the objects of each image that are trained on."""
        flags = [batch[flag] for flag in ("difficult", "crowd") if flag in batch]  # type: ignore[literal-required]
        chosen: list[Tensor] = list(batch[field])  # type: ignore[literal-required]
        for row, flagged in enumerate(zip(*flags, strict=True)):
            keep = ~torch.stack(flagged).any(0)
            if not bool(keep.all()):  # flags are on the CPU, where nothing is waited for
                chosen[row] = chosen[row][uploaded(keep.nonzero()[:, 0], chosen[row].device)]
        return chosen

    def predict(self, outputs: Any) -> list[Prediction]:
        return cast("list[Prediction]", self.network.predict(outputs))

    def metrics(self) -> MetricCollection:
        return MetricCollection([BoxAP(self.metadata.classes)], compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        # One copy, for which the device is waited for once: `unbind` would wait for each image's index.
        there: list[Any] = [{f: batch[f][i] for f in JUDGED if f in batch} for i in range(len(predictions))]  # type: ignore[literal-required]
        (found, there), (index,) = fields_on_cpu([cast(list[Any], predictions), there], JUDGED, batch["index"])
        for target, scale in zip(there, scales_of(batch), strict=False):
            target["scale"] = torch.tensor(scale, dtype=torch.float64)
        return {"predictions": found, "targets": there, "index": index}
