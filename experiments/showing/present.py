"""``lectern present``: a lecture's claims, one a screen, from the first slide to the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Event, Lock

from experiments.command_line.options import Options
from experiments.lectures import LECTURES, rows
from experiments.reports.moving.drawing import Drawing
from experiments.reports.moving.every import MOVING
from experiments.reports.moving.frame import Frame, frame
from experiments.reports.slides.every import SLIDES
from experiments.reports.slides.numbers import Measurements

from .catalogue import in_lecture
from .claims import Statement, claim, records
from .page import as_json, present_page
from .server import PORT, PageServer, announce
from .show import check_writable, write

MOST = 8
"""Variants whose numbers are drawn where a claim has no picture of its own."""
_drawing = Lock()
"""A picture is drawn once, whoever asks for it meanwhile."""


def run(arguments: Sequence[str]) -> int:
    """The command; without ``--page`` it ends with Ctrl-C.

    Raises:
        InputError: there is no such lecture, or the page cannot be written or served.
    """
    parser = Options("lectern present", "A lecture's claims, one a screen: picture, committed verdict, command.")
    parser.add_argument(
        "lecture", nargs="?", choices=[*LECTURES, "both"], default="both", help="default: both, one after another"
    )
    parser.add_argument("--page", type=Path, help="write all of it to this file, serve nothing, and end (half a minute)")
    parser.add_argument("--port", type=int, default=PORT, help=f"of the page, on this machine alone (default: {PORT})")
    options = parser.parse_args(arguments)
    chosen = claims(options.lecture)
    title = LECTURES.get(options.lecture, "Both lectures")
    if options.page:
        check_writable(options.page)
        pictures = {}
        for i, shown in enumerate(chosen, 1):
            pictures[shown.id] = list(picture(shown.id))
            print(f"\rdrawn {i} of {len(chosen)}", end="" if i < len(chosen) else "\n", flush=True)
        write(options.page, present_page(title, chosen, pictures))
        return 0
    page = present_page(title, chosen, None).encode()

    def one_picture(parameters: Mapping[str, str]) -> tuple[str, bytes]:
        id_ = parameters.get("claim", "")
        return "application/json", as_json(picture(id_) if id_ in rows() else (), is_over=True)

    server = PageServer(options.port, {"/": lambda _: ("text/html", page), "/picture": one_picture})
    server.begin()
    announce(server)
    try:
        Event().wait()
    finally:
        server.shutdown()
        server.server_close()
    return 0


def claims(lecture: str) -> list[Statement]:
    """Those of a lecture in its order, or of both: then each claim once."""
    every = [in_lecture(name) for name in ([lecture] if lecture in LECTURES else LECTURES)]
    return [claim(id_) for id_ in dict.fromkeys(id_ for own in every for id_ in own)]


def picture(id_: str) -> tuple[Frame, ...]:
    """What stands on a claim's screen: its slide's picture, the steps of its moving one, or what was measured of it."""
    with _drawing:
        return _picture(id_)


@cache
def _picture(id_: str) -> tuple[Frame, ...]:
    record = records().get(id_)
    found = [Frame(slide.svg(id_, record), slide.says)] if (slide := SLIDES.get(id_)) else []
    if moving := MOVING.get(id_):
        found += moving.steps()
    return tuple(found or [_measured(id_)])


def _measured(id_: str) -> Frame:
    """The means of a verdict's variants; in words that there is none, where there is none."""
    numbers, sheet = Measurements(records().get(id_)), Drawing(400)
    if shown := numbers.means(MOST):
        sheet.text(480, 26, f"measured: {numbers.shown}, mean over seeds", weight="bold")
        sheet.bars(130, 76, 700, shown)
        left_out = len(numbers.variants) - len(shown)
        more = f" and {left_out} more" if left_out else ""
        return frame(sheet, f"What was measured of {', '.join(shown)}{more}.")
    sheet.text(480, 180, "not run yet", size=44, weight="bold")
    judge = claim(id_).judge
    sheet.text(480, 250, judge or "it has no study yet", size=26)
    return frame(sheet, "There is no committed verdict on this claim.")
