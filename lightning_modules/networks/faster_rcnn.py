"""Faster R-CNN: Fast R-CNN, and a network that proposes its regions on the same maps.

CS231n 2017, lecture 11, "Faster R-CNN: Make CNN do proposals!"; Ren et al. 2015, "Faster R-CNN: Towards Real-Time Object
Detection with Region Proposal Networks".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Generator, Tensor

from ..means import Mean
from .boxes import RoIAlign, RoIPooling
from .fast_rcnn import FastRCNN
from .region_proposals import ProposalOutputs, RegionProposals
from .regions import Samples


class FasterRCNNOutputs(NamedTuple):
    """What the backbone and the region proposal network say of B images."""

    shared: list[Tensor]
    """The backbone's maps."""
    proposed: ProposalOutputs
    size: tuple[int, int]
    """(H, W) of the images."""

    @property
    def proposals(self) -> list[Tensor]:
        """float (P, 4) for each image, xyxy in pixels, best first and without a gradient."""
        return self.proposed.proposals


class FasterRCNN(FastRCNN):
    """Faster R-CNN: the regions that Fast R-CNN classifies are proposed on the backbone's maps, which both share.

    With a pyramid (``backbone=FPN``) both work on all its maps, as in Lin et al. 2017. Trained jointly and approximately
    (section 3.2): no gradient flows through the coordinates of a proposal.

    Args:
        anchor_scales: ``scales`` of :class:`RegionProposals`.
        anchor_ratios: ``ratios`` of :class:`RegionProposals`.
        candidates: see :class:`RegionProposals`.
        proposals: see :class:`RegionProposals`; all proposals of an image go to the second stage.
        rpn_samples: ``samples`` of :class:`RegionProposals`.
        pooling: as :class:`FastRCNN`'s; the paper's is ``RoIPool``.
        samples: proposals of an image that enter the losses (128 in the paper).
        nms_threshold: see :class:`FastRCNN`.
        kwargs: see :class:`FastRCNN`.

    Raises:
        ValueError: the backbone's maps are not of one width.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        anchor_scales: Sequence[float] = (2.0, 4.0, 8.0),
        anchor_ratios: Sequence[float] = (0.5, 1.0, 2.0),
        candidates: int = 300,
        proposals: int = 50,
        rpn_samples: int = 64,
        pooling: Callable[[], RoIPooling] = RoIAlign,
        samples: int = 16,
        nms_threshold: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, pooling=pooling, samples=samples, nms_threshold=nms_threshold, **kwargs)
        self.rpn = RegionProposals(
            self.backbone,
            scales=anchor_scales,
            ratios=anchor_ratios,
            candidates=candidates,
            proposals=proposals,
            samples=rpn_samples,
        )

    def forward(self, images: Tensor) -> FasterRCNNOutputs:  # type: ignore[override]
        """From float (B, 3, H, W), normalised; the regions are its own."""
        maps, size = self.share(images), (images.shape[-2], images.shape[-1])
        return FasterRCNNOutputs(maps, self.rpn(maps, size), size)

    def sampled_losses(
        self, outputs: Any, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> tuple[dict[str, Mean], list[Samples]]:
        """Of the proposal network ``rpn_objectness`` and ``rpn_box``, of the second stage ``roi_class`` and ``roi_box``."""
        proposing = self.rpn.losses(outputs.proposed, boxes, rngs)
        losses, samples = super().sampled_losses(outputs, boxes, labels, rngs)
        return {**proposing, **losses}, samples
