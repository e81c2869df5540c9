"""DenseCap's average precision: a detection is right where its box lies on an object and its phrase says what that is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.text import bleu_score

from .gather import GatheredMetric
from .meteor import meteor
from .precision_recall import RECALLS

OVERLAPS = (0.3, 0.4, 0.5, 0.6, 0.7)
"""IoU with the object, from which on a box is right."""

MERGED = 0.7
"""IoU from which on two annotated regions are one, with two phrases."""

SAME = 0.5
"""IoU from which on a detection's phrase is compared with its object's, where phrases alone are measured."""


class Captioned(NamedTuple):
    """What is kept of an image: its D detections by descending score, those on objects without a phrase left out."""

    scores: NDArray[np.float32]
    """(D,)"""
    overlaps: NDArray[np.float64]
    """(D,), IoU with the object that each overlaps most; 0 where none."""
    first: NDArray[np.bool_]
    """(D,), whether it is the first that claims this object."""
    similarities: NDArray[np.float64]
    """(D,), of its phrase and that object's; 0 where none."""
    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    """Of those that are first on their object with an IoU of at least :data:`SAME`: what was said, and the references."""
    objects: int
    """To be found."""


class CaptionAP(GatheredMetric[Captioned]):
    """Average precision over overlaps of boxes and similarities of phrases (Johnson et al. 2016, "DenseCap", section 4.2).

    Annotated regions of an image that overlap by at least :data:`MERGED` are one object, with the mean of their boxes, and
    all of their phrases as references; of them the most similar counts. Detections are taken by descending score, equal
    scores by the place of their image in the split and then in the order given. Each claims the object that it overlaps most,
    whatever the overlap, and one that claims an object which another has claimed before is wrong. The first is right where
    IoU and similarity reach their thresholds. Precision over recall is averaged over 101 points, the average over all pairs
    of thresholds is the mean AP. All of that is as in the authors' code (``eval_utils.lua``).

    An object without a phrase (the empty one) is passed over, and so are detections that claim it. A value over no object
    at all is -1.

    Args:
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True
    thresholds: ClassVar[Sequence[float]]
    """Of similarity, which has to be greater."""
    name: ClassVar[str]
    """Of the mean AP."""

    @abstractmethod
    def similarity(self, candidate: str, reference: str) -> float:
        """From 0 to 1, of what was said and what is so."""

    def update(self, predictions: Sequence[dict[str, Any]], targets: Sequence[dict[str, Any]], index: Tensor) -> None:
        """Add B images.

        Args:
            predictions: for each image ``boxes`` (N, 4) float xyxy in pixels, ``scores`` (N,) float and N ``captions``.
            targets: for each image ``boxes`` (M, 4) and ``captions``, M phrases.
            index: int64 (B,), the place of each image in its split.

        Raises:
            ValueError: an image has not one phrase a box, or comes twice.
        """
        for place, prediction, target in zip(index.tolist(), predictions, targets, strict=True):
            for values, what in ((prediction, "prediction"), (target, "target")):
                if len(values["captions"]) != len(values["boxes"]):
                    raise ValueError(
                        f"{what} of sample {place}: {len(values['captions'])} captions of {len(values['boxes'])} boxes"
                    )
            self.add(place, self.record(prediction, target))

    def record(self, prediction: dict[str, Any], target: dict[str, Any]) -> Captioned:
        """What is kept of an image."""
        scores = _array(prediction["scores"]).astype(np.float32)
        order = np.argsort(-scores, kind="stable")
        boxes = _array(prediction["boxes"]).reshape(-1, 4)[order]
        said = [prediction["captions"][i] for i in order]
        there, references = merged(_array(target["boxes"]).reshape(-1, 4), target["captions"])
        overlap = iou(boxes, there)
        objects = overlap.argmax(1) if there.size else np.zeros(len(boxes), np.int64)
        best = overlap.max(1) if there.size else np.zeros(len(boxes))
        claimed, first, similarities, phrases, judged = set[int](), list[bool](), list[float](), [], list[int]()
        for d, (phrase, j, covers) in enumerate(zip(said, objects.tolist(), best.tolist(), strict=True)):
            on_object = covers > 0
            if on_object and not references[j]:
                continue
            judged.append(d)
            first.append(on_object and j not in claimed)
            similarities.append(max(self.similarity(phrase, r) for r in references[j]) if first[-1] else 0.0)
            if first[-1]:
                claimed.add(j)
                if covers >= SAME:
                    phrases.append((phrase, references[j]))
        return Captioned(
            scores[order][judged],
            best[judged],
            np.array(first, bool),
            np.array(similarities, np.float64),
            tuple(phrases),
            sum(1 for each in references if each),
        )

    def values(self, images: Sequence[Captioned]) -> dict[str, float]:
        """The metric's values by name."""
        objects = sum(image.objects for image in images)
        if not objects:
            return {self.name: -1.0}
        scores, overlaps, first, similarities = (np.concatenate([image[k] for image in images]) for k in range(4))
        order = np.argsort(-scores, kind="stable")
        overlaps, first, similarities = overlaps[order], first[order], similarities[order]
        each = [
            average_precision(first & (overlaps >= least) & (similarities > similar), objects)
            for least in OVERLAPS
            for similar in self.thresholds
        ]
        return {self.name: float(np.mean(each))}

    def compute(self) -> dict[str, Tensor]:
        """The metric over all images: see the class."""
        values = self.values(self.in_order())
        return {key: torch.tensor(value, dtype=torch.float32, device=self.device) for key, value in values.items()}


