"""The verdicts on pixels, positions, pooling and stages, on runs that nobody made; and what they measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from datamodules.images import read_image
from experiments.lectures._tried import INSIDE
from experiments.lectures.cnn import _grey, _pixel_pairs, _pools, _positions, _stages
from experiments.lectures.cnn import four_stages_form_a_convnet as stages
from experiments.lectures.cnn import near_pixels_are_alike_far_ones_less as pixels
from experiments.lectures.cnn import pooling_shrinks_maps_or_keeps_extremes as pooling
from experiments.lectures.cnn import position_does_not_matter_but_orientation_does as position
from experiments.lectures.cnn import zero_is_black as black
from experiments.lectures.cnn._drawn import EASY, digest, drawn
from experiments.lectures.cnn._views import UPRIGHT, patches, views
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

NAN = float("nan")
R, D, N, I = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED, Level.INCONCLUSIVE  # noqa: E741
UNDECIDED = [0.1, 0.5, 0.2, 0.6, 0.3]


def levels(study: Study, runs: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(study.parts(runs)).parts.values())


def near_five(value: float) -> list[float]:
    """Five seeds that differ a little, in another order than :func:`five` has them."""
    return five(value, 0.001)[::-1]


# B01 ------------------------------------------------------------------------------------------------------------------


def seen(moved: float, turned: float, full: float = 0.5, trained: float = 0.9, still: float = 0.95, **more: float) -> Runs:
    """Accuracies of the ConvNet moved and turned, of a full net moved, and of one trained on turned objects turned."""
    inside = more.get("inside", 1.0)
    values = {
        position.CONVNET: (still, moved, turned),
        position.TURNED: (still, moved, trained),
        position.FULL: (still, full, turned),
    }
    return Runs.made_up(
        {
            variant: {
                position.STILL: five(a),
                position.MOVED: near_five(b),
                position.QUARTER: near_five(c),
                INSIDE: [inside] * 5,
                position.EXCHANGED: [more.get("exchanged", 0.0)] * 5,
            }
            for variant, (a, b, c) in values.items()
        }
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (seen(0.93, 0.30), (R, Level.ERRATUM, R, R)),
        (seen(0.93, 0.93, trained=0.93), (R, R, R, N)),
        (seen(0.85, 0.80), (D, D, R, R)),  # neither unharmed nor lost
        (seen(0.60, 0.751), (N, I, R, R)),  # b lies across 20 points
        (seen(0.93, 0.30, full=0.93), (R, Level.ERRATUM, N, R)),
        (seen(0.93, 0.30, exchanged=0.1), (N, Level.ERRATUM, R, R)),
        (seen(0.35, 0.30, still=0.4), (I,) * 4),  # it has learned too little
        (seen(0.93, 0.30, inside=0.0), (I,) * 4),
        (seen(NAN, 0.30), (I, Level.ERRATUM, I, R)),
    ],
)
def test_position_and_orientation(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert levels(position.study, runs) == expected


def test_position_turns() -> None:
    assert_exchange_turns(position.study, seen(0.93, 0.30))


def test_a_view_is_the_middle_of_its_patch_moved_and_turned() -> None:
    images, labels = patches("val", 5, 0)
    middle = images[:, :, 11:43, 11:43]
    assert images.shape == (5, 3, 54, 54) and labels.max() < len(UPRIGHT.classes)
    assert torch.equal(views(images), middle)
    assert torch.equal(views(images, 90), middle.rot90(-1, (2, 3)))
    assert torch.equal(views(images, right=4)[..., 4:], middle[..., :-4])
    assert torch.equal(views(images, down=-3)[:, :, :-3], middle[:, :, 3:])
    turned = views(images, torch.tensor([0.0, 180, 0, 90, 0]))
    assert torch.equal(turned[1], middle[1].flip(1, 2)) and torch.equal(turned[3], views(images, 90)[3])


def test_maps_move_with_the_image() -> None:
    assert _positions.equivariance(0) < 1e-12


# B02 ------------------------------------------------------------------------------------------------------------------


def inverted(error: float, wrong: float, zero: float = 0.0) -> Runs:
    light = {"of 0": [zero] * 5, "of 255": [1.0] * 5, "named black": [0.0] * 5, "drawn black": [0.0] * 5}
    return Runs.made_up({v: {black.TEST_ERROR: five(e)} | light for v, e in {"inverted": wrong, "as it is": error}.items()})


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (inverted(0.02, 0.8), (Level.ERRATUM, R)),
        (inverted(0.02, 0.8, zero=1.0), (N, R)),  # the slide would be right
        (inverted(0.02, 0.02), (Level.ERRATUM, N)),
        (inverted(0.9, 0.9), (Level.ERRATUM, I)),
    ],
)
def test_black(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert levels(black.study, runs) == expected


def test_black_turns() -> None:
    assert_exchange_turns(black.study, inverted(0.02, 0.8))


def test_a_png_of_bytes_reads_as_these_bytes(tmp_path: Path) -> None:
    _grey.grey_png(tmp_path / "grey.png", bytes([0, 7, 255]))
    assert read_image(tmp_path / "grey.png")[0].tolist() == [[0, 7, 255]]
    assert _grey.light(0) == 0 and _grey.light(255) == 1 and _grey.light(128) == pytest.approx(0.2159, abs=1e-4)


def test_digits_are_light_on_black_paper() -> None:
    images, labels = _grey.digits(0)
    assert images.shape == (1797, 1, 8, 8) and images.max() == 255
    corners = images[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]].float()
    assert corners.mean() < 20 and len(labels.unique()) == 10


# B07 ------------------------------------------------------------------------------------------------------------------


def correlated(near: float, far: float, shuffled: float = 0.25) -> Runs:
    own = {pixels.OWN: five(0.0), pixels.EXPONENT: five(-2.0)}
    return Runs.made_up(
        {v: {pixels.NEAR: five(near), pixels.FAR: five(far)} | own for v in pixels.REAL}
        | {pixels.shuffled(v): {pixels.NEAR: near_five(shuffled), pixels.FAR: near_five(shuffled)} | own for v in pixels.REAL}
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (correlated(0.95, 0.05), (R, R)),
        (correlated(0.95, 0.3), (R, N)),
        (correlated(0.95, -0.3), (R, N)),
        (correlated(0.8, 0.1), (D, I)),
        (correlated(0.2, 0.05), (N, R)),  # less than shuffled
        (correlated(NAN, NAN), (I, I)),
    ],
)
def test_pixels(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert levels(pixels.study, runs) == expected


def test_pixels_turn() -> None:
    assert_exchange_turns(pixels.study, correlated(0.95, 0.05))


def test_five_seeds_share_no_image_and_the_next_five_are_dealt_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    class Numbered:
        def scenes(self, split: str) -> list[dict[str, torch.Tensor]]:
            return [{"image": torch.full((3, 1, 1), i)} for i in range(50)]

    monkeypatch.setattr(_pixel_pairs, "folder_of", lambda name, root: Numbered())
    dealt = [_pixel_pairs.grey_images("CIFAR-10", "data", 10, seed).ravel().round().tolist() for seed in range(6)]
    assert sorted(number for group in dealt[:5] for number in group) == list(range(50))
    assert sorted(dealt[5]) != sorted(dealt[0])


# B18 ------------------------------------------------------------------------------------------------------------------


def pooled(greatest: float, average: float, least: float, first: float = 0.1, off: float = 0.0, inside: float = 1.0) -> Runs:
    errors = dict(zip(pooling.POOLS, (greatest, average, least, first), strict=True))
    spread = {pooling.MAX: five, pooling.AVERAGE: near_five, pooling.MIN: five, pooling.FIRST: near_five}
    rest = {"zeros": five(0.5), "changed by a shift": five(0.1), INSIDE: [inside] * 5}
    made = {v: {pooling.TEST_ERROR: spread[v](e)} | rest for v, e in errors.items()}
    found = {"max": 0.0, "average": 0.0, "min": off, "side": 4.0}
    return Runs.made_up(made | {pooling.IDENTITIES: {name: [value] * 5 for name, value in found.items()}})


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (pooled(0.1, 0.1, 0.2), (Level.EXACT, R, R)),
        (pooled(0.1, 0.1, 0.2, off=0.1), (N, R, R)),
        (pooled(0.2, 0.1, 0.2), (Level.EXACT, N, R)),
        (pooled(0.1, 0.1, 0.1), (Level.EXACT, N, N)),
        (pooled(0.9, 0.9, 0.9, first=0.9), (Level.EXACT, I, N)),
        (pooled(0.1, 0.1, 0.2, inside=0), (Level.EXACT, I, I)),
    ],
)
def test_pooling(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert levels(pooling.study, runs) == expected


def test_pooling_turns() -> None:
    assert_exchange_turns(pooling.study, pooled(0.1, 0.1, 0.2))


def test_poolings_are_what_a_plain_loop_gives(tmp_path: Path) -> None:
    found = pooling.identities(seed=3, folder=tmp_path).values
    assert max(found["max"], found["average"], found["min"]) < 1e-6 and found["side"] == 4
    layers = [[type(layer) for layer in one] for one in _pools.stages(pooling.FIRST)]  # type: ignore[union-attr]
    assert layers[0] == [nn.Conv2d, nn.BatchNorm2d, _pools.MinPool, nn.ReLU]


# B19 ------------------------------------------------------------------------------------------------------------------


def without(whole: float, errors: dict[str, float], linear: float = 0.8, count: float = 16_900, inside: float = 1.0) -> Runs:
    all_errors = errors | {stages.AVERAGED: whole, stages.LINEAR: linear, stages.WHOLE: whole}
    return Runs.made_up(
        {
            v: {
                stages.TEST_ERROR: near_five(e) if v in (stages.WHOLE, stages.NONLINEARITY, stages.AVERAGED) else five(e),
                stages.PARAMETERS: [count if v == _stages.POOLING else 16_900.0] * 5,
                INSIDE: [inside] * 5,
            }
            for v, e in all_errors.items()
        }
    )


HURT = dict(zip(stages.WITHOUT, (0.3, 0.4, 0.2, 0.15), strict=True))


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (without(0.1, HURT), (R, R, R)),
        (without(0.1, HURT | {_stages.CONNECTION: 0.1}), (N, R, R)),  # it is not needed
        (without(0.1, HURT | {_stages.CONVOLUTION: 0.5}), (R, N, R)),
        (without(0.1, HURT, linear=0.1), (R, R, N)),
        (without(0.1, HURT, count=30_000), (I, I, R)),
        (without(0.1, HURT, inside=0), (I, I, I)),
        (without(0.9, HURT), (I, I, N)),
    ],
)
def test_stages(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert levels(stages.study, runs) == expected


def test_stages_turn() -> None:
    assert_exchange_turns(stages.study, without(0.1, HURT))


def test_nets_without_a_stage_have_as_many_parameters_and_lack_what_they_lack() -> None:
    images = drawn(EASY, "val", 8, 0)["image"]
    nets = {kind: _stages.net_of(kind, images).eval() for kind in stages.study.variants}
    counts = {sum(p.numel() for p in net.parameters()) for net in nets.values()}
    assert max(counts) <= (1 + stages.ALIKE) * min(counts)
    assert all(net(images).shape == (8, 6) for net in nets.values())
    sizes = {kind: {m.kernel_size for m in net.modules() if isinstance(m, nn.Conv2d)} for kind, net in nets.items()}
    assert sizes[_stages.CONVOLUTION] == {(1, 1)} and sizes[stages.WHOLE] == {(3, 3)}
    rng = torch.Generator().manual_seed(0)
    first, second = (torch.randn(2, 3, 24, 24, generator=rng) for _ in range(2))
    for kind, is_linear in ((stages.LINEAR, True), (stages.NONLINEARITY, False)):  # a maximum is nonlinear itself
        net = nets[kind][1:]  # type: ignore[index]
        none = net(torch.zeros_like(first))
        assert torch.allclose(net(first + second) + none, net(first) + net(second), atol=1e-4) == is_linear


# What they share ------------------------------------------------------------------------------------------------------


def test_a_seed_draws_its_own_scenes_and_gives_them_again() -> None:
    first, again, other = (drawn(EASY, "train", 4, seed, "masks") for seed in (0, 0, 1))
    assert digest(first["image"]) == digest(again["image"]) != digest(other["image"])
    assert first["masks"].shape == (4, 1, 24, 24)
    longer = drawn(EASY, "train", 6, 0)
    assert np.array_equal(longer["label"][:4], first["label"])
