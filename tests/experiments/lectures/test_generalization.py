"""The verdicts on regularisation and on the learning rate's decay, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures.cnn import augmentation_improves_generalisation as augmentation
from experiments.lectures.cnn import dropout_is_for_fully_connected_layers as dropout
from experiments.lectures.cnn import learning_rate_decay_helps as lr_decay
from experiments.lectures.cnn import weight_decay_improves_generalisation as decay
from experiments.lectures.cnn._few_scenes import TEST_ERROR
from experiments.lectures.cnn._small_net import TRAINING_ERROR
from experiments.studies.results import Runs
from experiments.studies.verdict import Level

CHANCE = 0.83


def near(value: float, spread: float = 0.002) -> list[float]:
    """Five seeds about a value."""
    return [value, value + spread, value - spread, value + spread / 2, value - spread / 2]


@pytest.mark.parametrize(
    ("none", "fc", "everywhere", "level"),
    [
        (near(0.30), near(0.25), near(0.27), Level.REPRODUCED),
        (near(0.30), near(0.25), [0.24, 0.26, 0.25, 0.27, 0.23], Level.DIRECTION_ONLY),
        (near(0.30), near(0.25), near(0.20), Level.NOT_REPRODUCED),
        (near(0.30), near(0.35), near(0.40), Level.NOT_REPRODUCED),
        (near(0.30), near(0.30), near(0.30), Level.NOT_REPRODUCED),
        (near(0.30), [0.20, 0.40, 0.25, 0.35, 0.26], near(0.50), Level.INCONCLUSIVE),
        (near(0.30), near(0.25), near(CHANCE), Level.INCONCLUSIVE),
    ],
)
def test_dropout(none: list[float], fc: list[float], everywhere: list[float], level: Level) -> None:
    errors = {"none": none, "fc": fc, "conv": near(0.3), "all": everywhere}
    variants = {variant: {TEST_ERROR: values} for variant, values in errors.items()}
    assert dropout.verdict(Runs.made_up(variants)).level == level
    assert dropout.verdict(Runs.made_up(variants, inside={"all": False})).level == Level.INCONCLUSIVE


@pytest.mark.parametrize(
    ("none", "everything", "level"),
    [
        ((near(0.30), near(0.0)), (near(0.20), near(0.10)), Level.REPRODUCED),
        ((near(0.30), near(0.20)), (near(0.20), near(0.05)), Level.DIRECTION_ONLY),
        ((near(0.30), near(0.0)), (near(0.40), near(0.10)), Level.NOT_REPRODUCED),
        ((near(0.30), near(0.0)), (near(0.30), near(0.10)), Level.NOT_REPRODUCED),
        ((near(0.30, 0.03), near(0.0)), (near(0.28, 0.03), near(0.1)), Level.INCONCLUSIVE),  # lower by less than 2 SD
        ((near(0.30), near(0.0)), (near(CHANCE), near(0.8)), Level.INCONCLUSIVE),
    ],
)
def test_augmentation(none: tuple[list[float], list[float]], everything: tuple[list[float], list[float]], level: Level) -> None:
    made = {"none": none, "all": everything} | dict.fromkeys(("flip", "shift", "noise"), (near(0.28), near(0.05)))
    variants = {variant: {TEST_ERROR: test, TRAINING_ERROR: train} for variant, (test, train) in made.items()}
    assert augmentation.verdict(Runs.made_up(variants)).level == level
    assert augmentation.verdict(Runs.made_up(variants, inside={"flip": False})).level == Level.INCONCLUSIVE


@pytest.mark.parametrize(
    ("none", "l2", "l1", "sparsity_of_l1", "level"),
    [
        (0.30, 0.25, 0.27, 0.5, Level.REPRODUCED),
        (0.30, 0.27, 0.25, 0.5, Level.REPRODUCED),
        (0.30, 0.25, 0.27, 0.1, Level.DIRECTION_ONLY),
        (0.30, 0.35, 0.35, 0.5, Level.DIRECTION_ONLY),
        (0.30, 0.35, 0.35, 0.1, Level.NOT_REPRODUCED),
        (0.30, 0.30, 0.30, 0.1, Level.NOT_REPRODUCED),
        (0.30, 0.25, CHANCE, 0.5, Level.INCONCLUSIVE),
    ],
)
def test_weight_decay(none: float, l2: float, l1: float, sparsity_of_l1: float, level: Level) -> None:
    errors = {decay.NONE: none} | dict.fromkeys(decay.L2, l2) | dict.fromkeys(decay.L1, l1)
    variants = {
        variant: {
            TEST_ERROR: near(error)[:3],
            decay.VALIDATION_ERROR: near(error)[:3],
            decay.SMALL: near(sparsity_of_l1 if variant in decay.L1 else 0.2)[:3],
            decay.ZERO: [0.0] * 3,
        }
        for variant, error in errors.items()
    }
    assert decay.verdict(Runs.made_up(variants)).level == level
    assert decay.verdict(Runs.made_up(variants, inside={decay.NONE: False})).level == Level.INCONCLUSIVE


def test_the_factor_of_decay_is_chosen_on_validation_data() -> None:
    chosen, lucky = decay.L2
    variants = {
        variant: {TEST_ERROR: near(0.3)[:3], decay.VALIDATION_ERROR: near(0.3)[:3], decay.SMALL: near(0.2)[:3]}
        for variant in decay.L1
    }
    variants |= {chosen: {**variants[decay.L1[0]], decay.VALIDATION_ERROR: near(0.2)[:3]}}
    variants |= {lucky: {**variants[decay.L1[0]], TEST_ERROR: near(0.1)[:3]}, decay.NONE: variants[decay.L1[0]]}
    assert decay.best(Runs.made_up(variants), (*decay.L2, *decay.L1)) == chosen


@pytest.mark.parametrize(
    ("constant", "steps", "cosine", "level"),
    [
        (near(0.20), near(0.15), near(0.15), Level.REPRODUCED),
        (near(0.20), near(0.20), near(0.15), Level.DIRECTION_ONLY),
        (near(0.20, 0.02), near(0.18, 0.02), near(0.18, 0.02), Level.DIRECTION_ONLY),  # by less than two SD
        (near(0.20), near(0.20), near(0.20), Level.NOT_REPRODUCED),
        (near(0.20), near(0.25), near(0.25), Level.NOT_REPRODUCED),
        (near(0.20), [0.10, 0.30, 0.20], [0.10, 0.30, 0.20], Level.INCONCLUSIVE),
        (near(CHANCE), near(0.15), near(0.15), Level.INCONCLUSIVE),
    ],
)
def test_learning_rate_decay(constant: list[float], steps: list[float], cosine: list[float], level: Level) -> None:
    errors = {"constant": constant, "steps": steps, "cosine": cosine}
    variants = {variant: {TRAINING_ERROR: values[:3], TEST_ERROR: values[:3]} for variant, values in errors.items()}
    assert lr_decay.verdict(Runs.made_up(variants)).level == level
    assert lr_decay.verdict(Runs.made_up(variants, inside={"constant": False})).level == Level.INCONCLUSIVE
