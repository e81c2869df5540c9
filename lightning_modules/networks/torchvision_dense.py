"""torchvision's one-stage detectors, taken apart as the two-stage ones are: RetinaNet, FCOS, SSD."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torchvision.models.detection import FCOS
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from ..means import Mean, counted, full_precision

Targets = list[dict[str, Tensor]]
"""For each image boxes, xyxy in pixels, and labels, from 1."""


class DenseOutputs(NamedTuple):
    """What the heads say of B images, on their A anchors or default boxes."""

    heads: dict[str, Tensor]
    """``cls_logits`` float (B, A, classes), ``bbox_regression`` float (B, A, 4), of FCOS ``bbox_ctrness`` float (B, A, 1)."""
    anchors: list[Tensor]
    """float (A, 4) for each image, xyxy in pixels."""
    counts: list[int]
    """Anchors of each map."""
    size: tuple[int, int]
    """(H, W) of the images, without the border."""


class OneStage(ABC):
    """What RetinaNet, FCOS and SSD share.

    Args:
        network: of ``torchvision.models.detection``.
    """

    def __init__(self, network: Any) -> None:
        self.network = network

    @property
    def settings(self) -> Any:
        """The module with torchvision's three thresholds."""
        return self.network

    def forward(self, images: ImageList, maps: dict[str, Tensor]) -> DenseOutputs:
        found = {name: full_precision(each) for name, each in self.network.head(list(maps.values())).items()}
        # Anchors take the type of the maps, and need full precision.
        anchors = self.network.anchor_generator(images, [full_precision(m[:1, :1]) for m in maps.values()])
        cells = [m.shape[-2] * m.shape[-1] for m in maps.values()]
        each = found["cls_logits"].shape[1] // sum(cells)  # of SSD this says nothing, and is not asked for
        return DenseOutputs(found, anchors, [each * count for count in cells], images.image_sizes[0])

    def losses(self, outputs: DenseOutputs, targets: Targets, rngs: Sequence[Generator] | None) -> dict[str, Mean]:
        """``class`` and ``box``, of FCOS ``centerness`` too: nothing is drawn, and ``rngs`` not used."""
        losses, count = self.counted_losses(outputs, targets)
        names = {"classification": "class", "bbox_regression": "box", "bbox_ctrness": "centerness"}
        return {names[name]: Mean(loss * count.clamp(min=1), count) for name, loss in losses.items()}

    @abstractmethod
    def counted_losses(self, outputs: DenseOutputs, targets: Targets) -> tuple[dict[str, Tensor], Tensor]:
        """torchvision's losses, and int64 (): the number of things that they are means over."""

    def predict(self, outputs: DenseOutputs) -> Targets:
        """Boxes, labels from 1 and scores of each image."""
        heads = {name: list(each.split(outputs.counts, 1)) for name, each in outputs.heads.items()}
        anchors = [list(own.split(outputs.counts)) for own in outputs.anchors]
        found: Targets = self.network.postprocess_detections(heads, anchors, [outputs.size] * len(anchors))
        return found


class RetinaNetStage(OneStage):
    """RetinaNet (Lin et al. 2017, "Focal Loss for Dense Object Detection"): the mean over images of each one's own mean."""

    def counted_losses(self, outputs: DenseOutputs, targets: Targets) -> tuple[dict[str, Tensor], Tensor]:
        losses = self.network.compute_loss(targets, outputs.heads, outputs.anchors)
        return losses, counted(len(targets), outputs.heads["cls_logits"])


class FCOSStage(OneStage):
    """FCOS (Tian et al. 2019): means over the places that lie on objects."""

    def counted_losses(self, outputs: DenseOutputs, targets: Targets) -> tuple[dict[str, Tensor], Tensor]:
        # torchvision matches inside of the function that computes the losses: the head is what it hands the matches to.
        matching: Any = SimpleNamespace(head=_Matches(), center_sampling_radius=self.network.center_sampling_radius)
        matched: Any = FCOS.compute_loss(matching, targets, outputs.heads, outputs.anchors, outputs.counts)
        losses = self.network.head.compute_loss(targets, outputs.heads, outputs.anchors, matched)
        return losses, (torch.stack(matched) >= 0).sum()


class _Matches:
    """In place of a head, hands back what it is given: which object each place stands for, -1 for none."""

    def compute_loss(self, targets: Targets, heads: Any, anchors: Any, matched: list[Tensor]) -> list[Tensor]:
        return matched


class SSDStage(OneStage):
    """SSD (Liu et al. 2016) and SSDlite: means over the matched default boxes."""

    def counted_losses(self, outputs: DenseOutputs, targets: Targets) -> tuple[dict[str, Tensor], Tensor]:
        matched = [self._match(own["boxes"], boxes) for own, boxes in zip(targets, outputs.anchors, strict=True)]
        losses = self.network.compute_loss(targets, outputs.heads, outputs.anchors, matched)
        return losses, (torch.stack(matched) >= 0).sum()

    def _match(self, boxes: Tensor, defaults: Tensor) -> Tensor:
        if not len(boxes):
            return defaults.new_full((len(defaults),), -1, dtype=torch.long)
        matched: Tensor = self.network.proposal_matcher(box_iou(boxes, defaults))
        return matched

    def predict(self, outputs: DenseOutputs) -> Targets:
        sizes = [outputs.size] * len(outputs.anchors)
        found: Targets = self.network.postprocess_detections(outputs.heads, outputs.anchors, sizes)
        return found
