"""The chosen runs' curves: several quantities at once, coloured by run, by group or by a setting."""

from __future__ import annotations

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.charts import Line, curve_chart
from experiments.dashboard.library import RunInfo
from experiments.dashboard.naming import differing, names_of
from experiments.dashboard.parts import show
from experiments.dashboard.quantities import GROUPS, default_curves, group_of
from experiments.reports.labels import is_fraction, metric_title
from experiments.reports.series import Series
from experiments.runs.markup import plain

AXES = {"step": "optimizer steps", "epoch": "epochs", "seconds": "seconds since the start"}
MOST = 8  # charts at once


def curves_view(chosen: list[RunInfo], grouped: str) -> None:
    names = list(dict.fromkeys(name for run in chosen for name in library.curves(run)))
    if not names:
        st.info("These runs have logged no curve yet.")
        return
    names.sort(key=lambda n: (n.count("/") > 1, not n.startswith("val/"), not n.startswith("train"), n))
    quantity, colour = st.columns([3, 2], vertical_alignment="bottom")
    first = default_curves(chosen, names)
    drawn = quantity.multiselect(
        "Quantities", names, first, format_func=metric_title, key=f"quantities {first}", max_selections=MOST
    )
    groups = [*GROUPS, *differing(chosen)]
    options = ["", *(by for by in groups if len({repr(group_of(run, by)) for run in chosen}) > 1)]
    by = colour.selectbox(
        "Colour by",
        options,
        options.index(grouped) if grouped in options else 0,
        format_func=lambda name: name or "run",
        key=f"colour {grouped}",
    )
    along, amount, *switches = st.columns([2, 2, 1, 1, 1], vertical_alignment="bottom")
    x = along.selectbox("Along", list(AXES), format_func=AXES.__getitem__, key="axis")
    smoothing = amount.slider("Smoothing", 0.0, 0.99, 0.0, key="smoothing")
    log_y = switches[0].toggle("log scale", key="log")
    inner = switches[1].toggle("cut outliers", True, key="inner")
    means = switches[2].toggle("means", key="means", disabled=not by)
    called = names_of(chosen)
    places = st.columns(2) if len(drawn) > 1 else [st.container()]
    for i, name in enumerate(drawn):
        lines = [
            Line(called[run.name], found, group_of(run, by) if by else None)
            for run in chosen
            if (found := _series(run, name, x)) is not None
        ]
        figure = curve_chart(
            lines,
            AXES[x],
            metric_title(name),
            by=metric_title(by) if by else "",
            means=means,
            smoothing=smoothing,
            log_y=log_y,
            percent=is_fraction(name) and not log_y,
            inner=inner,
        )
        with places[i % len(places)]:
            # With the setting in its key: Plotly leaves the scale of one setting beside the curves of the next.
            show(figure, f"curves {name} {by}".rstrip(), f"{metric_title(name)} of {len(lines)} runs over {AXES[x]}")
            if missing := [called[run.name] for run in chosen if called[run.name] not in {line.name for line in lines}]:
                st.caption(f"Without this quantity: {plain(', '.join(missing), 600)}")


def _series(run: RunInfo, name: str, x: str) -> Series | None:
    """A run's curve along an axis; a measurement's has one of its own."""
    columns = library.columns(run)
    return (columns[x], columns[name]) if name in columns and x in columns else library.curves(run).get(name)
