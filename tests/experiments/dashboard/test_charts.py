"""Curves of several runs in one figure."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("streamlit")

from experiments.dashboard.charts import Line, curve_chart
from experiments.reports.style import TEXT


def lines(values: list[object]) -> list[Line]:
    x = np.arange(100.0)
    return [Line(f"run {i}", (x, 0.5 + 0.01 * i + 0.001 * x), value) for i, value in enumerate(values)]


def test_a_setting_that_is_a_number_is_a_scale_with_its_bar() -> None:
    figure = curve_chart(lines([0.1, 0.01, 0.001, 0.01]), "steps", "loss", by="lr")
    colours = {trace.name: trace.line.color for trace in figure.data if trace.name}
    assert colours["run 1"] == colours["run 3"] != colours["run 0"]
    bar = next(trace.marker.colorbar for trace in figure.data if trace.marker.showscale)
    assert list(bar.ticktext) == ["0.001", "0.01", "0.1"] and list(bar.tickvals) == pytest.approx([0, 0.5, 1])


def test_a_setting_that_is_a_word_has_a_colour_for_each_and_one_entry_in_the_legend() -> None:
    figure = curve_chart(lines(["a", "b", "a", None]), "steps", "loss", by="network")
    assert [trace.name for trace in figure.data if trace.showlegend] == ["a", "b", "none"]


def test_means_are_drawn_in_a_band_from_the_lowest_to_the_highest() -> None:
    figure = curve_chart(lines([0.1, 0.1, 0.2]), "steps", "loss", by="lr", means=True)
    named = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in named] == ["0.1 (2 runs)", "0.2 (1 run)"]
    assert named[0].y[0] == pytest.approx(0.505)


def test_a_few_far_points_do_not_flatten_the_rest() -> None:
    x, y = np.arange(100.0), np.linspace(1, 0.5, 100)
    y[0] = 900.0
    figure = curve_chart([Line("a", (x, y))], "steps", "loss", inner=True)
    assert figure.layout.yaxis.range[1] < 2
    assert curve_chart([Line("a", (x, y))], "steps", "loss").layout.yaxis.range is None
    assert curve_chart(lines([None]), "steps", "loss", inner=True).layout.yaxis.range is None


def test_text_is_large_and_a_name_is_only_text() -> None:
    figure = curve_chart([Line("<b>x</b>", (np.arange(3.0), np.arange(3.0)))], "a", "b", percent=True)
    assert figure.data[0].name == "&lt;b&gt;x&lt;/b&gt;" == figure.data[0].text
    layout = figure.layout
    sizes = (layout.font, layout.legend.font, layout.xaxis.tickfont, layout.yaxis.tickfont, layout.xaxis.title.font)
    assert min(font.size for font in sizes) >= TEXT == 14
