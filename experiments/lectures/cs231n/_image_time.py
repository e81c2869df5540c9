"""What one image costs R-CNN, SPP-net, Fast and Faster R-CNN: the measurement that the studies of test-time speed share."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from datamodules import SelectiveSearch
from datamodules.proposals import SlidingWindows
from experiments.lectures._amended import NEW_STATISTICS
from experiments.measures.image_cost import cost_of_an_image, four_detectors
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Study, Variant
from experiments.studies.verdict import Effect, Needs, ValidityCheck
from lightning_modules.networks import ConvBackbone
from lightning_modules.networks.detector import Detector

SIDE, CROP, PROPOSALS = 256, 64, 2000
BOUND = PROPOSALS * CROP**2 / SIDE**2
"""R-CNN's pixels through the backbone for each of the others': what the ratio of operations would be without heads."""
TURNS = 3
DETECTORS = ("R-CNN", "SPP-net", "Fast R-CNN", "Faster R-CNN")


def photograph(seed: int) -> Tensor:
    """uint8 (3, SIDE, SIDE), scaled: a square cut at random out of one of three photographs that come with scikit-image.

    Its side is 70 to 100 % of the photograph's shorter one. Drawn scenes have too few regions to propose.
    """
    from skimage import data  # costs time that no other command need pay

    pixels = (data.astronaut, data.coffee, data.chelsea)[seed % 3]()
    rng = np.random.default_rng(seed)
    height, width = pixels.shape[:2]
    side = int(rng.uniform(0.7, 1.0) * min(height, width))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    small = cv2.resize(pixels[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)))


def time_of_an_image(*, seed: int, folder: Path) -> Measured:
    """The four detectors and the search for proposals on one photograph, in turns, after one that does not count.

    All have 2,000 proposals but Faster R-CNN, which makes 300 of its own; the same backbone of nine convolutions and one fully
    connected layer on each region; random weights, on which time does not depend. One thread. Seconds are medians.

    Returns:
        By detector (and ``search``), ``cpu/…`` and ``wall/…`` in seconds, ``gflop/…``, and of the CPU time the share of the
        ``backbone/…``; ``total/…``, CPU-seconds with the search where the detector makes no proposals itself; ``found``, the
        boxes that selective search found, which windows fill up to 2,000.
    """
    torch.manual_seed(seed)
    image = photograph(seed)
    # k as by default, and first regions as small for this image as the paper's are for one of 500 pixels.
    search = SelectiveSearch(min_size=20, count=PROPOSALS, cache=False)
    found = search(image)
    proposals = torch.cat([found, SlidingWindows(sides=(32, 64, 128), ratios=(0.5, 1.0, 2.0), step=0.25)(image)])[:PROPOSALS]
    pixels = (image[None].float() - image.float().mean()) / image.float().std()
    detectors = four_detectors(20, backbone=partial(ConvBackbone, (32, 64, 128), depth=3), crop=CROP, grid=3, proposals=300)
    values = {"found": float(len(found))}
    plans: dict[str, Callable[[], object]] = {"search": partial(search, image)}
    for name, detector in detectors.items():
        given = None if name == "Faster R-CNN" else proposals
        cost = cost_of_an_image(detector, pixels, given, repeats=1)
        values |= {f"gflop/{name}": cost.gflop, f"backbone/{name}": cost.backbone / cost.seconds}
        plans[name] = partial(_detect, detector, pixels, given)
    with torch.no_grad():
        turns = [{name: _seconds(plan) for name, plan in plans.items()} for _ in range(TURNS)]
    for name in plans:
        values[f"cpu/{name}"] = statistics.median(turn[name][0] for turn in turns)
        values[f"wall/{name}"] = statistics.median(turn[name][1] for turn in turns)
    for name in DETECTORS:
        search_too = 0.0 if name == "Faster R-CNN" else values["cpu/search"]
        values[f"total/{name}"] = values[f"cpu/{name}"] + search_too
    return Measured(values)


def _detect(detector: Detector, image: Tensor, proposals: Tensor | None) -> None:
    detector.predict(detector(image) if proposals is None else detector(image, [proposals]))


def _seconds(plan: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    plan()
    return time.process_time() - cpu, time.perf_counter() - wall


TIMED = "an image's time"
VARIANT = Variant(work=Measurement(time_of_an_image))
TimeStudy = partial(
    Study,
    work=Measurement(time_of_an_image),
    variants={TIMED: {}},
    controlled="image, backbone, fully connected layer, proposals; one thread",
)
"""A study of nothing but an image's time: the work and the variant that they have in common."""

DEVIATIONS = (
    f"a part of a photograph, {SIDE} × {SIDE} pixels, a seed; {PROPOSALS:,} proposals, crops of {CROP} × {CROP} for R-CNN",
    "a backbone of nine convolutions in place of VGG-16, and one fully connected layer of 256",
    "all of it on one thread of a CPU, where the papers have the networks on a GPU and the search on a CPU",
)
BY_OPERATIONS = Amendment(
    "2026-11-26",
    "sizes are judged by counted operations, and CPU time by its order alone: before, ratios of CPU times were judged, and two "
    "processors disagreed",
)
AMENDED = (
    Amendment(
        NEW_STATISTICS.date, "levels come from 95 % t intervals over five seeds; before, from bootstrap intervals of three"
    ),
    Amendment(
        "2026-11-26",
        "each seed has another part of a photograph; before, there were three images in all. Three turns, not five",
    ),
    BY_OPERATIONS,
)
"""What all studies of an image's time have had changed."""

ORDER = Needs(low=1)
"""Of a ratio of CPU times: which of the two takes longer, whatever the processor."""


def ratio(runs: Runs, kind: str, slow: str, quick: str, name: str, **kwargs: Any) -> Effect:
    """``cpu``, ``wall`` or ``gflop`` of an image without the search, or ``total``, of one detector in another's, by seed."""
    return runs.quantity(
        f"{name}, {slow} / {quick}",
        TIMED,
        lambda run: run.value(f"{kind}/{slow}") / run.value(f"{kind}/{quick}"),
        unit="x",
        **kwargs,
    )


def proposed(runs: Runs) -> ValidityCheck:
    """Selective search finds most of the proposals itself."""
    found = runs.quantity("", TIMED, "found").estimate
    return ValidityCheck(
        f"selective search finds at least half of {PROPOSALS:,} proposals", found >= PROPOSALS / 2, f"{found:.0f}"
    )


def wall(runs: Runs) -> str:
    """Wall times and parts, for the reader."""
    parts = [f"{name} {statistics.median(runs.values(TIMED, f'wall/{name}')):.2f} s" for name in ("search", *DETECTORS)]
    found = statistics.median(runs.values(TIMED, "found"))
    return f"Wall time of an image: {', '.join(parts)}; selective search found {found:.0f} boxes."
