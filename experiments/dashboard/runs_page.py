"""All runs: find them by what they are, and lay some over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.library import RunInfo
from experiments.dashboard.parts import nothing_yet, show
from experiments.reports import figures
from experiments.reports.labels import is_fraction, metric_title
from experiments.reports.series import Series
from experiments.reports.wording import short
from experiments.runs.files import OWN
from experiments.runs.markup import plain

AXES = {"step": "optimizer steps", "epoch": "epochs", "seconds": "seconds since the start"}
MOST = 40  # runs that are laid over each other


def runs_page() -> None:
    found = library.runs(library.root())
    st.title("Runs")
    if not found:
        nothing_yet("There are no runs yet.", "lectern fit --config segmentation/fcn_transpose")
        return
    shown = _filtered(found)
    st.caption(
        f"{len(shown)} of {len(found)} runs. A click on a column's name sorts; the boxes on the left choose runs to compare."
    )
    _table(shown)
    chosen = _choose(found, shown)
    if not chosen:
        return
    curves, settings, quantities = st.tabs(["Curves", "What differs", "Quantities against each other"])
    with curves:
        _curves(chosen)
    with settings:
        _what_differs(chosen)
    with quantities:
        _quantities(chosen)


def quantities_of(runs: Sequence[RunInfo]) -> dict[str, dict[str, Any]]:
    """Everything that a run can be sorted or compared by: name of the quantity, and each run's value."""
    table: dict[str, dict[str, Any]] = {"state": {}, "seconds": {}, "images_per_second": {}, "device": {}}
    for run in runs:
        table["state"][run.name] = run.state
        for key in ("seconds", "images_per_second", "device"):
            table[key][run.name] = run.summary.get(key)
        for key, value in {**run.metrics, **{k: v for k, v in run.settings.items() if k not in OWN}}.items():
            table.setdefault(key, {})[run.name] = value
    return table


def varying(runs: Sequence[RunInfo]) -> list[str]:
    """The quantities in which runs differ, metrics first."""
    table = quantities_of(runs)
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    names = [*sorted(metrics, key=lambda name: (not name.startswith("test/"), name)), *(n for n in table if n not in metrics)]
    return [name for name in names if len({repr(table[name].get(run.name)) for run in runs}) > 1]


def _filtered(runs: list[RunInfo]) -> list[RunInfo]:
    words, states, more = st.columns([2, 2, 2])
    word = words.text_input("Name contains", key="word").strip().lower()
    known = list(dict.fromkeys(run.state for run in runs))
    wanted = states.multiselect("State", known, key="states", placeholder="any")
    table = quantities_of(runs)
    by = more.multiselect("Filter by", varying(runs), format_func=metric_title, key="by", placeholder="setting or metric")
    kept = [r for r in runs if word in r.name.lower() and (not wanted or r.state in wanted)]
    for name in by:
        values = {run.name: table[name].get(run.name) for run in runs}
        numbers = _of_one_kind([v for v in values.values() if isinstance(v, int | float) and not isinstance(v, bool)])
        if numbers and len(numbers) == sum(v is not None for v in values.values()) and min(numbers) < max(numbers):
            low, high = st.slider(
                plain(metric_title(name)), min(numbers), max(numbers), (min(numbers), max(numbers)), key=f"range {name}"
            )
            kept = [r for r in kept if isinstance(v := values[r.name], int | float) and low <= v <= high]
        else:
            options = sorted({str(v) for v in values.values()})
            chosen = st.multiselect(plain(metric_title(name)), options, key=f"value {name}", placeholder="any")
            kept = [r for r in kept if not chosen or str(values[r.name]) in chosen]
    return kept


def _of_one_kind(numbers: list[Any]) -> list[Any]:
    """Numbers for a slider, which takes finite ones that are all whole or all floats; none where one of them is not."""
    if not all(abs(number) <= 2**53 for number in numbers):
        return []
    return numbers if all(isinstance(number, int) for number in numbers) else [float(number) for number in numbers]


def _table(shown: list[RunInfo]) -> None:
    main = [name for run in shown for name in run.metrics if name.count("/") < 2 and not name.startswith("train/")]
    names = list(dict.fromkeys([*sorted(main, key=lambda name: (not name.startswith("test/"), name)), *varying(shown)]))[:40]
    table = quantities_of(shown)
    columns = {
        "run": [run.name for run in shown],
        "state": [run.state for run in shown],
        "started": [library.day(run.summary.get("started")) for run in shown],
        "duration, s": [run.seconds for run in shown],
        "device": [str(run.summary.get("device") or "") for run in shown],
        **{
            metric_title(name): _column([table[name].get(run.name) for run in shown])
            for name in names
            if name not in ("state", "seconds", "device")
        },
    }
    height = min(430, 38 + 36 * max(1, len(shown)))

    def choose() -> None:
        rows = st.session_state["table"]["selection"]["rows"]
        st.session_state["compare"] = [shown[i].name for i in rows if i < len(shown)][:MOST]

    st.dataframe(
        columns,
        hide_index=True,
        width="stretch",
        height=height,
        column_config={"run": st.column_config.TextColumn(width=330)},
        key="table",
        on_select=choose,
        selection_mode="multi-row",
    )


