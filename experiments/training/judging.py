"""What of a prediction is right, what is wrong and what is missing: drawn over a grey image, in three colours.

A picture of single scenes is to be understood at once; it is no metric. Objects are right from an IoU of 0.5 on, and of each
true object one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_iou

from datamodules.kinds import Boxes, Map, Masks, Points, Scalar
from datamodules.scene import IGNORE, DatasetMetadata, of_kind

from .legend import (
    MISSED,
    NEITHER,
    RIGHT,
    WRONG,
    Colour,
    Label,
    has_labels_of_its_own,
    image_labels,
    object_labels,
    worth_drawing,
)

IOU = 0.5
"""Of a box and a true one, from which it is right."""

NEAR = 0.1
"""Of the image's longer side: a keypoint that lies no further from the true one is right."""


class ObjectMatches(NamedTuple):
    """Which objects are found."""

    right: list[tuple[int, int]]
    """Rows of the prediction and of the truth that belong together."""
    wrong: list[int]
    """Rows of the prediction."""
    missed: list[int]
    """Rows of the truth."""


def grey(image: Tensor, dark: Tensor | None = None) -> Tensor:
    """An image uint8 (3, H, W) without its colours, which would mix with those of classes; darker where ``dark`` is true."""
    levels = (image.float() * torch.tensor([0.299, 0.587, 0.114], device=image.device)[:, None, None]).sum(0)
    levels = 40 + levels * (200 / 255)  # neither black nor white, so that colours show on it
    if dark is not None:
        levels = torch.where(dark, levels * 0.3, levels)
    return levels.round().to(torch.uint8).expand(3, -1, -1)


def match(prediction: Mapping[str, Any], truth: Mapping[str, Any]) -> ObjectMatches:
    """Gives each predicted object, the one of the highest score first, the true one of its class that it covers best.

    Objects that are ``difficult`` or ``crowd`` are never missed, and what lies on one is not wrong.

    Args:
        prediction: ``boxes`` (N, 4), with ``labels`` and ``scores`` or, of the one box of localization, a ``label``.
        truth: ``boxes`` (M, 4) with ``labels`` or a ``label``.
    """
    found, true = prediction["boxes"].float().cpu(), truth["boxes"].float().cpu()
    ious = box_iou(found, true)
    own, others = _classes(prediction, len(found)), _classes(truth, len(true))
    if own is not None and others is not None:
        ious = torch.where(own[:, None] == others[None], ious, 0)
    scores = prediction.get("scores")
    order = scores.cpu().argsort(descending=True).tolist() if scores is not None and len(scores) == len(found) else None
    passed_over = [i for i in range(len(true)) if any(bool(truth[f][i]) for f in ("difficult", "crowd") if f in truth)]
    free, right, wrong = set(range(len(true))), list[tuple[int, int]](), list[int]()
    for row in range(len(found)) if order is None else order:
        best = max(free, key=lambda column: float(ious[row, column]), default=-1)
        if best >= 0 and ious[row, best] >= IOU:
            if best in passed_over:
                continue
            right.append((row, best))
            free.discard(best)
        else:
            wrong.append(row)
    return ObjectMatches(right, wrong, sorted(free - set(passed_over)))


def _classes(fields: Mapping[str, Any], boxes: int) -> Tensor | None:
    if "labels" in fields:
        return torch.as_tensor(fields["labels"]).cpu()
    return torch.as_tensor(fields["label"]).cpu().expand(boxes) if "label" in fields else None


class Judged(NamedTuple):
    """A panel of errors, before labels and outlines."""

    image: Tensor
    """uint8 (3, H, W)."""
    boxes: Tensor
    """float (K, 4), to be outlined."""
    labels: list[Label]
    lines: list[tuple[tuple[float, float], tuple[float, float], Colour]]
    """From a true keypoint to the predicted one, in pixels."""
    says: str
    """In a few words, such as ``12% of pixels are wrong``."""


def judged(
    image: Tensor, truth: Mapping[str, Any], prediction: Mapping[str, Any], metadata: DatasetMetadata, least: float
) -> Judged | None:
    """What is right and wrong of an image's prediction; None where it has nothing of which that can be drawn.

    Args:
        image: uint8 (3, H, W).
        truth: the scene's fields.
        prediction: in pixels of the same image.
        metadata: names classes.
        least: objects of a lower score do not count.
    """
    shown = worth_drawing(prediction, least)
    canvas = grey(image)
    for field, kind, value in of_kind(truth, Map):
        if kind.classes and field in prediction:
            return _of_pixels(image, value.cpu(), prediction[field].cpu(), metadata.names(kind))
    if of_kind(truth, Boxes) and "boxes" in prediction:
        return _of_objects(canvas, truth, shown, metadata)
    for field, _, value in of_kind(truth, Points):
        if field in prediction and prediction[field].shape == value.shape:
            lines, says = _of_points(value.cpu(), prediction[field].cpu(), max(image.shape[1:]))
            return Judged(canvas, torch.zeros(0, 4), [], lines, says)
    return None


