"""Which of two checkpoints is said to be ahead, by how much, and how much that is worth."""

from __future__ import annotations

import math
from typing import Any

import pytest

from experiments.runs.ends import compared, ends_lines, ends_report

MIOU, ERROR = "test/miou", "test/keypoint_error"


def ends(best: float, last: float, metric: str = MIOU, mode: Any = "max", scenes: int = 30) -> dict[str, Any]:
    return compared({"best": {metric: best}, "last": {metric: last}}, metric, mode, scenes)


@pytest.mark.parametrize(
    ("found", "ahead"),
    [
        (ends(0.611, 0.666), "last"),
        (ends(0.7, 0.6), "best"),
        (ends(0.5, 0.5), ""),
        (ends(3, 2, ERROR, "min"), "last"),
        (ends(2, 3, ERROR, "min"), "best"),
    ],
)
def test_who_is_ahead(found: dict[str, Any], ahead: str) -> None:
    assert found["ahead"] == ahead
    assert (f"{ahead} is ahead by" if ahead else "none is ahead") in ends_lines(found)[0]


def test_of_few_validation_scenes_it_is_said_how_little_they_know() -> None:
    assert ends_lines(ends(0.611, 0.666)) == [
        "test/miou: best.ckpt 0.6110, last.ckpt 0.6660; last is ahead by 0.0550",
        "best was chosen on 30 validation scenes: of so few, a share has a standard error of up to 0.09",
    ]
    assert len(ends_lines(ends(0.6, 0.7, scenes=5000))) == 1
    assert "few" in ends_lines(ends(3, 2, ERROR, "min"))[1] and "share" not in ends_lines(ends(3, 2, ERROR, "min"))[1]


def test_what_was_not_measured_is_not_compared() -> None:
    found = ends(math.nan, 0.5)
    assert "ahead" not in found
    assert ends_lines(compared({"last": {MIOU: 0.5}}, MIOU, "max", 30)) == ["test/miou: last.ckpt 0.5000"]
    assert ends_lines(compared({"best": {}}, MIOU, "max", 30)) == []


def test_the_same_weights_are_said_to_be_so() -> None:
    found = compared({"best": {MIOU: 0.5}}, MIOU, "max", 30, same=True)
    assert ends_lines(found) == ["test/miou 0.5000; best.ckpt and last.ckpt are the same weights"]


def test_why_there_is_no_test_is_said_and_reported() -> None:
    assert ends_lines({"not_tested": "no file"}) == ["not tested: no file"]
    assert ends_report({"not_tested": "no <file>"}) == ["## Test", "", "not tested: no \\<file\\>", ""]


@pytest.mark.parametrize(
    "found",
    [
        None,
        {"not_tested": 3},
        [],
        {},
        {"metric": 3},
        {"metric": MIOU, "best": [], "last": "x"},
        {"metric": MIOU, "best": {MIOU: "0.5"}},
    ],
)
def test_a_summary_that_somebody_else_wrote_says_nothing(found: Any) -> None:
    assert ends_lines(found) == ends_report(found) == []


def test_the_report_has_all_metrics_of_both_and_no_markup_of_a_stranger() -> None:
    found = compared({"best": {MIOU: 0.5, "test/iou/<b>": 1.0}, "last": {MIOU: 0.6}}, MIOU, "max", 30)
    text = "\n".join(ends_report(found))
    assert "| test/miou | 0.5000 | 0.6000 |" in text and "<b>" not in text.replace("\\<", "")
    huge = {**found, "best": {MIOU: 10**400}, "by": 10**400}
    assert ends_report(huge)
