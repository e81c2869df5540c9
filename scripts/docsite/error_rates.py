"""How often a verdict errs: simulated studies whose truth is known, judged by the code that judges the real ones.

The page's numbers are computed when the site is built. ``tests/experiments/studies/test_statistics.py`` holds their
bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from experiments.reports.style import figure_with_axes, line_style
from experiments.showing.claims import records
from experiments.studies.effects import Effect
from experiments.studies.levels import Level
from experiments.studies.needs import Needs
from experiments.studies.statistics import t_interval

from . import drawn

SEEDS = (3, 5, 8)
REPETITIONS = 8000
"""Of each case: a rate of 2.5 % is then known to .35 points (two standard errors)."""
POSITIVE = frozenset({Level.REPRODUCED, Level.DIRECTION_ONLY})
EFFECTS = tuple(float(x) for x in np.arange(-1, 4.01, 0.25))
"""True effects of the figure, in standard deviations of one seed."""


class Case(NamedTuple):
    """A truth, and the verdict that would be wrong of it."""

    truth: str
    effect: float
    """In standard deviations of one seed."""
    claim: str
    needs: Needs
    wrong: Collection[Level]


CASES = (
    Case("there is no effect", 0, "more than nothing", Needs(low=0), POSITIVE),
    Case("the effect is at the bound, just too small", 1, "at least 1", Needs(low=1), {Level.REPRODUCED}),
    Case("the effect is 1, just too large", 1, "within ±1", Needs(-1, 1), {Level.REPRODUCED}),
    Case("there is a small effect on the claimed side, 0.25", 0.25, "at least 1", Needs(low=1), {Level.NOT_REPRODUCED}),
)


def pages() -> dict[str, str]:
    """The page's Markdown, by its path on the site."""
    judged = sum(any(effect.needs for effect in record.headline.effects) for record in records().values())
    lines = [
        HEAD.format(repetitions=REPETITIONS),
        f"| seeds | {' | '.join(map(str, SEEDS))} |",
        "|---|" + "---|" * len(SEEDS),
        f"| the interval holds the truth | {' | '.join(_percent(coverage(seeds)) for seeds in SEEDS)} |",
        WRONG,
        f"| what is true | the claim | wrong verdict | {' | '.join(f'{seeds} seeds' for seeds in SEEDS)} |",
        "|---|---|---|" + "---|" * len(SEEDS),
        *(f"| {' | '.join(_row(case))} |" for case in CASES),
        RIGHT,
        drawn.place("error-rates", lambda: drawn.figure(levels_by_effect(5, Needs(low=1)))),
        TAIL.format(judged=judged, wrong=f"{0.025 * judged:.1f}"),
    ]
    return {"error_rates.md": "\n".join(lines)}


HEAD = """# How often a verdict errs

The rule of a verdict is simple enough to be tried on studies whose truth is known. Here each seed's number is the
true effect plus normal noise; effects are counted in standard deviations of that noise. The simulated studies are
judged by the code that judges the real ones (`Effect` and `Needs` of `experiments.studies`), {repetitions} times
each, so that a rate of 2.5 % is known to .35 points (two standard errors). The rates are computed when the site is
built; the test suite holds the bounds too (`tests/experiments/studies/test_statistics.py`).

## The interval

A 95 % interval is to hold the true mean in 95 of 100 studies, whatever the number of seeds.
"""
WRONG = """
## Wrong verdicts

A level follows from the interval alone. So a wrong one should come in 2.5 of 100 studies, or fewer: the interval has
to miss the truth on one side.
"""
RIGHT = """
## Which verdict an effect gets

A claim that needs at least 1, five seeds. Right of the dotted line the claim is true. A study of few seeds is seldom
wrong: where it does not know, it says “inconclusive”. How far an effect must lie from a bound to be told from it is
the “smallest effect that would have been found”, which every inconclusive verdict names.
"""
TAIL = """
## What this does not say

- The noise of real runs is not exactly normal. Of numbers that only have a bound (a run that missed its threshold),
  the interval is the median's, which assumes no law.
- A part with several effects is reproduced where all of them are: that is wrong less often.
- {judged} of the committed verdicts rest on an interval in what they are named by. Were every one of these claims
  false by a hair, about {wrong} of them would be called reproduced all the same.
- A learning rate is tuned on seeds that are not judged, so that no lucky run decides; a rate that is tuned badly is a
  fault that no interval shows.
"""


def coverage(seeds: int) -> float:
    """How often the interval of a study holds the true mean."""
    intervals = np.array([t_interval(row) for row in _numbers(0, seeds)])
    return float(np.mean((intervals[:, 0] <= 0) & (intervals[:, 1] >= 0)))


def rate(case: Case, seeds: int) -> float:
    """How often a study of so many seeds is given the wrong verdict."""
    found = levels(case.effect, seeds, case.needs)
    return sum(found[level] for level in case.wrong) / found.total()


@cache
def levels(effect: float, seeds: int, needs: Needs, repetitions: int = REPETITIONS) -> Counter[Level]:
    """How many studies stand where.

    Args:
        effect: the true one, in standard deviations of one seed.
        seeds: of a study.
        needs: what the claim needs.
        repetitions: studies.
    """
    return Counter(Effect("simulated", tuple(row), needs=needs).level for row in _numbers(effect, seeds, repetitions))


def levels_by_effect(seeds: int, needs: Needs) -> go.Figure:
    """The share of studies at each level, against the true effect."""
    shown = (Level.REPRODUCED, Level.DIRECTION_ONLY, Level.INCONCLUSIVE, Level.NOT_REPRODUCED)
    found = [levels(effect, seeds, needs, REPETITIONS // 32) for effect in EFFECTS]
    figure = figure_with_axes("true effect, in standard deviations", "share of studies", percent=True, rows=len(shown))
    for i, level in enumerate(shown):
        shares = [counted[level] / counted.total() for counted in found]
        figure.add_scatter(x=list(EFFECTS), y=shares, name=str(level), mode="lines", line=line_style(i))
    figure.add_vline(x=needs.low, line={"dash": "dot", "color": "rgba(128,128,128,0.9)"})
    return figure


def _numbers(effect: float, seeds: int, repetitions: int = REPETITIONS) -> Iterator[list[float]]:
    rng = np.random.default_rng([seeds, round(1000 * effect) + 10_000])
    return iter(rng.normal(effect, 1, (repetitions, seeds)).tolist())


def _row(case: Case) -> list[str]:
    wrong = " or ".join(sorted(map(str, case.wrong)))
    return [case.truth, case.claim, wrong, *map(_percent, map(partial(rate, case), SEEDS))]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
