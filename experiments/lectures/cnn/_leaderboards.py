"""A leaderboard and a team that knows nothing, and learns the public labels from the scores that the board shows it.

Blum & Hardt 2015, "The Ladder: a reliable leaderboard for machine learning competitions": the attack is their boosting attack
(section 4), the board that bears it their parameter-free Ladder (section 3). Two classes, of which a guess is right in half of
the cases: whether an answer is right is then all there is to a label.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from pathlib import Path

import numpy as np

from experiments.studies.study import Measured

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


IMAGES, FEW_IMAGES = 10_000, 1000
SUBMISSIONS = (30, 100, 300, 1000)
REPETITIONS = 10
"""Contests a seed, whose mean it is: a hundred in all."""
BOARDS: dict[str, Board] = {"full": full, "ladder": ladder}
GAP, PRIVATE = f"gap of {SUBMISSIONS[-1]}", f"private of {SUBMISSIONS[-1]}"


def contest(*, seed: int, folder: Path, board: str, follows: bool) -> Measured:
    """Public and private scores after so many submissions, in percent, and the gap between them, by submissions and images."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {}
    for _ in range(REPETITIONS):
        right = rng.integers(0, 2, (SUBMISSIONS[-1], 2, IMAGES), dtype=np.uint8).astype(bool)
        sizes = [*((k, IMAGES, f"{k}") for k in SUBMISSIONS), (SUBMISSIONS[-2], FEW_IMAGES, "few images")]
        for k, images, name in sizes:
            shown, private = climb(right[:k, :, :images].reshape(k, -1), BOARDS[board], follows, rng)
            for kind, value in {"public": shown, "private": private, "gap": shown - private}.items():
                found.setdefault(f"{kind} of {name}", []).append(100 * value)
    values = {name: float(np.mean(numbers)) for name, numbers in found.items()}
    kinds = {"public score, %": "public", "private score, %": "private", "public − private, points": "gap"}
    curves = {title: [(float(k), values[f"{kind} of {k}"]) for k in SUBMISSIONS] for title, kind in kinds.items()}
    law = {
        "law in k": values[GAP] / values[f"gap of {SUBMISSIONS[0]}"] / sqrt(SUBMISSIONS[-1] / SUBMISSIONS[0]),
        "law in n": values["gap of few images"] / values[f"gap of {SUBMISSIONS[-2]}"] / sqrt(IMAGES / FEW_IMAGES),
        "constant": values[GAP] / 100 / sqrt(SUBMISSIONS[-1] / IMAGES),
    }
    return Measured(values | law, curves)


def human_interval() -> tuple[float, float]:
    """95 % interval (Wilson) of 5.1 % wrong of 1,500 images, in percent: Karpathy's sample, Russakovsky et al. 2015, 6.4."""
    p, n, z = 0.051, 1500, 1.96
    middle, half = p + z**2 / (2 * n), z * sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return 100 * (middle - half) / (1 + z**2 / n), 100 * (middle + half) / (1 + z**2 / n)
