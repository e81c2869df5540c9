"""What is said of a data set that is used all the same."""

from __future__ import annotations

from pytorch_lightning.utilities import rank_zero_warn


class Remark(Warning):
    """Something about the data that a person should know: files passed over, a split that had to be made."""


def say(text: str) -> None:
    """Says it on stderr, once, and on the first of several processes alone; nothing where it is empty."""
    if text:
        rank_zero_warn(text, category=Remark)
