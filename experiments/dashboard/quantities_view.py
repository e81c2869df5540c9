"""Two quantities of the chosen runs against each other, and several side by side."""

from __future__ import annotations

import streamlit as st

from experiments.dashboard.charts import is_wide
from experiments.dashboard.library import RunInfo
from experiments.dashboard.naming import differing, names_of, title_of
from experiments.dashboard.parts import show
from experiments.dashboard.quantities import group_of, main_metrics, numbers_of, quantities_of
from experiments.reports import figures
from experiments.reports.labels import is_fraction, metric_title


def quantities_view(chosen: list[RunInfo], grouped: str) -> None:
    table = quantities_of(chosen)
    numeric = [name for name, values in table.items() if numbers_of(list(values.values()))]
    metrics = [name for name in numeric if any(name in run.metrics for run in chosen)]
    if not metrics:
        st.info("These runs have no metric yet.")
        return
    settings = [name for name in differing(chosen) if name in numeric]
    best = next((n for n in [*main_metrics(chosen)[::-1], *metrics] if n in metrics), metrics[0])
    other = next(iter(settings), numeric[0])
    across, up = st.columns(2)
    x = across.selectbox("Across", numeric, numeric.index(other), format_func=metric_title, key="across")
    y = up.selectbox("Upwards", numeric, numeric.index(best), format_func=metric_title, key="up")
    called = names_of(chosen)
    points = []
    for run in chosen:
        a, b = numbers_of([table[x].get(run.name)]), numbers_of([table[y].get(run.name)])
        if a and b:
            group = group_of(run, grouped) if grouped else run.study.get("variant") or title_of(run)
            points.append(figures.Point(called[run.name], str(group), a[0], b[0]))
    figure = figures.scatter(points, metric_title(x), metric_title(y), percent=is_fraction(y), percent_x=is_fraction(x))
    if is_wide([point.x for point in points]):
        figure.update_xaxes(type="log")
    show(figure, "scatter", f"{metric_title(y)} against {metric_title(x)}, a point for each of {len(points)} runs")
    if len(chosen) < 2:
        return
    st.markdown("Each line is a run; it crosses every axis at the run's value.")
    default = [*settings[:3], best]
    axes = st.multiselect(
        "Axes", list(dict.fromkeys([*default, *differing(chosen), *metrics])), default, format_func=metric_title, key="axes"
    )
    if len(axes) > 1:
        lines = [{name: table[name].get(run.name) for name in axes} for run in chosen]
        figure = figures.parallel(lines, {name: metric_title(name) for name in axes}, axes[-1])
        show(figure, "parallel", f"{len(chosen)} runs through the axes {', '.join(map(metric_title, axes))}")
