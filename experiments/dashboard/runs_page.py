"""All runs: find them by what they are, lay some over each other, and look at one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.library import RunInfo
from experiments.dashboard.naming import differing, names_of
from experiments.dashboard.parts import column, nothing_yet, say_what_is_left_out
from experiments.dashboard.quantities import (
    GROUPS,
    group_of,
    groupings,
    main_metrics,
    monitor_of,
    numbers_of,
    quantities_of,
    varying,
)
from experiments.reports.labels import metric_title
from experiments.reports.wording import short
from experiments.runs.files import OWN
from experiments.runs.markup import plain

MOST = 40  # runs that are laid over each other
COLUMNS = 60  # of the table, that can be chosen
VIEWS = ("Curves", "What differs", "Quantities against each other", "One run")


def runs_page() -> None:
    found = library.runs(library.root())
    if asked := st.query_params.get("run", ""):
        run = next((run for run in found if run.name == asked), None)
        if st.button("← All runs"):
            st.query_params.clear()
            st.rerun()
        if run is None:
            st.warning(f"There is no run {plain(asked, 200)} here any more.")
            return
        from experiments.dashboard.run_view import run_view

        st.title(plain(run.name))
        run_view(run)
        return
    st.title("Runs")
    say_what_is_left_out()
    if not found:
        nothing_yet("There are no runs yet.", "lectern fit --config segmentation/fcn_transpose")
        return
    shown, by = _filtered(found)
    names = names_of(shown)
    st.caption(
        f"{len(shown)} of {len(found)} runs. A click on a column's name sorts, and its menu pins or hides it; "
        "the boxes on the left choose runs to compare."
    )
    if by:
        _groups(shown, by)
    _table(shown, names, by)
    chosen = _choose(found, shown, names)
    if not chosen:
        return
    view = st.segmented_control("View", VIEWS, default=VIEWS[0], required=True, key="looked at", label_visibility="collapsed")
    _views()[view or VIEWS[0]](chosen, by)


def _views() -> dict[str, Callable[[list[RunInfo], str], None]]:
    """The views draw, which the page of an empty folder does not."""
    from experiments.dashboard.curves_view import curves_view
    from experiments.dashboard.quantities_view import quantities_view
    from experiments.dashboard.run_view import one_of

    return dict(zip(VIEWS, (curves_view, _what_differs, quantities_view, one_of), strict=True))


def _filtered(runs: list[RunInfo]) -> tuple[list[RunInfo], str]:
    """The runs that are asked for, and what they are grouped by."""
    words, states, more, group = st.columns([2, 2, 2, 2])
    word = words.text_input("Name contains", key="word", placeholder="name, note or tag").strip().lower()
    known = list(dict.fromkeys(run.state for run in runs))
    wanted = states.multiselect("State", known, key="states", placeholder="any")
    table = quantities_of(runs)
    by = more.multiselect("Filter by", varying(runs), format_func=metric_title, key="by", placeholder="setting or metric")
    kept = [r for r in runs if word in _searched(r) and (not wanted or r.state in wanted)]
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
    grouped = group.selectbox("Group by", ["", *groupings(runs)], format_func=lambda name: name or "nothing", key="group")
    return kept, grouped or ""


def _searched(run: RunInfo) -> str:
    """What a word is looked for in."""
    return "\n".join([run.name, *run.tags, *(note.text for note in run.notes.notes)]).lower()


def _of_one_kind(numbers: list[Any]) -> list[Any]:
    """Numbers for a slider, which takes finite ones that are all whole or all floats; none where one of them is not."""
    if not all(abs(number) <= 2**53 for number in numbers):
        return []
    return numbers if all(isinstance(number, int) for number in numbers) else [float(number) for number in numbers]


def _groups(shown: Sequence[RunInfo], by: str) -> None:
    """A line for each group: how many runs it has, and what their main metric is."""
    lines = []
    for group, own in _by_group(shown, by).items():
        line: dict[str, Any] = {by: group, "runs": len(own)}
        for metric in main_metrics(shown)[:2]:
            values = numbers_of([run.metrics.get(metric) for run in own])
            least = any((m := monitor_of(run)) and m.metric == metric and m.mode == "min" for run in own)
            mean = math.fsum(values) / len(values) if values else None
            line[f"mean {metric_title(metric)}"] = mean
            line[f"{'least' if least else 'greatest'} {metric_title(metric)}"] = _best(values, least)
        lines.append(line)
    columns = {name: column([line.get(name) for line in lines]) for name in dict.fromkeys(n for line in lines for n in line)}
    st.dataframe(columns, hide_index=True, width="stretch", placeholder="", alt=f"Groups of runs by {by}")


def _best(values: Sequence[float], least: bool) -> float | None:
    if not values:
        return None
    return min(values) if least else max(values)


def _by_group(shown: Sequence[RunInfo], by: str) -> dict[str, list[RunInfo]]:
    found: dict[str, list[RunInfo]] = {}
    for run in shown:
        value = group_of(run, by)
        found.setdefault("none" if value is None else short(value), []).append(run)
    return dict(sorted(found.items()))


def _table(shown: list[RunInfo], names: dict[str, str], by: str) -> None:
    if by:
        shown[:] = [run for own in _by_group(shown, by).values() for run in own]
    main = main_metrics(shown)
    settings = [name for name in differing(shown) if name not in OWN and name != by]
    offered = list(dict.fromkeys([*main, *settings, *varying(shown)]))[:COLUMNS]
    first = [*main[:3], *settings[:4]]
    with st.popover("Columns"):
        picked = st.multiselect(
            "Columns", offered, [n for n in first if n in offered], format_func=metric_title, key=f"columns of {first}"
        )
    table = quantities_of(shown)
    columns: dict[str, list[Any]] = {"name": [names[run.name] for run in shown]}
    if by:
        columns[by if by in GROUPS else metric_title(by)] = column([group_of(run, by) for run in shown])
    columns["state"] = ["died" if run.is_dead else run.state for run in shown]
    for name in picked:
        columns[metric_title(name)] = column([table[name].get(run.name) for run in shown])
    if any(run.tags for run in shown):
        columns["tags"] = [", ".join(run.tags) for run in shown]
    if any(run.notes.notes for run in shown):
        columns["notes"] = [" · ".join(note.text for note in run.notes.notes)[:200] for run in shown]
    columns |= {
        "duration, s": column([run.seconds for run in shown]),
        "started": [library.day(run.summary.get("started")) for run in shown],
        "folder": [run.name for run in shown],
    }

    def choose() -> None:
        rows = st.session_state["table"]["selection"]["rows"]
        st.session_state["compare"] = [shown[i].name for i in rows if i < len(shown)][:MOST]

    st.dataframe(
        {name: v for name, v in columns.items() if name in ("name", "folder") or any(x not in (None, "", "–") for x in v)},
        hide_index=True,
        width="stretch",
        height=min(430, 38 + 36 * max(1, len(shown))),
        # Pinned by its reader and not from the start: Streamlit writes a pinned column in a grey that few can read.
        column_config={
            name: st.column_config.TextColumn(width=w) for name, w in (("name", 260), ("tags", 110), ("notes", 200))
        },
        key="table",
        on_select=choose,
        selection_mode="multi-row",
        placeholder="",
        alt="All runs, a row each",
    )


def _choose(found: list[RunInfo], shown: list[RunInfo], names: dict[str, str]) -> list[RunInfo]:
    by_name = {run.name: run for run in found}
    if "compare" not in st.session_state:
        st.session_state["compare"] = [run.name for run in shown if run.metrics][:3]
    st.session_state["compare"] = [name for name in st.session_state["compare"] if name in by_name]
    select, button = st.columns([4, 1], vertical_alignment="bottom")

    def take_all() -> None:
        st.session_state["compare"] = [run.name for run in shown[:MOST]]

    button.button(f"Take all shown ({min(len(shown), MOST)})", on_click=take_all, width="stretch")
    called = {**{name: name for name in by_name}, **names}
    chosen = select.multiselect(
        "Runs to compare", list(by_name), format_func=lambda name: called.get(name, name), key="compare", max_selections=MOST
    )
    return [by_name[name] for name in chosen]


def _what_differs(chosen: list[RunInfo], by: str) -> None:
    called = names_of(chosen)
    names = dict.fromkeys(key for run in chosen for key in run.settings if key not in OWN)
    lines = []
    for key in names:
        values = {called[run.name]: run.settings.get(key) for run in chosen}
        if len({repr(v) for v in values.values()}) > 1:
            lines.append({"setting": key} | {name: "–" if v is None else short(v) for name, v in values.items()})
    if lines:
        st.dataframe(lines, hide_index=True, width="stretch", alt="The settings in which the chosen runs differ")
    else:
        st.info("Their configurations are the same." if len(chosen) > 1 else "Choose a second run to see what differs.")


runs_page()
