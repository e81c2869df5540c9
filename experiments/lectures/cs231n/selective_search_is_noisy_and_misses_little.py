"""Selective search proposes about 2,000 regions in a few seconds: most are no objects, but hardly an object is missed.

CS231n 2017, lecture 11, “Region Proposals”, …pdf-0062; Uijlings et al. 2013, sections 4.3 and 5, table 5.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou
from torchvision.utils import draw_bounding_boxes, save_image

from datamodules import COCO, VOC, SelectiveSearch
from datamodules.base import DataModule
from datamodules.scene import Scene
from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Scale, Study
from experiments.studies.verdict import Effect, Needs, Part

PROPOSALS = 2000
COUNTS = (10, 30, 100, 300, 1000, 2000, 5000, 10_000)
FAST = "fast"
RECALL = "recall at IoU 0.5 of so many first proposals"
DataName = Literal["coco", "voc"]
LONG_SIDE = 500
"""Pixels that images are scaled to: those of VOC 2007, which the papers have."""
SMALL = 32.0**2
"""Square pixels of the image as it came, below which COCO calls an object small."""


def scenes(seed: int, images: int, name: DataName, root: str) -> list[Scene]:
    """Some images of a real data set and none of another seed's, as far as there are enough, scaled to ``LONG_SIDE``."""
    data: DataModule = VOC(root, year=2007) if name == "voc" else COCO(root)
    data.require(frozenset({"boxes", "labels", "difficult" if name == "voc" else "crowd"}))
    splits = [data.scenes("test")] if name == "voc" else [data.scenes("train"), data.scenes("val")]
    every = [(split, place) for split in splits for place in range(len(split))]
    turn, group = divmod(seed, max(1, len(every) // images))
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(turn)).tolist()
    chosen = [every[i] for i in order[group * images : (group + 1) * images]]
    return [scaled(split[place]) for split, place in chosen]


def scaled(scene: Scene) -> Scene:
    """The scene with its longer side of ``LONG_SIDE`` pixels, and each object's ``area`` as it was before."""
    boxes, pixels = scene["boxes"], scene["image"]
    factor = LONG_SIDE / max(pixels.shape[1:])
    size = [round(side * factor) for side in pixels.shape[1:]]
    small = cv2.resize(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()), size[::-1], interpolation=cv2.INTER_AREA)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    made: Scene = {**scene, "image": torch.from_numpy(small).permute(2, 0, 1), "boxes": boxes * factor, "area": area}
    return made


def objects(scene: Scene) -> Tensor:
    """The boxes that count: VOC's difficult ones do not, and COCO's crowds do not."""
    return scene["boxes"][_counted(scene)]


def _counted(scene: Scene) -> Tensor:
    return ~(scene["difficult"] if "difficult" in scene else scene["crowd"])


def random_boxes(scene: Scene, generator: torch.Generator) -> Tensor:
    """As many boxes as are judged, between two random points each."""
    height, width = scene["image"].shape[1:]
    corners = (torch.rand(PROPOSALS, 2, 2, generator=generator) * torch.tensor([width, height])).sort(1).values
    return corners.flatten(1)


def best_overlaps(found: list[Tensor], truth: list[Tensor], count: int) -> Tensor:
    """For each object of all images, its IoU with the best of its image's first ``count`` boxes."""
    return torch.cat([box_iou(t, boxes[:count]).max(1).values for t, boxes in zip(truth, found, strict=True)])


def search(*, seed: int, folder: Path, mode: Literal["fast", "quality"], images: int, data: DataName, root: str) -> Measured:
    """All proposals of some images, one thread, after an image that does not count; seconds are medians over images.

    Images without objects are left out.
    """
    threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    propose = SelectiveSearch(mode, count=100_000, cache=False)
    drawn = [scene for scene in scenes(seed, images, data, root) if len(objects(scene))]
    SelectiveSearch(cache=False)(drawn[0]["image"])
    found, cpu, wall = [], [], []
    for scene in drawn:
        began = time.process_time(), time.perf_counter()
        found.append(propose(scene["image"]))
        cpu.append(time.process_time() - began[0])
        wall.append(time.perf_counter() - began[1])
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])
    truth = [objects(scene) for scene in drawn]
    useful = [box_iou(boxes[:PROPOSALS], t).max(1).values >= 0.5 for boxes, t in zip(found, truth, strict=True)]
    generator = torch.Generator().manual_seed(seed)
    chance = best_overlaps([random_boxes(scene, generator) for scene in drawn], truth, PROPOSALS)
    large = torch.cat([scene["area"][_counted(scene)] >= SMALL for scene in drawn])
    first, every = best_overlaps(found, truth, PROPOSALS), best_overlaps(found, truth, 100_000)
    _picture(folder, drawn[0], found[0][:PROPOSALS])
    values = {
        "proposals": statistics.mean(len(boxes) for boxes in found),
        "objects": float(len(first)),
        "recall": _share(first >= 0.5),
        "recall of objects above 32²": _share(first[large] >= 0.5),
        "recall at IoU 0.7": _share(first >= 0.7),
        "recall of all proposals": _share(every >= 0.5),
        "mean best overlap of all proposals": float(every.mean()),
        "recall of random boxes": _share(chance >= 0.5),
        "useful": _share(torch.cat(useful)),
        "cpu": statistics.median(cpu),
        "wall": statistics.median(wall),
    }
    return Measured(values, {RECALL: [(n, _share(best_overlaps(found, truth, n) >= 0.5)) for n in COUNTS]})


def _share(hits: Tensor) -> float:
    return float(hits.double().mean())


