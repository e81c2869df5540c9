"""Dense captioning: a box and a phrase for each thing in an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torchmetrics import MetricCollection

from datamodules.scene import Batch, InputError

from .base import Prediction
from .defaults import Metadata
from .detection import Detection
from .means import Mean
from .metrics.dense_captions import DenseCaptionAP
from .metrics.voc import BoxAP
from .networks.dense_cap import DenseCap
from .phrases import Tokens
from .transfer import on_cpu
from .uploads import uploaded


class DenseCaptioning(Detection):
    """Every region's box, score and phrase (CS231n 2017, lecture 11, "Dense Captioning").

    Detection without classes: an object's place is learned from its box, and what it is from its caption. A word that the
    vocabulary lacks is learned as the unknown one, and never said; an object without a caption is detected alone. Metrics:
    those of :class:`Detection` for the one class of all regions, and DenseCap's of boxes and phrases as ``dense_mAP``, ...
    (see :class:`DenseCaptionAP`, which says what stands in for METEOR).

    Args:
        network: called with the number of words, gives a :class:`DenseCap`.
        kwargs: see :class:`Task`.

    Raises:
        InputError: the data set's vocabulary is empty.
    """

    needs = frozenset({"boxes", "captions"})
    uses = frozenset({"difficult", "crowd"})
    monitor = "val/dense_mAP"
    default_network = "lightning_modules.networks.DenseCap"

    network: DenseCap

    def __init__(self, metadata: Metadata, *, network: Callable[[int], DenseCap] | None = None, **kwargs: Any) -> None:
        super().__init__(metadata, network=network, **kwargs)
        self.tokens = Tokens(self.metadata.vocabulary)

    def outputs(self) -> int:
        if not self.metadata.vocabulary:
            raise InputError(
                f"{type(self).__name__}: the vocabulary of {self.metadata.name} is empty; a lower data.min_count keeps more"
            )
        return len(self.metadata.vocabulary)

    def objects(self, batch: Batch) -> tuple[list[Tensor], list[Tensor]]:
        boxes = self.of_objects(batch, "boxes")
        return boxes, [torch.zeros(len(each), dtype=torch.long, device=each.device) for each in boxes]

    def losses(self, outputs: Any, batch: Batch) -> dict[str, Mean]:
        device = batch["image"].device
        longest = self.network.language.max_words
        tokens = [uploaded(self.tokens.encode(phrases, longest), device) for phrases in batch["captions"]]
        captions = self.of_objects(cast(Batch, {**batch, "captions": tokens}), "captions")
        return self.network.losses(outputs, *self.objects(batch), self.rngs(batch), captions=captions)

    def predict(self, outputs: Any) -> list[Prediction]:
        found: list[Any] = list(self.network.predict(outputs))
        tokens = on_cpu([detections["tokens"] for detections in found])
        return [
            cast(Prediction, {"boxes": each["boxes"], "scores": each["scores"], "captions": self.tokens.decode(phrases)})
            for each, phrases in zip(found, tokens, strict=True)
        ]

    def metrics(self) -> MetricCollection:
        return MetricCollection([BoxAP(("region",)), DenseCaptionAP()], compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        inputs = super().metric_inputs(predictions, batch)
        captions = [prediction["captions"] for prediction in predictions], batch["captions"]
        for images, phrases in zip((inputs["predictions"], inputs["targets"]), captions, strict=True):
            for image, own in zip(images, phrases, strict=True):
                image |= {"labels": torch.zeros(len(own), dtype=torch.long), "captions": own}
        return inputs
