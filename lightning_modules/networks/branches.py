"""Branches: further heads on each region of Faster R-CNN, parallel to those for class and box.

CS231n 2017, lecture 11, "Mask R-CNN" and "Mask R-CNN: Also does pose"; He et al. 2017, "Mask R-CNN", section 3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

from torch import Generator, Tensor, nn

from ..means import Mean, full_precision
from .boxes import RoIPooling, in_format_of
from .detector import Detections, Detector
from .faster_rcnn import FasterRCNN
from .regions import Samples


class Branch(nn.Module, ABC):
    """Pools each region by itself, at a resolution of its own, and reads one map a channel from it.

    Args:
        pooling: cuts the regions out of the backbone's maps.
        head: from what was pooled, (R, C, size, size), to logits (R, channels, m, m).
    """

    def __init__(self, pooling: RoIPooling, head: nn.Module) -> None:
        super().__init__()
        self.pooling, self.head = pooling, head

    def forward(self, maps: Sequence[Tensor], strides: Sequence[int], regions: Sequence[Tensor]) -> Tensor:
        """Logits float (R, channels, m, m) of R regions in all; the arguments are those of :class:`RoIPooling`."""
        logits: Tensor = self.head(in_format_of(maps[0], self.pooling(maps, strides, regions)))
        return full_precision(logits)

    @abstractmethod
    def loss(self, logits: Tensor, samples: list[Samples], objects: list[Tensor]) -> Mean:
        """The loss of the regions on objects, one list entry an image.

        Args:
            logits: of the regions, (R, channels, m, m).
            samples: those regions.
            objects: the field that the branch learns, with one entry for each object of the image.
        """

    @abstractmethod
    def read(self, logits: Tensor, found: list[Detections], size: tuple[int, int]) -> list[Tensor]:
        """The field that the branch gives, for the detections in each image of ``size`` (H, W)."""


class BranchedDetector(Detector):
    """A detector that may learn and predict more of an object than its class and box."""

    branches: Any
    """The names of these further fields, as of a set: ``masks``, ``keypoints``."""

    @abstractmethod
    def losses(
        self,
        outputs: Any,
        boxes: list[Tensor],
        labels: list[Tensor],
        rngs: Sequence[Generator] | None = None,
        **objects: list[Tensor],
    ) -> dict[str, Mean]:
        """As :meth:`Detector.losses`.

        Args:
            outputs, boxes, labels, rngs: see there.
            objects: the field of each branch, one entry an object: ``masks`` uint8 (N, H, W), ``keypoints`` float (N, K, 3).
        """


class BranchedRCNN(FasterRCNN, BranchedDetector):
    """Faster R-CNN with branches: what it was, and on the same maps one head more for each field of an object.

    In training a branch sees the sampled regions that lie on objects; in prediction the detections' boxes, after non-maximum
    suppression, as in the paper. So class and box do not wait for it, and it never decides what is found.

    Args:
        kwargs: see :class:`FasterRCNN`.
    """

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(num_classes, **kwargs)
        self.branches = nn.ModuleDict()
        """By the name of the field. They are added after all other weights were drawn, so that these are Faster R-CNN's."""

    def losses(
        self,
        outputs: Any,
        boxes: list[Tensor],
        labels: list[Tensor],
        rngs: Sequence[Generator] | None = None,
        **objects: list[Tensor],
    ) -> dict[str, Mean]:
        """Faster R-CNN's, and ``roi_<field>`` for each branch.

        Args:
            outputs, boxes, labels, rngs: see :meth:`FasterRCNN.losses`.
            objects: the field of each branch, one entry an object: ``masks`` uint8 (N, H, W), ``keypoints`` float (N, K, 3).
        """
        losses, samples = self.sampled_losses(outputs, boxes, labels, rngs)
        samples = [sample.on_objects() for sample in samples]
        for field, branch in self._branches():
            logits = branch(outputs.shared, self.backbone.strides, [sample.regions for sample in samples])
            losses[f"roi_{field}"] = branch.loss(logits, samples, objects[field])
        return losses

    def predict(self, outputs: Any) -> list[Detections]:
        """Faster R-CNN's detections, and in each of them the fields of the branches."""
        found = super().predict(outputs)
        boxes = [detections["boxes"] for detections in found]
        for field, branch in self._branches():
            logits = branch(outputs.shared, self.backbone.strides, boxes)
            for detections, values in zip(found, branch.read(logits, found, outputs.size), strict=True):
                detections[field] = values  # type: ignore[literal-required]
        return found

    def _branches(self) -> list[tuple[str, Branch]]:
        return cast("list[tuple[str, Branch]]", list(self.branches.items()))
