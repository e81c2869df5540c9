"""The first page: what the lectures claim, and how each claim stands, here and in the verdicts that come with Lectern."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Collection

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.parts import badge, key_of
from experiments.lectures import LECTURES, rows
from experiments.reports.comparison import Pair, made, pairs
from experiments.reports.meanings import INTERVALS, MEANING, SCALES, SIGNS
from experiments.reports.overview import Entry, entries
from experiments.reports.wording import command, headline
from experiments.runs.markup import plain
from experiments.studies import committed as with_lectern
from experiments.studies.record import Record
from experiments.studies.verdict import Level


def claims() -> None:
    own, committed = library.records(library.root()), with_lectern.committed_records()
    asked = st.query_params.get("study", "")
    for pair in pairs(own, committed) if asked else ():
        if asked in (key_of(pair.first, False), key_of(pair.first, True)):
            from experiments.dashboard.study_view import study_view  # draws, which the first page does not

            study_view(pair, is_committed=asked == key_of(pair.first, True))
            return
    st.title("What the lectures claim, and what was measured")
    older = library.older(library.root())
    found = entries(own, older, committed)
    counted = _counts(found)
    st.markdown(
        f"{len(rows())} claims of two lectures. A verdict comes from runs, by a rule that was written before them. "
        f"{len(committed)} verdicts come with Lectern; {len(own) or 'none'} {'was' if len(own) == 1 else 'were'} made here. "
        "Choose levels or a lecture to see only those:"
    )
    levels, lecture = _filters(counted)
    with st.expander("What the verdicts mean"):
        st.markdown("\n".join([*(f"- {badge(place)} {MEANING[place]}" for place in Level), "", INTERVALS]))
        st.markdown("\n".join(f"- scale **{name}**: {meaning}" for name, meaning in SCALES.items()))
    _left_out(older)
    if not own:
        st.info("No claim was run here yet. This runs those that take seconds or minutes:")
        st.code("lectern reproduce cnn", language=None)
    late: list[Callable[[], None]] = []
    for name, listed in found.items():
        if lecture in (None, name):
            st.header(LECTURES.get(name, name), divider="gray")
            _lecture(listed, levels, late)
    for mark in late:  # what takes a second stands on the page when the rest does already
        mark()


def _counts(found: dict[str, list[Entry]]) -> Counter[Level]:
    """How many claims have a verdict of each level, here or committed, and how many have none."""
    counted: Counter[Level] = Counter()
    for entry in (entry for listed in found.values() for entry in listed):
        counted.update({level for pair in entry.pairs for level in pair.levels} or {Level.NOT_RUN})
    return counted


def _filters(counted: Counter[Level]) -> tuple[Collection[Level], str | None]:
    levels = st.pills(
        "Levels",
        list(Level),
        selection_mode="multi",
        format_func=lambda place: f"{SIGNS[place]} {place}: {counted[place]}",
        label_visibility="collapsed",
        key="verdicts",
    )
    lecture = st.pills("Lecture", list(LECTURES), format_func=LECTURES.__getitem__, label_visibility="collapsed", key="lecture")
    return levels, lecture


def _left_out(older: list[str]) -> None:
    if older:
        st.warning("Made by an older version of Lectern, and not shown; run these again:")
        st.code(f"lectern reproduce {shlex.join(name.rpartition('/')[2] for name in older)}", language=None)
    if broken := library.broken(library.root()):
        st.warning(f"Damaged, or no verdicts at all, and not shown: {plain(', '.join(broken))}")


def _lecture(listed: list[Entry], levels: Collection[Level], late: list[Callable[[], None]]) -> None:
    for entry in listed:
        for pair in entry.pairs:
            if not levels or pair.levels & set(levels):
                _shown(pair, late)
    missing = [entry for entry in listed if not entry.pairs]
    if missing and (not levels or Level.NOT_RUN in levels):
        _not_run(missing)


def _shown(pair: Pair, late: list[Callable[[], None]]) -> None:
    """A verdict's card, or its name: what a stranger's record may hold takes no other from the page."""
    try:
        _card(pair, late)
    except Exception as error:
        st.warning(f"{plain(pair.first.name)} at scale {pair.first.scale} cannot be shown ({type(error).__name__})")


def _card(pair: Pair, late: list[Callable[[], None]]) -> None:
    record = pair.first
    lines = [f"{badge(record.level)} &nbsp; **{plain(f'{record.claim} {record.title}')}**"]
    translated = f" ({plain(record.translation)})" if record.translation else ""
    lines += [f"The lecture says: “{plain(record.says)}”{translated}", f"Measured: {plain(headline(record))}"]
    lines += [f"Verdict: {plain(record.because)}"] if record.headline.effects else []
    if pair.own and pair.committed:
        lines += [f"Committed: {badge(pair.committed.level)} {plain(headline(pair.committed))}"]
        lines += [f"{':green' if pair.agree else ':red'}-badge[{'they agree' if pair.agree else 'they differ'}]{_rest(pair)}"]
    facts = [_whose(pair), f"{record.seeds} {'seed' if record.seeds == 1 else 'seeds'}" if record.seeds else ""]
    facts += ["at any scale"] if record.is_at_any_scale else [f"scale {record.scale}"]
    facts += [f"again: {command(record.name, record.scale)}"]
    with st.container(border=True):
        st.markdown("  \n".join(lines))
        mark = st.empty()
        place, button = st.columns([3, 1], vertical_alignment="center")
        place.caption(plain(" · ".join(filter(None, facts))))
        if button.button("Open the study", key=f"open {key_of(record, record is not pair.own)}", width="stretch"):
            st.query_params["study"] = key_of(record, record is not pair.own)
            st.rerun()

    def mark_stale() -> None:
        whose = [name for name, one in (("yours", pair.own), ("committed", pair.committed)) if one and library.changed(one)]
        if whose:
            mark.markdown(f":orange-badge[stale] {' and '.join(whose)}: code that it rests on was changed since")

    late.append(mark_stale)


def _rest(pair: Pair) -> str:
    """What there is to say of two verdicts behind whether they agree."""
    return f" {plain(pair.agreement.partition(': ')[2])}"


def _whose(pair: Pair) -> str:
    def committed(record: Record) -> str:
        return f"committed results, {made(record)}"

    if pair.own and pair.committed:
        return f"yours, {made(pair.own)} · {committed(pair.committed)}"
    return committed(pair.committed) if pair.committed else made(pair.first)


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
