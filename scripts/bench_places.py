"""What reading keypoints from their maps costs on the CPU, against torchvision's loop over the regions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints

from lightning_modules.networks.heatmaps import places_of

from .bench_rows import Row

CASES = {"100 people of 20 to 150 px": (20, 150, 512), "100 people of 100 to 500 px": (100, 500, 800)}
"""Least and greatest side of a region, and the image's, in pixels."""


def rows(repeats: int) -> Iterator[Row]:
    """17 keypoints each, in maps of 56 x 56; CPU time."""
    rng = torch.Generator().manual_seed(0)
    maps = torch.randn(100, 17, 56, 56, generator=rng)
    for what, (least, most, size) in CASES.items():
        sides = least + (most - least) * torch.rand(100, 2, generator=rng)
        low = torch.rand(100, 2, generator=rng) * (size - sides)
        boxes = torch.cat([low, low + sides], 1)
        pairs = [
            (_ms(lambda b=boxes, s=size: places_of(maps, b, (s, s))), _ms(lambda b=boxes: heatmaps_to_keypoints(maps, b)))  # type: ignore[misc]
            for _ in range(repeats)
        ]
        ours, peer = (statistics.median(times) for times in zip(*pairs, strict=True))
        yield Row(f"keypoints of {what}", ours, peer, "ms", "≤ 1.0 × torchvision's loop")


def _ms(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return 1000 * (time.process_time() - began)
