"""Grids of sliding windows and ranked proposals on photographs: how many boxes an image it takes to find its objects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from datamodules import COCO, SelectiveSearch, SlidingWindows
from datamodules.base import Split
from datamodules.scene import Scene

RATIOS = (1 / 3, 1 / 2, 1.0, 2.0, 3.0)
STEP = 0.5
SIDES = tuple(512 * 2 ** (-k / 1.5) for k in range(12))
"""1.5 an octave, from 512 pixels to 3; a side that does not fit an image is the image itself there."""
LARGE = 32.0**2
"""Square pixels above which COCO calls an object no longer small."""
MOST = 300
"""Images of a split that are looked at, at most."""


class WindowsFound(NamedTuple):
    """What it takes to find each object of some images."""

    costs: Tensor
    """float64 (G,): of proposals, the rank of the first that is on the object; of windows, how many of ``SIDES`` it takes.
    Infinite where none is."""
    large: Tensor
    """bool (G,): the objects of more than ``LARGE`` square pixels."""
    boxes: tuple[float, ...]
    """Of windows, those of an image with the first 1, 2, … of ``SIDES``, in the mean; of proposals, all of an image."""

    def recall(self, cost: float = math.inf, *, large: bool = True) -> float:
        """The share of the objects found at no more than this cost: of the large ones, or of all."""
        found = self.costs.isfinite() & (self.costs <= cost)
        return float((found[self.large] if large else found).double().mean())

    def cost(self, recall: float, *, large: bool = True) -> float:
        """The least cost that reaches this recall; infinite where none does."""
        costs = (self.costs[self.large] if large else self.costs).sort().values
        return float(costs[max(1, math.ceil(recall * len(costs) - 1e-9)) - 1])


def photographs(root: str, split: Split, fold: int = 0, folds: int = 1) -> list[Scene]:
    """The images of one fold of a split that have objects other than crowds."""
    data = COCO(root)
    data.require(frozenset({"boxes", "labels", "crowd"}))
    scenes = data.scenes(split)
    order = torch.randperm(len(scenes), generator=torch.Generator().manual_seed(0)).tolist()
    chosen = [scenes[i] for i in order[fold % folds :: folds][:MOST]]
    return [scene for scene in chosen if not bool(scene["crowd"].all())]


def objects(scene: Scene) -> Tensor:
    return scene["boxes"][~scene["crowd"]]


def by_windows(scenes: Sequence[Scene], iou: float) -> WindowsFound:
    costs, counts = [], []
    for scene in scenes:
        truth = objects(scene)
        needed, numbers = torch.full((len(truth),), torch.inf, dtype=torch.float64), []
        for k, side in enumerate(SIDES, 1):
            windows = SlidingWindows((side,), RATIOS, STEP)(scene["image"])
            numbers.append(len(windows))
            hit = torch.stack([(box_iou(truth, part) >= iou).any(1) for part in windows.split(100_000)]).any(0)
            needed = torch.where(hit & needed.isinf(), float(k), needed)
        costs.append(needed)
        counts.append(numbers)
    boxes = torch.tensor(counts, dtype=torch.float64).cumsum(1).mean(0)
    return WindowsFound(torch.cat(costs), _large(scenes), tuple(boxes.tolist()))


def by_proposals(scenes: Sequence[Scene], found: Sequence[Tensor], iou: float) -> WindowsFound:
    """``found`` (P, 4) has each image's proposals, the most promising first."""
    costs = []
    for scene, boxes in zip(scenes, found, strict=True):
        hits = torch.nn.functional.pad(box_iou(objects(scene), boxes) >= iou, (0, 1))  # an image may have none
        costs.append(torch.where(hits.any(1), hits.int().argmax(1).double() + 1, torch.inf))
    return WindowsFound(torch.cat(costs), _large(scenes), (sum(map(len, found)) / max(1, len(found)),))


def _large(scenes: Sequence[Scene]) -> Tensor:
    boxes = torch.cat([objects(scene) for scene in scenes])
    return (boxes[:, 2:] - boxes[:, :2]).prod(1) > LARGE


class Both(NamedTuple):
    windows: WindowsFound
    proposals: WindowsFound


@cache
def both(root: str, split: Split, fold: int, folds: int, iou: float) -> Both:
    """Windows and selective search (the settings that R-CNN used) in the same images."""
    scenes = photographs(root, split, fold, folds)
    return Both(by_windows(scenes, iou), by_proposals(scenes, _proposals(root, split, fold, folds), iou))


@cache
def _proposals(root: str, split: Split, fold: int, folds: int) -> list[Tensor]:
    search = SelectiveSearch("fast", count=100_000)
    return [search(scene["image"]) for scene in photographs(root, split, fold, folds)]
