"""All runs under way: how far each is, how long it takes, and its curves, which grow by themselves."""

from __future__ import annotations

import shlex
import time

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.charts import Line, curve_chart
from experiments.dashboard.library import RunInfo, duration
from experiments.dashboard.naming import names_of
from experiments.dashboard.parts import nothing_yet, say_what_is_left_out, show
from experiments.dashboard.progress import RunProgress, progress_of
from experiments.dashboard.quantities import default_curves
from experiments.reports.labels import is_fraction, metric_title
from experiments.reports.wording import number
from experiments.runs.files import CHECKPOINTS
from experiments.runs.markup import code, plain

EVERY = 3.0  # seconds between two looks at the runs' files
MOST = 12  # runs whose curves are drawn
DEAD = 5  # runs that ended without a word, the newest ones


def live() -> None:
    found = library.runs(library.root())
    running = [run for run in found if run.state == "running"]
    if not running:
        st.info("No run is under way. This page looks for one every few seconds.")
        if not found:
            nothing_yet("There are no runs yet.", "lectern fit --config segmentation/fcn_transpose")
    names = names_of(running)
    if running:
        st.caption(f"{len(running)} under way · looked at {time.strftime('%H:%M:%S')}")
    for i, run in enumerate(running):
        with st.container(border=True):
            _show(run, names[run.name], has_curves=i < MOST)
    if dead := [run for run in found if run.is_dead][:DEAD]:
        st.subheader("Ended without a word")
        st.markdown("The processes of these runs are gone: they were killed, or their machine stopped. This goes on with one:")
        for run in dead:
            last = run.folder / CHECKPOINTS / "last.ckpt"
            how = code(f"lectern fit --ckpt_path {shlex.quote(str(last))}") if last.is_file() else "it left no checkpoint"
            st.markdown(f"- **{plain(run.name)}**: {how}")


def _show(run: RunInfo, name: str, has_curves: bool) -> None:
    st.markdown(f"**{plain(name)}** · {code(run.name)} · on {plain(run.summary.get('device', 'an unknown device'))}")
    at = progress_of(run)
    if at is None:
        st.caption("It has logged nothing yet: the first row comes after 50 steps.")
        return
    if at.share is not None:
        st.progress(at.share, text=plain(in_words(at)))
    else:
        st.markdown(plain(in_words(at)))
    curves = library.curves(run)
    drawn = default_curves([run], list(curves))[:2] if has_curves else []
    places = st.columns(len(drawn)) if drawn else []
    for place, quantity in zip(places, drawn, strict=True):
        line = Line(metric_title(quantity), curves[quantity])
        last = number(float(curves[quantity][1][-1]))
        figure = curve_chart([line], "optimizer steps", metric_title(quantity), percent=is_fraction(quantity), inner=True)
        figure.update_layout(height=280, showlegend=False)
        with place:
            show(figure, f"live {run.name} {quantity}", f"{metric_title(quantity)} of {name}, now {last}")


def in_words(at: RunProgress) -> str:
    """``120 optimizer steps of 400 · 30 % · 2 min 5 s of training · 4 min 52 s left``."""
    parts = [f"{at.steps} optimizer steps{f' of {at.total}' if at.total else ''}"]
    parts += [f"{at.share:.0%}"] if at.share is not None else []
    parts.append(f"{duration(at.seconds)} of training")
    parts += [f"about {duration(at.left)} left"] if at.left is not None else []
    return " · ".join(parts)


st.title("Live")
say_what_is_left_out()
st.fragment(live, run_every=EVERY)()
