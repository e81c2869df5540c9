"""How near images are to what they should be, in decibels, over a whole split."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .gather import CountMetric


class PSNR(CountMetric):
    """Peak signal-to-noise ratio, 10 log₁₀(255² / mean squared error), of all values of all images of a split together.

    It is no mean of the images' own ratios: squared errors are whole numbers here, they are summed over the set, and divided
    once. ``compute`` returns float32 () in dB; infinite where every value is right.

    Args:
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_count("errors", 2)  # the sum of squared errors, the number of values

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add B images.

        Args:
            preds: uint8 (B, C, H, W).
            target: uint8 (B, C, H, W), what they should be.

        Raises:
            ValueError: where the shapes differ, or an image is not of bytes.
        """
        if preds.shape != target.shape or {preds.dtype, target.dtype} != {torch.uint8}:
            raise ValueError(
                f"images are {preds.dtype} {tuple(preds.shape)} and {target.dtype} {tuple(target.shape)}: uint8 of one shape "
                "expected"
            )
        squared = (preds.int() - target.int()).square().sum(dtype=torch.long)
        self.increase("errors", torch.stack([squared, torch.full_like(squared, target.numel())]))

    def compute(self) -> Tensor:
        """float32 (), dB."""
        squared, values = self.errors.cpu().double()
        return (10 * torch.log10(255**2 * values / squared)).float().to(self.errors.device)


class NoisyPSNR(PSNR):
    """The same of the images that the network is given: what doing nothing has."""

    def update(self, noisy: Tensor, target: Tensor) -> None:  # type: ignore[override]
        """Add B images, uint8 (B, C, H, W), and what they should be."""
        super().update(noisy, target)
