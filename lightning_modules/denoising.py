"""Denoising: an image from a noisy one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import MetricCollection

from datamodules.scene import Batch, InputError

from .base import Prediction
from .defaults import Metadata
from .image_rngs import image_rngs
from .metrics.psnr import PSNR, NoisyPSNR
from .reconstruction import Reconstruction
from .uploads import uploaded


class Denoising(Reconstruction):
    """An image from a noisy one (deck "CNN, R-CNN", slide "Deep vs. Shallow(?) Learning Examples"). It needs no annotation.

    Gaussian noise is added to the images, which are rounded and clipped to uint8 again: what the network is given is an image
    as one would find it. In training an image has other noise in each epoch, by (seed, epoch, image); in evaluation always the
    same. ``lectern predict`` and ``lectern export`` take images as they are, and add none.

    Network, loss and prediction are :class:`Reconstruction`'s. Metrics, in dB: ``psnr``; and ``psnr_noisy``, that of the images
    that the network is given, which is what doing nothing has.

    Args:
        sigma: standard deviation of the noise, in grey levels of 255 (25 is the usual one, as in Zhang et al. 2017, "Beyond a
            Gaussian Denoiser").
        kwargs: see :class:`Task`.

    Raises:
        InputError: ``sigma`` is not positive.
    """

    default_network = "lightning_modules.networks.ResidualDenoiser"

    def __init__(
        self, metadata: Metadata, *, network: Callable[[int], nn.Module] | None = None, sigma: float = 25.0, **kwargs: Any
    ) -> None:
        if not sigma > 0:
            raise InputError(f"model.sigma is {sigma:g}: a standard deviation above 0 expected, in grey levels of 255")
        super().__init__(metadata, network=network, **kwargs)
        self.sigma = sigma

    def respond(self, batch: Batch) -> Any:
        return self(self.given(batch))

    def given(self, batch: Batch) -> Tensor:
        """The noisy images, uint8 (B, 3, H, W)."""
        images = batch["image"]
        noise = torch.stack([torch.randn(images.shape[1:], generator=rng) for rng in image_rngs(self, batch)])
        noisy = images + self.sigma * uploaded(noise, images.device)
        return noisy.round().clamp(0, 255).to(torch.uint8)

    def predict_step(self, batch: Batch | None, batch_idx: int) -> list[Prediction] | None:
        return None if batch is None else self.predict(self(batch["image"]))

    def metrics(self) -> MetricCollection:
        return MetricCollection({"psnr": PSNR(), "psnr_noisy": NoisyPSNR()}, compute_groups=False)

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        return {**super().metric_inputs(predictions, batch), "noisy": self.given(batch)}
