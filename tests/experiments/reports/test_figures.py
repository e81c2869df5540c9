"""Figures: numbers as they are, names as text, and few enough points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from experiments.reports.figures import Point, curves_with_bands, overlaid, parallel, scatter, variants_with_intervals
from experiments.reports.intervals import intervals, log_ticks
from experiments.reports.labels import is_fraction, metric_title
from experiments.reports.series import band, smooth, thin
from experiments.reports.style import label
from experiments.reports.wording import seeds
from experiments.studies.needs import Needs
from experiments.studies.record import EffectRecord
from experiments.studies.recording import needs_record


def effect(name: str, by_seed: tuple[float, ...], unit: str = "", needs: Needs | None = None, **more: float) -> EffectRecord:
    """An effect whose interval reaches from the least seed to the greatest."""
    ends = min(by_seed), max(by_seed)
    needed = needs_record(needs, unit) if needs else None
    return EffectRecord(
        name=name, by_seed=by_seed, estimate=sum(ends) / 2, interval=ends, unit=unit, needs=needed, paper=more.get("paper")
    )


def drawn(figure: go.Figure) -> dict[str, Any]:
    """What is drawn in a figure, by its name in the legend."""
    return {trace.name: trace for trace in figure.data}


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


def test_the_need_the_paper_and_every_seed_are_drawn() -> None:
    gap = effect("gap", (1.0, 2.0, 3.0), "points", Needs(low=0.5, margin=0.25), paper=2.5)
    figure = intervals([gap], [[0, 1, 4]])
    by_name = drawn(figure)
    seeds = by_name["each seed, by its number"]
    assert list(seeds.x) == [1, 2, 3] and list(seeds.text) == ["0", "1", "4"]
    assert list(by_name["the paper's figure"].x) == [2.5]
    assert min(by_name["what the claim needs"].x) == 0.5
    assert set(by_name["counts as no effect"].x) == {figure.layout.xaxis.range[0], 0.25}
    assert list(by_name["no effect"].x) == [0, 0]
    error = by_name["mean with its 95 % interval"].error_x
    assert (error.array[0], error.arrayminus[0]) == (1, 1)
    assert figure.layout.xaxis.title.text == "gap (points)"
    assert "needed: ≥ 0.5 points" in figure.layout.annotations[0].text


def test_a_ratio_is_drawn_on_a_logarithmic_axis_around_one() -> None:
    figure = intervals([effect("speed-up", (2.0, 8.0), "x", Needs(low=3, high=12))])
    axis, by_name = figure.layout.xaxis, drawn(figure)
    assert axis.type == "log" and axis.range[0] < 0 < math.log10(12) < axis.range[1]
    assert set(by_name["what the claim needs"].x) == {3, 12} and list(by_name["no effect"].x) == [1, 1]
    assert {1, 2, 5, 10} <= set(axis.tickvals) and axis.title.text == "speed-up (ratio, ×)"


def test_a_threshold_without_a_baseline_has_no_line_of_no_effect() -> None:
    assert "no effect" not in drawn(intervals([effect("accuracy", (96.0, 97.0), "%", Needs(low=98, absolute=True))]))
    with_baseline = intervals([effect("accuracy", (96.0, 97.0), "%", Needs(low=98, null=50, absolute=True))])
    assert list(drawn(with_baseline)["no effect"].x) == [50, 50]


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.1), (0.5, 20), (1e-9, 1e9), (1e-300, 1e300), (3.0, 3.3)])
def test_a_logarithmic_axis_has_a_few_round_ticks(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 12 and all(low <= tick <= high for tick in ticks)


def test_a_million_seeds_are_drawn_and_written_in_part() -> None:
    many = effect("x", tuple(float(i) for i in range(10**6)))
    assert len(intervals([many] * 1000).to_json()) < 10**6 and len(seeds(many)) < 2000


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
    figures = [
        curves_with_bands({hostile: [empty, empty]}, hostile, hostile),
        overlaid({hostile: empty}, hostile, hostile, smoothing=0.5),
        scatter([Point(hostile, hostile, 1, 2), Point("b", "b", 1, 2)], hostile, hostile),
        intervals([effect(hostile, (1.0, 2.0), hostile, Needs(low=1))]),
        variants_with_intervals({hostile: effect("a", (1.0, 2.0))}, hostile),
        parallel([{"a": hostile, "b": 1}, {"a": "y", "b": 2}], {"a": hostile, "b": "b"}, "b"),
    ]
    for figure in figures:
        assert "<a" not in figure.to_json()


def test_metrics_are_named_in_words() -> None:
    assert metric_title("trainset/error") == "error, on fixed training images"
    assert metric_title("val/iou/circle") == "IoU of circle, on validation images"
    assert is_fraction("test/miou") and is_fraction("val/iou/circle") and not is_fraction("train/loss")
