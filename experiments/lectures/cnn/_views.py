"""Drawn objects seen in a window that is moved or turned: real background comes in, and no edge of the image."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules import Shapes
from datamodules.base import Split
from datamodules.drawing import Style

WINDOW, MARGIN = 32, 27
"""Pixels: the side of a window, and how far around an object's centre a patch reaches: a corner of the window at 45°, and 4."""
UPRIGHT = Style(
    image_size=(96, 96),
    classes=("triangle", "star", "heart", "arrow", "crescent", "bolt"),
    objects=(1, 1),
    object_size=(0.12, 0.15),
    rotation=10.0,
    aspect=0.1,
    clutter=0.3,
    texture=0.3,
    thin=0.0,
    color_cue=0.0,
    lighting=0.2,
)
"""One object a scene, nearly upright, of at most 24 pixels: 4 pixels off the middle it still lies in the window. No class looks
the same after a quarter turn, and none like another; colour tells nothing."""


def patches(split: Split, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Patches about the objects' centres, uint8 (N, 3, 54, 54), and their classes, int64 (N,).

    Scenes whose object lies too near the edge for a patch are passed over.
    """
    data = Shapes(image_size=UPRIGHT.image_size, style=UPRIGHT, data_seed=seed, cache_mib=0, workers=0)
    data.sizes[split] = 20 * count
    data.require(frozenset({"label", "boxes"}))
    scenes, side = data.scenes(split), UPRIGHT.image_size[0]
    found: list[Tensor] = []
    labels: list[Tensor] = []
    for i in range(len(scenes)):
        scene = scenes[i]
        x, y = ((scene["boxes"][0, :2] + scene["boxes"][0, 2:]) / 2).round().int().tolist()
        if min(x, y) >= MARGIN and max(x, y) <= side - MARGIN:
            found.append(scene["image"][:, y - MARGIN : y + MARGIN, x - MARGIN : x + MARGIN].clone())
            labels.append(scene["label"])
        if len(found) == count:
            break
    return torch.stack(found), torch.stack(labels)


def views(patches: Tensor, degrees: Tensor | float = 0.0, right: int = 0, down: int = 0) -> Tensor:
    """Windows in which the object is turned clockwise by ``degrees`` and then moved: uint8 (N, 3, 32, 32).

    Args:
        patches: uint8 (N, 3, 54, 54).
        degrees: of all, or (N,). Quarter turns are exact; others are interpolated.
        right: pixels.
        down: pixels.
    """
    angles = torch.as_tensor(degrees, dtype=torch.float64).expand(len(patches)).view(-1, 1, 1) * math.pi / 180
    along = torch.arange(WINDOW, dtype=torch.float64) - (WINDOW - 1) / 2
    down_here, right_here = (along - down).view(1, -1, 1), (along - right).view(1, 1, -1)
    x = angles.cos() * right_here + angles.sin() * down_here
    y = angles.cos() * down_here - angles.sin() * right_here
    grid = torch.stack([x, y], -1) / MARGIN  # −1 and 1 are the patch's edges
    seen = F.grid_sample(patches.float(), grid.float(), padding_mode="reflection", align_corners=False)
    return seen.round().to(torch.uint8)