def _picture(folder: Path, scene: Scene, boxes: Tensor) -> None:
    """The first 50 proposals beside the best one of each object, in green."""
    truth = objects(scene)
    best = boxes[box_iou(truth, boxes).argmax(1)]
    panels = [
        draw_bounding_boxes(scene["image"], boxes[:50], colors="yellow"),
        draw_bounding_boxes(scene["image"], best, colors="lime", width=2),
    ]
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    save_image(torch.cat(panels, 2).float() / 255, folder / "pictures" / "proposals.png")


def parts(runs: Runs) -> dict[str, Part]:
    """On the fast settings, those that R-CNN used, and photographs. a: the first 2,000 proposals find more objects than as many
    random boxes, and at most a fifth of them are objects; the whole of the sentence needs 1,000 to 4,000 proposals, ½ to 2
    times “about 2,000”, and a recall of at least 90 %. b: an image takes at most 5 CPU-seconds."""

    def percent(name: str, value: str, **kwargs: Any) -> Effect:
        return runs.quantity(name, FAST, value, scale=100, unit="%", **kwargs)

    better = runs.quantity(
        "recall, 2,000 proposals − 2,000 random boxes",
        FAST,
        lambda run: run.value("recall") - run.value("recall of random boxes"),
        scale=100,
        unit="points",
        needs=Needs(low=0),
    )
    useful = percent("proposals that are objects", "useful", needs=Needs(high=20, absolute=True))
    recall = percent("recall of 2,000 proposals", "recall", needs=Needs(low=90, absolute=True), paper=99)
    number = runs.quantity("proposals an image", FAST, "proposals", needs=Needs(1000, 4000, absolute=True))
    cpu = runs.quantity("CPU time of an image", FAST, "cpu", unit="s", needs=Needs(high=5, absolute=True))
    large = percent("recall of objects above 32² pixels", "recall of objects above 32²")
    return {
        "a": Part(
            says=study.says,
            effects=(better, useful),
            conditions=(recall, number),
            shown=(large, percent("recall at an IoU of 0.7", "recall at IoU 0.7")),
            also=_also(runs),
            because=f"Of {number.estimate:,.0f} proposals an image the first 2,000 find {recall.estimate:.0f} % of the objects "
            f"and {large.estimate:.0f} % of those above 32² pixels; {useful.estimate:.1f} % of them are objects (IoU of 0.5 or "
            "more).",
        ),
        "b": Part(
            says="in a few seconds on CPU (slide image, from the paper)",
            effects=(cpu,),
            because=f"An image of {LONG_SIDE} pixels takes {cpu.estimate:.1f} CPU-seconds.",
        ),
    }


def _also(runs: Runs) -> tuple[str, ...]:
    lines = []
    for variant in runs.variants:
        mean = {name: runs.quantity("", variant, name).estimate for name in SHOWN}
        lines.append(
            f"{variant}: {mean['proposals']:,.0f} proposals, recall {100 * mean['recall of all proposals']:.1f} %, mean best "
            f"overlap {mean['mean best overlap of all proposals']:.3f}; of the first 2,000 {100 * mean['recall']:.1f} %, and "
            f"{100 * mean['recall at IoU 0.7']:.1f} % at IoU 0.7; {mean['cpu']:.1f} CPU seconds, {mean['wall']:.1f} by the "
            f"clock; 2,000 random boxes have a recall of {100 * mean['recall of random boxes']:.1f} %"
        )
    return tuple(lines)


SHOWN = (
    "proposals",
    "recall",
    "recall at IoU 0.7",
    "recall of all proposals",
    "mean best overlap of all proposals",
    "recall of random boxes",
    "cpu",
    "wall",
)

study = Study(
    claim="G05",
    says="Selective Search 방식을 사용하면 2000개 가량의 Region Proposals을 만든다. Selective Search는 Noise가 심하고, "
    "실제 객체가 아닌 경우가 많지만 Recall이 높다.",
    translation="Selective search makes about 2,000 region proposals. It is very noisy, and many are no real objects, but its "
    "recall is high.",
    slide="Object Detection, …pdf-0062",
    paper="Uijlings et al. 2013, quality: 99 % recall and a mean average best overlap of 0.879 at 10,097 boxes (VOC 2007).",
    work=Measurement(search),
    variants={"quality": {"mode": "quality", "images": 4}, FAST: {"mode": "fast", "images": 20}},
    scales={
        "cpu": Scale(
            changes={"data": "coco", "root": "data/coco"},
            requires={"data/coco": "cocodataset.org/#download: val2017 and its instances, or a part of them so laid out"},
            deviations=(
                "20 photographs of COCO 2017 a seed, and no other seed's; 4 on the quality settings",
                "more of COCO's objects are below 32² pixels than of VOC's: the recall of the others is shown",
            ),
        ),
        "gpu": Scale(
            changes={"data": "voc", "root": "data"},
            variants={FAST: {"images": 100}, "quality": {"images": 100}},
            deviations=("100 images a seed of VOC 2007's test set",),
        ),
    },
    controlled="images; one thread",
    deviations=("judged on the fast settings, those that R-CNN used", "images are scaled to 500 pixels, the longer side"),
    erratum="The same lecture calls selective search a “Region Proposal Network” of traditional signal processing: that is the "
    "name of what Faster R-CNN put in its place.",
    figure=RECALL,
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "judged on photographs of COCO; before, on drawn scenes, where nothing was missed. Seconds, which the lecture's "
            "text does not have, are a part of their own",
        ),
    ),
)
