"""The verdicts on the networks that won ImageNet, and on LeNet-5, on runs that nobody made."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from experiments.lectures.cnn import _counts as counts
from experiments.lectures.cnn import a_finer_stem_is_better as zfnet
from experiments.lectures.cnn import alexnet_has_sixty_million_parameters as alexnet
from experiments.lectures.cnn import inception_saves_parameters as googlenet
from experiments.lectures.cnn import lenet_reads_digits as lenet
from experiments.lectures.cnn import small_filters_stack_up as vgg
from experiments.lectures.cnn._architectures import TEST_ERROR
from experiments.studies.results import Run, Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Check, Level, Verdict
from lightning_modules.networks import SmallConvNet
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

EXACT, WHOLE, SOME, NOT, OPEN = (
    Level.EXACT,
    Level.REPRODUCED,
    Level.DIRECTION_ONLY,
    Level.NOT_REPRODUCED,
    Level.INCONCLUSIVE,
)
APART = [0.20, 0.40, 0.25, 0.35, 0.26]
LOST = five(0.82)
"""No better than a guess."""


def made(errors: dict[str, list[float]], **kwargs: Any) -> Runs:
    return Runs.made_up({variant: {TEST_ERROR: values} for variant, values in errors.items()}, **kwargs)


def levels(study: Study, runs: Runs) -> dict[str, Level]:
    return {letter: part.level for letter, part in Verdict.of(study.parts(runs)).parts.items()}


# LeNet-5 --------------------------------------------------------------------------------------------------------------


def digits(old: list[float], modern: list[float], **kwargs: Any) -> Runs:
    return made({lenet.OLD: old, lenet.MODERN: modern}, **kwargs)


@pytest.mark.parametrize(
    ("old", "modern", "reads", "better"),
    [
        (five(0.018, 0.001), five(0.012, 0.001), WHOLE, WHOLE),
        (five(0.03, 0.001), five(0.012, 0.001), SOME, WHOLE),  # a threshold that is missed refutes nothing
        (five(0.018, 0.001), five(0.025, 0.001), WHOLE, NOT),
        (five(0.018, 0.001), five(0.018, 0.0012), WHOLE, NOT),  # the same
        ([0.02, 0.03, 0.021, 0.028, 0.02], [0.02, 0.018, 0.024, 0.029, 0.02], SOME, OPEN),
        (five(0.9), five(0.012, 0.001), OPEN, OPEN),
    ],
)
def test_lenet(old: list[float], modern: list[float], reads: Level, better: Level) -> None:
    assert levels(lenet.study, digits(old, modern)) == {"a": reads, "b": EXACT, "c": better}


def test_lenet_has_to_read_better_after_twenty_epochs() -> None:
    def after(steps: int) -> Level:
        curves = {"train/loss": [(49.0, 1.0), (float(steps), 0.1)]}
        runs = [
            Run(v, i, None, {TEST_ERROR: e}, curves)
            for v in (lenet.OLD, lenet.MODERN)
            for i, e in enumerate(five(0.018, 0.001))
        ]
        return levels(lenet.study, Runs(runs))["a"]

    assert (after(1549), after(15_599)) == (WHOLE, SOME)


def test_lenets_rates_are_those_of_the_short_runs() -> None:
    runs = digits(five(0.018, 0.001), five(0.012, 0.001), inside={lenet.MODERN + lenet.SHORT: False})
    assert levels(lenet.study, runs) == {"a": WHOLE, "b": EXACT, "c": OPEN}


def test_an_exchange_turns_lenet() -> None:
    assert_exchange_turns(lenet.study, digits(five(0.018, 0.001), five(0.012, 0.001)))


# The others, each part of which compares two nets ---------------------------------------------------------------------

COMPARED = [
    (alexnet.study, "b", alexnet.FULL, alexnet.NO_NORMALIZATION),
    (alexnet.study, "c", alexnet.FULL, alexnet.NO_OVERLAP),
    (alexnet.study, "d", alexnet.FULL, alexnet.NO_DROPOUT),
    (zfnet.study, "a", zfnet.FINE, zfnet.COARSE),
    (zfnet.study, "b", zfnet.FINE, zfnet.WIDE),
    (vgg.study, "b", vgg.STACKED, vgg.LARGE),
    (googlenet.study, "b", googlenet.INCEPTION, googlenet.PLAIN),
    (googlenet.study, "c", googlenet.AUXILIARY, googlenet.INCEPTION),
]
compared = pytest.mark.parametrize(
    ("study", "letter", "net", "other"), COMPARED, ids=[f"{s.claim}{x}" for s, x, *_ in COMPARED]
)


def pair(study: Study, net: str, other: str, errors: tuple[list[float], list[float]], **kwargs: Any) -> Runs:
    """Runs in which only these two differ from an error of 30 %."""
    return made(dict.fromkeys(study.variants, five(0.30)) | {net: errors[0], other: errors[1]}, **kwargs)


@compared
def test_a_part_has_each_of_its_levels(study: Study, letter: str, net: str, other: str) -> None:
    def level(first: list[float], second: list[float], **kwargs: Any) -> Level:
        return levels(study, pair(study, net, other, (first, second), **kwargs))[letter]

    assert level(five(0.20), five(0.26)) is WHOLE
    assert level(five(0.26), five(0.20)) is NOT
    assert level(APART, five(0.28)) is OPEN
    assert level(five(0.20), LOST) is OPEN, "the control has to learn"
    # Of no effect at all: within the margin, where there is one.
    same = level(five(0.20, 0.002), [0.201, 0.199, 0.2, 0.202, 0.198])
    assert same is (OPEN if (study, letter) == (alexnet.study, "c") else NOT)


@compared
def test_a_rate_at_the_edge_of_its_walk_leaves_a_part_open(study: Study, letter: str, net: str, other: str) -> None:
    walked = net if study.variant(net).lr_of is None else other
    if walked in study.tuned_variants:
        runs = pair(study, net, other, (five(0.20), five(0.26)), inside={walked: False})
        assert levels(study, runs)[letter] is OPEN


ORDERED: list[tuple[Study, dict[str, float]]] = [
    (alexnet.study, {alexnet.FULL: 0.2, **dict.fromkeys(alexnet.SAID, 0.3)}),
    (zfnet.study, {zfnet.FINE: 0.2, zfnet.WIDE: 0.3, zfnet.COARSE: 0.3}),
    (vgg.study, {vgg.STACKED: 0.2, vgg.LARGE: 0.3}),
    (googlenet.study, {googlenet.AUXILIARY: 0.2, googlenet.INCEPTION: 0.25, googlenet.PLAIN: 0.3}),
]


@pytest.mark.parametrize(("study", "errors"), ORDERED, ids=[study.claim for study, _ in ORDERED])
def test_an_exchange_turns_it(study: Study, errors: dict[str, float]) -> None:
    assert set(errors) == set(study.variants)
    assert_exchange_turns(study, made({variant: five(error) for variant, error in errors.items()}))


# What is counted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("study", [alexnet.study, vgg.study, googlenet.study], ids=lambda study: study.claim)
def test_the_counts_are_exact_whatever_was_trained(study: Study) -> None:
    part = Verdict.of(study.parts(made(dict.fromkeys(study.variants, LOST)))).headline
    assert part.level is EXACT and len(part.checks) >= 10


def test_operations_are_those_of_a_plain_count() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 5, 2, padding=2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(7))
    by_hand = 8 * 8 * 4 * 5 * 5 * 3 + 7 * 8 * 8 * 4
    assert counts.multiply_adds(network, 16) * 1e9 == pytest.approx(by_hand)
    with torch.device("meta"):
        nowhere = counts.multiply_adds(SmallConvNet(10), 32)
    assert nowhere == counts.multiply_adds(SmallConvNet(10), 32), "on the meta device as on any other"
    assert counts.layers_of(network) == 2


def test_what_a_stack_sees_is_more_than_its_last_layer_sees() -> None:
    found = {check.what: check.computed for check in counts.stacks()}
    assert found["side of what 2 layers of 3 × 3 see, in pixels"] == 5
    assert found["side of what 3 layers of 3 × 3 see, in pixels"] == 7


@pytest.mark.parametrize(("study", "letter"), [(zfnet.study, "b"), (googlenet.study, "b")], ids=["stems", "modules"])
def test_nets_that_are_said_to_cost_the_same_do(study: Study, letter: str) -> None:
    runs = made(dict.fromkeys(study.variants, five(0.3)))
    (check,) = Verdict.of(study.parts(runs)).parts[letter].checks
    assert isinstance(check, Check) and check.holds and check.tolerance == 0.02


def test_the_nets_that_are_counted_are_those_that_are_trained() -> None:
    """The widths of the check are those of the variants."""
    for variant, widths in ((googlenet.INCEPTION, googlenet.WIDTHS), (googlenet.PLAIN, googlenet.PLAIN_WIDTHS)):
        network = googlenet.study.job("cpu", variant, 0.01, 0).settings["model"]["init_args"]["network"]
        assert tuple(network["init_args"]["widths"]) == widths
    for variant, wide in ((zfnet.FINE, zfnet.WIDTHS), (zfnet.WIDE, zfnet.WIDER), (zfnet.COARSE, zfnet.WIDTHS)):
        network = zfnet.study.job("cpu", variant, 0.01, 0).settings["model"]["init_args"]["network"]
        assert tuple(network["init_args"]["widths"]) == wide
