"""The verdict on shared weights, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures.cnn import shared_weights_generalise as sharing
from experiments.studies.results import Runs
from experiments.studies.verdict import Level


def runs(fc: float, local: float, conv: float, shuffled: tuple[float, float] = (0.4, 0.4), inside: bool = True) -> Runs:
    """Test errors of the three connections, and of full and shared ones with shuffled pixels; the same at every n."""
    errors = {
        sharing.name(connection, n): error
        for n in sharing.SAMPLES
        for connection, error in zip(("fc", "local", "conv"), (fc, local, conv), strict=True)
    }
    errors |= {
        sharing.name(connection, n, shuffled=True): error
        for n in sharing.SAMPLES
        for connection, error in zip(("fc", "conv"), shuffled, strict=True)
    }
    variants = {variant: {sharing.TEST_ERROR: [e, e + 0.002, e + 0.001]} for variant, e in errors.items()}
    return Runs.made_up(variants, inside={sharing.name("fc", 200): inside})


@pytest.mark.parametrize(
    ("made_up", "level"),
    [
        (runs(0.4, 0.35, 0.3), Level.REPRODUCED),
        (runs(0.4, 0.35, 0.3, shuffled=(0.4, 0.5)), Level.REPRODUCED),  # behind is not ahead
        (runs(0.4, 0.35, 0.3, shuffled=(0.4, 0.3)), Level.DIRECTION_ONLY),  # what helps is not that neighbours are alike
        (runs(0.4, 0.3, 0.35), Level.NOT_REPRODUCED),
        (runs(0.3, 0.3, 0.3), Level.NOT_REPRODUCED),
        (runs(0.83, 0.35, 0.3), Level.INCONCLUSIVE),
        (runs(0.4, 0.35, 0.3, inside=False), Level.INCONCLUSIVE),
    ],
)
def test_shared_weights_generalise(made_up: Runs, level: Level) -> None:
    assert sharing.verdict(made_up).level == level


def test_an_order_that_some_seeds_contradict_is_inconclusive() -> None:
    made_up = runs(0.4, 0.35, 0.3)
    variants = {run.variant: made_up.values(run.variant, sharing.TEST_ERROR) for run in made_up.all}
    variants["local, n=200"] = [0.35, 0.25, 0.39]
    changed = Runs.made_up({variant: {sharing.TEST_ERROR: errors} for variant, errors in variants.items()})
    assert sharing.verdict(changed).level == Level.INCONCLUSIVE
