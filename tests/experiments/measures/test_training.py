"""What studies measure during a training."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from experiments.measures.training import BatchSize, DeadUnits, SmallWeights, TestSet, TrainingSet, training_batches
from tests.support.trained import trained


class Biased(nn.Sequential):
    """Four feature maps before the rectifier: one always positive, one sometimes, two never."""

    def __init__(self, rectifier: nn.Module, bias: float = -100.0) -> None:
        conv = nn.Conv2d(3, 4, 3)
        with torch.no_grad():
            conv.bias.copy_(torch.tensor([100.0, 0.0, bias, bias]))  # type: ignore[union-attr]
        super().__init__(conv, rectifier, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 6))


@pytest.mark.parametrize(("rectifier", "dead"), [(nn.ReLU(), 0.5), (nn.LeakyReLU(0.01), 0.0)])
def test_units_that_no_scene_awakes_are_counted_and_leaky_ones_are_not_dead(
    rectifier: nn.Module, dead: float, tmp_path: Path
) -> None:
    values = trained(Biased(rectifier), tmp_path, DeadUnits(samples=20))
    assert values["units/inactive"] == 0.5
    assert values["units/dead"] == dead


def test_of_a_net_that_diverged_nobody_says_how_many_units_are_dead(tmp_path: Path) -> None:
    values = trained(Biased(nn.ReLU(), bias=math.inf), tmp_path, DeadUnits(samples=20))
    assert math.isnan(values["units/dead"]) and math.isnan(values["units/inactive"])


def test_weights_next_to_nothing_are_counted_and_biases_are_not(tmp_path: Path) -> None:
    network = Biased(nn.ReLU())
    weights: list[Tensor] = [network[0].weight, network[4].weight]
    with torch.no_grad():
        for weight in weights:
            weight.fill_(1.0)
        weights[0][0] = 0.0
        weights[0][1] = 1e-4
    values = trained(network, tmp_path, SmallWeights(threshold=1e-3))
    count = sum(weight.numel() for weight in weights)
    assert values["weights/zero"] == pytest.approx(27 / count)
    assert values["weights/small"] == pytest.approx(54 / count)


def test_a_training_ends_once_it_is_as_good_as_was_asked(tmp_path: Path) -> None:
    early = trained(Biased(nn.ReLU()), tmp_path / "early", TrainingSet(samples=16, every=3, until={"error": 1.0}), steps=10)
    assert early["steps"] == 3 and "trainset/error" in early
    never = trained(Biased(nn.ReLU()), tmp_path / "never", TrainingSet(samples=16, every=3, until={"error": -1.0}), steps=10)
    assert never["steps"] == 10


def test_training_and_test_scenes_are_scored_beside_each_other_and_are_not_the_same(tmp_path: Path) -> None:
    scores = TrainingSet(samples=8, batch_stats=True), TestSet(samples=8, batch_stats=True)
    values = trained(Biased(nn.ReLU()), tmp_path, *scores)
    assert {"trainset/error", "testset/error"} <= set(values)
    assert values["trainset/loss"] != values["testset/loss"]


def test_test_scenes_that_lie_class_by_class_are_mixed(tmp_path: Path) -> None:
    class Keep(pl.Callback):
        def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            self.test = [i for batch in training_batches(trainer, 8, "test") for i in batch["index"].tolist()]
            self.train = [i for batch in training_batches(trainer, 8) for i in batch["index"].tolist()]

    keep = Keep()
    trained(Biased(nn.ReLU()), tmp_path, keep)
    assert keep.train == list(range(8))
    assert sorted(keep.test) == list(range(8)) and keep.test != list(range(8))


def test_the_images_of_a_step_are_noted(tmp_path: Path) -> None:
    assert trained(Biased(nn.ReLU()), tmp_path, BatchSize(), steps=3)["batch/size"] == 16