class DenseCaptionAP(CaptionAP):
    """DenseCap's AP, with what METEOR is as far as equal words and stems go (:mod:`.meteor`).

    ``compute`` returns float32 scalars: ``dense_mAP``, the mean over IoU 0.3, 0.4 ... 0.7 and similarities above 0, 0.05, 0.1
    ... 0.25; ``dense_box_mAP``, the mean over the same IoU whatever is said; and of the detections that are first on an object
    with an IoU of at least 0.5, ``meteor``, the mean similarity, and ``bleu4``, the BLEU of all of them (0 to 1, up to four
    words; Papineni et al. 2002, by torchmetrics). CIDEr is not there: no library of it is kept.

    So low are DenseCap's thresholds that phrases of a small grammar pass them whatever they say: 0.25 is passed by most pairs
    of drawn scenes' captions. A measure of the grammar's own is then the better one.
    """

    thresholds = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25)
    name = "dense_mAP"

    def similarity(self, candidate: str, reference: str) -> float:
        return meteor(candidate, reference)

    def values(self, images: Sequence[Captioned]) -> dict[str, float]:
        phrases = [pair for image in images for pair in image.phrases]
        said, references = [phrase for phrase, _ in phrases], [list(each) for _, each in phrases]
        return {
            **super().values(images),
            "dense_box_mAP": self._of_boxes(images),
            "meteor": float(np.mean([max(meteor(p, r) for r in each) for p, each in phrases])) if phrases else 0.0,
            "bleu4": float(bleu_score(said, references)) if any(said) else 0.0,
        }

    def _of_boxes(self, images: Sequence[Captioned]) -> float:
        said = [image._replace(similarities=np.ones_like(image.similarities)) for image in images]
        return super().values(said)[self.name]


def merged(boxes: NDArray[np.floating[Any]], phrases: Sequence[str]) -> tuple[NDArray[np.float64], list[tuple[str, ...]]]:
    """Annotated regions with those that are one object merged: boxes (M, 4), means of their regions', and the phrases of each.

    The region that most others overlap by at least :data:`MERGED` takes these with it, and so on with what is left. Empty
    phrases are left out.
    """
    near = iou(boxes, boxes) >= MERGED
    left, groups = np.ones(len(boxes), bool), list[NDArray[np.int64]]()
    while left.any():
        counts = (near & left & left[:, None]).sum(1)
        # A box without area is near to nothing, and not even to itself.
        centre = int(counts.argmax()) if counts.any() else int(left.argmax())
        group = np.flatnonzero(near[centre] & left) if counts.any() else np.array([centre])
        groups.append(group)
        left[group] = False
    means = [boxes[group].astype(np.float64).mean(0) for group in groups]
    return np.array(means).reshape(-1, 4), [tuple(phrases[i] for i in group if phrases[i]) for group in groups]


def iou(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(A, B): IoU of boxes (A, 4) and (B, 4), xyxy; 0 where neither has an area."""
    first, second = a.astype(np.float64)[:, None], b.astype(np.float64)[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    both = sides.clip(min=0).prod(-1)
    areas = (first[..., 2:] - first[..., :2]).clip(min=0).prod(-1) + (second[..., 2:] - second[..., :2]).clip(min=0).prod(-1)
    either = areas - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def average_precision(right: NDArray[np.bool_], objects: int) -> float:
    """The mean over 101 recalls of the best precision at that recall or a higher one.

    Args:
        right: (D,), of detections by descending score.
        objects: how many there are to find.
    """
    hits = np.flatnonzero(right)
    found = np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate((found / (hits + 1))[::-1])[::-1]
    reached = np.searchsorted(found / objects, RECALLS, side="left")
    return float(np.append(best, 0.0)[reached].mean())


def _array(value: Tensor) -> NDArray[Any]:
    return value.detach().float().cpu().numpy()
