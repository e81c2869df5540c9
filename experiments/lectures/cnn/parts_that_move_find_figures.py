"""A deformable part model finds what bends better than one rigid template does.

Deck “CNN, R-CNN”, “What is Multi Object Detection? – Before Deep Learning”: “Deformable part models(DPM)”; Felzenszwalb et al.
2010, “Object Detection with Discriminatively Trained Part-Based Models”, sections 3 to 5 and table 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from datamodules.drawing import Style
from datamodules.figures import HARD, Figures
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Scale, Study, Training, Variant
from experiments.studies.verdict import Needs, Part, ValidityCheck
from lightning_modules.metrics.voc import BoxAP
from lightning_modules.networks import Rigid

AP50 = "test/mAP50"
MOVING, RIGID, ROOT, RANDOM, CONSTANT = "parts that move", "rigid parts", "root alone", "random boxes", "constant boxes"
SATURATED = 92.0
"""AP50 of the root above which the scenes are too easy to tell more from less."""
BOXES, SIDE = 100, 96
IMAGES = {"train": 150, "val": 20, "test": 380}


def without_looking(
    *, seed: int, folder: Path, constant: bool, style: Style = HARD, images: Mapping[str, int] = IMAGES
) -> Measured:
    """AP50 of 100 boxes of training figures: at their own places and the same in each image, or each time at random places."""
    data = Figures(image_size=SIDE, style=style, data_seed=seed, **images)
    data.require(frozenset({"boxes", "labels"}))
    train, test = data.scenes("train"), data.scenes("test")
    known = torch.cat([train[i]["boxes"] for i in range(len(train))])
    generator = torch.Generator().manual_seed(seed)
    same = known[torch.randperm(len(known), generator=generator)[:BOXES]]
    metric = BoxAP(data.metadata.classes)
    for i in range(len(test)):
        boxes = same if constant else _moved(known[torch.randint(len(known), (BOXES,), generator=generator)], generator)
        labels, scores = torch.zeros(len(boxes), dtype=torch.long), torch.linspace(1, 0.5, len(boxes))
        scene = test[i]
        there = {"boxes": scene["boxes"], "labels": scene["labels"]}
        metric.update([{"boxes": boxes, "labels": labels, "scores": scores}], [there], torch.tensor([i]))
    return Measured({AP50: float(metric.compute()["mAP50"])})


def _moved(boxes: Tensor, generator: torch.Generator) -> Tensor:
    """Boxes (N, 4) of their sizes, at random places of the image."""
    sides = boxes[:, 2:] - boxes[:, :2]
    corners = torch.rand(len(boxes), 2, generator=generator) * (SIDE - sides)
    return torch.cat([corners, corners + sides], 1)


def parts(runs: Runs) -> dict[str, Part]:
    """a: parts that move add at least 5 points of AP50 to the root filter alone, and more than the same parts do where they are
    rigid and fitted anew. Valid where the root has at most 92 % (else the scenes are too easy) and beats random boxes by 10
    points. b, beyond the lecture: the model is above boxes that look at no image."""
    gain = runs.difference("AP50, parts that move − root alone", MOVING, ROOT, AP50, needs=Needs(low=5))
    moving = runs.difference("AP50, parts that move − rigid parts", MOVING, RIGID, AP50, needs=Needs(low=0))
    root = runs.quantity("AP50, root alone", ROOT, AP50, scale=100, unit="%")
    easy = ValidityCheck(
        f"the root alone has at most {SATURATED:g} % AP50", root.estimate <= SATURATED, f"{root.estimate:.1f} %"
    )
    chance = runs.quantity("AP50, random boxes", RANDOM, AP50).estimate
    blind = [
        runs.difference(f"AP50, parts that move − {name}", MOVING, name, AP50, needs=Needs(low=0))
        for name in (RANDOM, CONSTANT)
    ]
    return {
        "a": Part(
            says=study.says,
            effects=(gain, moving),
            validity_checks=(easy, runs.beats(AP50, chance, variants=[ROOT])),
            shown=(
                root,
                runs.difference("AP50, rigid parts − root alone", RIGID, ROOT, AP50),
                runs.difference("AP75, parts that move − root alone", MOVING, ROOT, "test/mAP75"),
            ),
            because=f"Eight parts that move change the AP50 of one template, {root.estimate:.0f} %, by {gain.estimate:+.1f} "
            f"points; against the same parts held fast it is {moving.estimate:+.1f} points.",
        ),
        "b": Part(says="The model sees something at all.", effects=tuple(blind), beyond=True),
    }


study = Study(
    claim="G04",
    says="Before Deep Learning … Deformable part models(DPM)",
    slide="What is Multi Object Detection?",
    paper="Release 5 of the authors' code: mAP 33.7 % on VOC 2007. That parts add to a root is the paper's, not the slide's.",
    work=Training("detection/dpm_figures"),
    variants={
        MOVING: {},
        RIGID: {"model.network.spring": L(Rigid)()},
        ROOT: {"model.network.parts": 0},
        RANDOM: Variant({"constant": False}, work=Measurement(without_looking)),
        CONSTANT: Variant({"constant": True}, work=Measurement(without_looking)),
    },
    parts=parts,
    scales={"cpu": Scale({f"data.{split}": count for split, count in IMAGES.items()})},
    controlled="scenes, HOG features, levels of the pyramid, places of the root, hard negatives and their passes, rounds, C",
    deviations=(
        "drawn figures in any pose, among shapes and clutter, in place of photographs; about 340 test figures a seed",
        "one component; boxes are the root's, without the paper's regression of boxes from parts",
        "the objective is minimised by L-BFGS-B over a cache of hard negatives, not by stochastic gradient descent",
    ),
    amendments=(
        Amendment(
            "2026-11-27",
            "C of the SVM is 0.001 for all, the best of each among 0.0003, 0.001, 0.003 (of the root up to 0.1) on scenes of a "
            "seed that is not judged; before, the default of 0.01, at which the root alone found 98 % of the training figures: "
            "direction only, +1.7 points to the root",
        ),
    ),
)
