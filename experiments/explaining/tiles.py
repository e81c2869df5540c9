"""Maps as pictures: laid over the image, or in colours of their own."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

SIDE = 176
"""About the shorter side of a picture in pixels: small images are enlarged by a whole factor, large ones made smaller."""


def sized(picture: Tensor, smooth: bool = False) -> Tensor:
    """A picture uint8 (3, H, W) at the size of the page: pixels stay visible, unless ``smooth``."""
    height, width = picture.shape[1:]
    short = min(height, width)
    factor = max(1, round(SIDE / short)) if short <= SIDE else SIDE / short
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    scaled = cv2.resize(np.ascontiguousarray(picture.permute(1, 2, 0).numpy()), size, interpolation=way)
    return torch.from_numpy(scaled).permute(2, 0, 1)


def over(image: Tensor, heat: Tensor) -> Tensor:
    """A map over its image: grey where it is low, from violet to yellow where it is high; what is negative counts as 0.

    Args:
        image: uint8 (3, H, W).
        heat: float (H, W); its 99.5th percentile and more is the brightest colour.
    """
    values = np.nan_to_num(heat.detach().cpu().double().numpy()).clip(0)
    top = float(np.quantile(values, 0.995)) or float(values.max())
    parts = (values / max(top, 1e-30)).clip(0, 1)
    colours = cv2.applyColorMap((parts * 255).round().astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = image.permute(1, 2, 0).double().mean(-1, keepdim=True).numpy()
    weight = 0.25 + 0.65 * parts[..., None]
    mixed = (grey * (1 - weight) + colours * weight).round().clip(0, 255).astype(np.uint8)
    return torch.from_numpy(mixed).permute(2, 0, 1)


def around_grey(signed: Tensor) -> Tensor:
    """Signed colours float (3, H, W) as a picture uint8: 0 is grey, the 99.5th percentile of the magnitude black or white."""
    values = signed.detach().float().cpu().nan_to_num()
    top = float(torch.quantile(values.abs().flatten(), 0.995)) or float(values.abs().max())
    return ((0.5 + 0.5 * values / max(top, 1e-30)).clamp(0, 1) * 255).round().to(torch.uint8)


def stretched(maps: Tensor) -> Tensor:
    """Maps float (N, h, w), each from its least value (0) to its greatest (1), as grey pictures (N, 3, h, w)."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return ((maps - low) / (high - low).clamp(min=1e-12))[:, None].expand(-1, 3, -1, -1).cpu()


def part_seen(signed: Tensor, least: int = 12) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of the square around what is not 0 in a map (3, H, W): what one unit saw.

    Args:
        signed: what was brought back to the pixels of that unit.
        least: the square's side in pixels, at least.
    """
    height, width = signed.shape[1:]
    seen = signed.abs().amax(0)
    rows, columns = ((seen > 0.02 * seen.max()).any(axis).nonzero()[:, 0] for axis in (1, 0))
    if not len(rows):
        return 0, height, 0, width
    middle = ((int(rows[0]) + int(rows[-1]) + 1) // 2, (int(columns[0]) + int(columns[-1]) + 1) // 2)
    side = min(max(least, int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1), height, width)
    top, left = (min(max(0, m - side // 2), total - side) for m, total in zip(middle, (height, width), strict=True))
    return top, top + side, left, left + side


def enlarged(picture: Tensor, side: int) -> Tensor:
    """A square picture (3, h, h), uint8 or float, as one of ``side`` pixels, float in [0, 1]."""
    values = picture.float() / (255 if picture.dtype == torch.uint8 else 1)
    return torch.nn.functional.interpolate(values[None], (side, side), mode="nearest")[0]
