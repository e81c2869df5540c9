"""What is said of a scene or a prediction in a picture, and in which colours: the one place where both are decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.kinds import Boxes, Map, Scalar
from datamodules.scene import DatasetMetadata, keep_objects, of_kind

Colour = tuple[int, int, int]
"""Red, green, blue, from 0 to 255."""

# Okabe and Ito's colours, told apart by the colour-blind too, then variations of them.
BASE: list[Colour] = [
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
]

MORE: list[Colour] = [
    (230, 25, 75),
    (60, 180, 75),
    (145, 30, 180),
    (170, 255, 195),
    (128, 0, 0),
    (70, 240, 240),
    (154, 99, 36),
    (220, 190, 255),
    (0, 0, 128),
    (210, 245, 60),
    (255, 180, 190),
    (128, 128, 0),
    (255, 250, 200),
]
"""From Sasha Trubetskoy's "20 simple, distinct colors", for data sets of more than seven classes: one hue a class, since two
shades of one hue are not told apart at a mask's border. Behind these, :data:`BASE` comes again in darker shades."""

RIGHT, WRONG, MISSED = (0, 158, 115), (220, 30, 30), (255, 200, 0)
"""Of what is found and there, of what is found and not there, and of what is there and not found."""

NEITHER = (70, 70, 70)
"""The ground of what is neither: what is true, or that nothing was found."""

KEYPOINT, BONE, EDGE = BASE[4], (255, 255, 255), (40, 40, 40)
"""Of keypoints, of the bones between them, and of the thin edge that keeps both apart from what lies behind."""

MIN_SCORE = 0.3
"""Detections of a lower score are not drawn: a detector gives up to a hundred of them."""


class Label(NamedTuple):
    """What stands at an object's box, and its colour."""

    text: str
    colour: Colour


def colour(index: int) -> Colour:
    """The colour of a class."""
    every = [*BASE, *MORE]
    r, g, b = every[index % len(every)]
    shade = 1 / (1 + index // len(every) * 0.4)
    return (int(r * shade), int(g * shade), int(b * shade))


def class_table(names: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """For each value of a map of classes its colour, uint8 (256, 3), and 1 where it is drawn, uint8 (256,).

    A background is not drawn, nor what is no class.
    """
    colours, drawn = np.zeros((256, 3), np.uint8), np.zeros(256, np.uint8)
    for index, name in enumerate(names[:256]):
        colours[index], drawn[index] = colour(index), name != "background"
    return colours, drawn


def worth_drawing(fields: Mapping[str, Any], least: float = MIN_SCORE) -> Mapping[str, Any]:
    """Without the detected objects of a score below ``least``. (Without boxes, scores are those of classes.)"""
    if not {"boxes", "scores"} <= fields.keys() or not {"labels", "captions"} & fields.keys():
        return fields
    shown = [i for i, score in enumerate(fields["scores"].tolist()) if score >= least]
    rows = torch.tensor(shown, dtype=torch.long, device=fields["scores"].device)
    kept = {**keep_objects(fields, shown), "scores": fields["scores"][rows]}
    return kept | ({"parts": fields["parts"][rows]} if "parts" in fields else {})


def object_labels(fields: Mapping[str, Any], boxes: int, metadata: DatasetMetadata) -> list[Label]:
    """Of each of so many boxes the class, or the caption, with the score where there is one."""
    if (found := fields.get("labels")) is None and "captions" not in fields:  # the one box of classification + localization
        return [Label(image_label(fields, metadata), colour(int(fields.get("label", 0))))] * boxes
    labels = list(range(boxes)) if found is None else found.tolist()  # things without a class have a colour each
    texts = fields.get("captions") or [metadata.classes[label] for label in labels]
    if (scores := fields.get("scores")) is not None:
        texts = [f"{text} {score:.2f}" for text, score in zip(texts, scores.tolist(), strict=True)]
    return [Label(text, colour(label)) for text, label in zip(texts, labels, strict=True)]


def image_label(fields: Mapping[str, Any], metadata: DatasetMetadata) -> str:
    """What is said of the image as a whole, in one line; see :func:`image_labels`."""
    return ", ".join(label.text for label in image_labels(fields, metadata))


def image_labels(fields: Mapping[str, Any], metadata: DatasetMetadata) -> list[Label]:
    """What is said of the image as a whole: its class, with the greatest of the scores, and its quantities by name.

    Of labels without boxes, those of an image that may have several, it is each with its score.
    """
    found, scores = [], fields.get("scores")
    for field, kind, value in of_kind(fields, Scalar):
        if kind.classes:
            text = metadata.names(kind)[int(value)] + (f" {float(scores.max()):.2f}" if scores is not None else "")
            found.append(Label(text, colour(int(value))))
        else:
            found.append(Label(f"{field} {float(value):.3g}", BASE[0]))
    if "labels" in fields and not of_kind(fields, Boxes):
        for label in sorted(set(fields["labels"].tolist())):
            text = metadata.classes[label] + (f" {float(scores[label]):.2f}" if scores is not None else "")
            found.append(Label(text, colour(label)))
    return found


def nothing(fields: Mapping[str, Any], shown: Mapping[str, Any], least: float) -> str:
    """What is said where a detector, or a task with several classes an image, says nothing: it looks like no answer at all.

    Args:
        fields: a prediction.
        shown: what :func:`worth_drawing` leaves of it.
        least: the least score that is drawn.
    """
    if not {"labels", "scores"} <= fields.keys() or len(shown["labels"]):
        return ""
    return f"nothing above {least:g}" if "boxes" in fields else "no class above 0.5"


def has_labels_of_its_own(fields: Mapping[str, Any]) -> bool:
    """Whether what is drawn says the classes already, so that the image needs no label as a whole."""
    return bool(of_kind(fields, Boxes)) or bool(of_kind(fields, Map))
