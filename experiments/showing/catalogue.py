"""What can be shown: live demonstrations, and the moving pictures of studies; static, so that a list of it imports nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from datamodules.errors import InputError
from experiments.command_line.guesses import did_you_mean
from experiments.lectures import LECTURES, rows
from experiments.reports.moving.titles import TITLES

if TYPE_CHECKING:
    from experiments.reports.moving.frame import Frame


@dataclass(frozen=True)
class Shown:
    """Something to show, by the name that is typed."""

    name: str
    claim: str
    title: str
    place: str = ""
    """Module and function of a demonstration, ``activations.relu``; empty where it is the claim's moving picture."""

    @property
    def is_live(self) -> bool:
        """Whether something is trained or timed while one looks on, on one seed: no verdict comes of it."""
        return bool(self.place)

    def steps(self, effort: float = 1) -> Iterator[Frame]:
        """What is shown, step by step; torch is imported when the first is asked for.

        Args:
            effort: of a live demonstration the share of its training that is done.
        """
        if self.place:
            module, _, function = self.place.partition(".")
            found: Iterator[Frame] = getattr(import_module(f".demonstrations.{module}", __package__), function)(effort)
            return found
        from experiments.reports.moving.every import MOVING

        return MOVING[self.claim].steps()


DEMONSTRATIONS = (
    Shown("feature-maps", "A02", "First filters and maps, while a net learns", "activations.feature_maps"),
    Shown("sigmoid-depth", "A14", "Sigmoid nets of one to six hidden layers", "activations.sigmoid_depth"),
    Shown("relu", "A17", "Three activations at one learning rate", "activations.relu"),
    Shown("dead-relu", "A18", "Units that die at growing learning rates", "activations.dead_units"),
    Shown("mini-batches", "B15", "How far a batch's gradient is off", "activations.gradient_noise"),
    Shown("momentum", "B16", "Down a long valley, with and without", "descent.momentum"),
    Shown("lr-decay", "B17", "Three schedules of one learning rate", "descent.decay"),
    Shown("augmentation", "C01", "Few digits, moved and with noise", "generalization.augmentation"),
    Shown("dropout", "C02", "Few digits, half of the units left out", "generalization.dropout"),
    Shown("weight-decay", "C03", "Few digits, weights that decay", "generalization.weight_decay"),
    Shown("degradation", "D09", "Deep plain nets, and a residual one", "descent.degradation"),
    Shown("optimizers", "D15", "One net, four optimizers", "descent.optimizers"),
    Shown("nms", "G18", "Boxes that suppress each other", "detection.suppression"),
    Shown("rcnn-to-faster", "G19", "An image through R-CNN, Fast and Faster R-CNN", "detection.rcnn_to_faster"),
    Shown("pose", "E07", "Fourteen keypoints as 28 numbers", "dense.pose"),
    Shown("robust-losses", "E08", "A line through points of which a fifth is wrong", "dense.robust_losses"),
    Shown("upsampling", "F10", "One way down, three ways up", "dense.upsampling"),
    Shown("checkerboard", "F14", "What a 3 × 3 transpose convolution leaves", "dense.checkerboard"),
    Shown("yolo-grid", "G21", "A small YOLO learns where objects are", "detection.yolo_grid"),
)
STEP_BY_STEP = {
    "cascades": "A03", "linear-classifier": "A05", "linear-layers": "A09", "counting-layers": "A10", "forgetting": "A11",
    "sigmoid-and-tanh": "A12", "gradient-signs": "A15", "backward-pass": "A19", "black-and-white": "B02",
    "fully-connected": "B03", "local-connections": "B04", "shared-weights": "B05", "output-size": "B08",
    "receptive-field": "B09", "filters": "B10", "cross-entropy": "B14", "full-size-convolution": "B20",
    "pooling": "B18", "small-filters": "D04", "two-processes": "D14", "segnet": "F17", "alexnet": "D02",
    "inception": "D05",
    "resnet-layers": "D06", "categorical": "E10", "loss-sum": "F01", "touching-objects": "F02", "sliding-window": "F03",
    "fcn-skips": "F05", "label-cost": "F07", "nearest-neighbour": "F08", "bed-of-nails": "F09", "max-unpooling": "F10",
    "strided-convolution": "F11", "transpose-convolution": "F12", "convolution-matrix": "F13", "overlaps": "F14",
    "half-stride": "F16", "window-search": "G03", "proposals": "G05", "box-regression": "G08", "feature-disk": "G10",
    "roi-pooling": "G15", "rules-or-network": "G20", "anchors": "G21",
    "training-stages": "G09", "default-boxes": "G22", "region-phrases": "H02", "instances": "H03",
}  # fmt: skip
"""The moving pictures' names, and their claims."""
ORDER = {"cnn": "ABCDG", "cs231n": "FEGH"}
"""Families of claims, as each lecture comes to them."""


def everything() -> list[Shown]:
    """All that can be shown, in the order of the claims' ids."""
    moving = [Shown(name, claim, TITLES[claim]) for name, claim in STEP_BY_STEP.items()]
    return sorted([*DEMONSTRATIONS, *moving], key=lambda shown: (shown.claim, not shown.is_live))


def in_lecture(lecture: str) -> list[str]:
    """The ids of a lecture's claims, from the first slide to the last; one that stands in both is in either."""
    own = [row.id for row in rows().values() if lecture in row.lecture.split()]
    return sorted(own, key=lambda claim: (ORDER[lecture].index(claim[0]), claim))


def by_lecture() -> dict[str, list[Shown]]:
    """All that can be shown, under each lecture that it belongs to, in the lecture's order."""
    return {lecture: [s for claim in in_lecture(lecture) for s in everything() if s.claim == claim] for lecture in LECTURES}


def named(word: str) -> Shown:
    """What a name or a claim's id stands for; of a claim that has both, the moving picture of its study.

    Raises:
        InputError: nothing has this name; the message says which are like it.
    """
    found = everything()
    for shown in (*(s for s in found if s.name == word.lower()), *(s for s in reversed(found) if s.claim == word.upper())):
        return shown
    if word.upper() in rows():
        raise InputError(f"{word}: nothing is shown of this claim alone; `lectern present` has its slide and its verdict")
    known = [s.name for s in found]
    raise InputError(f"{word}: nothing of this name{did_you_mean(word, known) or '; `lectern show --list` has all'}")
