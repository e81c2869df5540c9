"""torchvision's two-stage detectors, taken apart: one forward pass, from which losses and detections both start.

torchvision runs a network for its losses or for its detections; a :class:`Detector` hands out both. The losses are
torchvision's own functions. Each is a mean over things that are counted here, so that it adds up over batches and ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import (
    fastrcnn_loss,
    keypointrcnn_inference,
    keypointrcnn_loss,
    keypoints_to_heatmap,
    maskrcnn_inference,
    maskrcnn_loss,
    paste_masks_in_image,
)
from torchvision.models.detection.rpn import concat_box_prediction_layers

from ..means import Mean, counted, full_precision
from ..uploads import uploaded
from .regions import draw


class ImageSampler(BalancedPositiveNegativeSampler):  # type: ignore[misc]
    """torchvision's choice of examples, drawn of each image by the image's own rng and on the CPU."""

    rngs: Sequence[Generator] | None = None
    """One for each image, for the next call; None draws from torch's own."""
    count = 0
    """How many were chosen in the last call, of all images together."""

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """From the labels of each image's candidates (-1 for neither) to bool masks of those chosen: objects, background."""
        each: Sequence[Generator | None] = self.rngs or [None] * len(matched_idxs)
        chosen: tuple[list[Tensor], list[Tensor]] = ([], [])
        self.count = 0
        own = torch.cat(matched_idxs).cpu().split([len(labels) for labels in matched_idxs])  # one copy, which is waited for
        for here, rng in zip(own, each, strict=True):
            objects = draw((here >= 1).nonzero()[:, 0], int(self.batch_size_per_image * self.positive_fraction), rng)
            background = draw((here == 0).nonzero()[:, 0], self.batch_size_per_image - len(objects), rng)
            self.count += len(objects) + len(background)
            for masks, drawn in zip(chosen, (objects, background), strict=True):
                mask = torch.zeros(len(here), dtype=torch.bool)
                mask[drawn] = True
                masks.append(uploaded(mask, matched_idxs[0].device))
        return chosen


class StagedOutputs(NamedTuple):
    """What the backbone and the proposal network say of B images."""

    maps: dict[str, Tensor]
    size: tuple[int, int]
    """(H, W) of the images, without the border."""
    anchors: list[Tensor]
    objectness: Tensor
    """float (B * A, 1), logits."""
    offsets: Tensor
    """float (B * A, 4), from the anchor to the object."""
    proposals: list[Tensor]
    """float (P, 4) for each image, xyxy in pixels, without a gradient."""


