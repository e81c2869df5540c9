"""From detections that are matched to tables and curves: precision by class, the best threshold, errors by type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.runs.findings import CurveSeries, CurvesFinding, TableFinding
from lightning_modules.metrics.matching import Matched
from lightning_modules.metrics.precision_recall import RECALLS, precision_recall

from .class_scores import Counts
from .detection_errors import BACKGROUND, FOREGROUND, WRONG, ImageErrors, ImageObjects, Outcome

MOST = 100
"""Detections of a class and image that count."""
CURVES = 12
"""Classes whose curves are drawn: those with the most objects."""

MEANINGS = {
    Outcome.LOCALIZATION: f"localization: right class, IoU {BACKGROUND} to {FOREGROUND}",
    Outcome.CLASS: f"class: wrong class, IoU {FOREGROUND} and more",
    Outcome.DUPLICATE: "duplicate: the object was found already",
    Outcome.BACKGROUND: f"background: IoU below {BACKGROUND} with every object",
    Outcome.BOTH: f"class and localization: wrong class, IoU {BACKGROUND} to {FOREGROUND}",
}


@dataclass
class Errors:
    """The errors of many images."""

    confusion: Counts
    """(C + 1, C + 1): rows the truth, columns what was found; the last of both is the background."""
    outcomes: list[NDArray[np.int64]] = field(default_factory=list)
    """Of each image that of every detection in its table, ``IGNORED`` where it was not looked at."""
    missed: Counts = field(default_factory=lambda: np.zeros(0, np.int64))
    """(C,), objects that nothing lies on; and those that an error of class or localization lies on:"""
    covered: Counts = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def none(cls, classes: int) -> Errors:
        """Those of no image."""
        zeros = np.zeros(classes, np.int64)
        return cls(np.zeros((classes + 1, classes + 1), np.int64), [], zeros, zeros.copy())

    def add(self, found: ImageErrors, image: ImageObjects, pairs: Sequence[tuple[int, int]], detections: int) -> None:
        """Adds an image, whose table has so many detections, of which the first were looked at."""
        for truth, said in pairs:
            self.confusion[truth, said] += 1
        padding = np.full(detections - len(found.outcomes), Outcome.IGNORED, np.int64)
        self.outcomes.append(np.concatenate([found.outcomes, padding]))
        np.add.at(self.missed, image.true_labels[found.missed & ~found.covered], 1)
        np.add.at(self.covered, image.true_labels[found.covered], 1)


def right_at_half(found: NDArray[np.void]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(D,) twice: which detections are right at an IoU of 0.5, and which count at all."""
    counts = (found["counts"][:, 0] & 1).astype(bool) & (found["rank"] < MOST)
    return (found["right"][:, 0] & 1).astype(bool) & counts, counts


def best_threshold(table: Matched) -> float | None:
    """The score from which on F1 at an IoU of 0.5, of all classes together, is the best; None where nothing is right.

    Equal scores are taken together: a threshold cannot part them.
    """
    right, counts = right_at_half(table.found)
    scores, right = table.found["score"][counts], right[counts]
    if not right.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], right[order].cumsum()
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + int(table.there["counts"][:, 0].sum()))
    f1[:-1][scores[1:] == scores[:-1]] = -1
    return float(scores[f1.argmax()])


def precisions_by_class(table: Matched, classes: int) -> NDArray[np.float64]:
    """(C, 2): AP over IoU 0.50:0.05:0.95, and at 0.5, as the metric has them; nan where a class has no object."""
    result = precision_recall(_of_all_areas(table), classes, (MOST,)).precision
    values = np.stack([result[:, :, :, 0].mean((0, 1)), result[0, :, :, 0].mean(0)], 1)
    return np.where(values < 0, np.nan, values)


def precision_curves(table: Matched, names: Sequence[str]) -> CurvesFinding:
    """Precision over recall at an IoU of 0.5: of all classes on average, and of those with the most objects."""
    precision = precision_recall(_of_all_areas(table), len(names), (MOST,)).precision[0, :, :, 0]
    objects = np.bincount(table.there["label"][table.there["counts"][:, 0]], minlength=len(names))
    there = [c for c in np.argsort(-objects, kind="stable") if objects[c]]
    lines = {names[c]: precision[:, c] for c in there[:CURVES]}
    if len(there) > 1:
        lines = {"mean of all classes": precision[:, there].mean(1)} | lines
    x = tuple(RECALLS.tolist())
    series = tuple(CurveSeries(name=name, x=x, y=tuple(line.tolist())) for name, line in lines.items())
    note = "At an IoU of 0.5; the best precision at each recall or a higher one, as COCO averages it."
    return CurvesFinding(title="Precision over recall", x="recall", y="precision", series=series, note=note)


def error_table(table: Matched, errors: Errors, classes: int, note: str) -> TableFinding:
    """How many errors of each type there are, and what mAP50 would be without them.

    "Without" leaves the detections of a type out, as if a better detector had not made them; of what was missed, the objects.
    """
    outcomes = np.concatenate([np.zeros(0, np.int64), *errors.outcomes])
    now, objects = mean_ap50(table, classes), int(table.there["counts"][:, 0].sum())
    rows: list[tuple[str, int, float | None, float | None]] = []
    wrong = int(np.isin(outcomes, WRONG).sum())
    for outcome in WRONG:
        chosen = outcomes == outcome
        found = table.found.copy()
        found["counts"][chosen, 0] &= 0xFFFE
        rows.append(
            (
                MEANINGS[outcome],
                int(chosen.sum()),
                chosen.sum() / wrong if wrong else None,
                mean_ap50(Matched(found, table.there), classes),
            )
        )
    nothing, covered = int(errors.missed.sum()), int(errors.covered.sum())
    without = mean_ap50(table, classes, errors.missed)
    rows.append(("missed: an object that no detection lies on", nothing, nothing / objects if objects else None, without))
    said = "missed: an object with only an error of class or localization on it"
    rows.append((said, covered, covered / objects if objects else None, None))
    columns = ("type", "count", "share of the false detections, or of the objects", "mAP50 without them")
    text = f"{note} Types as in TIDE (Bolya et al. 2020); of several that hold, the first. mAP50 is {now:.3f} with all of them."
    return TableFinding(title="Errors by type", columns=columns, rows=tuple(rows), note=text)


def mean_ap50(table: Matched, classes: int, fewer: Counts | None = None) -> float:
    """mAP at an IoU of 0.5, as the metric has it, over the classes that have objects; -1 where none has.

    Args:
        table: of all images.
        classes: how many there are.
        fewer: (C,), so many objects of each class are not asked for.
    """
    right, counts = right_at_half(table.found)
    positives = np.bincount(table.there["label"][table.there["counts"][:, 0]], minlength=classes)
    positives = positives - (0 if fewer is None else fewer)
    order = np.argsort(-table.found["score"], kind="stable")
    order = order[counts[order]]
    labels, right = table.found["label"][order], right[order]
    values = []
    for c in np.flatnonzero(positives > 0):
        hits = right[labels == c].cumsum()
        precision = hits / np.arange(1, len(hits) + 1)
        best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        values.append(best[np.searchsorted(hits / positives[c], RECALLS, side="left")].mean())
    return float(np.mean(values)) if values else -1.0


def _of_all_areas(table: Matched) -> Matched:
    """Without what is only counted by area, which takes three quarters of the time."""
    there = table.there.copy()
    there["counts"][:, 1:] = False
    return Matched(table.found, there)
