"""The verdicts on localization and pose, on runs that nobody made; and what their trainings rest on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from datamodules import Shapes
from datamodules.drawing import Style
from experiments.lectures.cs231n import freeze_then_fine_tune as freezing
from experiments.lectures.cs231n import loss_weight_is_chosen_by_a_metric as loss_weight
from experiments.lectures.cs231n import one_backbone_serves_class_and_box as one_backbone
from experiments.lectures.cs231n import one_box_per_category as one_box
from experiments.lectures.cs231n import pose_is_regressed_as_numbers as pose
from experiments.lectures.cs231n import robust_losses_bear_wrong_targets as robust
from experiments.measures.corruption import CorruptedKeypoints
from experiments.measures.pretraining import PretrainedBackbone
from experiments.studies.results import Runs
from experiments.studies.verdict import Check, Level, Verdict
from lightning_modules import Localization
from lightning_modules.networks import ClassAndBox, ConvBackbone, SeparateClassAndBox
from tests.support.chosen_before import ChosenBefore, chosen_before
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import Values, five

# One backbone ------------------------------------------------------------------------------------------------------------


def backbones(
    joint: list[float], separate: list[float], cost: float = 0.5, best: int = 2, **kwargs: dict[str, bool]
) -> ChosenBefore:
    """Of each kind the weight at place ``best`` is the one that validation data chooses."""

    def variant(error: list[float], gflop: float) -> Values:
        iou = [1 - value for value in error]
        return {one_backbone.ERROR: error, "test/class_error": error, "test/iou": iou, "cost/gflop": [gflop] * 5}

    kinds = {one_backbone.JOINT: (joint, cost), one_backbone.SEPARATE: (separate, 1.0)}
    judged, tuning = {one_backbone.NARROW: variant(five(0.4), cost)}, {}
    for kind, (error, gflop) in kinds.items():
        for place, name in enumerate(one_backbone.weighted(kind)):
            judged[name] = variant(error if place == best else five(0.7), gflop)
            tuning[name] = {one_backbone.CHOICE: 0.3 if place == best else 0.5}
    return chosen_before(judged, tuning, **kwargs)


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (backbones(five(0.30), five(0.30)), Level.REPRODUCED),
        (backbones(five(0.20), five(0.30)), Level.REPRODUCED),
        (backbones(five(0.35), five(0.30)), Level.NOT_REPRODUCED),
        (backbones(five(0.30), five(0.30), cost=0.9), Level.DIRECTION_ONLY),  # cheaper, and not by half
        (backbones(five(0.30), five(0.30), cost=1.1), Level.NOT_REPRODUCED),
        (backbones([0.30, 0.33, 0.31, 0.32, 0.29], five(0.30)), Level.INCONCLUSIVE),
        (backbones(five(0.90), five(0.90)), Level.INCONCLUSIVE),
        (backbones(five(0.30), five(0.30), inside={"joint, weight 5": False}), Level.INCONCLUSIVE),
        (backbones(five(0.30), five(0.30), inside={"joint, weight 1": False}), Level.REPRODUCED),
        (backbones(five(0.30), five(0.30), best=0), Level.INCONCLUSIVE),  # the least weight of those tried
        (backbones(five(0.30), five(0.30), best=len(one_backbone.WEIGHTS) - 1), Level.INCONCLUSIVE),
    ],
)
def test_one_backbone(runs: Runs, level: Level) -> None:
    assert Verdict.of(one_backbone.parts(runs)).level == level


def test_an_exchange_turns_the_cost_and_no_worse_has_no_side() -> None:
    runs = backbones(five(0.30), five(0.30))
    assert_exchange_turns(one_backbone.study, runs)
    assert Verdict.of(one_backbone.parts(runs)).headline.effects[0].needs.direction(ratio=False) == 0  # type: ignore[union-attr]


def test_separate_networks_share_nothing() -> None:
    network = SeparateClassAndBox(6, backbone=lambda: ConvBackbone((4, 8), depth=1), hidden=8)
    outputs = network(torch.rand(2, 3, 32, 32))
    assert (outputs.logits.shape, outputs.boxes.shape) == ((2, 6), (2, 1, 4))
    outputs.logits.sum().backward()
    touched = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert touched == {"class_backbone", "classes"}


# A box for each category ----------------------------------------------------------------------------------------------


def boxes(each: list[float], one: list[float], error: float = 0.4, **kwargs: dict[str, bool]) -> Runs:
    def variant(iou: list[float]) -> Values:
        wrong = [value - 0.1 for value in iou]
        return {one_box.RIGHT: iou, one_box.WRONG: wrong, "test/localization_error": five(error)}

    return Runs.made_up({one_box.EACH: variant(each), one_box.ONE: variant(one)}, **kwargs)


LOOSE = [0.708, 0.716, 0.704, 0.709, 0.708]


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (boxes(five(0.75), five(0.70)), Level.REPRODUCED),
        (boxes([0.702, 0.703, 0.702, 0.703, 0.702], [0.700] * 5), Level.DIRECTION_ONLY),
        (boxes(LOOSE, [0.700] * 5), Level.DIRECTION_ONLY),
        (boxes([0.702, 0.699, 0.698, 0.701, 0.700], [0.700] * 5), Level.NOT_REPRODUCED),  # the same within a point
        (boxes(five(0.65), five(0.70)), Level.NOT_REPRODUCED),
        (boxes([0.75, 0.65, 0.75, 0.65, 0.75], five(0.70)), Level.INCONCLUSIVE),
        (boxes(five(0.75), five(0.70), error=0.8), Level.INCONCLUSIVE),
        (boxes(five(0.75), five(0.70), inside={one_box.ONE: False}), Level.INCONCLUSIVE),
    ],
)
def test_a_box_for_each_category(runs: Runs, level: Level) -> None:
    assert Verdict.of(one_box.parts(runs)).level == level


def test_an_exchange_turns_the_boxes() -> None:
    assert_exchange_turns(one_box.study, boxes(five(0.75), five(0.70)))


# The weight between the losses ----------------------------------------------------------------------------------------


def weights(losses: list[float], errors: list[float], spread: float = 0.002, **kwargs: dict[str, bool]) -> ChosenBefore:
    judged, tuning = {}, {}
    for i, (variant, loss, error) in enumerate(zip(loss_weight.study.variants, losses, errors, strict=True)):
        # Seeds of the first and the third weight do not go together.
        judged[variant] = {loss_weight.LOSS: five(loss), loss_weight.ERROR: five(error, (1 - i) * spread)}
        tuning[variant] = {loss_weight.LOSS: loss, loss_weight.CHOICE: error}
    return chosen_before(judged, tuning, **kwargs)


RISING = [0.5, 0.6, 0.8, 1.5, 20.0]
WORSE = [0.9, 0.8, 0.3, 0.4, 0.5]


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (weights(RISING, WORSE), Level.REPRODUCED),
        (weights(RISING, [0.33, 0.33, 0.30, 0.31, 0.31]), Level.DIRECTION_ONLY),
        (weights(RISING, [0.30, 0.33, 0.31, 0.33, 0.31]), Level.NOT_REPRODUCED),  # one weight is best by both
        (weights(RISING, [0.33, 0.33, 0.30, 0.31, 0.31], spread=0.1), Level.INCONCLUSIVE),
        (weights(RISING, [0.9, 0.9, 0.8, 0.9, 0.9]), Level.INCONCLUSIVE),
        (weights(RISING, WORSE, inside={"weight 1": False}), Level.INCONCLUSIVE),
        (weights(RISING, WORSE, inside={"weight 1000": False}), Level.REPRODUCED),  # which is not compared
    ],
)
def test_the_weight_between_losses(runs: Runs, level: Level) -> None:
    verdict = Verdict.of(loss_weight.parts(runs))
    assert (verdict.level, verdict.parts["b"].level) == (level, Level.EXACT)
    assert len(verdict.parts["b"].checks) == 3


def test_an_exchange_turns_the_choice_of_the_weight() -> None:
    assert_exchange_turns(loss_weight.study, weights(RISING, WORSE))


def test_units_that_do_not_come_out_refute_their_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_weight, "units", lambda: (Check("unit", 2, 1),))
    verdict = Verdict.of(loss_weight.parts(weights(RISING, WORSE)))
    assert [part.level for part in verdict.parts.values()] == [Level.REPRODUCED, Level.NOT_REPRODUCED]


# Freezing -------------------------------------------------------------------------------------------------------------


def schedules(frozen: list[float], tuned: list[float], joint: list[float], **kwargs: dict[str, bool]) -> Runs:
    variants = {freezing.FROZEN: frozen, freezing.TUNED: tuned, freezing.JOINT: joint}
    return Runs.made_up({variant: {"test/localization_error": values} for variant, values in variants.items()}, **kwargs)


@pytest.mark.parametrize(
    ("runs", "level", "beyond"),
    [
        (schedules(five(0.40), five(0.30), five(0.35)), Level.REPRODUCED, Level.REPRODUCED),
        (schedules(five(0.40), five(0.30), five(0.25)), Level.REPRODUCED, Level.NOT_REPRODUCED),
        (schedules(five(0.31), five(0.30), five(0.35)), Level.DIRECTION_ONLY, Level.REPRODUCED),  # by less than 2 points
        (schedules(five(0.30), five(0.30), five(0.35)), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (schedules(five(0.25), five(0.30), five(0.35)), Level.NOT_REPRODUCED, Level.REPRODUCED),
        (schedules([0.4, 0.2, 0.4, 0.2, 0.4], five(0.30), five(0.35)), Level.INCONCLUSIVE, Level.REPRODUCED),
        (schedules(five(0.80), five(0.30), five(0.35)), Level.INCONCLUSIVE, Level.REPRODUCED),
        (
            schedules(five(0.40), five(0.30), five(0.35), inside={"frozen": False}),
            Level.INCONCLUSIVE,
            Level.REPRODUCED,
        ),
    ],
)
def test_freezing_first(runs: Runs, level: Level, beyond: Level) -> None:
    parts = Verdict.of(freezing.parts(runs)).parts
    assert (parts["a"].level, parts["b"].level, parts["b"].beyond) == (level, beyond, True)


def test_an_exchange_turns_freezing() -> None:
    assert_exchange_turns(freezing.study, schedules(five(0.40), five(0.30), five(0.35)))


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


def poses(pck: list[float], mean_pose: list[float], **kwargs: dict[str, bool]) -> Runs:
    return Runs.made_up({pose.NUMBERS: {pose.PCK: pck, pose.MEAN_POSE: mean_pose}}, **kwargs)


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (poses(five(0.95), five(0.3)), Level.REPRODUCED),
        (poses(five(0.95), five(0.5)), Level.DIRECTION_ONLY),
        (poses(five(0.70), five(0.3)), Level.DIRECTION_ONLY),
        (poses(five(0.90), five(0.3)), Level.DIRECTION_ONLY),
        (poses(five(0.3), five(0.3)), Level.NOT_REPRODUCED),
        (poses(five(0.3), five(0.95)), Level.NOT_REPRODUCED),  # network and mean pose exchanged
        (poses([0.7, 0.1, 0.7, 0.1, 0.7], five(0.3)), Level.INCONCLUSIVE),
        (poses(five(0.95), five(0.3), inside={pose.NUMBERS: False}), Level.INCONCLUSIVE),
    ],
)
def test_pose(runs: Runs, level: Level) -> None:
    assert Verdict.of(pose.parts(runs)).level == level


def noise(
    l2: list[float], others: list[float], clean: float = 0.6, other_clean: float = 0.6, **kwargs: dict[str, bool]
) -> Runs:
    variants = {}
    for variant in robust.study.variants:
        loss, share = variant.rsplit(", ", 1)
        right = five(clean if loss == "L2" else other_clean, 0.001)
        values = {"0 %": right, "10 %": right, "30 %": l2 if loss == "L2" else others}[share]
        variants[variant] = {robust.PCK: values, robust.MEAN_POSE: five(0.2)}
    return Runs.made_up(variants, **kwargs)


@pytest.mark.parametrize(
    ("runs", "works", "robust_losses"),
    [
        (noise(five(0.40), five(0.55)), Level.REPRODUCED, Level.REPRODUCED),
        (noise(five(0.40), five(0.55), other_clean=0.65), Level.REPRODUCED, Level.DIRECTION_ONLY),
        (noise(five(0.40), five(0.41)), Level.REPRODUCED, Level.DIRECTION_ONLY),
        (noise(five(0.40), five(0.40)), Level.REPRODUCED, Level.NOT_REPRODUCED),
        (noise(five(0.40), five(0.35)), Level.REPRODUCED, Level.NOT_REPRODUCED),
        (noise(five(0.40), [0.55, 0.25, 0.55, 0.3, 0.5]), Level.REPRODUCED, Level.INCONCLUSIVE),
        (noise(five(0.40), five(0.55), other_clean=0.25), Level.DIRECTION_ONLY, Level.DIRECTION_ONLY),
        (noise(five(0.40), five(0.55), other_clean=0.15), Level.NOT_REPRODUCED, Level.DIRECTION_ONLY),
        (noise(five(0.40), five(0.55), clean=0.25, other_clean=0.25), Level.DIRECTION_ONLY, Level.INCONCLUSIVE),
        (noise(five(0.40), five(0.55), inside={"L2, 30 %": False}), Level.REPRODUCED, Level.INCONCLUSIVE),
    ],
)
def test_losses_under_wrong_targets(runs: Runs, works: Level, robust_losses: Level) -> None:
    parts = Verdict.of(robust.parts(runs)).parts
    assert (parts["a"].level, parts["b"].level, parts["b"].beyond) == (works, robust_losses, True)


def test_an_exchange_turns_the_losses() -> None:
    runs = noise(five(0.40), five(0.55))
    assert_exchange_turns(robust.study, runs)


def test_the_same_targets_are_wrong_in_every_epoch_and_order() -> None:
    def batch(indices: list[int]) -> dict[str, Any]:
        figures = [torch.full((1, 14, 3), float(i)) for i in indices]
        return {"image": torch.zeros(len(indices), 3, 20, 40), "index": torch.tensor(indices), "keypoints": figures}

    def corrupted(indices: list[int], data_seed: int = 0) -> dict[str, Any]:
        trainer, made = SimpleNamespace(datamodule=SimpleNamespace(data_seed=data_seed)), batch(indices)
        CorruptedKeypoints(0.3).on_train_batch_start(trainer, None, made, 0)  # type: ignore[arg-type]
        return made

    first, second = corrupted(list(range(400))), corrupted(list(reversed(range(400))))
    assert all(torch.equal(a, b) for a, b in zip(first["keypoints"], reversed(second["keypoints"]), strict=True))
    other = corrupted(list(range(400)), data_seed=1)
    assert not all(torch.equal(a, b) for a, b in zip(first["keypoints"], other["keypoints"], strict=True))
    wrong = [i for i, figure in enumerate(first["keypoints"]) if not bool((figure == i).all())]
    assert 0.25 < len(wrong) / 400 < 0.35
    places = torch.cat([first["keypoints"][i] for i in wrong])
    assert bool((places[..., :2] >= 0).all()) and bool((places[..., 0] <= 40).all()) and bool((places[..., 1] <= 20).all())
    assert bool((places[..., 2] == torch.tensor(wrong).float()[:, None]).all())  # how visible they are stays
    with pytest.raises(ValueError, match="0 to 1"):
        CorruptedKeypoints(30)
