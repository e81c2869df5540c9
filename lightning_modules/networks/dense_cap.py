"""DenseCap: Faster R-CNN that says a phrase about each region where it named a class before, trained as one network.

CS231n 2017, lecture 11, "Dense Captioning"; Johnson et al. 2016, "DenseCap: Fully Convolutional Localization Networks for Dense
Captioning", section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from ..means import Mean
from .boxes import of_each_image
from .detector import Detections
from .faster_rcnn import FasterRCNN
from .language_model import RegionLanguageModel
from .regions import Samples


class DenseCap(FasterRCNN):
    """Faster R-CNN for objects of any class, and a language model on the code of each region.

    The code is that by which a region's box is scored and corrected (the paper's recognition network), so that words, boxes
    and proposals are learned on the same maps together. In training phrases are learned on the sampled regions that lie on
    objects; in prediction they are said of the detections, after non-maximum suppression.

    Where the paper cuts its regions out by bilinear interpolation with a gradient for the box's corners, here they are cut out
    by ``RoIAlign``, whose gradient is the maps' alone.

    Args:
        num_words: of the vocabulary.
        language: builds the language model, given the numbers of a code and of words.
        caption_weight: of the phrases' loss beside the other four; 10 in the paper (section 3.4: 1 to 0.1).
        kwargs: see :class:`FasterRCNN`.
    """

    def __init__(
        self,
        num_words: int,
        *,
        language: Callable[[int, int], RegionLanguageModel] = RegionLanguageModel,
        caption_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(1, **kwargs)
        self.caption_weight = caption_weight
        self.language = language(self.head.layers.width, num_words)

    def codes(self, outputs: Any, regions: list[Tensor]) -> Tensor:
        """float (R, width) of regions (R_b, 4) of each image, R in all: what a phrase is said from."""
        codes: Tensor = self.head.layers(self.features(outputs.shared, regions))
        return codes

    def taught(self, outputs: Any, samples: list[Samples]) -> Tensor:
        """float (R, width): the codes that the phrases of the sampled regions are learned from."""
        return self.codes(outputs, [sample.regions for sample in samples])

    def losses(
        self,
        outputs: Any,
        boxes: list[Tensor],
        labels: list[Tensor],
        rngs: Sequence[Generator] | None = None,
        captions: list[Tensor] | None = None,
    ) -> dict[str, Mean]:
        """Faster R-CNN's, and ``roi_captions``, the mean over the words of the sampled regions on objects.

        Args:
            outputs: as :meth:`FasterRCNN.losses` takes them.
            boxes: likewise.
            labels: likewise; all are 0.
            rngs: likewise.
            captions: int64 (N, T) for each image, tokens as :meth:`RegionLanguageModel.loss` takes them.
        """
        losses, samples = self.sampled_losses(outputs, boxes, labels, rngs)
        if captions is None:
            return losses
        samples = [sample.on_objects() for sample in samples]
        phrases = torch.cat([phrases[sample.matched] for phrases, sample in zip(captions, samples, strict=True)])
        words = self.language.loss(self.taught(outputs, samples), phrases)
        return {**losses, "roi_captions": Mean(self.caption_weight * words.total, words.count)}

    def predict(self, outputs: Any) -> list[Detections]:
        """Faster R-CNN's detections, and in each of them ``tokens``, int64 (M, max_words), the phrase of each box."""
        found = super().predict(outputs)
        boxes = [detections["boxes"] for detections in found]
        tokens = self.language.generate(self.codes(outputs, boxes))
        for detections, phrases in zip(found, of_each_image(tokens, boxes), strict=True):
            detections["tokens"] = phrases  # type: ignore[typeddict-unknown-key]
        return found
