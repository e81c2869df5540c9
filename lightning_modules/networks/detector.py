"""What every detector is: one forward pass that training and prediction share, losses by name, and detections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypedDict

from torch import Generator, Tensor, nn
from torchvision.ops import clip_boxes_to_image

from ..means import Mean
from .boxes import best_first, first_of_nms, has_area


class Detections(TypedDict):
    """The objects found in one image, best first."""

    boxes: Tensor
    """float32 (M, 4), xyxy in pixels, inside the image and of positive area."""
    labels: Tensor
    """int64 (M,), from 0."""
    scores: Tensor
    """float32 (M,), in [0, 1] where the detector's score is a probability."""


class Detector(nn.Module, ABC):
    """A network that finds objects; built as ``Network(num_classes, ...)``.

    Labels count from 0 and have no background: a network that needs one adds it inside itself. An image without objects
    is an image like any other, in training too.

    Args:
        num_classes: of the data set.
        score_threshold: a box of a lower score is no detection.
        nms_threshold: of two boxes of a class that overlap by more than this IoU only the better stays.
        max_detections: in one image.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    candidates = 1000
    """The best scores of an image that enter non-maximum suppression."""

    def __init__(
        self, num_classes: int, *, score_threshold: float = 0.01, nms_threshold: float = 0.5, max_detections: int = 100
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold
        self.max_detections = max_detections

    @abstractmethod
    def forward(self, images: Tensor) -> Any:
        """From float (B, 3, H, W), normalised, to what both :meth:`losses` and :meth:`predict` start from."""

    @abstractmethod
    def losses(
        self, outputs: Any, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """The losses by name, whose means are to be summed, in training and in evaluation mode.

        What an image adds to a loss depends on no other image, so that it does not matter how images share batches.

        Args:
            outputs: of :meth:`forward`.
            boxes: float (N, 4) for each image, xyxy in pixels; N may be 0.
            labels: int64 (N,) for each image, from 0.
            rngs: on the CPU, one for each image, for what is drawn of it; None draws from torch's own.
        """

    @abstractmethod
    def predict(self, outputs: Any) -> list[Detections]:
        """The detections in each image, from the outputs of :meth:`forward`."""

    def select(self, boxes: Tensor, scores: Tensor, size: tuple[int, int]) -> Detections:
        """The last step of every detector: threshold, non-maximum suppression within each class, the best.

        Args:
            boxes: float (K, 4), xyxy in pixels, or (K, num_classes, 4) where each class has a box of its own.
            scores: float (K, num_classes).
            size: (H, W) of the image.
        """
        scores, best = best_first(scores.flatten(), self.candidates)
        labels = best % self.num_classes
        boxes = boxes.flatten(0, -2)[best] if boxes.ndim == 3 else boxes[best // self.num_classes]
        boxes = clip_boxes_to_image(boxes, size)
        keep = (has_area(boxes) & (scores > self.score_threshold)).nonzero()[:, 0]  # a mask would be waited for each time
        boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
        best = first_of_nms(boxes, scores, labels, size, self.nms_threshold, self.max_detections)
        return {"boxes": boxes[best], "labels": labels[best], "scores": scores[best]}
