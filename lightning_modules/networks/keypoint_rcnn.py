"""Mask R-CNN for poses: the same network, whose branch tells where in each region the keypoints are.

CS231n 2017, lecture 11, "Mask R-CNN: Also does pose"; He et al. 2017, "Mask R-CNN", section 5. Composed of torchvision's parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.roi_heads import keypoints_to_heatmap

from ..means import Mean, counted
from .boxes import RoIAlign, RoIPooling, of_each_image
from .branches import Branch, BranchedRCNN
from .detector import Detections
from .heatmaps import places_of
from .mask_rcnn import MaskBranch
from .regions import Samples


class KeypointBranch(Branch):
    """A map for each keypoint, four times as fine as the pooled region: a softmax over its places, of which one is right.

    That is the paper's one-hot mask of m x m places, under cross-entropy; no Gaussian is drawn around the keypoint. Keypoints
    without a label, and those outside the region, are not trained on. A keypoint's confidence is the greatest probability in
    its map.

    Args:
        channels: of the backbone's maps.
        num_keypoints: K.
        pooling: cuts the regions out of the maps, given ``size``.
        size: cells in a row of a pooled region; the maps have four times as many (56 in the paper).
        layers: widths of the 3 x 3 convolutions (eight of 512 in the paper).
    """

    def __init__(
        self,
        channels: int,
        num_keypoints: int,
        *,
        pooling: Callable[[int], RoIPooling] = RoIAlign,
        size: int = 14,
        layers: Sequence[int] = (64, 64, 64),
    ) -> None:
        convolutions = KeypointRCNNHeads(channels, tuple(layers))
        predictor = KeypointRCNNPredictor((channels, *layers)[-1], num_keypoints)
        super().__init__(pooling(size), nn.Sequential(convolutions, predictor))

    def loss(self, logits: Tensor, samples: list[Samples], objects: list[Tensor]) -> Mean:
        each = zip(objects, samples, strict=True)
        targets = [
            keypoints_to_heatmap(keypoints[sample.matched], sample.regions, logits.shape[-1]) for keypoints, sample in each
        ]
        places, labelled = (torch.cat(parts).flatten() for parts in zip(*targets, strict=True))
        trained = labelled.nonzero()[:, 0]
        total = F.cross_entropy(logits.flatten(0, 1).flatten(1)[trained], places[trained], reduction="sum")
        return Mean(total, counted(len(trained), logits))

    def read(self, logits: Tensor, found: list[Detections], size: tuple[int, int]) -> list[Tensor]:
        places = places_of(logits, torch.cat([detections["boxes"] for detections in found]), size)
        # The greatest value of the softmax. Flattened maps of no detection at all would have no size to infer.
        confidence = 1 / (logits - logits.amax((2, 3), keepdim=True)).exp().sum((2, 3))
        keypoints = torch.cat([places, confidence[..., None]], -1)
        return list(of_each_image(keypoints, [detections["labels"] for detections in found]))


class KeypointRCNN(BranchedRCNN):
    """Mask R-CNN's network for poses: Faster R-CNN and, for each region, the keypoints. The loss adds ``roi_keypoints``.

    Args:
        num_keypoints: K, of the data set.
        keypoints: builds the branch, given the channels of the backbone's maps and the number of keypoints.
        kwargs: see :class:`FasterRCNN`.
    """

    def __init__(
        self,
        num_classes: int,
        num_keypoints: int,
        *,
        keypoints: Callable[[int, int], KeypointBranch] = KeypointBranch,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, **kwargs)
        self.branches["keypoints"] = keypoints(self.backbone.channels[0], num_keypoints)


class KeypointMaskRCNN(KeypointRCNN):
    """Boxes, keypoints and masks from one network (table 4, "keypoint & mask").

    The loss adds ``roi_keypoints`` and ``roi_masks``.

    Args:
        num_keypoints: K, of the data set.
        masks: builds the mask branch, as :class:`MaskRCNN`'s.
        kwargs: see :class:`KeypointRCNN`.
    """

    def __init__(
        self, num_classes: int, num_keypoints: int, *, masks: Callable[[int, int], MaskBranch] = MaskBranch, **kwargs: Any
    ) -> None:
        super().__init__(num_classes, num_keypoints, **kwargs)
        self.branches["masks"] = masks(self.backbone.channels[0], num_classes)
