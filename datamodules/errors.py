"""What a person, or a data set, got wrong. Nothing here imports torch: a mistake can be said before that is loaded."""

from __future__ import annotations

import re


class InputError(ValueError):
    """Something that a person gave is wrong: its message is one line that says what, where, and what would be right.

    A message often holds a name that data gave; it is :func:`printable`, so that no such name can command a terminal.
    """

    def __init__(self, message: object) -> None:
        super().__init__(printable(str(message)))


class SceneError(InputError):
    """A scene that breaks the contract: its message says which file and what is wrong with it."""


class UnknownClassError(SceneError):
    """A scene of other classes than its data set has: it says that the data are not those meant, so nothing passes it over."""


def printable(text: str) -> str:
    """Text for a terminal: control bytes, lone surrogates and marks that turn the direction of writing are spelled out.

    Ends of lines and tabs stay.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def quoted(value: object, length: int = 80) -> str:
    """A value that data gave, as a message shows it: printable, on one line and not long; a text in quotes."""
    if isinstance(value, str):
        return f"'{printable(value[:length].translate(_ENDS))}{'…' if len(value) > length else ''}'"
    return f"{value}" if isinstance(value, int | float | None) else f"a {type(value).__name__}"


_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ENDS = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})
