"""From a map of each keypoint to its place, for all regions at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints

A = -0.75
"""Of the cubic kernel: torch's own (Keys 1981, equation 4)."""

AT_ONCE = {True: 2**18, False: 2**25}
"""Values of enlarged maps that are held together: on the CPU (True) what its cache holds, elsewhere 128 MiB."""


def places_of(maps: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """float (R, K, 2): x and y in pixels of the greatest value in each map, enlarged to its region's pixels.

    What torchvision's ``heatmaps_to_keypoints`` says (Mask R-CNN's authors' code), which enlarges the maps of one region after
    the other and waits for a GPU twice in each. Bicubic enlarging is a matrix product along each side, so that regions
    of different sizes are one product: rows beyond a region's own repeat its last, and none is greater for that.

    Args:
        maps: float (R, K, m, m).
        boxes: float (R, 4), the regions, xyxy in pixels.
        size: (H, W) of the image, which no region is larger than.
    """
    if torch.jit.is_tracing():  # type: ignore[attr-defined]  # a traced network has no loop whose turns depend on values
        exported: Tensor = heatmaps_to_keypoints(maps, boxes)[0][..., :2]
        return exported
    keypoints, cells = maps.shape[1:3]
    low, high = boxes.split(2, 1)
    sides = (high - low).clamp(min=1)
    whole = sides.ceil()
    found = []
    order = whole.prod(1).argsort(descending=True)
    with torch.autocast(boxes.device.type, enabled=False):  # half precision would round the values that are compared
        for first, last, (width, height) in _portions(whole[order], keypoints, size):
            chosen = order[first:last]
            across, along = _enlarging(whole[chosen, 0], cells, width), _enlarging(whole[chosen, 1], cells, height)
            # Behind the map's rim its cells repeat: each pixel then lies between two different ones and two beyond them.
            grown = F.pad(maps[chosen], (2, 2, 2, 2), mode="replicate")
            rows = along @ grown.transpose(1, 2).flatten(2)  # (r, height, K * (m + 4))
            pixels = rows.unflatten(2, (keypoints, cells + 4)).flatten(1, 2) @ across.transpose(1, 2)
            pixels = pixels.unflatten(1, (height, keypoints))
            row = pixels.amax(3).argmax(1)  # (r, K); a maximum without its place takes a fraction of the time
            best = pixels.gather(1, row[:, None, :, None].expand(-1, -1, -1, width))[:, 0]
            found.append(torch.stack([best.argmax(2), row], 2))
    if not found:
        return maps.new_zeros(0, keypoints, 2)
    pixel = torch.cat(found)[order.argsort()].minimum(whole[:, None].long() - 1)
    return (pixel + 0.5) * (sides / whole)[:, None] + low[:, None]


def _portions(whole: Tensor, keypoints: int, size: tuple[int, int]) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """First, last and common size (width, height) of the regions that are enlarged together, the largest first.

    The sizes ``whole`` (R, 2) are read on the CPU alone. Elsewhere that would be waited for, and each is taken for the image's.
    """
    here = whole.device.type == "cpu"
    sizes = whole.long().tolist() if here else [[size[1], size[0]]] * len(whole)
    first = 0
    while first < len(sizes):
        width, height = sizes[first]
        last = first + 1
        while last < len(sizes):
            wider, higher = max(width, sizes[last][0]), max(height, sizes[last][1])
            if (last + 1 - first) * keypoints * wider * higher > AT_ONCE[here]:
                break
            width, height, last = wider, higher, last + 1
        yield first, last, (width, height)
        first = last


def _enlarging(whole: Tensor, cells: int, pixels: int) -> Tensor:
    """float (R, pixels, cells + 4): what each cell, two more on either side, adds to each of ``whole`` (R,) pixels in a row.

    Pixels behind them are the last one again.
    """
    pixel = torch.arange(pixels, device=whole.device).minimum(whole[:, None] - 1)
    place = (pixel + 0.5) * (cells / whole)[:, None] - 0.5
    before = place.floor()
    part = place - before
    weights = torch.stack([_far(part + 1), _near(part), _near(1 - part), _far(2 - part)], -1)
    index = before.long()[..., None] + torch.arange(1, 5, device=whole.device)
    return weights.new_zeros(*place.shape, cells + 4).scatter(-1, index, weights)


def _near(distance: Tensor) -> Tensor:
    return ((A + 2) * distance - (A + 3)) * distance * distance + 1


def _far(distance: Tensor) -> Tensor:
    return ((A * distance - 5 * A) * distance + 8 * A) * distance - 4 * A
