"""How well the one box and the one class of an image's main object are found."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision.ops import box_iou

from .gather import STEP, CountMetric, ratio, to_steps

MIN_IOU = 0.5


class LocalizationScores(CountMetric):
    """Mean IoU of the main box, and ILSVRC's localization error with one guess an image.

    ``compute`` returns float32 scalars: ``iou``; ``iou_right_class`` and ``iou_wrong_class``, its means over the images
    whose class was found and missed (nan where there are none); ``class_error``, the share of images whose class was
    missed; ``localization_error``, the share of images
    without the right class and IoU >= 0.5 (Russakovsky et al. 2015, "ImageNet Large Scale Visual Recognition
    Challenge", section 4.2, there with five guesses and several objects). A box that is reversed or not finite
    has IoU 0. IoUs are summed in steps of 2^-24.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Of the images whose class was missed, and found: how many, and the sum of their IoUs.
        self.add_count("images", 2)
        self.add_count("overlap", 2)
        self.add_count("localized")

    def update(self, label: Tensor, box: Tensor, target_label: Tensor, target_box: Tensor) -> None:
        """Add B images.

        Args:
            label: int64 (B,), the predicted classes; or float (B, C), their logits.
            box: float (B, 4), the predicted boxes, xyxy in pixels.
            target_label: int64 (B,).
            target_box: float (B, 4).
        """
        right = (label.argmax(1) if label.ndim == 2 else label) == target_label
        iou = box_iou(box.float(), target_box.float()).diagonal().nan_to_num(0)
        groups = torch.stack([~right, right])
        self.increase("images", groups.sum(1))
        self.increase("overlap", (groups * to_steps(iou)).sum(1))
        self.increase("localized", (right & (iou >= MIN_IOU)).sum())

    def compute(self) -> dict[str, Tensor]:
        """The scores over all images: see the class."""
        total = self.images.sum()
        wrong, right = ratio(self.overlap, self.images) * STEP
        return {
            "iou": ratio(self.overlap.sum(), total) * STEP,
            "iou_right_class": right,
            "iou_wrong_class": wrong,
            "class_error": ratio(self.images[0], total),
            "localization_error": ratio(total - self.localized, total),
        }
