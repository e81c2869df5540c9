"""The first page: what the lectures claim, and how each claim stands, here and in the verdicts that come with Lectern."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.cards import cards, not_run
from experiments.dashboard.parts import badge, key_of
from experiments.lectures import LECTURES, rows
from experiments.reports.comparison import Pair, pairs
from experiments.reports.meanings import INTERVALS, MEANING, SCALES, SIGNS
from experiments.reports.overview import Entry, entries
from experiments.runs.markup import code, plain
from experiments.studies import committed as with_lectern
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
        f"{len(rows())} claims of two lectures. A verdict comes from runs, by a rule that is written before them; "
        f"a later change has its date. {len(committed)} verdicts come with Lectern; "
        f"{len(own) or 'none'} {'was' if len(own) == 1 else 'were'} made here. "
        "Search, or choose levels or a lecture:"
    )
    word, levels, lecture = _filters(counted)
    with st.expander("What the verdicts mean"):
        st.markdown("\n".join([*(f"- {badge(place)} {MEANING[place]}" for place in Level), "", INTERVALS]))
        st.markdown("\n".join(f"- scale **{name}**: {meaning}" for name, meaning in SCALES.items()))
    _left_out(older)
    if not own:
        st.markdown(f"No claim was run here yet: {code('lectern reproduce cnn')} runs those that take seconds or minutes.")
    places: list[tuple[st.delta_generator.DeltaGenerator, list[Pair]]] = []
    is_dark = st.context.theme.type == "dark"
    for name, listed in found.items():
        if lecture in (None, name):
            st.header(LECTURES.get(name, name), divider="gray")
            pairs_of = [pair for entry in listed for pair in entry.pairs if _is_asked(pair, levels, word)]
            place = st.empty()
            if pairs_of:
                place.html(cards(pairs_of, {}, is_dark))
                places.append((place, pairs_of))
            elif levels or word:
                place.caption("No verdict of this lecture is of this kind.")
            missing = [entry for entry in listed if not entry.pairs and word in _words_of(entry)]
            if missing and (not levels or Level.NOT_RUN in levels):
                st.html(not_run(missing))
    for place, pairs_of in places:  # what takes a second the first time comes when all else stands on the page
        if found_stale := _stale(pairs_of):
            place.html(cards(pairs_of, found_stale, is_dark))


def _is_asked(pair: Pair, levels: Collection[Level], word: str) -> bool:
    record = pair.first
    return (not levels or bool(pair.levels & set(levels))) and word in f"{record.claim} {record.title} {record.says}".lower()


def _words_of(entry: Entry) -> str:
    return f"{entry.row.id} {entry.row.says}".lower()


def _stale(listed: list[Pair]) -> dict[str, str]:
    """Of which verdicts code was changed since, and whose they are."""
    found = {}
    for pair in listed:
        whose = [name for name, one in (("yours", pair.own), ("committed", pair.committed)) if one and library.changed(one)]
        if whose:
            found[key_of(pair.first, pair.first is not pair.own)] = " and ".join(whose)
    return found


def _counts(found: dict[str, list[Entry]]) -> Counter[Level]:
    """How many claims have a verdict of each level, here or committed, and how many have none."""
    counted: Counter[Level] = Counter()
    for entry in (entry for listed in found.values() for entry in listed):
        counted.update({level for pair in entry.pairs for level in pair.levels} or {Level.NOT_RUN})
    return counted


def _filters(counted: Counter[Level]) -> tuple[str, Collection[Level], str | None]:
    word = st.text_input("Search", placeholder="a word of a claim, or its number", key="claim word").strip().lower()
    levels = st.pills(
        "Levels",
        list(Level),
        selection_mode="multi",
        format_func=lambda place: f"{SIGNS[place]} {place}: {counted[place]}",
        label_visibility="collapsed",
        key="verdicts",
    )
    lecture = st.pills("Lecture", list(LECTURES), format_func=LECTURES.__getitem__, label_visibility="collapsed", key="lecture")
    return word, levels, lecture


def _left_out(older: list[str]) -> None:
    if older:
        st.warning("Made by an older version of Lectern, and not shown; run these again:")
        st.code(f"lectern reproduce {shlex.join(name.rpartition('/')[2] for name in older)}", language=None)
    if broken := library.broken(library.root()):
        st.warning(f"Damaged, or no verdicts at all, and not shown: {plain(', '.join(broken))}")


claims()
