"""Confusion, accuracy by class and calibration, against sklearn and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torchmetrics.functional.classification import binary_calibration_error

from experiments.findings.class_scores import by_class, calibration, confusion_of, confusion_sections
from experiments.runs.findings import MatrixFinding, TableFinding

NAMES = ("a", "b", "c", "d")
pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(pairs)
def test_the_confusion_matrix_is_sklearn_s(said: list[tuple[int, int]]) -> None:
    truth, found = np.array(said).T
    counts = confusion_of(truth, found, 4)
    assert counts.tolist() == confusion_matrix(truth, found, labels=range(4)).tolist()
    precision, recall, f1, support = precision_recall_fscore_support(truth, found, labels=range(4), zero_division=np.nan)
    table = {row[0]: row[1:] for row in by_class(counts, NAMES, "images").rows}
    for c, name in enumerate(NAMES):
        if support[c] + (found == c).sum() == 0:
            assert name not in table
            continue
        expected = (support[c], recall[c], precision[c])
        for value, wanted in zip(table[name], expected, strict=False):
            assert value is None if np.isnan(wanted) else value == pytest.approx(wanted)
        assert table[name][3] == pytest.approx(0 if np.isnan(f1[c]) else f1[c])


def test_the_pairs_that_are_confused_most_come_first() -> None:
    counts = np.array([[5, 3, 0], [1, 5, 0], [0, 0, 9]])
    matrix, table = confusion_sections(counts, ("a", "b", "c"), "images")
    assert isinstance(matrix, MatrixFinding) and matrix.rows == ((5, 3, 0), (1, 5, 0), (0, 0, 9))
    assert isinstance(table, TableFinding)
    assert table.rows == (("a", "b", 3, 3 / 8), ("b", "a", 1, 1 / 6))


def test_of_very_many_classes_there_are_pairs_and_no_matrix() -> None:
    counts = np.eye(200, dtype=np.int64)
    counts[3, 7] = 2
    (table,) = confusion_sections(counts, [str(k) for k in range(200)], "images")
    assert isinstance(table, TableFinding) and table.rows[0][:3] == ("3", "7", 2)


def test_calibration_in_plain_loops() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(500)
    right = rng.random(500) < confidence**2  # too sure
    curve = calibration(confidence, right, "Calibration", "accuracy")
    assert curve is not None
    _, measured = curve.series
    expected = []
    for low in np.arange(15) / 15:
        inside = (confidence >= low) & (confidence < low + 1 / 15)
        if inside.any():
            expected.append((confidence[inside].mean(), right[inside].mean(), inside.sum()))
    assert list(measured.x) == pytest.approx([x for x, _, _ in expected])
    assert list(measured.y) == pytest.approx([y for _, y, _ in expected])
    error = sum(abs(x - y) * n for x, y, n in expected) / 500
    assert f"{error:.3f}" in curve.note
    assert error == pytest.approx(float(binary_calibration_error(torch.from_numpy(confidence), torch.from_numpy(right), 15)))


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    assert calibration(np.array([-1.0, 0.5]), np.array([True, False]), "", "") is None
    assert calibration(np.zeros(0), np.zeros(0, bool), "", "") is None
    assert calibration(np.array([0.5, np.nan]), np.array([True, False]), "", "") is None
