"""Ten trainings of one net on the same data: how far apart they end, and what lies between them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import sqrt
from pathlib import Path

import torch

from experiments.studies.study import TUNING_SEED, Measured

from ._perceptrons import EightByEight, NetWeights, best_lr, digits, errors, losses, predictions, trained

NETS, STEPS = 10, 4000
SD = "SD of the test loss"
PLACES = torch.linspace(0, 1, 21).tolist()


@cache
def chosen_lr(width: int) -> tuple[float, bool]:
    """By the mean training loss of ten nets that are not judged."""
    train, _ = digits(0)
    seeds = range(TUNING_SEED, TUNING_SEED + NETS)
    return best_lr(lambda lr: float(losses(trained(train, seeds, width, lr, STEPS), *train).mean()))


def between(weights: NetWeights, test: EightByEight) -> list[float]:
    """Mean test loss above the line between its ends, at places of the straight way from each net to the next."""
    ends = losses(weights, *test)
    others, last = [w.roll(-1, 0) for w in weights], ends.roll(-1)
    found = []
    for place in PLACES:
        mixed = [(1 - place) * a + place * b for a, b in zip(weights, others, strict=True)]
        found.append(float((losses(mixed, *test) - (1 - place) * ends - place * last).mean()))
    return found


def train_ten(*, seed: int, folder: Path, width: int) -> Measured:
    """Ten nets on the data of all: how their test losses spread, how often two differ in an answer, and what lies between."""
    train, test = digits(0)
    lr, inside = chosen_lr(width)
    weights = trained(train, range(NETS * seed, NETS * (seed + 1)), width, lr, STEPS)
    found, answers, way = losses(weights, *test), predictions(weights, test.images), between(weights, test)
    values = {
        SD: float(found.std()),
        "test loss": float(found.mean()),
        "test error": float(errors(weights, test).mean()),
        "training error": float(errors(weights, train).mean()),
        "disagreement": float(torch.stack([(a != b).float().mean() for a, b in pairwise([*answers, answers[0]])]).mean()),
        "barrier": way[len(way) // 2],
        "rate": lr,
        "rate inside": float(inside),
    }
    ranked = [(float(i + 1), float(loss)) for i, loss in enumerate(found.sort().values)]
    return Measured(
        values,
        {"test loss, nets in order": ranked, "loss above the line between two nets": list(zip(PLACES, way, strict=True))},
    )


def of_f(nets: int) -> float:
    """What the ratio of two SDs of so many nets is divided by at the low end of its 95 % F interval."""
    from scipy import stats

    return sqrt(stats.f.ppf(0.975, nets - 1, nets - 1))
