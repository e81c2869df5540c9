"""Several scenes on one sheet: their panels under headings, and a legend that says which colour is which class."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from datamodules.scene import DatasetMetadata

from .drawing import Canvas, label_tile
from .legend import Colour, Label
from .panels import LETTERS, MEANINGS, SHOWN, Panels

PAPER = (255, 255, 255)


def sheet(scenes: Sequence[Panels], metadata: DatasetMetadata) -> Tensor:
    """Scenes below each other, or several in a row where their panels are few; uint8 (3, H, W).

    Headings stand above a row of scenes, and are left out where they are those of the row before.

    Args:
        scenes: at least one, of images of one size.
        metadata: the order of the legend.
    """
    across = min(len(scenes), max(scene.in_a_row for scene in scenes))
    columns = max(len(scene.panels) for scene in scenes)
    height, width = next(iter(scenes[0].panels.values())).shape[1:]
    gap = max(4, width // 40)
    total = gap + across * (columns * (width + gap) + gap)
    text = max(11, round(LETTERS * total / SHOWN))
    strips, before = [_blank(gap, total)], list[list[str]]()
    for start in range(0, len(scenes), across):
        row = scenes[start : start + across]
        places = [[gap + (i * columns + k) * (width + gap) + i * gap for k in range(columns)] for i in range(len(row))]
        headings = [list(scene.panels) for scene in row]
        if headings != before[: len(headings)] and headings[0] != ["input"]:
            said = [
                (x, Label(h, PAPER)) for own, hs in zip(places, headings, strict=True) for x, h in zip(own, hs, strict=False)
            ]
            strips.append(_written([said], total, width, text))
        before = headings
        strips.append(_blank(height, total))
        for own, scene in zip(places, row, strict=True):
            for x, panel in zip(own, scene.panels.values(), strict=False):
                strips[-1][:, x : x + width] = panel.permute(1, 2, 0).numpy()
        lines = max(len(scene.below) for scene in row)
        below = [[(own[0], s.below[k]) for own, s in zip(places, row, strict=True) if k < len(s.below)] for k in range(lines)]
        if below:
            strips.append(_written(below, total, columns * (width + gap) - gap, text))
        strips.append(_blank(gap, total))
    strips += _legend(scenes, metadata, total, text, gap)
    return torch.from_numpy(np.concatenate(strips)).permute(2, 0, 1)


def _blank(height: int, width: int) -> Canvas:
    return np.full((height, width, 3), PAPER, np.uint8)


def _written(lines: Sequence[Sequence[tuple[int, Label]]], total: int, width: int, text: int) -> Canvas:
    """Lines of labels, each at its x, and none wider than ``width``."""
    rows = []
    for line in lines:
        tiles = [(x, _fitting(label, width, text)) for x, label in line]
        rows.append(_blank(max(tile.shape[0] for _, tile in tiles), total))
        for x, tile in tiles:
            rows[-1][: tile.shape[0], x : x + tile.shape[1]] = tile[:, : total - x]
    return np.concatenate(rows)


def _fitting(label: Label, width: int, text: int) -> Canvas:
    """A label in letters so small that it fits, but not below two thirds, where it is cut."""
    tile = label_tile(label, text)
    if tile.shape[1] > width:
        tile = label_tile(label, max(text * 2 // 3, text * width // tile.shape[1]))
    return tile[:, :width]


def _legend(scenes: Sequence[Panels], metadata: DatasetMetadata, total: int, text: int, gap: int) -> list[Canvas]:
    """A swatch and a name for each class in as many lines as it takes, and in a line of their own the colours of the errors."""
    meanings = {name: ink for scene in scenes for name, ink in scene.legend.items()}
    judged = {name: ink for scene in scenes for name, ink in scene.errors.items()}
    order = {name: i for i, name in enumerate([*metadata.mask_classes, *metadata.classes])}
    classes = [_entry(name, meanings[name], text) for name in sorted(meanings, key=lambda name: order[name])]
    errors = [_entry(name, judged[name], text) for name in MEANINGS if name in judged]
    if errors:
        errors.insert(0, label_tile(Label("errors:", PAPER), text))
    strips = list[Canvas]()
    for entries in (classes, errors):
        x = total
        for entry in (entry[:, : total - 2 * gap] for entry in entries):
            if x + entry.shape[1] > total - gap:
                strips += [_blank(entry.shape[0], total), _blank(gap, total)]
                x = gap
            strips[-2][:, x : x + entry.shape[1]] = entry
            x += entry.shape[1] + text
    return strips


def _entry(name: str, ink: Colour | None, text: int) -> Canvas:
    """A swatch and a name, side by side."""
    tile = label_tile(Label(name if ink else f"{name} (not painted)", PAPER), text)
    side = tile.shape[0]
    entry = _blank(side, side + tile.shape[1])
    entry[:, side:] = tile
    corners = (side // 8, side // 8), (side - side // 8, side - side // 8)
    cv2.rectangle(entry, *corners, ink or PAPER, -1)
    cv2.rectangle(entry, *corners, (0, 0, 0), 1)
    return entry
