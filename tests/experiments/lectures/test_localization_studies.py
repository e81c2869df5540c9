"""The verdicts on localization and pose, on runs that nobody made; and what their trainings rest on."""

from __future__ import annotations

from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from datamodules import Shapes
from datamodules.drawing import Style
from experiments.lectures.cs231n import (
    freeze_then_fine_tune,
    loss_weight_is_chosen_by_a_metric,
    one_backbone_serves_class_and_box,
    one_box_per_category,
    pose_is_regressed_as_numbers,
    robust_losses_bear_wrong_targets,
)
from experiments.measures.corruption import CorruptedKeypoints
from experiments.measures.pretraining import PretrainedBackbone
from experiments.studies.results import Runs
from experiments.studies.verdict import Check, Level
from lightning_modules import Localization
from lightning_modules.networks import ClassAndBox, ConvBackbone, SeparateClassAndBox
from tests.support.made_up_verdicts import Options, Values, three, untuned

# One backbone ------------------------------------------------------------------------------------------------------------


def backbones(joint: float, separate: float, cost: float = 0.5) -> dict[str, Values]:
    def variant(error: float, gflop: float) -> Values:
        return {
            "test/localization_error": three(error),
            "test/class_error": three(error),
            "test/iou": three(1 - error),
            "cost/gflop": [gflop] * 3,
        }

    return {
        "joint": variant(joint, cost),
        "separate, same compute": variant(0.4, cost),
        "separate": variant(separate, 1.0),
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (backbones(0.30, 0.30), {}, Level.REPRODUCED),
        (backbones(0.20, 0.30), {}, Level.REPRODUCED),
        (backbones(0.35, 0.30), {}, Level.NOT_REPRODUCED),
        (backbones(0.30, 0.30, cost=0.9), {}, Level.NOT_REPRODUCED),
        (backbones(0.315, 0.30), {}, Level.INCONCLUSIVE),
        (backbones(0.80, 0.80), {}, Level.INCONCLUSIVE),
        (backbones(0.30, 0.30), untuned("joint"), Level.INCONCLUSIVE),
    ],
)
def test_one_backbone(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert one_backbone_serves_class_and_box.verdict(Runs.made_up(variants, **options)).level == level


def test_separate_networks_share_nothing() -> None:
    network = SeparateClassAndBox(6, backbone=lambda: ConvBackbone((4, 8), depth=1), hidden=8)
    outputs = network(torch.rand(2, 3, 32, 32))
    assert (outputs.logits.shape, outputs.boxes.shape) == ((2, 6), (2, 1, 4))
    outputs.logits.sum().backward()
    touched = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert touched == {"class_backbone", "classes"}


# A box for each category ----------------------------------------------------------------------------------------------


def boxes(each: list[float], one: list[float], error: float = 0.4) -> dict[str, Values]:
    def variant(iou: list[float]) -> Values:
        return {
            "test/iou_right_class": iou,
            "test/iou_wrong_class": [v - 0.1 for v in iou],
            "test/localization_error": three(error),
        }

    return {"one per category": variant(each), "one for all": variant(one)}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (boxes(three(0.75), three(0.70)), {}, Level.REPRODUCED),
        (boxes([0.702, 0.703, 0.702], [0.700] * 3), {}, Level.NOT_REPRODUCED),
        (boxes([0.708, 0.7160, 0.704], [0.700] * 3), {}, Level.DIRECTION_ONLY),
        (boxes(three(0.70), three(0.70)), {}, Level.NOT_REPRODUCED),
        (boxes(three(0.65), three(0.70)), {}, Level.NOT_REPRODUCED),
        (boxes([0.75, 0.65, 0.75], three(0.70)), {}, Level.INCONCLUSIVE),
        (boxes(three(0.75), three(0.70), error=0.8), {}, Level.INCONCLUSIVE),
        (boxes(three(0.75), three(0.70)), untuned("one for all"), Level.INCONCLUSIVE),
    ],
)
def test_a_box_for_each_category(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert one_box_per_category.verdict(Runs.made_up(variants, **options)).level == level


# The weight between the losses ----------------------------------------------------------------------------------------


def weights(losses: list[float], errors: list[float], spread: float = 0.002) -> dict[str, Values]:
    return {
        variant: {
            "val/loss": three(loss),
            "val/localization_error": three(error, 0.0),
            "test/localization_error": three(error, spread if i else 0.0),
        }
        for i, (variant, loss, error) in enumerate(
            zip(loss_weight_is_chosen_by_a_metric.study.variants, losses, errors, strict=True)
        )
    }


RISING = [0.5, 0.6, 0.8, 1.5, 20.0]


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (weights(RISING, [0.9, 0.8, 0.4, 0.3, 0.5]), {}, Level.REPRODUCED),
        (weights(RISING, [0.33, 0.33, 0.31, 0.30, 0.31]), {}, Level.DIRECTION_ONLY),
        (weights(RISING, [0.30, 0.33, 0.31, 0.33, 0.31]), {}, Level.NOT_REPRODUCED),
        (weights(RISING, [0.33, 0.33, 0.31, 0.30, 0.31], spread=0.2), {}, Level.INCONCLUSIVE),
        (weights(RISING, [0.9, 0.9, 0.9, 0.8, 0.9]), {}, Level.INCONCLUSIVE),
        (weights(RISING, [0.9, 0.8, 0.4, 0.3, 0.5]), untuned("weight 1"), Level.INCONCLUSIVE),
    ],
)
def test_the_weight_between_losses(variants: dict[str, Values], options: Options, level: Level) -> None:
    verdict = loss_weight_is_chosen_by_a_metric.verdict(Runs.made_up(variants, **options))
    assert verdict.level == level
    assert len(verdict.checks) == 3 and all(check.holds for check in verdict.checks)


