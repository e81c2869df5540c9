"""One study: its verdict, and all that the verdict rests on, section by section."""

from __future__ import annotations

import streamlit as st

from experiments.dashboard import library
from experiments.dashboard.parts import badge, pictures_in_a_row, show
from experiments.reports.sections import Command, Facts, Figures, Gallery, Prose, Section, Table, sections
from experiments.runs.markup import plain
from experiments.studies.record import Record


def study_view(record: Record) -> None:
    """The page of a verdict."""
    if st.button("← All claims"):
        st.query_params.clear()
        st.rerun()
    st.title(plain(f"{record.claim} {record.title}"))
    st.markdown(badge(record.level))
    for section in sections(record, library.root(), pictures=12):
        if section.heading:
            st.subheader(plain(section.heading))
        show_section(section)


def show_section(section: Section) -> None:
    """A section below its heading."""
    match section:
        case Prose():
            (st.warning if section.is_warning else st.markdown)(plain(section.text))
        case Facts():
            names = {name: f"**{name}**" if name in section.strong else name for name in section.facts}
            st.markdown("\n".join(f"- {names[name]}: {plain(line)}" for name, own in section.facts.items() for line in own))
        case Table():
            # The cells of a table take nothing for markup.
            columns = {name: [row[i].text for row in section.rows] for i, name in enumerate(section.columns)}
            notes = ["; ".join(cell.note for cell in row if cell.note) for row in section.rows]
            columns |= {" ": notes} if any(notes) else {}
            st.dataframe(columns, hide_index=True, width="stretch")
        case Figures():
            _figures(section)
        case Gallery():
            for name, row in section.rows.items():
                st.markdown(plain(name))
                pictures_in_a_row(dict(row))
        case Command():
            st.code(section.line, language=None)


def _figures(section: Figures) -> None:
    title = next(iter(section.shown or section.drawn))
    if len(section.drawn) > 1:
        title = st.selectbox("Quantity", list(section.drawn), key=f"quantity of {section.key}", label_visibility="collapsed")
    elif title:
        st.markdown(plain(title))
    show(section.drawn[title](), section.key)
    if section.caption:
        st.caption(section.caption)
