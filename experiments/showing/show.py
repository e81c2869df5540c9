"""``lectern show``: a live demonstration or a study's moving picture, in the browser while it is computed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from errno import EISDIR
from itertools import chain
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING

from datamodules.errors import InputError
from datamodules.temporary import beside
from experiments.command_line.options import Options
from experiments.lectures import LECTURES

from .catalogue import Shown, by_lecture, named
from .levels import levels

if TYPE_CHECKING:
    from experiments.reports.moving.frame import Frame

SECONDS = 85.0
"""A demonstration that takes longer, on a busy machine, ends here."""
WIDTH = 100


def run(arguments: Sequence[str]) -> int:
    """The command; without ``--page`` it ends with Ctrl-C.

    Raises:
        InputError: there is nothing of that name, or the page cannot be written or served.
    """
    parser = Options("lectern show", "A live demonstration of at most 90 seconds, or a study's tensors step by step.")
    parser.add_argument("what", nargs="?", help="a name of --list, or a claim's id: relu, checkerboard, F12")
    parser.add_argument("--list", action="store_true", help="all that can be shown, in the lectures' order")
    parser.add_argument("--page", type=Path, help="write the page to this file, serve nothing, and end")
    parser.add_argument("--port", type=int, default=None, help="of the page, on this machine alone (default: 8520)")
    parser.add_argument("--effort", type=float, default=1.0, help="share of the training that is done, above 0 up to 1")
    options = parser.parse_args(arguments)
    if options.list or options.what is None:
        print("\n".join(listing()))
        return 0
    if not 0 < options.effort <= 1:
        raise InputError(f"--effort {options.effort:g}: above 0 and up to 1 expected")
    shown = named(options.what)
    if options.page:
        check_writable(options.page)
    print(f"{shown.title} ({shown.claim}): importing torch …", flush=True)
    if options.page:
        show = Show(shown)
        show.follow(options.effort)
        write(options.page, show.page(is_live=False))
        return _end(shown)
    return _serve(shown, options.effort, options.port)


def _serve(shown: Shown, effort: float, port: int | None) -> int:
    from experiments.command_line.screens import is_headless

    from .page import as_json
    from .server import PORT, PageServer, announce

    show = Show(shown)

    def steps(parameters: dict[str, str]) -> tuple[str, bytes]:
        first = parameters.get("from", "0")
        found, is_over = show.since(int(first) if first.isdecimal() else 0)
        return "application/json", as_json(found, is_over=is_over, ended=show.ended)

    def page(parameters: dict[str, str]) -> tuple[str, bytes]:
        return "text/html", show.page(is_live=True).encode()

    server = PageServer(PORT if port is None else port, {"/": page, "/steps": steps})  # type: ignore[dict-item]
    server.begin()
    announce(server)
    try:
        show.follow(effort)
        if is_headless():
            try:
                write(Path(f"lectern-{shown.name}.html"), show.page(is_live=False))
            except InputError as error:  # the page that is served has it all the same
                print(f"lectern: {error}", file=sys.stderr)
        _end(shown)
        Event().wait()  # until Ctrl-C: people still look at it
    finally:
        server.shutdown()
        server.server_close()
    return 0


def _end(shown: Shown) -> int:
    from .claims import claim

    print(f"judged by  {claim(shown.claim).judge}" if claim(shown.claim).judge else "no study judges this claim yet")
    return 0


class Show:
    """The steps of what is shown, as far as they are there: computed in one thread, asked for in others."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.ended = ""
        self._steps: list[Frame] = []
        self._is_over = False
        self._lock = Lock()

    def follow(self, effort: float) -> None:
        """Computes all steps, one line in the terminal for each; a demonstration ends after ``SECONDS`` wherever it is."""
        if self.shown.is_live:
            import torch

            torch.set_num_threads(1)  # small nets gain nothing by a second core, which the browser has
        began = time.monotonic()
        for step in self._until(began + SECONDS, self.shown.steps(effort)):
            with self._lock:
                self._steps.append(step)
            print(f"{time.monotonic() - began:5.1f} s  {step.words}", flush=True)
        with self._lock:
            self._is_over = True
            took = f" in {time.monotonic() - began:.0f} seconds" if self.shown.is_live else ""
            self.ended = self.ended or f"All {len(self._steps)} steps{took}."

    def _until(self, end: float, steps: Iterator[Frame]) -> Iterator[Frame]:
        is_late = False
        for step in steps:  # one more than is shown: whether a step was the last is known when the next is asked for
            if is_late:
                self.ended = f"Ended after {SECONDS:.0f} seconds, before its last step: this machine is busy or slow."
                return
            yield step
            is_late = self.shown.is_live and time.monotonic() > end

    def since(self, first: int) -> tuple[list[Frame], bool]:
        """The steps from this number on, and whether there will be no more."""
        with self._lock:
            return self._steps[first:], self._is_over

    def page(self, *, is_live: bool) -> str:
        """The page with all steps in it, or one that asks for them."""
        from .page import show_page

        return show_page(self.shown, [] if is_live else self.since(0)[0], is_live=is_live, ended=self.ended)


def check_writable(path: Path) -> None:
    """Refuses, before a minute is spent on it, a page that could not be written.

    Raises:
        InputError: it could not; it says why.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a folder")
        draft = beside(path)
        draft.touch()
        draft.unlink()
    except OSError as error:
        raise InputError(f"--page {path}: cannot be written ({error.strerror})") from None


def write(path: Path, page: str) -> None:
    """Writes a page beside its place and renames it.

    Raises:
        InputError: it cannot be written there.
    """
    try:
        draft = beside(path)
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
    print(f"written  {path}")


def listing() -> list[str]:
    """A line for each that can be shown, ordered by lecture; at most 100 columns."""
    found, lines = levels(), []
    width = max(len(shown.name) for shown in chain(*by_lecture().values()))
    for lecture, everything in by_lecture().items():
        lines += ["", LECTURES[lecture]]
        for shown in everything:
            kind = "live" if shown.is_live else "steps"
            line = f"  {shown.name:{width}}  {shown.claim}  {kind:5}  {found.get(shown.claim, '–'):14}  {shown.title}"
            lines.append(line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…")
    return [
        *lines[1:],
        "",
        "`lectern show NAME` opens a page: “live” trains or times something, one seed, no verdict; “steps”",
        "draws what a study computed. Beside the claim stands its committed verdict; a page ends with the",
        "command that judges it, `lectern reproduce A17`. All claims, one a screen: `lectern present cnn`.",
    ]
