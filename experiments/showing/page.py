"""The pages: one picture that steps, and a claim a screen. One file each; nothing is fetched but from who serves it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from experiments.reports.moving.frame import Frame

from .catalogue import Shown
from .claims import Statement, claim

HERE = Path(__file__).parent / "templates"


def show_page(shown: Shown, steps: Sequence[Frame], *, is_live: bool, ended: str = "") -> str:
    """The page of a demonstration or a moving picture.

    Args:
        shown: what it is.
        steps: those that are there already.
        is_live: whether the page asks its server for more.
        ended: what is said of a demonstration that is over.
    """
    words = {"shown": shown, "claim": claim(shown.claim), "steps": steps, "is_live": is_live, "ended": ended}
    return _page("show.html", "player.js", f"{shown.title}: {shown.claim}", words)


def present_page(title: str, claims: Sequence[Statement], pictures: Mapping[str, Sequence[Frame]] | None) -> str:
    """The page of lectures, a claim a screen.

    Args:
        title: of the page.
        claims: in the order of the slides.
        pictures: the steps of each claim's picture; None where the page asks its server for them.
    """
    words = {"claims": claims, "pictures": pictures or {}, "is_live": pictures is None}
    return _page("present.html", "present.js", title, words)


def as_json(steps: Sequence[Frame], *, is_over: bool, ended: str = "") -> bytes:
    """Steps as a page's script reads them."""
    found = {"steps": [{"svg": s.svg, "words": s.words} for s in steps], "over": is_over, "ended": ended}
    return json.dumps(found).encode()


def _page(template: str, script: str, title: str, words: Mapping[str, object]) -> str:
    code = (HERE / script).read_text(encoding="utf-8")
    environment = _environment()
    return environment.get_template(template).render(
        title=title,
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(code),
        nonce=hashlib.sha256(code.encode()).hexdigest()[:24],
        svg=Markup,  # written by this project's own drawing, in which all text is escaped
        **words,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
