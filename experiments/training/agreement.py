"""How far two predictions of one image are apart, where the two come from the same network in two runtimes.

Two runtimes add in different orders, so their scores differ by some 1e-7. What is decided by comparing scores then goes one
way in one and the other way in the other, wherever the scores are as close as that: which box is above the threshold, which
class is the greatest. None of it is an error of the network. So a decision is compared by what stands behind it: detections
by their boxes, classes by how much the one is preferred to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from lightning_modules.networks.detector import Detector

TOLERANCE = 1e-4
"""The greatest difference of two values that count as one: of scores, of pixels, of a mask's share of pixels."""
ROUNDING = 1e-6
"""Scores that are this close may change places from one runtime to the other: ten times what float32's softmax is off by."""
SAME_OBJECT = 0.5
"""IoU from which on two boxes of one label may be one object's."""
OVERLAP_EDGE = 1e-3
"""IoU; boxes that agree to :data:`TOLERANCE` overlap others alike to within this, if they are some pixels wide."""
MISSING = float("inf")


def differences(network: nn.Module, outputs: Any, own: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> dict[str, float]:
    """The greatest difference of each field of two predictions of one image.

    Of ``label`` and ``mask`` it is how much the network prefers its own class to the other's: in scores, in logits. Of
    ``masks`` it is the share of pixels that differ. Of ``image`` it is what is left of the difference, as a part of 255, beyond
    the one grey level that rounding decides. Everything else is compared by value.

    Args:
        network: what predicted; a :class:`Detector`'s detections are compared as :func:`of_detections` says.
        outputs: of the network for this image; logits (1, C, H, W) where the prediction has a ``mask``.
        own: the network's prediction.
        other: the other runtime's, with the same fields.

    Returns:
        By field; ``inf`` where there is nothing to compare it with. Fields of which nothing was compared are left out.
    """
    if isinstance(network, Detector):
        return of_detections(network, own, other)
    if "labels" in own and "boxes" not in own:  # those of an image, above a probability of 1/2
        return {"scores": _apart(own["scores"], other["scores"]), "labels": _of_chosen(own, other)}
    found = {}
    for name in own:
        if name == "mask":
            found[name] = _preference(outputs[0], own[name], other[name])
        elif name == "label":
            found[name] = _preference(own["scores"], own[name], other[name])
        elif name == "image":
            found[name] = max(0.0, _apart(own[name], other[name]) - 1) / 255
        else:
            found[name] = _apart(own[name], other[name])
    if found.get("label") and found["label"] <= TOLERANCE:
        found.pop("boxes", None)  # it is the box of another class
    return found


def of_detections(network: Detector, own: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> dict[str, float]:
    """Of detections: those of one label whose boxes overlap most are one object, and their fields are compared.

    One without a counterpart makes ``boxes`` differ by ``inf``, unless rounding alone may have removed the counterpart: its
    score lies at the threshold (or at the last score kept, where ``max_detections`` are), or it overlaps a detection of the
    other side by ``nms_threshold`` to within :data:`OVERLAP_EDGE`. At is to within :data:`ROUNDING`, or ten times what the
    scores of those that have one differ by, up to :data:`TOLERANCE`: freshly drawn networks score all boxes almost alike.

    Returns:
        By field. Empty where there are detections and none could be compared.
    """
    if not len(own["scores"]) and not len(other["scores"]):
        return dict.fromkeys(own, 0.0)
    overlap = box_iou(own["boxes"].double(), other["boxes"].double())
    overlap = torch.where(own["labels"][:, None] == other["labels"], overlap, 0.0)
    here, there = pairs(overlap)
    found = {}
    if len(here):
        found = {name: _apart(values[here], other[name][there], share=name == "masks") for name, values in own.items()}
    at = min(TOLERANCE, max(ROUNDING, 10 * found.get("scores", 0.0)))
    full = [found_by["scores"].min() for found_by in (own, other) if len(found_by["scores"]) >= network.max_detections]
    cut = max([network.score_threshold, *map(float, full)])
    at_suppression = (overlap - network.nms_threshold).abs() <= OVERLAP_EDGE
    for scores, paired, on_edge in (
        (own["scores"], here, at_suppression.any(1)),
        (other["scores"], there, at_suppression.any(0)),
    ):
        certain = (scores > cut + at) & ~on_edge
        certain[paired] = False
        if certain.any():
            found["boxes"] = MISSING
    return found


def pairs(overlap: Tensor) -> tuple[Tensor, Tensor]:
    """int64 (P,) and (P,): rows and columns of the overlaps (N, M) that belong together, each once, the greatest first."""
    left, rows, columns = overlap.clone(), list[int](), list[int]()
    while left.numel() and float(left.max()) > SAME_OBJECT:
        row, column = divmod(int(left.argmax()), left.shape[1])
        left[row], left[:, column] = 0, 0
        rows.append(row)
        columns.append(column)
    return torch.tensor(rows, dtype=torch.long), torch.tensor(columns, dtype=torch.long)


def _apart(own: Tensor, other: Tensor, share: bool = False) -> float:
    """The greatest absolute difference, or the share of values that differ."""
    if own.shape != other.shape:
        return MISSING
    if not own.numel():
        return 0.0
    if share:
        return float((own != other).double().mean())
    # NaN, which no comparison with a tolerance would notice, is no agreement.
    return float((own.double() - other.double()).abs().nan_to_num(nan=MISSING).max())


def _preference(scores: Tensor, own: Tensor, other: Tensor) -> float:
    """How much greater the score (C, ...) of the own class (...) is than that of the other, at the most."""
    if own.shape != other.shape:
        return MISSING
    at = [scores.gather(0, classes.long()[None]) for classes in (own, other)]
    return float((at[0] - at[1]).abs().max())


def _of_chosen(own: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """How far from 1/2 the probability of a label is that only one of the two has, at the most."""
    either = set(own["labels"].tolist()) ^ set(other["labels"].tolist())
    return max((abs(float(own["scores"][label]) - 0.5) for label in either), default=0.0)
