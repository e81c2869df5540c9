"""The ladder of detectors on one data set, deformable part models first; what an image costs each; what the papers have."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from datamodules import SelectiveSearch, Shapes, SlidingWindows
from datamodules.drawing import Style
from experiments.measures.image_cost import four_detectors
from experiments.studies.study import Measured
from lightning_modules.latent_svm import LatentSVM, TrainingImage
from lightning_modules.metrics.voc import BoxAP
from lightning_modules.networks import DPM, SSD, YOLO, ConvBackbone

from ._image_time import CROP, PROPOSALS, photograph


class Published(NamedTuple):
    """A point of the slide's chart."""

    year: int
    what: str
    mAP: float
    """In percent, on the year's own test set of PASCAL VOC; from 2013 on, on that of 2012."""
    is_deep: bool


CHART = (
    Published(2007, "DPM", 17.0, False),
    Published(2008, "DPM, HOG + bag of words", 23.0, False),
    Published(2009, "DPM, several kernels", 28.0, False),
    Published(2010, "DPM++", 37.0, False),
    Published(2011, "DPM++, kernels, selective search", 41.0, False),
    Published(2012, "selective search, DPM++, kernels", 41.0, False),
    Published(2013, "R-CNN, AlexNet", 53.3, True),
    Published(2014, "R-CNN, VGG-16", 62.4, True),
    Published(2015, "Fast R-CNN", 68.4, True),
    Published(2015, "Faster R-CNN", 70.4, True),
)
"""To 2012 the challenge's winners in whole percents, as Girshick's chart has them (slide image, from the result pages). Then
VOC 2012's test set as the papers have it: R-CNN (Girshick et al. 2014), and Fast and Faster R-CNN with VGG-16, trained on
VOC 2007's images too (Girshick 2015; Ren et al. 2015). Years, test sets and training data differ from point to point."""

DEFORMABLE, RCNN, FAST, FASTER = LADDER = ("deformable part models", "R-CNN", "Fast R-CNN", "Faster R-CNN")
VOC_2007 = {DEFORMABLE: 33.7, RCNN: 66.0, FAST: 66.9, FASTER: 69.9}
"""Percent of mAP on VOC 2007's test set after training on its 5,011 images alone, eleven points: release 5 of DPM's code;
R-CNN with VGG-16 and box regression; Fast R-CNN, table 1; Faster R-CNN, table 3."""

CLASSES = ("triangle", "cross", "star")
STYLE: dict[str, Any] = {"classes": CLASSES, "objects": (1, 2), "object_size": (0.3, 0.6), "texture": 0.8}
IMAGES = {"train": 240, "val": 120, "test": 240}
SIDE = 64

AP = "test/mAP_voc07"
ROUNDS = 2
"""Of the latent SVM: one of roots, one with parts."""
MODEL: dict[str, Any] = {"roots": ((6, 6),), "parts": 6, "part": (4, 4), "cell": 4, "interval": 2}
C = 0.01
"""The default, as the recipes have it."""


def deformable_parts(
    *,
    seed: int,
    folder: Path,
    images: dict[str, int] = IMAGES,
    judged: str = "test",
    c: float = C,
) -> Measured:
    """AP of deformable part models, fitted to the scenes that the ConvNets of this seed have.

    Args:
        seed: of the scenes.
        folder: not used.
        images: of each split.
        judged: the split that they are scored on.
        c: weight of a squared violation.
    """
    data = Shapes(image_size=SIDE, style=Style(**STYLE), data_seed=seed, workers=0, **images)
    data.require(frozenset({"boxes", "labels"}))
    network, svm = DPM(len(CLASSES), **MODEL), LatentSVM(c=c, passes=1)
    train, test = data.scenes("train"), data.scenes(judged)  # type: ignore[arg-type]
    known = [
        TrainingImage(i, network(scene["image"][None].float()), scene["boxes"], scene["labels"])
        for i, scene in enumerate(train[i] for i in range(len(train)))
    ]
    began = time.process_time()
    for number in range(ROUNDS):
        svm.fit(network, lambda: known, number)
    seconds = time.process_time() - began
    metric = BoxAP(data.metadata.classes)
    for i in range(len(test)):
        scene = test[i]
        found: Any = network.predict(network(scene["image"][None].float()))[0]
        own = {name: found[name] for name in ("boxes", "labels", "scores")}
        metric.update([own], [{"boxes": scene["boxes"], "labels": scene["labels"]}], torch.tensor([i]))
    scores = {f"{judged}/{name}": float(value) for name, value in metric.compute().items()}
    curves = {CURVE: [(float(point.year), point.mAP) for point in CHART]}
    return Measured({**scores, "training/cpu_seconds": seconds}, curves)