def test_units_that_do_not_come_out_refute_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_weight_is_chosen_by_a_metric, "units", lambda: (Check("unit", 2, 1),))
    runs = Runs.made_up(weights(RISING, [0.9, 0.8, 0.4, 0.3, 0.5]))
    assert loss_weight_is_chosen_by_a_metric.verdict(runs).level == Level.NOT_REPRODUCED


# Freezing -------------------------------------------------------------------------------------------------------------


def schedules(frozen: list[float], tuned: list[float], joint: list[float]) -> dict[str, Values]:
    variants = {"frozen": frozen, "frozen, then fine-tuned": tuned, "all from the start": joint}
    return {variant: {"test/localization_error": values} for variant, values in variants.items()}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (schedules(three(0.40), three(0.30), three(0.35)), {}, Level.REPRODUCED),
        (schedules(three(0.40), three(0.30), three(0.25)), {}, Level.DIRECTION_ONLY),
        (schedules(three(0.30), three(0.30), three(0.35)), {}, Level.NOT_REPRODUCED),
        (schedules(three(0.25), three(0.30), three(0.35)), {}, Level.NOT_REPRODUCED),
        (schedules([0.4, 0.2, 0.4], three(0.30), three(0.35)), {}, Level.INCONCLUSIVE),
        (schedules(three(0.80), three(0.30), three(0.35)), {}, Level.INCONCLUSIVE),
        (schedules(three(0.40), three(0.30), three(0.35)), untuned("frozen"), Level.INCONCLUSIVE),
    ],
)
def test_freezing_first(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert freeze_then_fine_tune.verdict(Runs.made_up(variants, **options)).level == level


def small_localization(data: Shapes) -> Localization:
    torch.manual_seed(0)
    return Localization(
        network=lambda classes: ClassAndBox(classes, backbone=lambda: ConvBackbone((4, 8), depth=1), hidden=8),
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.0),
        metadata=data.metadata.as_dict(),
    )


def small_shapes(data_seed: int = 0) -> Shapes:
    style = Style(objects=(1, 1), object_size=(0.4, 0.6))
    return Shapes(image_size=16, batch_size=8, train=16, val=8, test=8, workers=0, data_seed=data_seed, style=style)


