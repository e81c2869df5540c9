"""The verdict on shared weights, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures.cnn import shared_weights_generalise as sharing
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns

SPREAD = (0.0, 0.004, -0.004, 0.002, -0.002)


def runs(
    fc: float,
    local: float,
    conv: float,
    shuffled: tuple[float, float] = (0.4, 0.4),
    inside: bool = True,
    smallest: float | None = None,
) -> Runs:
    """Test errors of the three connections, and of full and shared ones with shuffled pixels; the same at every n, but for
    ``smallest``, local connections' at the least n."""
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
    if smallest is not None:
        errors[sharing.name("local", sharing.SAMPLES[0])] = smallest
    variants = {
        variant: {sharing.TEST_ERROR: [e + (x if "local" in variant else -x) for x in SPREAD]} for variant, e in errors.items()
    }
    return Runs.made_up(variants, inside={sharing.name("fc", 200): inside})


def levels(made_up: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(sharing.study.parts(made_up)).parts.values())


@pytest.mark.parametrize(
    ("made_up", "sharing_level", "local_level"),
    [
        (runs(0.4, 0.35, 0.3), Level.REPRODUCED, Level.REPRODUCED),
        (runs(0.4, 0.35, 0.3, shuffled=(0.4, 0.5)), Level.REPRODUCED, Level.REPRODUCED),  # behind is not ahead
        (runs(0.4, 0.35, 0.3, shuffled=(0.4, 0.3)), Level.DIRECTION_ONLY, Level.DIRECTION_ONLY),  # neighbours are not why
        (runs(0.4, 0.3, 0.35), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (runs(0.3, 0.35, 0.3), Level.REPRODUCED, Level.NOT_REPRODUCED),
        (runs(0.4, 0.35, 0.3, smallest=0.3), Level.INCONCLUSIVE, Level.REPRODUCED),  # open at one n
        (runs(0.88, 0.35, 0.3), Level.INCONCLUSIVE, Level.INCONCLUSIVE),
        (runs(0.4, 0.35, 0.3, inside=False), Level.INCONCLUSIVE, Level.INCONCLUSIVE),
    ],
)
def test_shared_weights_generalise(made_up: Runs, sharing_level: Level, local_level: Level) -> None:
    assert levels(made_up) == (sharing_level, local_level)


def test_sharing_turns() -> None:
    # That the control is ahead by at most two points allows none, which no exchange can turn.
    assert_exchange_turns(sharing.study, runs(0.4, 0.35, 0.3))