CURVE = "PASCAL VOC mAP, %, published"

TIMED = "an image's time"
SYSTEMS = ("DPM", "R-CNN", "SPP-net", "Fast R-CNN", "Faster R-CNN", "SSD", "YOLO")
TURNS = 2
GIVEN = ("R-CNN", "SPP-net", "Fast R-CNN")
"""Those that are given their proposals."""


def seconds_of(system: str) -> str:
    """The value that holds a system's CPU-seconds an image."""
    return f"total/{system}"


def time_of_an_image(*, seed: int, folder: Path) -> Measured:
    """CPU-seconds of one photograph, the search for proposals included: medians of some turns, after one that does not count.

    The set-up of :func:`._image_time.time_of_an_image`: 256 × 256 pixels, 20 classes, 2,000 proposals, one backbone of nine
    convolutions, random weights, one thread. YOLO and SSD stand on the same backbone; the part models have a root of 6 × 6
    cells of 8 pixels and eight parts for each class.
    """
    torch.manual_seed(seed)
    image = photograph(seed)
    pixels = (image[None].float() - image.float().mean()) / image.float().std()
    search = SelectiveSearch(min_size=20, count=PROPOSALS, cache=False)
    windows = SlidingWindows(sides=(32, 64, 128), ratios=(0.5, 1.0, 2.0), step=0.25)
    proposals = torch.cat([search(image), windows(image)])[:PROPOSALS]
    backbone = partial(ConvBackbone, (32, 64, 128), depth=3)
    detectors: dict[str, Any] = {
        **four_detectors(20, backbone=backbone, crop=CROP, grid=3, proposals=300),
        "YOLO": YOLO(20, backbone=backbone),
        "SSD": SSD(20, backbone=backbone, scales=3),
        "DPM": part_models(20),
    }
    plans: dict[str, Callable[[], object]] = {
        name: partial(
            _detect,
            detector.eval(),
            image[None].float() if name == "DPM" else pixels,
            proposals if name in GIVEN else None,
        )
        for name, detector in detectors.items()
    }
    plans["search"] = partial(search, image)
    with torch.no_grad():
        turns = [{name: _cpu_seconds(plan) for name, plan in plans.items()} for _ in range(1 + TURNS)][1:]
    seconds = {name: statistics.median(turn[name] for turn in turns) for name in plans}
    return Measured({seconds_of(n): seconds[n] + (seconds["search"] if n in GIVEN else 0.0) for n in detectors})


def part_models(num_classes: int) -> DPM:
    """As though they were fitted: roots, parts and springs of random weights."""
    network = DPM(num_classes, roots=((6, 6),), parts=8, part=(4, 4), cell=8, interval=4)
    for model in network.models:
        model.root.normal_(std=0.05)
        for c in range(num_classes):
            model.add_parts(c)
    network.has_parts.fill_(True)
    return network


def _detect(detector: Any, image: Tensor, proposals: Tensor | None) -> None:
    detector.predict(detector(image) if proposals is None else detector(image, [proposals]))


def _cpu_seconds(plan: Callable[[], object]) -> float:
    began = time.process_time()
    plan()
    return time.process_time() - began
