"""A line of the table that ``scripts/bench`` prints."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One comparison, both sides measured in turns."""

    what: str
    ours: float
    """In ``unit``."""
    peer: float
    """The same of what ours is compared with, in ``unit``; NaN where there is none."""
    unit: str
    wanted: str
    """What is aimed at, in words."""