class TwoStages:
    """Faster, Mask and Keypoint R-CNN of torchvision.

    Args:
        network: a ``torchvision.models.detection.FasterRCNN`` or a subclass; its samplers are exchanged.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        for part in (network.rpn, network.roi_heads):
            own = part.fg_bg_sampler
            part.fg_bg_sampler = ImageSampler(own.batch_size_per_image, own.positive_fraction)

    @property
    def settings(self) -> Any:
        """The module with torchvision's three thresholds."""
        return self.network.roi_heads

    def forward(self, images: ImageList, maps: dict[str, Tensor]) -> StagedOutputs:
        rpn = self.network.rpn
        scores, moves = rpn.head(list(maps.values()))
        counts = [level[0].numel() for level in scores]
        objectness, offsets = (full_precision(each) for each in concat_box_prediction_layers(scores, moves))
        # Anchors take the type of the maps, and need full precision.
        anchors = rpn.anchor_generator(images, [full_precision(m[:1, :1]) for m in maps.values()])
        with torch.no_grad():
            boxes = rpn.box_coder.decode(offsets.detach(), anchors).view(len(anchors), -1, 4)
            proposals, _ = rpn.filter_proposals(boxes, objectness, images.image_sizes, counts)
        return StagedOutputs(maps, images.image_sizes[0], anchors, objectness, offsets, proposals)

    def losses(
        self, outputs: StagedOutputs, targets: list[dict[str, Tensor]], rngs: Sequence[Generator] | None
    ) -> dict[str, Mean]:
        """``rpn_objectness``, ``rpn_box``, ``roi_class``, ``roi_box``; and of a branch ``roi_masks`` or ``roi_keypoints``."""
        rpn, heads = self.network.rpn, self.network.roi_heads
        rpn.fg_bg_sampler.rngs = heads.fg_bg_sampler.rngs = rngs
        try:
            return self._proposing(outputs, targets) | self._judging(outputs, targets)
        finally:
            rpn.fg_bg_sampler.rngs = heads.fg_bg_sampler.rngs = None

    def _proposing(self, outputs: StagedOutputs, targets: list[dict[str, Tensor]]) -> dict[str, Mean]:
        rpn = self.network.rpn
        labels, boxes = rpn.assign_targets_to_anchors(outputs.anchors, targets)
        offsets = rpn.box_coder.encode(boxes, outputs.anchors)
        labels = [each.to(outputs.objectness) for each in labels]  # the loss takes its precision from them
        objectness, box = rpn.compute_loss(outputs.objectness, outputs.offsets, labels, offsets)
        count = counted(rpn.fg_bg_sampler.count, outputs.objectness)
        return {"rpn_objectness": _undivided(objectness, count), "rpn_box": _undivided(box, count)}

    def _judging(self, outputs: StagedOutputs, targets: list[dict[str, Tensor]]) -> dict[str, Mean]:
        heads = self.network.roi_heads
        regions, matched, labels, offsets = heads.select_training_samples(list(outputs.proposals), targets)
        logits, boxes = self._scored(outputs, regions)
        number = sum(map(len, labels))
        # The mean over none would be nan.
        of_class, of_box = fastrcnn_loss(logits, boxes, labels, offsets) if number else (logits.sum(), boxes.sum())
        count = counted(number, logits)
        losses = {"roi_class": _undivided(of_class, count), "roi_box": _undivided(of_box, count)}
        if heads.has_mask() or heads.has_keypoint():
            losses |= self._branching(outputs, targets, regions, matched, labels)
        return losses

    def _branching(
        self,
        outputs: StagedOutputs,
        targets: list[dict[str, Tensor]],
        regions: list[Tensor],
        matched: list[Tensor],
        labels: list[Tensor],
    ) -> dict[str, Mean]:
        """The loss of the branch, on those of the drawn regions that are examples of objects."""
        heads, sizes, losses = self.network.roi_heads, [outputs.size] * len(targets), {}
        on = [(each > 0).nonzero()[:, 0] for each in labels]
        regions = [each[rows] for each, rows in zip(regions, on, strict=True)]
        matched = [each[rows] for each, rows in zip(matched, on, strict=True)]
        number = sum(map(len, on))
        if heads.has_mask():
            found = full_precision(heads.mask_predictor(heads.mask_head(heads.mask_roi_pool(outputs.maps, regions, sizes))))
            own = [target["masks"] for target in targets]
            loss = maskrcnn_loss(found, regions, own, [target["labels"] for target in targets], matched)
            losses["roi_masks"] = _undivided(loss, counted(number, loss))
        if heads.has_keypoint():
            found = self._heatmaps(outputs, regions)
            own = [target["keypoints"] for target in targets]
            loss = keypointrcnn_loss(found, regions, own, matched)
            each = zip(own, matched, regions, strict=True)
            seen = [keypoints_to_heatmap(k[rows], r, found.shape[-1])[1].sum() for k, rows, r in each if len(r)]
            losses["roi_keypoints"] = _undivided(loss, torch.stack(seen).sum() if seen else counted(0, loss))
        return losses

    def _scored(self, outputs: StagedOutputs, regions: list[Tensor]) -> tuple[Tensor, Tensor]:
        heads = self.network.roi_heads
        pooled = heads.box_roi_pool(outputs.maps, regions, [outputs.size] * len(regions))
        logits, boxes = heads.box_predictor(heads.box_head(pooled))
        return full_precision(logits), full_precision(boxes)

    def _heatmaps(self, outputs: StagedOutputs, regions: list[Tensor]) -> Tensor:
        heads = self.network.roi_heads
        pooled = heads.keypoint_roi_pool(outputs.maps, regions, [outputs.size] * len(regions))
        return full_precision(heads.keypoint_predictor(heads.keypoint_head(pooled)))

    def predict(self, outputs: StagedOutputs) -> list[dict[str, Tensor]]:
        """Boxes, labels from 1 and scores, and what the branch gives: ``masks`` uint8 (M, H, W), ``keypoints`` (M, K, 3)."""
        heads, sizes = self.network.roi_heads, [outputs.size] * len(outputs.proposals)
        logits, offsets = self._scored(outputs, outputs.proposals)
        each = heads.postprocess_detections(logits, offsets, outputs.proposals, sizes)
        found = [dict(zip(("boxes", "scores", "labels"), fields, strict=True)) for fields in zip(*each, strict=True)]
        boxes, labels = [f["boxes"] for f in found], [f["labels"] for f in found]
        if heads.has_mask():
            scored = full_precision(heads.mask_predictor(heads.mask_head(heads.mask_roi_pool(outputs.maps, boxes, sizes))))
            for fields, own in zip(found, maskrcnn_inference(scored, labels), strict=True):
                fields["masks"] = (paste_masks_in_image(own, fields["boxes"], outputs.size)[:, 0] >= 0.5).to(torch.uint8)
        if heads.has_keypoint():
            maps = self._heatmaps(outputs, boxes)
            places, _ = keypointrcnn_inference(maps, boxes)
            # The greatest value of the softmax over places, as our own branch has it; torchvision's score is a logit.
            confidence = 1 / (maps - maps.amax((2, 3), keepdim=True)).exp().sum((2, 3))
            for fields, own, sure in zip(found, places, confidence.split([len(b) for b in boxes]), strict=True):
                fields["keypoints"] = torch.cat([own[..., :2], sure[..., None]], -1)
        return found


def _undivided(mean: Tensor, count: Tensor) -> Mean:
    return Mean(mean * count.clamp(min=1), count)
