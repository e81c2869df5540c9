"""A leaderboard and a team that knows nothing, and learns the public labels from the scores that the board shows it.

Blum & Hardt 2015, "The Ladder: a reliable leaderboard for machine learning competitions": the attack is their boosting attack
(section 4), the board that bears it their parameter-free Ladder (section 3). Two classes, of which a guess is right in half of
the cases: whether an answer is right is then all there is to a label.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt

import numpy as np

Board = Callable[[np.ndarray], "Told"]
"""From what submissions have right on the public images, bool (submissions, images), to what the board tells of them."""
Told = tuple[np.ndarray, np.ndarray]
"""Of each submission its score as the board shows it, in [0, 1], and whether that is news of a good one: (submissions,)."""

LAW = 1 / (pi * sqrt(2))
"""The gap is LAW · √(k/n) for k ≪ n: half of k guesses have scores above ½, each of them is right with ½ + 1/√(2πn) on the
public images, and the majority of these k/2 votes with ½ + LAW · √(k/n)."""


def full(right: np.ndarray) -> Told:
    """Every score as it is; good is what is above one half."""
    scores = right.mean(axis=1)
    return scores, scores > 0.5


def ladder(right: np.ndarray) -> Told:
    """The best score so far; another takes its place only where it is better by a standard error of the difference."""
    shown, news = np.empty(len(right)), np.zeros(len(right), bool)
    best, score = right[0], float(right[0].mean())
    for i, own in enumerate(right):
        error = float((own.astype(float) - best).std()) / sqrt(len(own))
        if i == 0 or own.mean() - score > error:
            best, score, news[i] = own, float(own.mean()), True
        shown[i] = score
    return shown, news


def climb(right: np.ndarray, board: Board, follows: bool, rng: np.random.Generator) -> tuple[float, float]:
    """What the board shows of the last submission, the majority of the good ones, and what it is worth.

    Args:
        right: bool (submissions, 2 n), what each guess has right; the first n images are the public ones.
        board: what tells of submissions.
        follows: whether the team goes by what it is told; if not, it takes half of its guesses at random.
        rng: breaks ties.

    Returns:
        Its score on the board and its accuracy on the private images, both in [0, 1].
    """
    public = right.shape[1] // 2
    good = board(right[:, :public])[1] if follows else rng.permutation(len(right)) < len(right) // 2
    votes = 2 * right[good].sum(axis=0, dtype=int) - good.sum()
    answer = np.where(votes == 0, rng.random(len(votes)) < 0.5, votes > 0)
    shown = board(np.vstack([right[:, :public], answer[None, :public]]))[0][-1]
    return float(shown), float(answer[public:].mean())
