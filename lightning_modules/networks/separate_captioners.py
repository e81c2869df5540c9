"""What DenseCap is compared with: a captioner beside the detector, on regions, or on images as a whole.

Johnson et al. 2016, "DenseCap", section 4.1 and table 1 ("Full image RNN", "Region RNN"). Both have a backbone of their own, so
that neither the detector nor the captioner learns anything from the other. They are trained beside one another in one run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchvision.ops import roi_align

from ..uploads import numbers
from .backbones import Backbone, ConvBackbone
from .boxes import in_format_of
from .dense_cap import DenseCap
from .faster_rcnn import FasterRCNNOutputs
from .language_model import RegionLanguageModel
from .region_heads import FullyConnected
from .region_proposals import ProposalOutputs
from .regions import Samples, one_width


class CaptionerOutputs(NamedTuple):
    """What the detector's first stage says of B images, and the images."""

    shared: list[Tensor]
    proposed: ProposalOutputs
    size: tuple[int, int]
    images: Tensor
    """float (B, 3, H, W), normalised."""

    @property
    def proposals(self) -> list[Tensor]:
        return self.proposed.proposals


class DetectThenCaption(DenseCap):
    """A detector, and a captioner with a backbone of its own that looks at the same regions.

    Args:
        caption_backbone: builds the captioner's backbone.
        caption_layers: build the layers from what was pooled of a region to its code.
        language: see :class:`DenseCap`.
        kwargs: see :class:`DenseCap`.
    """

    def __init__(
        self,
        num_words: int,
        *,
        caption_backbone: Callable[[], Backbone] = ConvBackbone,
        caption_layers: Callable[[int], FullyConnected] = FullyConnected,
        language: Callable[[int, int], RegionLanguageModel] = RegionLanguageModel,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_words, language=language, **kwargs)
        # Behind it, so that the detector's first weights are DenseCap's.
        self.caption_backbone = caption_backbone()
        self.caption_layers = caption_layers(one_width(self.caption_backbone, type(self).__name__) * self.pooling.size**2)
        self.language = language(self.caption_layers.width, num_words)

    def forward(self, images: Tensor) -> CaptionerOutputs:  # type: ignore[override]
        outputs: FasterRCNNOutputs = super().forward(images)
        return CaptionerOutputs(*outputs, images)

    def codes(self, outputs: Any, regions: list[Tensor]) -> Tensor:
        return self._look(outputs.images, regions)

    def _look(self, images: Tensor, regions: list[Tensor]) -> Tensor:
        """float (R, width): the captioner's codes of regions (R_b, 4) of each image."""
        maps = self.caption_backbone(images)
        codes: Tensor = self.caption_layers(self.pooling(maps, self.caption_backbone.strides, regions).flatten(1))
        return codes


class FullImageCaptioner(DetectThenCaption):
    """A detector, and a captioner that learned from whole images to say what is in them.

    It is taught each image with the phrases of its objects. What it says of a box it says of the image inside it, cut out and
    enlarged to an image of the usual size.

    Args:
        kwargs: see :class:`DetectThenCaption`.
    """

    def taught(self, outputs: Any, samples: list[Samples]) -> Tensor:
        codes = self._whole(outputs.images)
        return torch.cat([codes[i].expand(len(sample.regions), -1) for i, sample in enumerate(samples)])

    def codes(self, outputs: Any, regions: list[Tensor]) -> Tensor:
        if not sum(len(boxes) for boxes in regions):
            return outputs.images.new_zeros(0, self.caption_layers.width)
        boxes = [each.to(outputs.images) for each in regions]
        return self._whole(in_format_of(outputs.images, roi_align(outputs.images, boxes, outputs.size, aligned=True)))

    def _whole(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2:]
        return self._look(images, [numbers([0.0, 0.0, width, height], images)[None]] * len(images))
