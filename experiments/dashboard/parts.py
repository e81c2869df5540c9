"""What the pages share: text that is only text, verdicts as badges, figures and pictures in a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from experiments.dashboard import library
from experiments.reports.meanings import SIGNS
from experiments.runs.markup import plain
from experiments.studies.record import Record
from experiments.studies.verdict import Level

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from experiments.reports.section import SlidePicture

BADGES = {
    Level.EXACT: "blue",
    Level.REPRODUCED: "green",
    Level.DIRECTION_ONLY: "orange",
    Level.NOT_REPRODUCED: "red",
    Level.ERRATUM: "yellow",
    Level.INCONCLUSIVE: "violet",
    Level.NOT_RUN: "gray",
}


def key_of(record: Record, is_committed: bool) -> str:
    """A verdict's name in the page's address."""
    return f"{record.name}@{record.scale}{'@committed' if is_committed else ''}"


def badge(level: Level) -> str:
    """A verdict in Markdown, as a coloured word with its sign."""
    return f":{BADGES[level]}-badge[{SIGNS[level]} {level}]"


def show(figure: go.Figure, key: str) -> None:
    """A figure at the page's width."""
    figure.update_layout(dragmode=False)  # on a phone a finger scrolls the page, not the figure
    st.plotly_chart(figure, width="stretch", key=key, config={"displayModeBar": False})


def drawing(section: SlidePicture) -> None:
    """A slide's picture at the page's width, in the colour of the page's text."""
    ink = "#fafafa" if st.context.theme.type == "dark" else "#31333f"
    st.image(section.svg().replace("color: inherit", f"color: {ink}", 1), caption=plain(section.says), width="stretch")


def pictures_in_a_row(by_name: Mapping[str, Path | None], most: int = 4) -> None:
    """Pictures side by side, each under its name; on a phone below each other."""
    items = list(by_name.items())
    for start in range(0, len(items), most):
        for place, (name, path) in zip(st.columns(min(most, max(2, len(items)))), items[start : start + most], strict=False):
            with place:
                content = library.picture(path) if path else None
                st.markdown(f"**{plain(name, 120)}**")
                if content is None:
                    st.caption("damaged or too large" if path else "has no such picture")
                else:
                    st.image(content, width="stretch")


def nothing_yet(what: str, command: str) -> None:
    """What to type where there is nothing to show."""
    st.info(f"{what} This makes some:")
    st.code(command, language=None)
