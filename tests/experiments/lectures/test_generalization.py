"""The verdicts on regularisation and on the learning rate's decay, on runs that nobody made."""

from __future__ import annotations

import pytest

from experiments.lectures._chosen import chosen
from experiments.lectures.cnn import augmentation_improves_generalisation as augmentation
from experiments.lectures.cnn import dropout_is_for_fully_connected_layers as dropout
from experiments.lectures.cnn import learning_rate_decay_helps as lr_decay
from experiments.lectures.cnn import weight_decay_improves_generalisation as decay
from experiments.lectures.cnn._few_scenes import TEST_ERROR, VALIDATION_ERROR
from experiments.lectures.cnn._small_net import TRAINING_ERROR
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from tests.support.chosen_before import ChosenBefore, chosen_before
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

CHANCE = 0.92
APART = [0.20, 0.40, 0.25, 0.35, 0.26]


def levels(parts: object) -> dict[str, Level]:
    return {key: part.level for key, part in Verdict.of(parts).parts.items()}  # type: ignore[arg-type]


# Dropout --------------------------------------------------------------------------------------------------------------


def dropped(
    none: list[float], fc: list[float], everywhere: list[float], best: tuple[int, int] = (1, 0), **kwargs: dict[str, bool]
) -> ChosenBefore:
    """Validation data chooses the one at ``best`` of the fully connected layer and of all; the others are worse."""
    chosen = {dropout.NONE: none, dropout.FC[best[0]]: fc, dropout.CONV[0]: five(0.3), dropout.ALL[best[1]]: everywhere}
    judged = {variant: {TEST_ERROR: chosen.get(variant, five(0.6))} for variant in dropout.study.variants}
    tuning = {variant: {VALIDATION_ERROR: 0.2 if variant in chosen else 0.5} for variant in dropout.study.variants}
    return chosen_before(judged, tuning, **kwargs)


