"""Text that is only text, in Markdown: what runs, verdicts and data are called may be a stranger's.

One function for every page: ``report.md`` of a run, the report of all studies, the table in the README, and the dashboard,
whose Streamlit adds colours, emoji and formulas to Markdown. Backslashes stand where CommonMark 0.31 (section 2.4) lets them
take a character's meaning away. The addresses that GitHub and Streamlit turn into links by themselves, and the names of emoji,
are found after that, in the text as it is shown: they are parted by a word joiner, which nobody sees.
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote

_SPACES = re.compile(r"[ \t\r\n\f\v\x85\u2028\u2029]+")  # narrow spaces between thousands stay
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Also the marks that turn the direction of writing, and what is lone of a pair in UTF-16, which no file can hold."""
_MEANS = re.compile(r"([\\`*_<>\[\]|#&~$]|:(?=[\w+-]))")
"""What begins or ends something within a line: code, emphasis, link, tag, cell, entity, formula, emoji, colour."""
_BEGINS = re.compile(r"^(\d*)([-+=.)])(?=\s|[-=\s]*$)")
"""What begins a list at the start of a line, or is a rule or underlines the line before."""
_LATER = re.compile(r"(?<=:)(?=//|[\w+/-]+:)|(?<=www)(?=\.)|(?=@)|(?<=mailto)(?=:)|(?<=xmpp)(?=:)", re.IGNORECASE)
_JOINER = "\u2060"


def plain(text: Any, longest: int = 10_000) -> str:
    """A text, on one line, in which nothing is taken for markup."""
    line = without_controls(text)
    line = f"{line[:longest]}…" if len(line) > longest else line
    return _BEGINS.sub(r"\1\\\2", _MEANS.sub(r"\\\1", _LATER.sub(_JOINER, line)))


def without_controls(text: Any) -> str:
    """A text on one line, in which no character does anything to the others; what is markup in it still is."""
    return _CONTROLS.sub("\ufffd", _SPACES.sub(" ", str(text))).strip()


def code(text: Any) -> str:
    """A text as it is typed, on one line; it has no backquote, and no cell of a table ends in it."""
    line = _CONTROLS.sub("\ufffd", _SPACES.sub(" ", str(text).replace("`", " "))).strip()
    return f"`{line or ' '}`".replace("|", "\\|")


def picture(says: Any, path: str) -> str:
    """A picture beside the page, by its relative path; ``says`` stands where it cannot be shown."""
    return f"![{plain(says)}](<{quote(path.replace(os.sep, '/'))}>)"


def link(says: Any, path: str) -> str:
    """A link to a file beside the page, by its relative path."""
    return f"[{plain(says)}](<{quote(path.replace(os.sep, '/'))}>)"
