"""What an evaluation found: confusion matrix, curves, tables, worst predictions, and the figure beside its baseline.

Names of classes and files are a stranger's: they are shown as text.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.parts import column, described, show
from experiments.reports.style import TEXT, figure_with_axes, five_digits, label, line_style
from experiments.reports.wording import number
from experiments.runs.findings import (
    BaselineFinding,
    CurvesFinding,
    Finding,
    Findings,
    GalleryFinding,
    MatrixFinding,
    TableFinding,
    finding_picture,
)
from experiments.runs.markup import plain

WRITTEN = 20
"""Classes of a confusion matrix whose counts are written into its cells."""
LONGEST_COUNT = 9_999
MISTAKES = 5
"""Pairs of classes that are named below it."""


def findings_view(found: Findings, folder: Path, key: str) -> None:
    """All sections.

    Args:
        found: what was read.
        folder: the run's or the evaluation's, in which the pictures lie.
        key: of this evaluation in the page.
    """
    which = f" of the checkpoint {found.checkpoint}" if found.checkpoint else ""
    st.caption(plain(f"{found.scenes or 'All'} scenes of the split {found.split}{which}"))
    has_mistakes = any(isinstance(one, TableFinding) and "confused" in one.title.lower() for one in found.sections)
    for i, section in enumerate(found.sections):
        st.markdown(f"**{plain(section.title)}**")
        _section(section, folder, f"{key} {i}", has_mistakes)
        if section.note:
            st.caption(plain(section.note))


def _section(section: Finding, folder: Path, key: str, has_mistakes: bool) -> None:
    match section:
        case TableFinding():
            columns = {name: column([row[i] for row in section.rows]) for i, name in enumerate(section.columns)}
            st.dataframe(columns, hide_index=True, width="stretch", placeholder="", alt=described(section.title), key=key)
        case MatrixFinding():
            _matrix(section, key, has_mistakes)
        case CurvesFinding():
            figure = figure_with_axes(section.x, section.y, percent=False, rows=min(len(section.series), 12))
            for i, line in enumerate(section.series):
                x, y = (np.array([np.nan if v is None else v for v in axis], float) for axis in (line.x, line.y))
                good = np.isfinite(x) & np.isfinite(y)
                figure.add_scatter(
                    x=five_digits(x[good]), y=five_digits(y[good]), name=label(line.name, 40), mode="lines", line=line_style(i)
                )
            show(figure, key, f"{section.title}: {section.y} over {section.x}, {len(section.series)} lines")
        case GalleryFinding():
            _gallery(section, folder)
        case BaselineFinding():
            _baseline(section)


def _matrix(section: MatrixFinding, key: str, has_mistakes: bool) -> None:
    """Counts in cells, coloured by the share of their row, or the shares where counts are long, as those of pixels are; and the
    most frequent mistakes in words, where no table has them."""
    rows = np.array(section.rows, float)
    shares = rows / np.maximum(rows.sum(1, keepdims=True), 1)
    names = [f"{label(name, 24)}" for name in section.names]
    places = list(range(len(names)))
    is_long = rows.max(initial=0) > LONGEST_COUNT
    written = [[f"{s:.0%}" for s in row] for row in shares] if is_long else [[f"{n:,}" for n in row] for row in section.rows]
    figure = figure_with_axes("predicted", "true", percent=False)
    figure.add_heatmap(
        z=shares.round(4).tolist(),
        x=places,
        y=places,
        text=written,
        texttemplate="%{text}" if len(names) <= WRITTEN else None,
        textfont={"size": TEXT},
        customdata=[[[names[i], names[k]] for k in places] for i in places],
        colorscale="Blues",
        zmin=0,
        zmax=1,
        hovertemplate="%{customdata[0]} taken for %{customdata[1]}: %{text} (%{z:.0%})<extra></extra>",
        colorbar={"tickformat": ".0%", "tickfont": {"size": TEXT}, "thickness": 12},
    )
    ticks = {"tickvals": places, "ticktext": names, "showgrid": False}
    figure.update_xaxes(**ticks, tickangle=-45)
    figure.update_yaxes(**ticks, autorange="reversed")
    figure.update_layout(height=min(1400, 240 + 34 * len(names)))
    wrong = mistakes(section)
    show(figure, key, f"{section.title}, {len(names)} classes; most frequent mistakes: {'; '.join(wrong) or 'none'}")
    if wrong and not has_mistakes:
        st.markdown("\n".join(f"- {plain(line)}" for line in wrong))


def mistakes(section: MatrixFinding) -> list[str]:
    """The pairs that are confused most often, in words: ``cat taken for dog: 12 of 50``."""
    pairs = [
        (count, sum(row), section.names[i], section.names[k])
        for i, row in enumerate(section.rows)
        for k, count in enumerate(row)
        if i != k and count > 0
    ]
    worst = sorted(pairs, key=lambda pair: -pair[0])[:MISTAKES]
    return [f"{true} taken for {predicted}: {count:,} of {total:,}" for count, total, true, predicted in worst]


def _gallery(section: GalleryFinding, folder: Path, most: int = 4) -> None:
    for start in range(0, len(section.items), most):
        for place, item in zip(st.columns(most), section.items[start : start + most], strict=False):
            path = finding_picture(folder, item)
            content = library.picture(path) if path else None
            with place:
                if content is None:
                    st.caption(f"{plain(item.caption)}: the picture is gone, damaged or too large")
                else:
                    st.image(content, caption=plain(item.caption), width="stretch", alt=described(item.caption))


def _baseline(section: BaselineFinding) -> None:
    if section.value is None or section.baseline is None:
        verdict = "cannot be compared"
    elif section.value == section.baseline:
        verdict = "no better"
    else:
        verdict = "better" if (section.value > section.baseline) is section.higher_is_better else "worse"
    st.markdown(
        f"{plain(section.metric)}: **{number(section.value)}**; {plain(section.name)}: {number(section.baseline)} ({verdict})"
    )
