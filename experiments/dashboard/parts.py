"""What the pages share: text that is only text, verdicts as badges, figures and pictures in a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from experiments.dashboard import library
from experiments.reports.meanings import SIGNS
from experiments.reports.wording import short
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
BLACK, WHITE = "#31333f", "#fafafa"
ACTIVE = ("#0072B2", "#56B4E9")
"""Of the button that is pressed, on white and on black."""


def key_of(record: Record, is_committed: bool) -> str:
    """A verdict's name in the page's address."""
    return f"{record.name}@{record.scale}{'@committed' if is_committed else ''}"


def badge(level: Level) -> str:
    """A verdict in Markdown, as a coloured word with its sign."""
    return f":{BADGES[level]}-badge[{SIGNS[level]} {level}]"


def show(figure: go.Figure, key: str, says: str) -> None:
    """A figure at the page's width, which can be zoomed and saved.

    Args:
        figure: it is given its last touches here.
        key: its name in the page.
        says: what it shows, for whoever does not see it; it is text.
    """
    from experiments.reports.style import TEXT  # with Plotly, which the first page does not need

    # On a phone a finger scrolls the page and not the figure, whose buttons zoom.
    figure.update_layout(dragmode=False if on_a_phone() else "zoom", margin={"t": 36}, font={"color": ink()})
    figure.update_layout(modebar={"bgcolor": "rgba(0,0,0,0)", "color": ink(), "activecolor": ACTIVE[ink() == WHITE]})
    if figure.layout.legend.yref != "container":
        figure.update_layout(legend={"y": -0.3})  # below the axis' title, also where a phone leaves the curves little height
    for update in (figure.update_xaxes, figure.update_yaxes):  # Streamlit's own grey is read by few
        update(tickfont={"color": ink(), "size": TEXT}, title={"font": {"color": ink()}})
    for trace in figure.data:
        if trace.type == "heatmap" or (trace.type == "scatter" and trace.marker.showscale):
            bar = trace.colorbar if trace.type == "heatmap" else trace.marker.colorbar
            bar.update(tickfont={"color": ink()}, title={"font": {"color": ink()}})
    config = {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": _file_name(key)},
    }
    st.plotly_chart(figure, width="stretch", key=key, config=config, alt=described(says))


def described(text: str) -> str:
    """What a screen reader says of a figure: text on one line, in which Streamlit looks for no markup."""
    return " ".join(text.split())[:500]


def column(values: list[Any]) -> list[Any]:
    """Of a table: numbers where all are, otherwise text, since a column of both cannot be sorted."""
    if all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values):
        return values
    return ["" if v is None else short(v) for v in values]


def ink() -> str:
    """The colour of the page's text."""
    return WHITE if st.context.theme.type == "dark" else BLACK


def on_a_phone() -> bool:
    """Whether the browser says that it is a phone's."""
    return "Mobi" in str(st.context.headers.get("User-Agent", ""))


def _file_name(key: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in key)[:60]


def drawing(section: SlidePicture) -> None:
    """A slide's picture at the page's width, in the colour of the page's text."""
    svg = section.svg().replace("color: inherit", f"color: {ink()}", 1)
    st.image(svg, caption=plain(section.says), width="stretch", alt=section.says)


def pictures_in_a_row(by_name: Mapping[str, Path | None], most: int = 4, says: str = "") -> None:
    """Pictures side by side, each under its name; on a phone below each other.

    Args:
        by_name: the pictures; None where a run has no such one.
        most: in a row.
        says: what each shows, for whoever does not see it; its name follows.
    """
    items = list(by_name.items())
    for start in range(0, len(items), most):
        for place, (name, path) in zip(st.columns(min(most, max(2, len(items)))), items[start : start + most], strict=False):
            with place:
                content = library.picture(path) if path else None
                st.markdown(f"**{plain(name, 120)}**")
                if content is None:
                    st.caption("damaged or too large" if path else "has no such picture")
                else:
                    st.image(content, width="stretch", alt=described(f"{says}{name}"))


def nothing_yet(what: str, command: str) -> None:
    """What to type where there is nothing to show."""
    st.info(f"{what} This makes some:")
    st.code(command, language=None)


def say_what_is_left_out() -> None:
    """A line where there are more runs than a page looks at."""
    if said := library.left_out(library.root()):
        st.warning(plain(said))