@pytest.mark.parametrize(
    ("none", "fc", "everywhere", "helps", "only"),
    [
        (five(0.30), five(0.25), five(0.27), Level.REPRODUCED, Level.REPRODUCED),
        (five(0.30), five(0.25), APART, Level.REPRODUCED, Level.INCONCLUSIVE),
        (five(0.30), five(0.25), five(0.20), Level.REPRODUCED, Level.NOT_REPRODUCED),
        (five(0.30), five(0.35), five(0.40), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (five(0.30), five(0.30), five(0.30), Level.NOT_REPRODUCED, Level.NOT_REPRODUCED),
        (five(0.30), APART, five(0.50), Level.INCONCLUSIVE, Level.REPRODUCED),
        (five(CHANCE), five(0.25), five(0.27), Level.INCONCLUSIVE, Level.INCONCLUSIVE),
        (five(0.30), five(0.25), five(CHANCE), Level.REPRODUCED, Level.REPRODUCED),  # only the control is gated
    ],
)
def test_dropout(none: list[float], fc: list[float], everywhere: list[float], helps: Level, only: Level) -> None:
    assert levels(dropout.parts(dropped(none, fc, everywhere))) == {"a": helps, "b": only}


def test_a_rate_at_the_edge_is_a_matter_of_the_part_that_rests_on_it() -> None:
    runs = dropped(five(0.30), five(0.25), five(0.27), inside={dropout.ALL[0]: False, dropout.FC[0]: False})
    assert levels(dropout.parts(runs)) == {"a": Level.REPRODUCED, "b": Level.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("best", "helps", "only"),
    [
        ((0, 0), Level.INCONCLUSIVE, Level.INCONCLUSIVE),
        ((len(dropout.FC) - 1, 0), Level.INCONCLUSIVE, Level.INCONCLUSIVE),
        ((2, 1), Level.REPRODUCED, Level.REPRODUCED),
        ((2, 2), Level.REPRODUCED, Level.INCONCLUSIVE),  # the greatest of the convolutions
    ],
)
def test_a_probability_at_an_end_of_those_tried_decides_nothing(best: tuple[int, int], helps: Level, only: Level) -> None:
    runs = dropped(five(0.30), five(0.25), five(0.27), best)
    assert levels(dropout.parts(runs)) == {"a": helps, "b": only}


def test_an_exchange_turns_dropout() -> None:
    assert_exchange_turns(dropout.study, dropped(five(0.30), five(0.25), five(0.27)))


# Augmentation ---------------------------------------------------------------------------------------------------------


def augmented(
    none: tuple[list[float], list[float]],
    everything: tuple[list[float], list[float]],
    noise: float = 0.28,
    **kwargs: dict[str, bool],
) -> Runs:
    """Test and training error of each variant."""
    made = {augmentation.NONE: none, augmentation.ALL: everything}
    made |= {augmentation.NOISY: (five(noise), five(0.05))}
    made |= dict.fromkeys(("flip", "shift"), (five(0.28), five(0.05)))
    return Runs.made_up({name: {TEST_ERROR: test, TRAINING_ERROR: train} for name, (test, train) in made.items()}, **kwargs)


@pytest.mark.parametrize(
    ("none", "everything", "level"),
    [
        ((five(0.30), five(0.0)), (five(0.20), five(0.10)), Level.REPRODUCED),
        ((five(0.30), five(0.20)), (five(0.20), five(0.05)), Level.DIRECTION_ONLY),
        ((five(0.30), five(0.0)), (five(0.40), five(0.10)), Level.NOT_REPRODUCED),
        ((five(0.30), five(0.0)), (APART, five(0.10)), Level.INCONCLUSIVE),
        ((five(CHANCE), five(0.0)), (five(0.20), five(0.10)), Level.INCONCLUSIVE),
    ],
)
def test_augmentation(none: tuple[list[float], list[float]], everything: tuple[list[float], list[float]], level: Level) -> None:
    assert levels(augmentation.parts(augmented(none, everything)))["a"] == level


@pytest.mark.parametrize(("noise", "level"), [(0.28, Level.REPRODUCED), (0.35, Level.NOT_REPRODUCED)])
def test_noise_is_judged_by_itself(noise: float, level: Level) -> None:
    runs = augmented((five(0.30), five(0.0)), (five(0.20), five(0.10)), noise, inside={augmentation.ALL: False})
    assert levels(augmentation.parts(runs)) == {"a": Level.INCONCLUSIVE, "b": level}


def test_an_exchange_turns_augmentation() -> None:
    assert_exchange_turns(augmentation.study, augmented((five(0.30), five(0.0)), (five(0.20), five(0.10))))


# Weight decay ---------------------------------------------------------------------------------------------------------


def decayed(
    none: list[float], l2: list[float], l1: list[float], sparsity_of_l1: float = 0.5, **kwargs: dict[str, bool]
) -> ChosenBefore:
    """Of each norm validation data chooses the second factor; the first is worse on it, and better in the test."""
    chosen = {decay.NONE: none, decay.L2[1]: l2, decay.L1[1]: l1}
    judged = {
        variant: {
            TEST_ERROR: chosen.get(variant, five(0.1)),
            decay.SMALL: five(sparsity_of_l1 if variant in decay.L1 else 0.2),
            decay.ZERO: [0.0] * 5,
        }
        for variant in decay.study.variants
    }
    return chosen_before(judged, {v: {VALIDATION_ERROR: 0.2 if v in chosen else 0.5} for v in judged}, **kwargs)


@pytest.mark.parametrize(
    ("none", "l2", "l1", "sparsity_of_l1", "expected"),
    [
        (five(0.30), five(0.25), five(0.27), 0.5, (Level.REPRODUCED, Level.REPRODUCED, Level.REPRODUCED)),
        (five(0.30), five(0.25), five(0.27), 0.1, (Level.REPRODUCED, Level.REPRODUCED, Level.NOT_REPRODUCED)),
        (five(0.30), five(0.35), five(0.25), 0.5, (Level.NOT_REPRODUCED, Level.REPRODUCED, Level.REPRODUCED)),
        (five(0.30), five(0.30), five(0.30), 0.2, (Level.NOT_REPRODUCED,) * 3),
        (five(0.30), APART, five(0.27), 0.5, (Level.INCONCLUSIVE, Level.REPRODUCED, Level.REPRODUCED)),
        (five(CHANCE), five(0.25), five(0.27), 0.5, (Level.INCONCLUSIVE,) * 3),
    ],
)
def test_weight_decay(
    none: list[float], l2: list[float], l1: list[float], sparsity_of_l1: float, expected: tuple[Level, ...]
) -> None:
    found = levels(decay.parts(decayed(none, l2, l1, sparsity_of_l1)))
    assert tuple(found.values()) == expected
    assert Verdict.of(decay.parts(decayed(none, l2, l1))).parts["c"].beyond


def test_a_rate_of_no_decay_at_the_edge_leaves_decay_open() -> None:
    runs = decayed(five(0.30), five(0.25), five(0.27), inside={decay.NONE: False})
    assert levels(decay.parts(runs)) == {"a": Level.INCONCLUSIVE, "b": Level.INCONCLUSIVE, "c": Level.REPRODUCED}


def test_an_exchange_turns_weight_decay() -> None:
    assert_exchange_turns(decay.study, decayed(five(0.30), five(0.25), five(0.27)))


# The choice of a setting ------------------------------------------------------------------------------------------------


def test_a_setting_is_chosen_on_validation_data_of_seeds_that_are_not_judged() -> None:
    lucky, good = decay.L2
    runs = decayed(five(0.30), five(0.25), five(0.27))
    assert chosen(runs, decay.L2, VALIDATION_ERROR) == good
    assert chosen(runs, decay.L2, TEST_ERROR) in decay.L2  # no tuning run has it: nothing to tell them apart
    assert runs.values(lucky, TEST_ERROR) == five(0.1)
    with pytest.raises(ValueError, match="no run with a tuning seed"):
        chosen(Runs.made_up({good: {TEST_ERROR: five(0.1)}}), [good], TEST_ERROR)


# The learning rate's decay --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constant", "steps", "cosine", "level"),
    [
        (five(0.20), five(0.15), five(0.15), Level.REPRODUCED),
        (five(0.20), five(0.20), five(0.15), Level.NOT_REPRODUCED),
        (five(0.20), five(0.20), five(0.20), Level.NOT_REPRODUCED),
        (five(0.20), five(0.25), five(0.25), Level.NOT_REPRODUCED),
        (five(0.20), [0.10, 0.30, 0.20, 0.1, 0.3], [0.10, 0.30, 0.20, 0.1, 0.3], Level.INCONCLUSIVE),
        (five(CHANCE), five(0.15), five(0.15), Level.INCONCLUSIVE),
    ],
)
def test_learning_rate_decay(constant: list[float], steps: list[float], cosine: list[float], level: Level) -> None:
    errors = {"constant": constant, "steps": steps, "cosine": cosine}
    variants = {variant: {TRAINING_ERROR: values, TEST_ERROR: values} for variant, values in errors.items()}
    assert Verdict.of(lr_decay.parts(Runs.made_up(variants))).level == level
    assert Verdict.of(lr_decay.parts(Runs.made_up(variants, inside={"constant": False}))).level == Level.INCONCLUSIVE


def test_an_exchange_turns_learning_rate_decay() -> None:
    errors = {"constant": five(0.20), "steps": five(0.15), "cosine": five(0.15)}
    made = {variant: {TRAINING_ERROR: values, TEST_ERROR: values} for variant, values in errors.items()}
    assert_exchange_turns(lr_decay.study, Runs.made_up(made))
