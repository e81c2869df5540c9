"""A run under way: its curves grow by themselves."""

from __future__ import annotations

import time

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.library import RunInfo, duration
from experiments.dashboard.parts import nothing_yet, show
from experiments.reports import figures
from experiments.reports.labels import is_fraction, metric_title
from experiments.runs.markup import plain

EVERY = 3.0  # seconds between two looks at the run's files


def live() -> None:
    found = library.runs(library.root())
    running = [run for run in found if run.state == "running"]
    if not running:
        st.info("No run is under way. This page looks for one every few seconds.")
        if not found:
            nothing_yet("There are no runs yet.", "lectern fit --config segmentation/fcn_transpose")
            return
    others = [run for run in found if run.state in ("unfinished", "finished", "diverged", "failed") and run.metrics]
    choices = {run.name: run for run in [*running, *others[:20]]}
    if not choices:
        return
    name = st.selectbox(
        "Run", list(choices), format_func=lambda run: f"{run} ({choices[run].state})" if run in choices else run, key="live"
    )
    _show(choices[name])


def _show(run: RunInfo) -> None:
    columns = library.columns(run)
    seconds = columns.get("seconds")
    steps = columns.get("step")
    facts = [f"**{plain(run.state)}**", f"on {plain(run.summary.get('device', 'an unknown device'))}"]
    if steps is not None and len(steps):
        facts.append(f"{int(steps[-1]) + 1} optimizer steps")
    if seconds is not None and len(seconds):
        facts.append(f"{duration(float(seconds[-1]))} of training")
    st.markdown(" · ".join(facts) + f" · looked at {time.strftime('%H:%M:%S')}")
    curves = library.curves(run)
    if not curves:
        st.info("It has logged nothing yet: the first row comes after 50 steps.")
        return
    names = sorted(curves, key=lambda n: (not n.startswith("train/"), n.count("/") > 1, not n.startswith("val/"), n))
    losses = [n for n in names if n.endswith("loss")]
    others = [n for n in names if n not in losses and n.count("/") < 2]
    first = [*losses[:1], *others[:3]]
    chosen = st.multiselect("Quantities", names, first, format_func=metric_title, key=f"live quantities {run.name}")
    for name in chosen:
        figure = figures.overlaid(
            {metric_title(name): curves[name]}, "optimizer steps", metric_title(name), percent=is_fraction(name)
        )
        figure.update_layout(height=280, showlegend=False)
        show(figure, f"live {name}")


st.title("Live")
st.fragment(live, run_every=EVERY)()
