"""The ladder that a claim is placed on, from an identity that holds to a claim that nobody has run."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """Where a claim, or a part of it, stands."""

    EXACT = "exact"
    """An identity holds: integers equal, or numbers within the tolerance that the study states."""
    REPRODUCED = "reproduced"
    """The whole interval lies inside what the claim needs."""
    DIRECTION_ONLY = "direction only"
    """The interval lies on the claimed side of no effect, but not inside the need."""
    NOT_REPRODUCED = "not reproduced"
    """The interval lies at or beyond no effect on the other side, or shows that there is none within a declared margin."""
    ERRATUM = "erratum"
    """Computed, and the lecture's sentence is not so."""
    INCONCLUSIVE = "inconclusive"
    """A validity check failed, or the interval decides neither way."""
    NOT_RUN = "not run"
