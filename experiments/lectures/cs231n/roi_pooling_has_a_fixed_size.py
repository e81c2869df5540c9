"""RoI pooling brings any region to one size, as max pooling would, and passes the gradient on; unlike RoIAlign, it rounds.

Deck “CNN, R-CNN”, “RoIPool”; CS231n 2017, lecture 11, “Fast R-CNN: Region of Interest Pooling”; Girshick 2015, section 2.1; He
et al. 2017, “Mask R-CNN”, section 3.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks.boxes import RoIAlign, RoIPool

from ._regions import AMENDED, FAST, RegionStudy, fast, learns

ALIGN = "Fast R-CNN with RoIAlign"
LOOSE, STRICT = "test/mAP50", "test/mAP75"


def pooled_by_hand(features: Tensor, region: Tensor, size: int, scale: float) -> Tensor:
    """RoI pooling of one region (4,), in pixels, from a map (C, h, w), cell by cell: (C, size, size).

    The region is rounded to whole cells, halves away from 0 (Python's own ``round`` rounds them to even), takes at least one
    cell, and is cut into size × size parts that may overlap by a cell; each part keeps its maximum, an empty one 0.
    """
    channels, height, width = features.shape
    x1, y1, x2, y2 = (math.floor(value * scale + 0.5) for value in region.tolist())
    out = features.new_zeros(channels, size, size)
    for i in range(size):
        rows = _part(i, size, y1, y2, height)
        for j in range(size):
            columns = _part(j, size, x1, x2, width)
            if rows and columns:
                out[:, i, j] = features[:, rows.start : rows.stop, columns.start : columns.stop].amax((1, 2))
    return out


def _part(i: int, size: int, first: int, last: int, length: int) -> range:
    """The cells of part ``i`` along one side."""
    cells = max(last - first + 1, 1)
    start, stop = first + math.floor(i * cells / size), first + math.ceil((i + 1) * cells / size)
    return range(min(max(start, 0), length), min(max(stop, 0), length))


def checks() -> tuple[Check, ...]:
    """The identities that the lecture's sentence is made of."""
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(2, 3, 12, 16, generator=rng, dtype=torch.float64)
    corners = torch.rand(40, 2, 2, generator=rng).sort(1).values.flatten(1) * torch.tensor([128.0, 96.0, 128.0, 96.0])
    corners[:10] = (corners[:10] / 4).round() * 4  # whole and half cells: where rounding matters
    regions = [corners[:20], corners[20:]]
    differences, shapes = [], set()
    for size in (1, 2, 6, 7):
        pooled = RoIPool(size)([features], [8], regions)
        shapes.add((size, tuple(pooled.shape[1:])))
        by_hand = [pooled_by_hand(features[b].float(), region, size, 1 / 8) for b in (0, 1) for region in regions[b]]
        differences.append(float((pooled.float() - torch.stack(by_hand)).abs().max()))
    whole = torch.tensor([[0.0, 0.0, 15 * 8.0, 11 * 8.0]])
    as_max = RoIPool(4)([features[:1]], [8], [whole]).double() - F.max_pool2d(features[:1].float(), (3, 4))
    here = whole / 2 + 8.0
    there = here + 0.4 * 8
    change = {
        pool: float((pool(4)([features], [8], [here, here]) - pool(4)([features], [8], [there, there])).abs().max())
        for pool in (RoIPool, RoIAlign)
    }
    return (
        Check("shapes of 40 regions pooled to 1, 2, 6 and 7 cells", len({s for s in shapes if s[1] == (3, s[0], s[0])}), 4),
        Check("greatest difference from a plain loop", max(differences), 0.0, 1e-6),
        Check("of the whole map, greatest difference from max pooling", float(as_max.abs().max()), 0.0, 1e-6),
        Check("greatest error of the gradient, against differences", gradient_error(), 0.0, 1e-9),
        Check("change where a region moves by 0.4 of a cell, RoIPool", change[RoIPool], 0.0, 1e-6),
        Check.yes_or_no("any change where a region moves by 0.4 of a cell, RoIAlign", change[RoIAlign] > 0.01, "yes"),
    )


def gradient_error() -> float:
    """Of RoI pooling in the map, against central differences, relative to the greatest gradient."""
    rng = torch.Generator().manual_seed(1)
    # Values far apart, so that a step changes no maximum.
    features = torch.randperm(2 * 6 * 6, generator=rng).double().view(1, 2, 6, 6).requires_grad_()
    weights = torch.randn(3, 2, 3, 3, generator=rng, dtype=torch.float64)
    corners = [[0.0, 0.0, 20.0, 23.0], [8.0, 4.0, 23.0, 15.0], [9.0, 9.0, 10.0, 10.0]]
    regions = torch.tensor([[0.0, *box] for box in corners], dtype=torch.float64)

    def value(maps: Tensor) -> Tensor:
        # Without the cast to float32 that the pooling of a network makes.
        return (RoIPool(3).cut(maps, regions, 1 / 4) * weights).sum()

    (gradient,) = torch.autograd.grad(value(features), features)
    step, numeric = 0.25, torch.zeros_like(gradient)
    with torch.no_grad():
        for i in range(features.numel()):
            move = torch.zeros(features.numel(), dtype=torch.float64)
            move[i] = step
            move = move.view_as(features)
            numeric.view(-1)[i] = (value(features + move) - value(features - move)) / (2 * step)
    return float((gradient - numeric).abs().max() / gradient.abs().max())


def parts(runs: Runs) -> dict[str, Part]:
    """a: the identities that the sentence is made of: one size, the maximum of each part, and the right gradient. b, beyond the
    lecture: without the rounding, as in RoIAlign, AP rises at an IoU of 0.5 and more at 0.75; a change within ±0.5 points
    counts as none."""
    need = Needs(low=0, margin=0.5)
    loose = runs.difference("AP at an IoU of 0.5, RoIAlign − RoIPool", ALIGN, FAST, LOOSE, needs=need)
    strict = runs.difference("AP at an IoU of 0.75, RoIAlign − RoIPool", ALIGN, FAST, STRICT)
    more = runs.combined(
        "what RoIAlign gains at 0.75 − at 0.5",
        lambda by: 100 * (gain(by[ALIGN]) - gain(by[FAST])),
        unit="points",
        needs=need,
        variants=(ALIGN, FAST),
    )
    return {
        "a": Part(
            says=study.says,
            checks=checks(),
            because="Any region becomes the same number of cells, equal to a plain loop, and the gradient is right.",
        ),
        "b": Part(
            says="Does leaving out the rounding (RoIAlign) find better boxes?",
            effects=(loose, more),
            shown=(strict,),
            validity_checks=(runs.tuned(), learns(runs, FAST)),
            shared_lr=runs.shared_lr(loose.name, ALIGN, FAST, LOOSE),
            because=f"Without rounding AP changes by {loose.estimate:+.1f} points at an IoU of 0.5 and by "
            f"{strict.estimate:+.1f} at 0.75.",
            beyond=True,
        ),
    }


def gain(run: Run) -> float:
    """AP at an IoU of 0.75 less that at 0.5."""
    return run.value(STRICT) - run.value(LOOSE)


study = RegionStudy(
    claim="G15",
    says="이후의 FC-layer는 고정된 크기를 입력받기 때문에, ROI의 크기를 조정해야 한다. 학습이 가능하도록, 미분가능한 방법으로 "
    "ROI Pooling Layer을 사용한다. … ROI Pooling은 Max Pooling과 비슷하다고 한다.",
    translation="The FC layer behind takes inputs of a fixed size, so the size of the RoI has to be adjusted. So that it can "
    "be learned, an RoI pooling layer is used, in a differentiable way. … RoI pooling is said to be similar to max pooling.",
    slide="Fast R-CNN, …pdf-0075 and …pdf-0078",
    paper="No figure in the lecture; RoIAlign adds 3 points of mask AP in Mask R-CNN, more at an IoU of 0.75.",
    variants={ALIGN: fast(pooling=RoIAlign), FAST: fast()},
    controlled="network, pre-trained backbone, proposals, data, order, steps",
    deviations=(
        "the map has a step of 4 pixels, where the papers have 16: rounding matters less",
        "differentiable in the map, not in the region's corners, as the papers' is",
    ),
    parts=parts,
    amendments=(
        *AMENDED,
        Amendment(
            "2026-11-26", "two parts: the lecture's identities, and RoIAlign, which lies beyond; before, one rule for both"
        ),
    ),
)
