"""What the verdicts and the scales mean, in the words and signs that every page has for them."""

from __future__ import annotations

from experiments.studies.verdict import Level

MEANING = {
    Level.EXACT: "an identity, computed on both sides, holds",
    Level.REPRODUCED: "the whole interval lies inside what the claim needs",
    Level.DIRECTION_ONLY: "the interval lies on the claimed side of no effect, but not inside what the claim needs",
    Level.NOT_REPRODUCED: "the interval lies at no effect or beyond it, or shows that there is none, at this scale",
    Level.ERRATUM: "computed, and the lecture's sentence is not so",
    Level.INCONCLUSIVE: "a validity check failed, or the interval decides neither way",
    Level.NOT_RUN: "there is no verdict yet",
}
SIGNS = {
    Level.EXACT: "=",
    Level.REPRODUCED: "✓",
    Level.DIRECTION_ONLY: "½",
    Level.NOT_REPRODUCED: "✗",
    Level.ERRATUM: "≠",
    Level.INCONCLUSIVE: "?",
    Level.NOT_RUN: "–",
}
"""Beside the word, so that a verdict is not told by its colour alone."""
INTERVALS = (
    "Intervals are 95 % Student t intervals over seeds, of ratios in logarithms; where some seeds are only bounds, they are of "
    "the median."
)
SCALES = {
    "cpu": "drawn or small data, minutes on two processor cores",
    "gpu": "the real data set on one GPU",
    "paper": "the original set-up",
}
