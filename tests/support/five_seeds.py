"""What the tests of the studies of segmentation share: runs that nobody made, of five seeds."""

from __future__ import annotations

from typing import Any

from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Level, Verdict

from .made_up_verdicts import Values

NAN = float("nan")
EXACT, WHOLE, SOME, NOT, OPEN = (
    Level.EXACT,
    Level.REPRODUCED,
    Level.DIRECTION_ONLY,
    Level.NOT_REPRODUCED,
    Level.INCONCLUSIVE,
)
_SPREAD = (0.0, 0.004, -0.004, 0.002, -0.002)


def around(value: float) -> list[float]:
    """Five seeds with a spread of less than a point; those of two variants go with each other but in part."""
    return [value + x * (1 + value) for x in _SPREAD]


def times(value: float, spread: float = 0.1) -> list[float]:
    """Five positive numbers that differ by a factor."""
    return [value * (1 + spread * x / 0.004) for x in _SPREAD]


def levels(study: Study, variants: dict[str, Values], **options: Any) -> list[Level]:
    """Of each part, in order."""
    return [part.level for part in Verdict.of(study.parts(Runs.made_up(variants, **options))).parts.values()]
