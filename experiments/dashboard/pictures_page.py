"""The same inputs, as the chosen runs see them, and over epochs."""

from __future__ import annotations

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.naming import names_of
from experiments.dashboard.parts import nothing_yet, pictures_in_a_row, say_what_is_left_out
from experiments.reports.evidence import pictures
from experiments.runs.markup import plain

SAYS = "Input, truth and prediction: "
"""What is on each picture, for whoever does not see it."""


def title(name: str) -> str:
    """``epoch_0003`` is “after epoch 4”."""
    number = name.removeprefix("epoch_")
    if name.startswith("epoch_") and number.isdecimal():
        return f"after epoch {int(number) + 1}"
    return "on the test set" if name == "test" else name.replace("_", " ")


def pictures_page() -> None:
    st.title("Pictures")
    say_what_is_left_out()
    found = {run.name: run for run in library.runs(library.root())}
    having = {name: own for name, run in found.items() if (own := pictures(run.folder))}
    if not having:
        nothing_yet("No run has pictures yet.", "lectern fit --config segmentation/fcn_transpose")
        return
    st.markdown(
        "A training draws scenes from all over its validation set, the same in every epoch: what is true, what was predicted, "
        "and what of it is right."
    )
    names = names_of([found[run] for run in having])
    chosen = st.multiselect(
        "Runs", list(having), list(having)[:2], format_func=lambda run: names.get(run, run), key="pictured", max_selections=8
    )
    if not chosen:
        return
    moments = list(dict.fromkeys(sorted(name for run in chosen for name in having[run])))
    over = st.radio("Show", ["one moment, all runs", "all epochs, one run"], horizontal=True, key="view")
    if over == "all epochs, one run":
        run = st.selectbox("Run", chosen, key="one")
        pictures_in_a_row({title(name): path for name, path in having[run].items()}, most=3, says=SAYS)
        return
    moment = moments[0]
    if len(moments) > 1:
        moment = st.select_slider("When", moments, moments[-1], format_func=title, key="when")
    st.subheader(plain(title(moment).capitalize()))
    called = names_of([found[run] for run in chosen])
    pictures_in_a_row({called[run] if len(chosen) > 1 else run: having[run].get(moment) for run in chosen}, says=SAYS)


pictures_page()
