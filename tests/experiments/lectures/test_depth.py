"""The verdicts on depth, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures.cnn import deeper_residual_nets_are_better, plain_nets_degrade, residual_nets_do_not_degrade
from experiments.lectures.cnn._depth import ERROR
from experiments.studies.results import Runs
from experiments.studies.verdict import Level

GOOD, BAD, CHANCE = [0.10, 0.11, 0.105], [0.40, 0.42, 0.41], [0.83, 0.83, 0.83]
UNTUNED = {"inside": {"plain-20": False}}


def errors(**variants: list[float]) -> dict[str, dict[str, list[float]]]:
    """Variants by names in which ``_`` stands for what a Python name cannot hold."""
    names = {variant: variant.replace("_x", ", 3×").replace("_", "-") for variant in variants}
    return {names[variant]: {ERROR: values, "test/error": [v + 0.02 for v in values]} for variant, values in variants.items()}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (errors(plain_56=BAD, plain_20=GOOD, plain_56_x=BAD, plain_20_x=GOOD), {}, Level.REPRODUCED),
        (errors(plain_56=BAD, plain_20=GOOD, plain_56_x=GOOD, plain_20_x=GOOD), {}, Level.DIRECTION_ONLY),
        (errors(plain_56=GOOD, plain_20=GOOD, plain_56_x=GOOD, plain_20_x=GOOD), {}, Level.NOT_REPRODUCED),
        (errors(plain_56=GOOD, plain_20=BAD, plain_56_x=GOOD, plain_20_x=BAD), {}, Level.NOT_REPRODUCED),
        (errors(plain_56=CHANCE, plain_20=CHANCE, plain_56_x=CHANCE, plain_20_x=CHANCE), {}, Level.INCONCLUSIVE),
        (errors(plain_56=BAD, plain_20=GOOD, plain_56_x=BAD, plain_20_x=GOOD), UNTUNED, Level.INCONCLUSIVE),
        (errors(plain_56=[0.1, 0.4, 0.1], plain_20=GOOD, plain_56_x=BAD, plain_20_x=GOOD), {}, Level.INCONCLUSIVE),
    ],
)
def test_plain_nets(variants: dict[str, dict[str, list[float]]], options: dict[str, dict[str, bool]], level: Level) -> None:
    assert plain_nets_degrade.verdict(Runs.made_up(variants, **options)).level == level


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (errors(plain_56=BAD, residual_56=GOOD, residual_20=GOOD), {}, Level.REPRODUCED),
        (errors(plain_56=BAD, residual_56=[0.2, 0.21, 0.2], residual_20=GOOD), {}, Level.DIRECTION_ONLY),
        (errors(plain_56=GOOD, residual_56=GOOD, residual_20=GOOD), {}, Level.NOT_REPRODUCED),
        (errors(plain_56=BAD, residual_56=CHANCE, residual_20=GOOD), {}, Level.INCONCLUSIVE),
        (errors(plain_56=BAD, residual_56=GOOD, residual_20=GOOD), {"inside": {"residual-56": False}}, Level.INCONCLUSIVE),
    ],
)
def test_residual_nets(variants: dict[str, dict[str, list[float]]], options: dict[str, dict[str, bool]], level: Level) -> None:
    assert residual_nets_do_not_degrade.verdict(Runs.made_up(variants, **options)).level == level


@pytest.mark.parametrize(
    ("shallow_to_deep", "test_of_deepest", "level"),
    [
        ((0.40, 0.30, 0.20, 0.10), 0.10, Level.REPRODUCED),
        ((0.40, 0.30, 0.20, 0.10), 0.50, Level.DIRECTION_ONLY),
        ((0.40, 0.20, 0.30, 0.10), 0.10, Level.INCONCLUSIVE),
        ((0.20, 0.20, 0.20, 0.20), 0.20, Level.NOT_REPRODUCED),
        ((0.10, 0.20, 0.30, 0.40), 0.40, Level.NOT_REPRODUCED),
        ((0.84, 0.30, 0.20, 0.10), 0.10, Level.INCONCLUSIVE),
    ],
)
def test_deeper_is_better(shallow_to_deep: tuple[float, ...], test_of_deepest: float, level: Level) -> None:
    names = reversed(deeper_residual_nets_are_better.NAMES)
    variants = {name: {ERROR: [v, v + 0.001, v], "test/error": [v] * 3} for name, v in zip(names, shallow_to_deep, strict=True)}
    variants["residual-56"]["test/error"] = [test_of_deepest] * 3
    assert deeper_residual_nets_are_better.verdict(Runs.made_up(variants)).level == level
