"""Selective search proposes about 2,000 regions in a few seconds: most are no objects, but hardly an object is missed.

CS231n 2017, lecture 11, “Region Proposals”; Uijlings et al. 2013, sections 4.3 and 5, table 5.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Literal

import cv2
import torch
from torch import Tensor
from torchvision.ops import box_iou
from torchvision.utils import draw_bounding_boxes, save_image

from datamodules import VOC, SelectiveSearch, Shapes
from datamodules.base import DataModule
from datamodules.drawing import Style
from datamodules.scene import Scene
from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Scale, Study
from experiments.studies.verdict import Rule, ValidityCheck, Verdict

PROPOSALS = 2000
COUNTS = (10, 30, 100, 300, 1000, 2000, 5000, 10_000)
RECALL = "recall at IoU 0.5 of so many first proposals"
SIZE = (375, 500)
STYLE = Style(objects=(4, 7), object_size=(0.12, 0.5), texture=1.0, clutter=1.0, noise=0.04, lighting=0.5, thin=0.2)


def scenes(seed: int, images: int, root: str) -> list[Scene]:
    """The first scenes of a seed's drawing, or of VOC 2007's test set in the seed's order, where ``root`` names its folder."""
    data: DataModule = VOC(root, year=2007) if root else Shapes(image_size=SIZE, style=STYLE, data_seed=seed, cache_mib=0)
    data.require(frozenset({"boxes", "labels"} | ({"difficult"} if root else set())))
    split = data.scenes("test")
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed)) if root else torch.arange(len(split))
    return [split[i] for i in order[:images].tolist()]


def objects(scene: Scene) -> Tensor:
    """The boxes that count: VOC's difficult ones do not."""
    return scene["boxes"][~scene["difficult"]] if "difficult" in scene else scene["boxes"]


def random_boxes(scene: Scene, generator: torch.Generator) -> Tensor:
    """As many boxes as are judged, between two random points each."""
    height, width = scene["image"].shape[1:]
    corners = (torch.rand(PROPOSALS, 2, 2, generator=generator) * torch.tensor([width, height])).sort(1).values
    return corners.flatten(1)


def best_overlaps(found: list[Tensor], truth: list[Tensor], count: int) -> Tensor:
    """For each object of all images, its IoU with the best of its image's first ``count`` boxes."""
    return torch.cat([box_iou(t, boxes[:count]).max(1).values for t, boxes in zip(truth, found, strict=True)])


def search(*, seed: int, folder: Path, mode: Literal["fast", "quality"], images: int = 6, root: str = "") -> Measured:
    """All proposals of some images, one thread, after an image that does not count; seconds are medians over images."""
    threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    propose = SelectiveSearch(mode, count=100_000, cache=False)
    drawn = scenes(seed, images, root)
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
    first, every = best_overlaps(found, truth, PROPOSALS), best_overlaps(found, truth, 100_000)
    _picture(folder, drawn[0], found[0][:PROPOSALS])
    values = {
        "proposals": statistics.mean(len(boxes) for boxes in found),
        "objects": float(len(first)),
        "recall": _share(first >= 0.5),
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


def verdict(runs: Runs) -> Verdict:
    """On the fast settings. Reproduced: of the first 2,000 proposals, recall at least 0.9, at most a fifth of them objects, and
    0.5 to 5 CPU seconds an image of 500 pixels, in every seed; direction only: two of the three."""
    recall = runs.quantity("recall of 2,000 proposals", "fast", "recall", scale=100, unit="%", needs="≥ 90 %")
    useful = runs.quantity("proposals that are objects", "fast", "useful", scale=100, unit="%", needs="≤ 20 %")
    cpu = runs.quantity("CPU time of an image", "fast", "cpu", unit="s", needs="0.5 to 5 s")
    held = [
        all(v >= 90 for v in recall.by_seed),
        all(v <= 20 for v in useful.by_seed),
        all(0.5 <= v <= 5 for v in cpu.by_seed),
    ]
    number = min(runs.values("fast", "proposals"))
    gain = min(run.value("recall") - run.value("recall of random boxes") for run in runs.of("fast"))
    validity_checks = (
        ValidityCheck("the images are rich enough for 1,000 proposals", number >= 1000, f"{number:.0f} in one seed"),
        ValidityCheck(
            "they beat as many random boxes by 10 points of recall", gain >= 0.10, f"{100 * gain:.0f} points in one seed"
        ),
    )
    return Rule((recall, useful, cpu), validity_checks, also=_also(runs)).judge(
        reproduced=all(held),
        direction=sum(held) == 2,
        refuted=sum(held) < 2,
        because=f"Of {runs.quantity('', 'fast', 'proposals').estimate:,.0f} proposals an image the first 2,000 find "
        f"{recall.estimate:.0f} % of the objects; {useful.estimate:.1f} % of them are objects (IoU of at least 0.5), and an "
        f"image takes {cpu.estimate:.1f} CPU seconds.",
    )


def _also(runs: Runs) -> tuple[str, ...]:
    lines = []
    for variant in runs.variants:
        mean = {name: runs.quantity("", variant, name).estimate for name in runs.of(variant)[0].values}
        lines.append(
            f"{variant}: {mean['proposals']:,.0f} proposals, recall {100 * mean['recall of all proposals']:.1f} %, mean best "
            f"overlap {mean['mean best overlap of all proposals']:.3f}; of the first 2,000 {100 * mean['recall']:.1f} %, and "
            f"{100 * mean['recall at IoU 0.7']:.1f} % at IoU 0.7; {mean['cpu']:.1f} CPU seconds, {mean['wall']:.1f} by the "
            f"clock; 2,000 random boxes have a recall of {100 * mean['recall of random boxes']:.1f} %"
        )
    return tuple(lines)


study = Study(
    claim="G05",
    says="Selective search finds about 2,000 region proposals in a few seconds on the CPU; they are noisy, most are no "
    "objects, but recall is high.",
    slide="Region Proposals",
    paper="Uijlings et al. 2013, quality: 99 % recall and a mean average best overlap of 0.879 at 10,097 boxes (VOC 2007).",
    work=Measurement(search),
    variants={"quality": {"mode": "quality"}, "fast": {"mode": "fast"}},
    scales={
        "cpu": Scale(
            deviations=(
                "drawn scenes of 375 × 500 pixels with textures, clutter and noise, where the claim is about photographs: "
                "drawn objects have clearer borders",
            )
        ),
        "gpu": Scale(changes={"root": "data", "images": 100}, deviations=("100 images a seed of VOC 2007's test set",)),
    },
    controlled="images; one thread",
    deviations=("judged on the fast settings, those that R-CNN used",),
    erratum="One lecture calls selective search a “Region Proposal Network” of traditional signal processing: that is the name "
    "of what Faster R-CNN put in its place.",
    figure=RECALL,
    parts=verdict,
)
