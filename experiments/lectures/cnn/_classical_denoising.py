"""What denoising has without learning: three methods of scikit-image, each at its best strength."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from skimage.filters import gaussian
from skimage.restoration import denoise_bilateral, denoise_tv_chambolle
from torch import Tensor, nn

from datamodules import CIFAR10, Shapes
from datamodules.base import DataModule, PreparedScenes, Split
from datamodules.loading import collate
from experiments.studies.study import Measured
from lightning_modules import Denoising
from lightning_modules.metrics.psnr import PSNR

CHOOSING, JUDGED = 50, 300
ClassicalMethod = Callable[[np.ndarray, float], Any]
"""Of an image (H, W, 3) in 0 to 1 and a strength."""
METHODS: dict[str, tuple[ClassicalMethod, tuple[float, ...]]] = {
    "Gaussian": (lambda image, s: gaussian(image, s, channel_axis=-1), (0.4, 0.6, 0.8, 1.0)),
    "total variation": (lambda image, w: denoise_tv_chambolle(image, w, channel_axis=-1), (0.05, 0.1, 0.15, 0.2)),
    "bilateral": (lambda image, s: denoise_bilateral(image, 5, s, channel_axis=-1), (0.02, 0.04, 0.06, 0.08)),
}
"""Each with the strengths that are tried."""


def classical(*, seed: int, folder: Path, photographs: bool = False) -> Measured:
    """PSNR on the first test images, of each method at its best strength on training images; the best is ``test/psnr``."""
    data: DataModule = (
        CIFAR10(root="data", workers=0)
        if photographs
        else Shapes(image_size=24, train=2000, test=JUDGED, workers=0, data_seed=seed)
    )
    chosen_on, judged_on = noisy_and_clean(data, "train", CHOOSING), noisy_and_clean(data, "test", JUDGED)
    found = {}
    for name, (method, strengths) in METHODS.items():
        best = max(strengths, key=lambda strength: psnr(method, strength, *chosen_on))
        found[f"PSNR, {name}"] = psnr(method, best, *judged_on)
    return Measured({**found, "test/psnr": max(found.values())})


def noisy_and_clean(data: DataModule, split: Split, count: int) -> tuple[Tensor, Tensor]:
    """Images uint8 (N, 3, H, W) as :class:`Denoising` is given them in evaluation, and as they should be."""
    task = Denoising(network=lambda channels: nn.Identity(), metadata=data.metadata.as_dict()).eval()
    data.require(task.needs)
    scenes = PreparedScenes(data, split, augment=False)
    batch = cast(Any, collate([scenes[(0, i)] for i in range(count)]))
    return task.given(batch), batch["image"]


def psnr(method: ClassicalMethod, strength: float, noisy: Tensor, clean: Tensor) -> float:
    """In dB, of all images together."""
    metric = PSNR()
    for image, target in zip(noisy, clean, strict=True):
        denoised = torch.from_numpy(np.asarray(method(image.permute(1, 2, 0).numpy() / 255, strength)))
        pixels = (denoised * 255).round().clamp(0, 255).to(torch.uint8).permute(2, 0, 1)
        metric.update(pixels[None], target[None])
    return float(metric.compute())
