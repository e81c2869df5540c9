"""Faster R-CNN: a network proposes regions on the trunk's maps, a second one classifies and corrects each.

CS231n 2017, lecture 11, "Faster R-CNN: Make CNN do proposals!"; Ren et al. 2015, "Faster R-CNN: Towards Real-Time Object
Detection with Region Proposal Networks". Composed of torchvision's parts, without its image transform.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead, concat_box_prediction_layers
from torchvision.ops import clip_boxes_to_image

from .boxes import RoIAlign, RoIPooling, best_first, first_of_nms, has_area, of_each_image
from .detector import Detection, Detector
from .trunks import ConvTrunk, Trunk


class FasterRCNNOutputs(NamedTuple):
    """What the trunk and the region proposal network say of B images, with A anchors each."""

    maps: list[Tensor]
    """The trunk's maps."""
    anchors: Tensor
    """float (A, 4), xyxy in pixels."""
    objectness: Tensor
    """float (B A, 1), logits."""
    offsets: Tensor
    """float (B A, 4), from the anchor to the object."""
    proposals: list[Tensor]
    """float (P, 4) for each image, xyxy in pixels, best first and without a gradient."""
    size: tuple[int, int]
    """(H, W) of the images."""


class Sampled(NamedTuple):
    """The regions that entered the second stage's losses, one tensor an image."""

    regions: list[Tensor]
    """float (R, 4), xyxy in pixels."""
    classes: list[Tensor]
    """int64 (R,), 0 for background, and from 1 the classes."""
    matched: list[Tensor]
    """int64 (R,), the place of each region's object among those of its image; 0 for background."""