def _column(values: list[Any]) -> list[Any]:
    """Numbers where all are, otherwise text: a column of both cannot be sorted."""
    if all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values):
        return values
    return ["" if v is None else short(v) for v in values]


def _choose(found: list[RunInfo], shown: list[RunInfo]) -> list[RunInfo]:
    by_name = {run.name: run for run in found}
    if "compare" not in st.session_state:
        st.session_state["compare"] = [run.name for run in shown if run.metrics][:3]
    st.session_state["compare"] = [name for name in st.session_state["compare"] if name in by_name]
    names, button = st.columns([4, 1], vertical_alignment="bottom")

    def take_all() -> None:
        st.session_state["compare"] = [run.name for run in shown[:MOST]]

    button.button(f"Take all shown ({min(len(shown), MOST)})", on_click=take_all, width="stretch")
    chosen = names.multiselect("Runs to compare", list(by_name), key="compare", max_selections=MOST)
    return [by_name[name] for name in chosen]


def legend(runs: Sequence[RunInfo]) -> dict[str, str]:
    """What each run is called in a figure: short, where that is enough to tell it from the others."""
    shorts = [run.short for run in runs]
    return {run.name: run.short if shorts.count(run.short) == 1 else run.name for run in runs}


def _curves(chosen: list[RunInfo]) -> None:
    names = list(dict.fromkeys(name for run in chosen for name in library.curves(run)))
    if not names:
        st.info("These runs have logged no curve yet.")
        return
    first = next((n for n in names if n.startswith("val/")), next((n for n in names if n.startswith("train")), names[0]))
    quantity, axis, amount, log = st.columns([3, 2, 2, 1], vertical_alignment="bottom")
    name = quantity.selectbox("Quantity", names, names.index(first), format_func=metric_title, key="quantity")
    x = axis.selectbox("Along", list(AXES), format_func=AXES.__getitem__, key="axis")
    smoothing = amount.slider("Smoothing", 0.0, 0.99, 0.0, key="smoothing")
    log_y = log.toggle("log scale", key="log")
    called = legend(chosen)
    drawn: dict[str, Series] = {}
    for run in chosen:
        columns = library.columns(run)
        if name in columns and x in columns:
            drawn[called[run.name]] = (columns[x], columns[name])
        elif name in library.curves(run):  # a measurement's curve has an axis of its own
            drawn[called[run.name]] = library.curves(run)[name]
    percent = is_fraction(name) and not log_y
    show(figures.overlaid(drawn, AXES[x], metric_title(name), smoothing=smoothing, log_y=log_y, percent=percent), "overlaid")
    without = [called[run.name] for run in chosen if called[run.name] not in drawn]
    if without:
        st.caption(f"Without this quantity: {plain(', '.join(without))}")


def _what_differs(chosen: list[RunInfo]) -> None:
    called = legend(chosen)
    names = dict.fromkeys(key for run in chosen for key in run.settings if key not in OWN)
    lines = []
    for key in names:
        values = {called[run.name]: run.settings.get(key) for run in chosen}
        if len({repr(v) for v in values.values()}) > 1:
            lines.append({"setting": key} | {name: "–" if v is None else short(v) for name, v in values.items()})
    if lines:
        st.dataframe(lines, hide_index=True, width="stretch")
    else:
        st.info("Their configurations are the same." if len(chosen) > 1 else "Choose a second run to see what differs.")


def _quantities(chosen: list[RunInfo]) -> None:
    table = quantities_of(chosen)
    numeric = [
        n for n, values in table.items() if any(isinstance(v, int | float) and not isinstance(v, bool) for v in values.values())
    ]
    metrics = [n for n in numeric if any(n in run.metrics for run in chosen)]
    if not metrics:
        st.info("These runs have no metric yet.")
        return
    differing = varying(chosen)
    best = next((n for n in metrics if n.startswith("test/")), metrics[0])
    other = next((n for n in numeric if n in differing and n not in metrics), numeric[0])
    across, up = st.columns(2)
    x = across.selectbox("Across", numeric, numeric.index(other), format_func=metric_title, key="across")
    y = up.selectbox("Upwards", numeric, numeric.index(best), format_func=metric_title, key="up")
    called = legend(chosen)
    points = []
    for run in chosen:
        a, b = table[x].get(run.name), table[y].get(run.name)
        if isinstance(a, int | float) and isinstance(b, int | float):
            group = str(run.study.get("variant") or "/".join(run.name.split("/")[:-1]) or run.name)
            points.append(figures.Point(called[run.name], group, float(a), float(b)))
    show(figures.scatter(points, metric_title(x), metric_title(y), percent=is_fraction(y), percent_x=is_fraction(x)), "scatter")
    if len(chosen) < 2:
        return
    st.markdown("Each line is a run; it crosses every axis at the run's value.")
    default = [*[n for n in differing if n not in metrics and n not in ("state", "device")][:3], best]
    axes = st.multiselect("Axes", list(dict.fromkeys([*default, *differing])), default, format_func=metric_title, key="axes")
    if len(axes) > 1:
        lines = [{name: table[name].get(run.name) for name in axes} for run in chosen]
        show(figures.parallel(lines, {name: metric_title(name) for name in axes}, axes[-1]), "parallel")


runs_page()
