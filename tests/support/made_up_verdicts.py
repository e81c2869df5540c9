"""Runs that nobody made, in the forms that the tests of verdicts share."""

from __future__ import annotations

Values = dict[str, list[float]]
"""Of one variant, by measure, a number a seed."""
Options = dict[str, dict[str, bool]]
"""What :class:`Runs` is told beside the values."""


def three(value: float, spread: float = 0.002) -> list[float]:
    """Three seeds that differ a little."""
    return [value, value + spread, value - spread]


def five(value: float, spread: float = 0.002) -> list[float]:
    """Five seeds that differ a little."""
    return [value, value + spread, value - spread, value + spread / 2, value - spread / 2]


APART = [0.4, 0.6, 0.2]
"""Three seeds that do not agree with those of :func:`three`."""


def untuned(variant: str) -> Options:
    """The variant's best rate lies at the edge of its grid."""
    return {"inside": {variant: False}}
