"""One study: its verdict, and all that the verdict rests on, section by section."""

from __future__ import annotations

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.parts import badge, drawing, key_of, pictures_in_a_row, show
from experiments.reports.comparison import Pair, made
from experiments.reports.section import (
    Command,
    Facts,
    FigureChoice,
    Gallery,
    Heading,
    Prose,
    Quote,
    Section,
    SlidePicture,
    Table,
)
from experiments.reports.sections import sections
from experiments.runs.markup import plain


def study_view(pair: Pair, is_committed: bool) -> None:
    """The page of a verdict: of the one that comes with Lectern, or of the one that was made here."""
    record = pair.committed if is_committed and pair.committed else pair.first
    is_committed = record is not pair.own
    back, other = st.columns([1, 3])
    if back.button("← All claims"):
        st.query_params.clear()
        st.rerun()
    if pair.own and pair.committed and other.button("Open yours" if is_committed else "Open the committed one"):
        st.query_params["study"] = key_of(record, not is_committed)
        st.rerun()
    st.title(plain(f"{record.claim} {record.title}"))
    whose = f"committed results, {made(record)}" if is_committed else made(record)
    st.markdown(f"{badge(record.level)} {plain(whose)}")
    if files := library.changed(record):
        st.warning(plain(f"Stale: code that it rests on was changed since, {', '.join(files[:8])}"))
    beside = None if is_committed else pair.committed
    for section in sections(record, None if is_committed else library.root(), pictures=12, beside=beside):
        if section.heading:
            st.subheader(plain(section.heading))
        show_section(section)


def show_section(section: Section) -> None:
    """A section below its heading."""
    match section:
        case Prose():
            if section.text:
                (st.warning if section.is_warning else st.markdown)(plain(section.text))
        case Quote():
            lines = [f"“{plain(section.text)}”", plain(section.translation), f"The lecture, {plain(section.place)}"]
            st.markdown("\n".join(f"> {line}  " for line in lines if line))
        case Heading():
            st.markdown(f"{badge(section.level)} **{plain(section.text)}**")
        case Facts():
            names = {name: f"**{name}**" if name in section.strong else name for name in section.facts}
            st.markdown("\n".join(f"- {names[name]}: {plain(line)}" for name, own in section.facts.items() for line in own))
        case Table():
            # The cells of a table take nothing for markup.
            columns = {name: [row[i].text for row in section.rows] for i, name in enumerate(section.columns)}
            notes = ["; ".join(cell.note for cell in row if cell.note) for row in section.rows]
            columns |= {" ": notes} if any(notes) else {}
            st.dataframe(columns, hide_index=True, width="stretch")
        case FigureChoice():
            _figures(section)
        case SlidePicture():
            drawing(section)
        case Gallery():
            for name, row in section.rows.items():
                st.markdown(plain(name))
                pictures_in_a_row(dict(row))
        case Command():
            st.code(section.line, language=None)


def _figures(section: FigureChoice) -> None:
    title = next(iter(section.shown or section.drawn))
    if len(section.drawn) > 1:
        title = st.selectbox("Quantity", list(section.drawn), key=f"quantity of {section.key}", label_visibility="collapsed")
    elif title:
        st.markdown(plain(title))
    show(section.drawn[title](), section.key, f"{title or section.heading or section.key}; the tables have its numbers")
    if section.caption:
        st.caption(section.caption)