def test_a_backbone_is_trained_beforehand_and_the_heads_are_not() -> None:
    states = []
    for _ in range(2):
        data = small_shapes()
        data.require(Localization.needs)
        task = small_localization(data)
        before = {name: value.clone() for name, value in task.network.state_dict().items()}
        pretrained = PretrainedBackbone(small_shapes(1), lambda parameters: torch.optim.AdamW(parameters, lr=0.01), epochs=2)
        trainer = pl.Trainer(
            max_steps=1,
            accelerator="cpu",
            logger=False,
            callbacks=[pretrained],
            limit_val_batches=0,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        drawn = torch.get_rng_state()
        trainer.fit(task, data)
        assert torch.equal(drawn, torch.get_rng_state())
        after = task.network.state_dict()
        changed = {name.split(".")[0] for name, value in after.items() if not torch.equal(value, before[name])}
        assert changed == {"backbone"}
        assert task.box_weight == 20
        states.append(after)
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))


# Pose -----------------------------------------------------------------------------------------------------------------


def poses(pck: list[float], mean_pose: float) -> dict[str, Values]:
    return {"28 numbers": {"test/PCK20": pck, "test/mean_pose_PCK20": [mean_pose] * 3}}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (poses(three(0.95), 0.3), {}, Level.REPRODUCED),
        (poses(three(0.95), 0.5), {}, Level.DIRECTION_ONLY),
        (poses(three(0.70), 0.3), {}, Level.DIRECTION_ONLY),
        (poses(three(0.35), 0.3), {}, Level.NOT_REPRODUCED),
        (poses([0.7, 0.3, 0.7], 0.3), {}, Level.INCONCLUSIVE),
        (poses(three(0.95), 0.3), untuned("28 numbers"), Level.INCONCLUSIVE),
    ],
)
def test_pose(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert pose_is_regressed_as_numbers.verdict(Runs.made_up(variants, **options)).level == level


def noise(l2: list[float], others: list[float], clean: float = 0.6, other_clean: float = 0.6) -> dict[str, Values]:
    variants = {}
    for variant in robust_losses_bear_wrong_targets.study.variants:
        loss, share = variant.rsplit(", ", 1)
        right = three(clean if loss == "L2" else other_clean, 0.001)
        values = {"0 %": right, "10 %": right, "30 %": l2 if loss == "L2" else others}[share]
        variants[variant] = {"test/PCK20": values, "test/mean_pose_PCK20": [0.2] * 3}
    return variants


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (noise(three(0.40), three(0.55)), {}, Level.REPRODUCED),
        (noise(three(0.40), three(0.55), other_clean=0.65), {}, Level.DIRECTION_ONLY),
        (noise(three(0.40), three(0.40)), {}, Level.NOT_REPRODUCED),
        (noise(three(0.40), three(0.35)), {}, Level.NOT_REPRODUCED),
        (noise(three(0.40), [0.55, 0.35, 0.55]), {}, Level.INCONCLUSIVE),
        (noise(three(0.40), three(0.55), clean=0.25), {}, Level.INCONCLUSIVE),
        (noise(three(0.40), three(0.55)), untuned("L2, 30 %"), Level.INCONCLUSIVE),
    ],
)
def test_losses_under_wrong_targets(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert robust_losses_bear_wrong_targets.verdict(Runs.made_up(variants, **options)).level == level


def test_the_same_targets_are_wrong_in_every_epoch_and_order() -> None:
    def batch(indices: list[int]) -> dict[str, Any]:
        figures = [torch.full((1, 14, 3), float(i)) for i in indices]
        return {"image": torch.zeros(len(indices), 3, 20, 40), "index": torch.tensor(indices), "keypoints": figures}

    first, second = batch(list(range(400))), batch(list(reversed(range(400))))
    for one in (first, second):
        CorruptedKeypoints(0.3).on_train_batch_start(None, None, one, 0)  # type: ignore[arg-type]
    assert all(torch.equal(a, b) for a, b in zip(first["keypoints"], reversed(second["keypoints"]), strict=True))
    wrong = [i for i, figure in enumerate(first["keypoints"]) if not bool((figure == i).all())]
    assert 0.25 < len(wrong) / 400 < 0.35
    places = torch.cat([first["keypoints"][i] for i in wrong])
    assert bool((places[..., :2] >= 0).all()) and bool((places[..., 0] <= 40).all()) and bool((places[..., 1] <= 20).all())
    assert bool((places[..., 2] == torch.tensor(wrong).float()[:, None]).all())  # how visible they are stays
    with pytest.raises(ValueError, match="0 to 1"):
        CorruptedKeypoints(30)
