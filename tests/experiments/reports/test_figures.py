"""Figures: numbers as they are, names as text, and few enough points."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.reports.figures import Point, curves_with_bands, overlaid, parallel, scatter, variants_with_intervals
from experiments.reports.intervals import intervals, margin
from experiments.reports.labels import is_fraction, metric_title
from experiments.reports.series import band, smooth, thin
from experiments.reports.style import label
from experiments.studies.record import EffectRecord


def effect(name: str, by_seed: tuple[float, ...], unit: str = "", needs: str = "", **more: float) -> EffectRecord:
    """An effect whose interval reaches from the least seed to the greatest."""
    ends = min(by_seed), max(by_seed)
    return EffectRecord(
        name=name, by_seed=by_seed, estimate=sum(ends) / 2, interval=ends, unit=unit, needs=needs, paper=more.get("paper")
    )


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        ("> 0", (0, math.inf)),
        ("≥ 5 points", (5, math.inf)),
        ("< -2", (-math.inf, -2)),
        ("≤ −2 points", (-math.inf, -2)),
        ("within ±1 point", (-1, 1)),
        ("± 1.5", (-1.5, 1.5)),
        ("3 to 12 x", (3, 12)),
        ("−1 ± 0.5", (-1.5, -0.5)),
        ("≥ 98 %", (98, math.inf)),
        ("> 2 SD", None),
        ("", None),
        ("<script>", None),
    ],
)
def test_what_a_claim_needs_is_read_from_its_words(needs: str, expected: tuple[float, float] | None) -> None:
    assert margin(needs) == expected


def test_a_band_spans_the_seeds_and_ends_where_they_end() -> None:
    first = np.array([0.0, 10, 20]), np.array([1.0, 2, 3])
    second = np.array([0.0, 10]), np.array([3.0, 4])
    diverged = np.array([0.0, 10, 20]), np.array([math.nan] * 3)
    x, mean, low, high = band([first, second, diverged])
    assert x.tolist() == [0, 10, 20]
    assert mean.tolist() == [2, 3, 3] and low.tolist() == [1, 2, 3] and high.tolist() == [3, 4, 3]
    assert all(len(part) == 0 for part in band([diverged]))


def test_a_long_curve_is_thinned_and_keeps_its_spike() -> None:
    x = np.arange(2000.0)
    y = np.zeros(2000)
    y[777] = 5
    short = thin((x, y))
    assert len(short[0]) <= 202 and short[1].max() == 5 and short[0][0] == 0 and short[0][-1] == 1999
    figure = curves_with_bands({"a": [(x, y), (x, y + 1)]}, "x", "y")
    assert max(len(trace.x) for trace in figure.data) <= 400  # there and back around a band


def test_smoothing_neither_shifts_the_start_nor_the_level() -> None:
    x, y = np.arange(50.0), np.full(50, 3.0)
    assert smooth((x, y), 0.9)[1] == pytest.approx(y)
    assert smooth((x, x), 0.0)[1] == pytest.approx(x)


def test_the_margin_the_paper_and_every_seed_are_drawn() -> None:
    figure = intervals([effect("gap", (1.0, 2.0, 3.0), "points", "> 0", paper=2.5)])
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["each seed"].x) == [1, 2, 3]
    assert list(by_name["the paper's figure"].x) == [2.5]
    assert min(by_name["what the claim needs"].x) == 0
    error = by_name["mean with its 95 % interval"].error_x
    assert (error.array[0], error.arrayminus[0]) == (1, 1)
    assert "needed: &gt; 0" in figure.layout.annotations[0].text.replace("<br>", " ")


def test_what_was_not_measured_leaves_an_empty_figure_and_no_error() -> None:
    for nothing in (EffectRecord(name="", by_seed=()), EffectRecord(name="x", by_seed=(math.inf, math.nan), bounds=(">", "?"))):
        intervals([nothing])
    for figure in (
        intervals([]),
        curves_with_bands({}, "", ""),
        overlaid({}, "", ""),
        scatter([], "", ""),
        parallel([], {}, ""),
    ):
        assert not [trace for trace in figure.data if trace.type == "scatter" and trace.name]
    variants_with_intervals({"a": EffectRecord(name="a", by_seed=(math.nan,))}, "x")


def test_a_name_is_text_and_short() -> None:
    hostile = "<a href='javascript:alert(1)'>x</a>" * 20
    assert "<" not in label(hostile) and len(label("x" * 500)) == 70
    empty = np.arange(3.0), np.arange(3.0)
    drawn = [
        curves_with_bands({hostile: [empty, empty]}, hostile, hostile),
        overlaid({hostile: empty}, hostile, hostile, smoothing=0.5),
        scatter([Point(hostile, hostile, 1, 2), Point("b", "b", 1, 2)], hostile, hostile),
        intervals([effect(hostile, (1.0, 2.0), hostile, hostile)]),
        variants_with_intervals({hostile: effect("a", (1.0, 2.0))}, hostile),
        parallel([{"a": hostile, "b": 1}, {"a": "y", "b": 2}], {"a": hostile, "b": "b"}, "b"),
    ]
    for figure in drawn:
        assert "<a" not in figure.to_json()


def test_metrics_are_named_in_words() -> None:
    assert metric_title("trainset/error") == "error, on fixed training images"
    assert metric_title("val/iou/circle") == "IoU of circle, on validation images"
    assert is_fraction("test/miou") and is_fraction("val/iou/circle") and not is_fraction("train/loss")
