"""The network of Faster R-CNN that proposes regions: at each place of the maps, anchors, scored and moved.

CS231n 2017, lecture 11, "Faster R-CNN: Make CNN do proposals!"; Ren et al. 2015, section 3.1. Composed of torchvision's parts;
not used are its sampling, which draws without regard to the image, and its selection of proposals, which looks at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.rpn import RPNHead, concat_box_prediction_layers
from torchvision.ops import box_iou, clip_boxes_to_image

from ..means import Mean, counted, full_precision
from ..uploads import uploaded
from .backbones import Backbone
from .boxes import best_first, first_of_nms, has_area
from .regions import draw


class ProposalOutputs(NamedTuple):
    """What the network says of B images, with A anchors each."""

    proposals: list[Tensor]
    """float (P, 4) for each image, xyxy in pixels, best first and without a gradient."""
    anchors: Tensor
    """float (A, 4), xyxy in pixels."""
    objectness: Tensor
    """float (B, A), logits."""
    offsets: Tensor
    """float (B, A, 4), from the anchor to the object."""


class RegionProposals(nn.Module):
    """Scores and moves anchors, and hands out the best as proposals.

    An anchor whose best IoU with an object is at least .7, or that is an object's best, is an example of an object; one below
    .3 with all objects of background (section 3.1.2). Where the paper leaves out anchors that cross the image's border in
    training, they are kept here, as they are in torchvision.

    Args:
        backbone: whose maps, all of one width, it works on.
        scales: sides of the square anchors, in strides of their map; (8, 16, 32) in the paper, at stride 16.
        ratios: height / width of the anchors, of equal area.
        candidates: the best anchors of a map that enter non-maximum suppression at IoU .7 (6000 in the paper).
        proposals: regions of an image that are left (300 in the paper, in training 2000).
        samples: anchors of an image that enter the losses (256 in the paper), up to a half of them on objects.
    """

    def __init__(
        self,
        backbone: Backbone,
        *,
        scales: Sequence[float],
        ratios: Sequence[float],
        candidates: int,
        proposals: int,
        samples: int,
    ) -> None:
        super().__init__()
        self.strides = backbone.strides
        sizes = tuple(tuple(scale * stride for scale in scales) for stride in self.strides)
        self.generator = AnchorGenerator(sizes, (tuple(ratios),) * len(self.strides))
        self.head = RPNHead(backbone.channels[0], self.generator.num_anchors_per_location()[0])
        self.match, self.coder = Matcher(0.7, 0.3, allow_low_quality_matches=True), BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.candidates, self.proposals, self.samples = candidates, proposals, samples

    def forward(self, maps: list[Tensor], size: tuple[int, int]) -> ProposalOutputs:
        """From the backbone's maps of B images of ``size`` (H, W)."""
        scores, moves = self.head(maps)
        images, counts = len(maps[0]), [level[0].numel() for level in scores]
        flat = (full_precision(each) for each in concat_box_prediction_layers(scores, moves))
        objectness, offsets = (each.view(images, -1, *rest) for each, rest in zip(flat, ((), (4,)), strict=True))
        anchors = self._anchors(maps).to(objectness)
        with torch.no_grad():
            regions = self.coder.decode(offsets.flatten(0, 1), [anchors] * images).view(images, -1, 4)
            each = zip(regions, objectness, strict=True)
            proposals = [self._propose(boxes.split(counts), logits.split(counts), size) for boxes, logits in each]
        return ProposalOutputs(proposals, anchors, objectness, offsets)

    def losses(self, outputs: ProposalOutputs, boxes: list[Tensor], rngs: Sequence[Generator] | None = None) -> dict[str, Mean]:
        """``rpn_objectness`` and ``rpn_box``, means over the anchors that were drawn (equation 1).

        Args:
            outputs: of :meth:`forward`.
            boxes: float (N, 4) for each image, xyxy in pixels.
            rngs: as :meth:`Detector.losses` takes them.
        """
        own: Sequence[Generator | None] = rngs or [None] * len(boxes)
        nearest = torch.stack([self._nearest(outputs.anchors, objects) for objects in boxes])
        here = nearest.cpu()  # of all images in one copy, which is waited for
        samples = [self._draw(outputs.anchors, *image) for image in zip(boxes, nearest, here, own, strict=True)]
        places = torch.cat([i * len(outputs.anchors) + drawn for i, (drawn, _) in enumerate(samples)])
        truth = torch.cat([torch.arange(len(drawn), device=drawn.device) < len(targets) for drawn, targets in samples])
        of_objects = [i * len(outputs.anchors) + drawn[: len(targets)] for i, (drawn, targets) in enumerate(samples)]
        logits, offsets = outputs.objectness.flatten()[places], outputs.offsets.flatten(0, 1)[torch.cat(of_objects)]
        objectness = F.binary_cross_entropy_with_logits(logits, truth.to(logits), reduction="sum")
        targets = torch.cat([encoded for _, encoded in samples])
        box = F.smooth_l1_loss(offsets, targets, beta=1 / 9, reduction="sum")  # as in the authors' code
        count = counted(len(logits), logits)
        return {"rpn_objectness": Mean(objectness, count), "rpn_box": Mean(box, count)}

    @torch.no_grad()
    def _sample(self, anchors: Tensor, boxes: Tensor, rng: Generator | None) -> tuple[Tensor, Tensor]:
        """The anchors of one image that enter the losses, int64 (S,), on objects first, and the offsets (M, 4) of those."""
        nearest = self._nearest(anchors, boxes)
        return self._draw(anchors, boxes, nearest, nearest.cpu(), rng)

    @torch.no_grad()
    def _nearest(self, anchors: Tensor, boxes: Tensor) -> Tensor:
        """int64 (A,): the object of one image that each anchor is an example of; below 0 where of none."""
        if not len(boxes):
            return torch.full_like(anchors[:, 0], self.match.BELOW_LOW_THRESHOLD, dtype=torch.long)
        nearest: Tensor = self.match(box_iou(boxes.to(anchors), anchors))
        return nearest

    @torch.no_grad()
    def _draw(
        self, anchors: Tensor, boxes: Tensor, nearest: Tensor, here: Tensor, rng: Generator | None
    ) -> tuple[Tensor, Tensor]:
        """As :meth:`_sample`, from what :meth:`_nearest` found and the same on the CPU, where anchors are drawn."""
        objects = draw((here >= 0).nonzero()[:, 0], self.samples // 2, rng)
        background = (here == self.match.BELOW_LOW_THRESHOLD).nonzero()[:, 0]
        both = torch.cat([objects, draw(background, self.samples - len(objects), rng)])
        drawn = uploaded(both, anchors.device)
        if not len(objects):
            return drawn, anchors.new_zeros(0, 4)
        on = drawn[: len(objects)]
        return drawn, self.coder.encode_single(boxes.to(anchors)[nearest[on]], anchors[on])

    def _propose(self, boxes: Sequence[Tensor], logits: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """The proposals (P, 4) of one image of ``size``, best first, from the regions of each map (A, 4) and their logits (A,).

        Non-maximum suppression is within each map. Up to the order of equal scores the same as torchvision's own selection,
        which looks at all candidates.
        """
        found = [best_first(scores, self.candidates) for scores in logits]
        regions = torch.cat([candidates[best] for candidates, (_, best) in zip(boxes, found, strict=True)])
        level = torch.cat([torch.full_like(best, i) for i, (_, best) in enumerate(found)])
        objectness, order = torch.cat([scores for scores, _ in found]).sort(descending=True)
        regions, level = clip_boxes_to_image(regions[order], size), level[order]
        keep = has_area(regions).nonzero()[:, 0]
        regions, objectness, level = regions[keep], objectness[keep], level[keep]
        return regions[first_of_nms(regions, objectness, level, size, 0.7, self.proposals)]

    def _anchors(self, maps: list[Tensor]) -> Tensor:
        """float (A, 4). torchvision centres them on the cells' corners, which leaves two borders bare; here on the cells."""
        self.generator.set_cell_anchors(torch.float32, maps[0].device)
        grids = self.generator.grid_anchors(
            [list(features.shape[-2:]) for features in maps], [[stride, stride] for stride in self.strides]
        )
        return torch.cat([grid + stride / 2 for grid, stride in zip(grids, self.strides, strict=True)])