class FasterRCNN(Detector):
    """Faster R-CNN: a region proposal network and a Fast R-CNN head that share the trunk.

    With a pyramid (``trunk=FPN``) both work on all its maps, as in Lin et al. 2017. Trained jointly and approximately
    (section 3.2): no gradient flows through the coordinates of a proposal. Where the paper leaves out anchors that cross
    the image's border in training, they are kept here, as they are in torchvision.

    Args:
        trunk: builds the trunk, whose maps must all be of one width.
        anchor_scales: sides of the square anchors, in strides of their map; (8, 16, 32) in the paper, at stride 16.
        anchor_ratios: height / width of the anchors, of equal area.
        candidates: the best anchors of a map that enter non-maximum suppression at IoU .7 (6000 in the paper).
        proposals: regions of an image that are left and go to the second stage (300 in the paper, in training 2000).
        pooling: cuts them out of the maps; the paper's is ``RoIPool``.
        hidden: width of the second stage's two fully connected layers (4096 in the paper).
        rpn_samples, roi_samples: anchors and proposals of an image that enter the losses (256 and 128 in the papers), up to
            a half and a quarter of them on objects.

    Raises:
        ValueError: the trunk's maps are not of one width.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        trunk: Callable[[], Trunk] = ConvTrunk,
        anchor_scales: Sequence[float] = (2.0, 4.0, 8.0),
        anchor_ratios: Sequence[float] = (0.5, 1.0, 2.0),
        candidates: int = 300,
        proposals: int = 50,
        pooling: Callable[[], RoIPooling] = RoIAlign,
        hidden: int = 256,
        rpn_samples: int = 64,
        roi_samples: int = 16,
        score_threshold: float = 0.01,
        nms_threshold: float = 0.5,
        max_detections: int = 100,
    ) -> None:
        super().__init__(
            num_classes, score_threshold=score_threshold, nms_threshold=nms_threshold, max_detections=max_detections
        )
        self.trunk = trunk()
        channels, strides = self.trunk.channels, self.trunk.strides
        if len(set(channels)) > 1:
            raise ValueError(
                f"FasterRCNN needs maps of one width, got channels {channels}: take one map, or wrap the trunk in FPN"
            )
        sizes = tuple(tuple(scale * stride for scale in anchor_scales) for stride in strides)
        generator = AnchorGenerator(sizes, (tuple(anchor_ratios),) * len(strides))
        head = RPNHead(channels[0], generator.num_anchors_per_location()[0])
        # The last three are torchvision's own selection of proposals, which is not used.
        self.rpn = RegionProposalNetwork(generator, head, 0.7, 0.3, rpn_samples, 0.5, {}, {}, 0.0)
        self.rpn_candidates, self.rpn_proposals = candidates, proposals
        self.pooling = pooling()
        head, predictor = (
            TwoMLPHead(channels[0] * self.pooling.size**2, hidden),
            FastRCNNPredictor(hidden, 1 + num_classes),
        )
        # The last three are torchvision's own select, which is not used.
        self.roi = RoIHeads(None, head, predictor, 0.5, 0.5, roi_samples, 0.25, None, 0.0, 0.0, 0)

    def forward(self, images: Tensor) -> FasterRCNNOutputs:
        size = (images.shape[-2], images.shape[-1])
        maps = self.trunk(images)
        objectness, offsets = self.rpn.head(maps)
        counts = [level[0].numel() for level in objectness]
        objectness, offsets = (each.float() for each in concat_box_prediction_layers(objectness, offsets))
        anchors = self._anchors(maps)
        with torch.no_grad():
            regions = self.rpn.box_coder.decode(offsets, [anchors] * len(images)).view(len(images), -1, 4)
            each = zip(regions, objectness.view(len(images), -1), strict=True)
            proposals = [self._propose(boxes.split(counts), logits.split(counts), size) for boxes, logits in each]
        return FasterRCNNOutputs(maps, anchors, objectness, offsets, proposals, size)

    def losses(self, outputs: FasterRCNNOutputs, boxes: list[Tensor], labels: list[Tensor]) -> dict[str, Tensor]:
        """Of the proposal network ``rpn_objectness`` and ``rpn_box``, of the second stage ``roi_class`` and ``roi_box``."""
        return self.sampled_losses(outputs, boxes, labels)[0]

    def sampled_losses(
        self, outputs: FasterRCNNOutputs, boxes: list[Tensor], labels: list[Tensor]
    ) -> tuple[dict[str, Tensor], Sampled]:
        """The losses, and the regions that the second stage's were taken on."""
        truth = [{"boxes": b, "labels": 1 + of} for b, of in zip(boxes, labels, strict=True)]
        anchors = [outputs.anchors] * len(boxes)
        objects, matched = self.rpn.assign_targets_to_anchors(anchors, truth)
        targets = self.rpn.box_coder.encode(matched, anchors)
        rpn_objectness, rpn_box = self.rpn.compute_loss(outputs.objectness, outputs.offsets, objects, targets)
        regions, matched, classes, targets = self.roi.select_training_samples(outputs.proposals, truth)
        roi_class, roi_box = fastrcnn_loss(*self._classify(outputs.maps, regions), classes, targets)
        losses = {"rpn_objectness": rpn_objectness, "rpn_box": rpn_box, "roi_class": roi_class, "roi_box": roi_box}
        return losses, Sampled(regions, classes, matched)

    def predict(self, outputs: FasterRCNNOutputs) -> list[Detection]:
        logits, offsets = self._classify(outputs.maps, outputs.proposals)
        boxes = self.roi.box_coder.decode(offsets, outputs.proposals).view(-1, 1 + self.num_classes, 4)[:, 1:]
        scores = logits.softmax(-1)[:, 1:]
        each = zip(*(of_each_image(of, outputs.proposals) for of in (boxes, scores)), strict=True)
        return [self.select(b, s, outputs.size) for b, s in each]

    def _propose(self, boxes: Sequence[Tensor], logits: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """The proposals (P, 4) of one image of ``size``, best first, from the regions of each map (A, 4) and their logits (A,).

        Non-maximum suppression is within each map. Up to the order of equal scores the same as torchvision's own selection,
        which looks at all candidates.
        """
        found = [best_first(of, self.rpn_candidates) for of in logits]
        regions = torch.cat([of[best] for of, (_, best) in zip(boxes, found, strict=True)])
        level = torch.cat([torch.full_like(best, i) for i, (_, best) in enumerate(found)])
        objectness, order = torch.cat([scores for scores, _ in found]).sort(descending=True)
        regions, level = clip_boxes_to_image(regions[order], size), level[order]
        keep = has_area(regions)
        regions, objectness, level = regions[keep], objectness[keep], level[keep]
        return regions[first_of_nms(regions, objectness, level, size, 0.7, self.rpn_proposals)]

    def _classify(self, maps: list[Tensor], regions: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Of R regions the logits (R, 1 + num_classes), the background's first, and the offsets (R, 4 (1 + num_classes))."""
        logits, offsets = self.roi.box_predictor(self.roi.box_head(self.pooling(maps, self.trunk.strides, regions)))
        return logits.float(), offsets.float()

    def _anchors(self, maps: list[Tensor]) -> Tensor:
        """float (A, 4). torchvision centres them on the cells' corners, which leaves two borders bare; here on the cells."""
        generator, strides = self.rpn.anchor_generator, self.trunk.strides
        generator.set_cell_anchors(torch.float32, maps[0].device)
        grids = generator.grid_anchors([list(of.shape[-2:]) for of in maps], [[stride, stride] for stride in strides])
        return torch.cat([grid + stride / 2 for grid, stride in zip(grids, strides, strict=True)])