def _of_pixels(image: Tensor, truth: Tensor, found: Tensor, names: tuple[str, ...]) -> Judged:
    ignored = truth == IGNORE
    wrong = (truth != found) & ~ignored
    background = names.index("background") if "background" in names else -1
    right = (truth == found) & (truth != background) & ~ignored
    canvas = _tinted(_tinted(grey(image, ignored), right, RIGHT, 0.35), wrong, WRONG, 0.75)
    share = float(wrong.sum()) / max(1, int((~ignored).sum()))
    return Judged(canvas, torch.zeros(0, 4), [], [], f"{share:.0%} of pixels are wrong")


def _of_objects(canvas: Tensor, truth: Mapping[str, Any], shown: Mapping[str, Any], metadata: DatasetMetadata) -> Judged:
    matches = match(shown, truth)
    said, true = (object_labels(fields, len(fields["boxes"]), metadata) for fields in (shown, truth))
    wanted = [
        *((shown, i, Label(said[i].text, WRONG)) for i in matches.wrong),
        *((truth, i, Label(f"missed {true[i].text}", MISSED)) for i in matches.missed),
        *((shown, i, Label("", RIGHT)) for i, _ in matches.right),
    ]
    for fields, i, label in reversed(wanted):
        for _, _, masks in of_kind(fields, Masks):
            canvas = _tinted(canvas, masks[i].cpu() > 0, label.colour, 0.5)
    boxes = torch.stack([fields["boxes"][i].float().cpu() for fields, i, _ in wanted]) if wanted else torch.zeros(0, 4)
    lines = []
    if "keypoints" in shown and "keypoints" in truth:
        for i, j in matches.right:
            true_points, own_points = truth["keypoints"][j : j + 1].cpu(), shown["keypoints"][i : i + 1].cpu()
            lines += _of_points(true_points, own_points, max(canvas.shape[1:]))[0]
    says = f"{len(matches.right)} right, {len(matches.wrong)} wrong, {len(matches.missed)} missed"
    return Judged(canvas, boxes, [label for _, _, label in wanted], lines, says)


def _of_points(
    truth: Tensor, found: Tensor, side: int
) -> tuple[list[tuple[tuple[float, float], tuple[float, float], Colour]], str]:
    """Lines (N · K at most) from each labelled true keypoint (N, K, 3) to the predicted one, and what there is to say."""
    lines = []
    for true, own in zip(truth.reshape(-1, truth.shape[-1]), found.reshape(-1, found.shape[-1]), strict=True):
        if true[2] > 0 and own[:2].isfinite().all():
            far = float((true[:2] - own[:2]).norm()) > NEAR * side
            lines.append(((float(true[0]), float(true[1])), (float(own[0]), float(own[1])), WRONG if far else RIGHT))
    near = sum(colour == RIGHT for *_, colour in lines)
    return lines, f"{near} of {len(lines)} points near"


def _tinted(image: Tensor, where: Tensor, ink: Colour, share: float) -> Tensor:
    """An image uint8 (3, H, W) with a colour laid over it where a bool (H, W) is true."""
    over = image.float() * (1 - share) + torch.tensor(ink).float()[:, None, None] * share
    return torch.where(where.to(image.device), over.round().to(torch.uint8), image)


def verdict(truth: Mapping[str, Any], prediction: Mapping[str, Any], metadata: DatasetMetadata) -> list[Label]:
    """What a task says of a whole image, line by line, beside what is true: green where it is right, red where it is wrong.

    Of a single class that is ``true: ring`` and ``says: person 0.75``; of several classes an image, each that it names and each
    that it misses. Nothing of a task that says nothing of the image as a whole.
    """
    if "labels" in prediction and not of_kind(prediction, Boxes):
        return _of_several(truth, prediction, metadata)
    if not of_kind(prediction, Scalar) or has_labels_of_its_own(prediction):
        return []
    lines = [Label(f"true: {label.text}", NEITHER) for label in image_labels(truth, metadata)]
    judged_classes = [(field, value) for field, kind, value in of_kind(prediction, Scalar) if kind.classes and field in truth]
    right = all(int(truth[field]) == int(value) for field, value in judged_classes)
    ink = NEITHER if not judged_classes else RIGHT if right else WRONG
    return lines + [Label(f"says: {label.text}", ink) for label in image_labels(prediction, metadata)]


def _of_several(truth: Mapping[str, Any], prediction: Mapping[str, Any], metadata: DatasetMetadata) -> list[Label]:
    says, there = (set(fields["labels"].tolist()) if "labels" in fields else set() for fields in (prediction, truth))
    scores = prediction["scores"].tolist() if "scores" in prediction else None
    lines = []
    for names, before, ink in ((says & there, "", RIGHT), (says - there, "", WRONG), (there - says, "missed ", MISSED)):
        for k in sorted(names):
            lines.append(Label(before + metadata.classes[k] + (f" {scores[k]:.2f}" if scores else ""), ink))
    return lines or [Label("no class, and none there", RIGHT)]
