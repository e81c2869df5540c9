"""What the verdicts and the scales mean, in the words and signs that every page has for them."""

from __future__ import annotations

from experiments.studies.verdict import Level

MEANING = {
    Level.EXACT: "an identity, computed on both sides, holds",
    Level.REPRODUCED: "measured as the lecture says, in every seed",
    Level.DIRECTION_ONLY: "the direction holds, the size or a part of the claim does not",
    Level.NOT_REPRODUCED: "the measurement contradicts the claim at this scale",
    Level.INCONCLUSIVE: "a validity check failed, or the numbers decide neither way",
    Level.NOT_RUN: "nobody has run it here",
}
SIGNS = {
    Level.EXACT: "=",
    Level.REPRODUCED: "✓",
    Level.DIRECTION_ONLY: "½",
    Level.NOT_REPRODUCED: "✗",
    Level.INCONCLUSIVE: "?",
    Level.NOT_RUN: "–",
}
"""Beside the word, so that a verdict is not told by its colour alone."""
SCALES = {
    "cpu": "drawn or small data, minutes on two processor cores",
    "gpu": "the real data set on one GPU",
    "paper": "the original set-up",
}
