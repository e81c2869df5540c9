"""What a person, or a data set, got wrong. Nothing here imports torch: a mistake can be said before that is loaded."""

from __future__ import annotations


class InputError(ValueError):
    """Something that a person gave is wrong: its message is one line that says what, where, and what would be right."""


class SceneError(InputError):
    """A scene that breaks the contract: its message says which file and what is wrong with it."""
