"""Tables and curves of things that have one class each: by class, by pairs that are confused, and by confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import binary_calibration_error

from experiments.runs.findings import MOST_NAMES, CurveSeries, CurvesFinding, Finding, MatrixFinding, TableFinding

BINS = 15
"""Of confidence (Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2)."""
PAIRS = 20
"""Confusions that are listed by name."""

Counts = NDArray[np.int64]


def confusion_of(truth: NDArray[np.integer], found: NDArray[np.integer], classes: int) -> Counts:
    """(C, C): how often each class (row) is taken for each (column); what is of no class (below 0) is passed over."""
    known = truth >= 0
    places = truth[known].astype(np.int64) * classes + found[known]
    return np.bincount(places, minlength=classes**2).reshape(classes, classes)


def share(part: NDArray[np.integer], whole: NDArray[np.integer]) -> NDArray[np.float64]:
    """Quotients; nan where there is nothing."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def confusion_sections(counts: Counts, names: Sequence[str], what: str, note: str = "") -> list[Finding]:
    """The matrix, of up to a hundred classes, and the pairs that are confused most, of any number.

    Args:
        counts: (C, C), rows are the truth.
        names: of the C classes.
        what: is counted, such as ``images``.
        note: of the matrix.
    """
    sections: list[Finding] = []
    if len(names) <= MOST_NAMES:
        sections.append(MatrixFinding(title=f"Confusion, {what}", names=tuple(names), rows=counts.tolist(), note=note))
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = [divmod(int(place), len(names)) for place in order if wrong.flat[place]]
    if pairs and len(names) > 2:
        rows = [(names[t], names[f], int(counts[t, f]), counts[t, f] / counts[t].sum()) for t, f in pairs]
        columns = ("truth", "taken for", what, "share of the truth")
        sections.append(TableFinding(title="Most often confused", columns=columns, rows=tuple(rows)))
    return sections


def by_class(counts: Counts, names: Sequence[str], what: str) -> TableFinding:
    """Recall (of a class's own images, its accuracy), precision and F1 of each class, the worst first.

    Classes that occur neither in the truth nor in what was predicted are left out.
    """
    right, truth, found = counts.diagonal(), counts.sum(1), counts.sum(0)
    recall, precision, f1 = share(right, truth), share(right, found), share(2 * right, truth + found)
    there = [c for c in np.argsort(np.nan_to_num(f1, nan=2), kind="stable") if truth[c] + found[c]]
    rows = [(names[c], int(truth[c]), recall[c], precision[c], f1[c]) for c in there][:2000]
    return TableFinding(title="By class", columns=("class", what, "accuracy", "precision", "F1"), rows=tuple(rows))


def calibration(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], title: str, y: str, note: str = ""
) -> CurvesFinding | None:
    """The reliability diagram, and the expected calibration error (ECE) over :data:`BINS` equal bins of confidence.

    None where there is nothing, or confidences are no probabilities (a deformable part model's are margins).

    Args:
        confidence: (N,)
        right: (N,)
        title: of the section.
        y: what is right, such as ``accuracy``.
        note: what else is to be known.
    """
    from sklearn.calibration import calibration_curve  # it takes a second to import

    # Of a training that diverged they are no numbers.
    if not len(confidence) or not (confidence.min() >= 0 and confidence.max() <= 1):
        return None
    is_right, stated = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    error = binary_calibration_error(torch.from_numpy(confidence.astype(np.float64)), torch.from_numpy(right), n_bins=BINS)
    says = f"Expected calibration error {float(error):.3f} over {BINS} bins; below the diagonal it is surer than it is right."
    return CurvesFinding(
        title=title,
        x="confidence",
        y=y,
        series=(
            CurveSeries(name="perfectly calibrated", x=(0.0, 1.0), y=(0.0, 1.0)),
            CurveSeries(name="measured", x=tuple(stated.tolist()), y=tuple(is_right.tolist())),
        ),
        note=f"{says} {note}".strip(),
    )
