"""The first page: what the lectures claim, and how each claim stands."""

from __future__ import annotations

import shlex

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.parts import badge
from experiments.dashboard.study_view import study_view
from experiments.lectures import LECTURES, rows
from experiments.reports.meanings import MEANING, SCALES, SIGNS
from experiments.reports.overview import Entry, counts, entries
from experiments.reports.wording import command, headline
from experiments.runs.markup import plain
from experiments.studies.record import Record
from experiments.studies.verdict import Level


def key_of(record: Record) -> str:
    """A verdict's name in the page's address."""
    return f"{record.name}@{record.scale}"


def claims() -> None:
    records = library.records(library.root())
    asked = st.query_params.get("study", "")
    if chosen := next((record for record in records if key_of(record) == asked), None):
        study_view(chosen)
        return
    st.title("What the lectures claim, and what was measured")
    found = counts(records)
    st.markdown(
        f"{len(rows())} claims of two lectures. A verdict comes from runs on this machine, by a rule that was written before "
        "them. Choose verdicts to see only those:"
    )
    shown = st.pills(
        "Verdicts",
        list(found),
        selection_mode="multi",
        format_func=lambda place: f"{SIGNS[place]} {place}: {found[place]}",
        label_visibility="collapsed",
        key="verdicts",
    )
    with st.expander("What the verdicts mean"):
        st.markdown("\n".join(f"- {badge(place)} {MEANING[place]}" for place in Level))
        st.markdown("\n".join(f"- scale **{name}**: {meaning}" for name, meaning in SCALES.items()))
    if not records:
        st.info("No claim was run yet. This runs those that take seconds or minutes:")
        st.code("lectern reproduce cnn", language=None)
    older = library.older(library.root())
    if older:
        st.warning("Made by an older version of Lectern, and not shown; run these again:")
        st.code(f"lectern reproduce {shlex.join(name.rpartition('/')[2] for name in older)}", language=None)
    if broken := library.broken(library.root()):
        st.warning(f"Damaged, or no verdicts at all, and not shown: {plain(', '.join(broken))}")
    for lecture, own in entries(records, older).items():
        st.header(LECTURES.get(lecture, lecture), divider="gray")
        for entry in own:
            for record in entry.records:
                if not shown or record.level in shown:
                    _shown(record)
        missing = [entry for entry in own if not entry.records]
        if missing and (not shown or Level.NOT_RUN in shown):
            _not_run(missing)


def _shown(record: Record) -> None:
    """A verdict's card, or its name: what a stranger's record may hold takes no other from the page."""
    try:
        _card(record)
    except Exception as error:
        st.warning(f"{plain(record.name)} at scale {record.scale} cannot be shown ({type(error).__name__})")


def _card(record: Record) -> None:
    with st.container(border=True):
        st.markdown(f"{badge(record.level)} &nbsp; **{plain(f'{record.claim} {record.title}')}**")
        lines = [f"The lecture says: “{plain(record.says)}”", f"Measured: {plain(headline(record))}"]
        lines += [f"Verdict: {plain(record.because)}"] if record.effects else []
        st.markdown("  \n".join(lines))
        facts = [f"{record.seeds} {'seed' if record.seeds == 1 else 'seeds'}"] if record.seeds else []
        facts += ["at any scale"] if record.is_at_any_scale else [f"scale {record.scale}", record.device]
        facts += [record.day]
        place, button = st.columns([3, 1], vertical_alignment="center")
        again = command(record.name, record.scale)
        place.caption(f"{plain(' · '.join(filter(None, facts)))} · again: {plain(again)}")
        if button.button("Open the study", key=f"open {key_of(record)}", width="stretch"):
            st.query_params["study"] = key_of(record)
            st.rerun()


def _not_run(missing: list[Entry]) -> None:
    with st.expander(f"{SIGNS[Level.NOT_RUN]} not run: {len(missing)} claims of this lecture"):
        lines = [
            {
                "claim": entry.row.id,
                "the lecture says": entry.row.says,
                "to run it": f"{entry.why_not} {entry.how_to_run('cpu')}".strip(),
            }
            for entry in missing
        ]
        st.dataframe(lines, hide_index=True, width="stretch")


claims()
