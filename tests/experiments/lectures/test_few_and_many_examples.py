"""The verdicts on small and large data sets, further tasks and transfer, on runs that nobody made; and what they measure."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import nn

from experiments.lectures import _tried
from experiments.lectures.cnn import _dimensions, _multi_task, _transfer
from experiments.lectures.cnn import convnets_use_large_data_sets as large
from experiments.lectures.cnn import few_examples_suffer_from_many_dimensions as dimensions
from experiments.lectures.cnn import further_tasks_regularise as tasks
from experiments.lectures.cnn import pretraining_helps_where_labels_are_few as transfer
from experiments.lectures.cnn._drawn import EASY, drawn
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

NAN = float("nan")
R, D, N, I = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED, Level.INCONCLUSIVE  # noqa: E741
APART = [0.01, 0.11, 0.02, 0.10, 0.05]


def levels(study: Study, runs: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(study.parts(runs)).parts.values())


def other_five(value: float) -> list[float]:
    """Five seeds that differ a little, in another order than :func:`five` has them."""
    return five(value, 0.001)[::-1]


# C05 ------------------------------------------------------------------------------------------------------------------


def multi(one: float | list[float], three: float | list[float], inside: float = 1.0, weight_inside: float = 1.0) -> Runs:
    alone = one if isinstance(one, list) else five(one)
    beside = three if isinstance(three, list) else other_five(three)
    rest = {_tried.INSIDE: [inside] * 5, "weight": [0.3] * 5, "box off by": five(0.4)}
    errors = {tasks.THREE: beside, tasks.ONE: alone}
    weights = {tasks.WEIGHT_INSIDE: [weight_inside] * 5}
    return Runs.made_up({v: {tasks.TEST_ERROR: e} | rest | (weights if v == tasks.THREE else {}) for v, e in errors.items()})


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (multi(0.06, 0.04), R),
        (multi(0.06, 0.0565), D),
        (multi(0.06, 0.06), N),  # the same, within half a point
        (multi(0.06, 0.08), N),
        (multi(0.06, APART), I),
        (multi(0.9, 0.5), I),
        (multi(0.06, 0.04, inside=0), I),
        (multi(0.06, 0.04, weight_inside=0), I),
        (multi(0.06, NAN), I),
    ],
)
def test_further_tasks(runs: Runs, level: Level) -> None:
    assert levels(tasks.study, runs) == (level,)


def test_further_tasks_turn() -> None:
    assert_exchange_turns(tasks.study, multi(0.06, 0.04))


def test_the_loss_of_one_task_is_that_of_its_logits_and_three_begin_with_its_weights() -> None:
    rng = torch.Generator().manual_seed(0)
    data = {
        "image": torch.randint(0, 255, (6, 1, 14, 14), generator=rng, dtype=torch.uint8),
        "label": torch.randint(0, 10, (6,), generator=rng),
        "box": 14 * torch.rand(6, 4, generator=rng),
        "mask": torch.rand(6, _multi_task.GRID**2, generator=rng),
    }
    net, chosen = _multi_task.MultiTask(data["image"]), torch.tensor([4, 1])
    found = net(data["image"][chosen])
    assert found.shape == (2, 10 + 4 + 49)
    alone, beside = (_multi_task.losses(data, weight)(found, chosen) for weight in (0.0, 0.5))
    torch.testing.assert_close(alone, nn.functional.cross_entropy(found[:, :10], data["label"][chosen]))
    off = (found[:, 10:14] - data["box"][chosen] / 14).abs()
    box = torch.where(off < 0.1, off**2 / 0.2, off - 0.05).mean()
    share = found[:, 14:].sigmoid()
    target = data["mask"][chosen]
    mask = -(target * share.log() + (1 - target) * (1 - share).log()).mean()
    torch.testing.assert_close(beside, alone + 0.5 * (box + mask))


def test_box_and_mask_are_those_of_the_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    images[0, 0, 4:8, 8:20] = 255  # rows 4 to 7, columns 8 to 19
    monkeypatch.setattr(_multi_task, "digits", lambda root, split: (images, torch.tensor([3])))
    found = _multi_task.annotated("", "train", 1, 0)
    assert found["box"].tolist() == [[4.0, 2.0, 10.0, 4.0]]
    mask = found["mask"].reshape(7, 7)
    assert mask[1, 2:5].tolist() == [1, 1, 1] and mask.sum() == 3
    assert found["image"][0, 0, 2:4, 4:10].min() == 255 and found["image"].shape == (1, 1, 14, 14)


# C06 ------------------------------------------------------------------------------------------------------------------


def transferred(few: Mapping[str, float], many: Mapping[str, float], inside: float = 1.0) -> Runs:
    cells = {(start, transfer.FEW): e for start, e in few.items()} | {(start, transfer.MANY): e for start, e in many.items()}
    return Runs.made_up(
        {
            transfer.variant(*cell): {
                transfer.TEST_ERROR: other_five(cells[cell]) if cell[0] == transfer.TUNED else five(cells[cell]),
                _tried.INSIDE: [inside] * 5,
            }
            for cell in transfer.CELLS
        }
    )


FEW = {transfer.SCRATCH: 0.6, transfer.TUNED: 0.4, transfer.FROZEN: 0.35, transfer.SHUFFLED: 0.55}
MANY = {transfer.SCRATCH: 0.1, transfer.TUNED: 0.08}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (transferred(FEW, MANY), (R, R)),
        (transferred(FEW | {transfer.SHUFFLED: 0.4}, MANY), (N, R)),  # any pre-training would do
        (transferred(FEW | {transfer.SCRATCH: 0.4}, MANY), (N, N)),
        (transferred(FEW, MANY | {transfer.SCRATCH: 0.28}), (R, N)),
        (transferred(FEW | {transfer.SCRATCH: 0.9, transfer.SHUFFLED: 0.9}, MANY), (I, I)),
        (transferred(FEW, MANY, inside=0), (I, I)),
        (transferred(FEW | {transfer.TUNED: NAN}, MANY), (I, I)),
    ],
)
def test_transfer(runs: Runs, expected: tuple[Level, ...]) -> None:
    assert levels(transfer.study, runs) == expected


def test_transfer_turns() -> None:
    pairs = [
        (transfer.variant(transfer.TUNED, n), transfer.variant(transfer.SCRATCH, n)) for n in (transfer.FEW, transfer.MANY)
    ]
    swaps = {f"half the gap at n = {transfer.FEW} − the gap at n = {transfer.MANY:,}": pairs}
    assert_exchange_turns(transfer.study, transferred(FEW, MANY), swaps)


def test_features_are_taken_over_and_stay_where_they_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_transfer, "STEPS", {transfer.FEW: 2})
    old = _transfer.classifier(drawn(EASY, "train", 8, 0)["image"], 6)
    monkeypatch.setattr(_transfer, "pretrained", lambda seed, shuffled: old)
    kept = {name: value.clone() for name, value in old.state_dict().items() if name.startswith("1.")}
    nets = {start: _transfer.fit(start, transfer.FEW, 0.1, 0) for start in (transfer.FROZEN, transfer.TUNED, transfer.SCRATCH)}

    def distance(net: nn.Module) -> float:
        return sum(float((net.state_dict()[name] - value).abs().sum()) for name, value in kept.items())

    assert distance(old) == distance(nets[transfer.FROZEN]) == 0, "what batch normalisation has seen is frozen as well"
    assert 0 < distance(nets[transfer.TUNED]) < distance(nets[transfer.SCRATCH])
    assert not set(_transfer.NEW.classes) & set(EASY.classes)


# C08 ------------------------------------------------------------------------------------------------------------------


def cursed(few: list[float], many: list[float], enough: float = 100) -> Runs:
    """Accuracies by the number of dimensions."""
    return Runs.made_up(
        {
            dimensions.variant(d): {
                dimensions.KNN: five(a, 0.001),
                dimensions.MLP: other_five(a),
                f"{dimensions.KNN}, many": other_five(b),
                "enough": [enough] * 5,
            }
            for d, a, b in zip(dimensions.NUISANCES, few, many, strict=True)
        }
    )


FALLING, FLAT = [0.99, 0.97, 0.9, 0.8, 0.6], [0.99, 0.99, 0.98, 0.97, 0.95]


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (cursed(FALLING, FLAT), R),
        (cursed(FALLING, FLAT, enough=math.inf), R),
        (cursed([0.99, 0.8, 0.95, 0.7, 0.9], FLAT), D),
        (cursed([0.85, 0.88, 0.93, 0.96, 0.99], FLAT), N),
        (cursed(FALLING, [0.99, 0.97, 0.8, 0.6, 0.5]), N),  # many examples lose as much
        (cursed([0.6, 0.6, 0.6, 0.5, 0.5], FLAT), I),
        (cursed([NAN] * 5, FLAT), I),
    ],
)
def test_dimensions(runs: Runs, level: Level) -> None:
    assert levels(dimensions.study, runs) == (level,)


def test_dimensions_turn() -> None:
    d = [dimensions.variant(n) for n in dimensions.NUISANCES]
    mirrored = list(zip(d[:2], d[:2:-1], strict=True))
    names = [e.name for part in Verdict.of(dimensions.parts(cursed(FALLING, FLAT))).parts.values() for e in part.effects]
    assert_exchange_turns(dimensions.study, cursed(FALLING, FLAT), dict.fromkeys(names, mirrored))


def test_dimensions_that_tell_nothing_are_noise_of_the_signals_size() -> None:
    points, labels = _dimensions.examples(np.random.default_rng(0), 4000, 8)
    means = np.stack([points[labels == c].mean(0) for c in (0, 1)])
    assert np.allclose(means[:, :2], [[-2, -2], [2, 2]], atol=0.15) and abs(means[:, 2:]).max() < 0.15
    assert np.allclose(points[labels == 1].std(0), 1, atol=0.06)


# C09 ------------------------------------------------------------------------------------------------------------------


def learned(convnet: list[float], hog: list[float], inside: float = 1.0) -> Runs:
    errors = {large.CONVNET: convnet, large.HOG: hog}
    return Runs.made_up(
        {
            v: {large.at(n): (five if v == large.HOG else other_five)(e) for n, e in zip(large.STEPS, found, strict=True)}
            | {"exponent": five(-0.3), _tried.INSIDE: [inside] * 5}
            for v, found in errors.items()
        }
    )


STEEP, SLOW = [0.75, 0.6, 0.4, 0.25, 0.1], [0.7, 0.65, 0.6, 0.55, 0.5]


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (learned(STEEP, SLOW), R),
        (learned(SLOW, STEEP), N),
        (learned(SLOW, SLOW), N),  # none gets ahead
        (learned([0.8, 0.75, 0.7, 0.65, 0.6], [0.6, 0.58, 0.56, 0.54, 0.52]), R),  # it gains, and is not ahead yet
        (learned(STEEP, [0.83] * 5), I),  # the other one has learned nothing
        (learned(STEEP, SLOW, inside=0), I),
        (learned([NAN] * 5, SLOW), I),
    ],
)
def test_large_data_sets(runs: Runs, level: Level) -> None:
    assert levels(large.study, runs) == (level,)


def test_large_data_sets_turn() -> None:
    swaps = {"gap, for ten times the images": [(large.CONVNET, large.HOG)]}
    assert_exchange_turns(large.study, learned(STEEP, SLOW), swaps)


# Rates ----------------------------------------------------------------------------------------------------------------


def test_a_rate_is_walked_to_and_one_at_the_edge_is_said_to_be() -> None:
    tried: list[float] = []

    def score(lr: float, seed: int) -> float:
        tried.append(lr)
        return abs(math.log10(lr) - 1) if lr < 50 else NAN  # diverges

    best = _tried.best_lr(score, 0.1, seeds=(10_000,))
    assert best == (10.0, 1.0) and tried[:3] == [0.0316, 0.1, 0.316] and len(set(tried)) == len(tried)
    assert _tried.best_lr(lambda lr, seed: lr, 0.1).inside == 0.0
    runs = Runs.made_up({"a": {_tried.INSIDE: [1.0, 1.0]}, "b": {_tried.INSIDE: [1.0, 0.0]}})
    assert _tried.rates_inside(runs, "a").passed and not _tried.rates_inside(runs).passed


def test_a_control_learns_labels_that_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(_transfer, "cross_entropy", lambda labels: labels)
    monkeypatch.setattr(_transfer, "train", lambda net, images, labels, **options: seen.append(labels))
    monkeypatch.setattr(_transfer, "SOURCE", 60)
    for shuffled in (False, True):
        _transfer.pretrained.__wrapped__(0, shuffled)
    right, control = seen
    assert sorted(right.tolist()) == sorted(control.tolist()) and not torch.equal(right, control)
