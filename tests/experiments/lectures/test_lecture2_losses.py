"""The verdicts on losses and labels of lecture 2, on runs that nobody made; and what their trainings rest on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from datamodules.scene import IGNORE, DatasetMetadata
from experiments.lectures.cs231n import categorical_losses_classify_alike as alike
from experiments.lectures.cs231n import every_pixel_needs_a_label as pixels
from experiments.lectures.cs231n import fully_supervised_needs_every_box as supervised
from experiments.lectures.cs231n import mirrored_networks_segment as mirrored
from experiments.lectures.cs231n import segmentation_fine_tunes_its_backbone as fine_tuned
from experiments.lectures.cs231n import training_both_together_does_no_harm as harm
from experiments.lectures.cs231n._missing_boxes import LocalizationWithMissingBoxes
from experiments.measures.labelling import MissingObjects, SparseLabels
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from lightning_modules import MarginClassification, OneVsRestHinge
from lightning_modules.networks import BackboneFCN, ClassAndBox, ConvBackbone, LinearClassifier
from tests.support.chosen_before import ChosenBefore, chosen_before
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import Values, five, untuned

METADATA = DatasetMetadata("x", (16, 16), tuple("abc"), ("background", *"abc"), (), (), ()).as_dict()


def levels(study: Any, runs: Runs) -> dict[str, Level]:
    return {name: part.level for name, part in Verdict.of(study.parts(runs)).parts.items()}


# Losses for classes ------------------------------------------------------------------------------------------------------


def losses(margin: list[float], hinge: list[float], entropy: float = 0.04, **kwargs: Any) -> Runs:
    errors = {alike.MARGIN: margin, alike.HINGE: hinge, alike.ENTROPY: five(entropy)}
    return Runs.made_up({variant: {alike.ERROR: values} for variant, values in errors.items()}, **kwargs)


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (losses(five(0.041), five(0.043)), Level.REPRODUCED),
        (losses(five(0.041), five(0.08)), Level.NOT_REPRODUCED),
        (losses(five(0.041), five(0.05, 0.006)), Level.INCONCLUSIVE),
        (losses(five(0.9), five(0.9), entropy=0.9), Level.INCONCLUSIVE),
        (losses(five(0.041), five(0.043), **untuned(alike.HINGE)), Level.INCONCLUSIVE),
    ],
)
def test_losses_classify_alike_within_a_point(runs: Runs, level: Level) -> None:
    """An equivalence has no direction, so that there is nothing that an exchange could turn."""
    assert levels(alike.study, runs) == {"a": level}


def test_the_hinge_is_one_linear_svm_a_class() -> None:
    rng = torch.Generator().manual_seed(0)
    scores, labels = torch.randn(7, 5, generator=rng), torch.randint(5, (7,), generator=rng)
    total = 0.0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        for k, score in enumerate(row):
            total += max(0.0, 1 - score) if k == label else max(0.0, 1 + score)
    assert OneVsRestHinge()(scores, labels).item() == pytest.approx(total / 7 * np.sqrt(4) / 5)


@pytest.mark.parametrize("loss", [nn.MultiMarginLoss(), OneVsRestHinge()])
def test_at_zero_scores_all_losses_have_an_equally_long_gradient(loss: nn.Module) -> None:
    def length(function: Any) -> float:
        scores = torch.zeros(1, 10, requires_grad=True)
        function(scores, torch.tensor([3])).backward()
        assert scores.grad is not None
        return float(scores.grad.norm())

    assert length(loss) == pytest.approx(length(F.cross_entropy))


def test_a_margin_is_averaged_over_all_images_however_they_are_batched() -> None:
    task = MarginClassification(network=LinearClassifier, metadata=METADATA)
    outputs, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])

    def mean(rows: slice) -> Any:
        return task.losses(outputs[rows], {"label": labels[rows]})["margin"]  # type: ignore[typeddict-item]

    whole, first, rest = mean(slice(None)), mean(slice(4)), mean(slice(4, None))
    assert whole.value.item() == pytest.approx(float((first.total + rest.total) / (first.count + rest.count)))
    assert whole.value.item() == pytest.approx(nn.MultiMarginLoss()(outputs, labels).item())


# Both together -----------------------------------------------------------------------------------------------------------


def together(
    accuracy: list[float], iou: list[float], alone: float = 0.8, best: int = 1, **kwargs: dict[str, bool]
) -> ChosenBefore:
    def variant(right: list[float], overlap: list[float]) -> Values:
        wrong = [1 - value for value in right]
        return {harm.CLASS: wrong, harm.IOU: overlap, "test/localization_error": wrong}

    names = [harm.joint(weight) for weight in harm.WEIGHTS]
    judged = {name: variant(accuracy, iou) for name in names} | {harm.ALONE: variant(five(alone), five(alone))}
    tuning = {name: {harm.CHOICE: 0.3 + 0.1 * abs(place - best)} for place, name in enumerate(names)}
    return chosen_before(judged, tuning, **kwargs)


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (together(five(0.8), five(0.79)), Level.REPRODUCED),
        (together(five(0.9), five(0.9)), Level.REPRODUCED),
        (together(five(0.8), five(0.7)), Level.NOT_REPRODUCED),
        (together(five(0.8), five(0.785, 0.01)), Level.INCONCLUSIVE),
        (together(five(0.1), five(0.1), alone=0.1), Level.INCONCLUSIVE),
        (together(five(0.8), five(0.8), inside={harm.ALONE: False}), Level.INCONCLUSIVE),
        (together(five(0.8), five(0.8), best=0), Level.INCONCLUSIVE),  # the least weight of those tried
    ],
)
def test_training_both_does_no_harm(runs: ChosenBefore, level: Level) -> None:
    assert levels(harm.study, runs) == {"a": level}


# Full supervision --------------------------------------------------------------------------------------------------------


def supervision(ious: list[float], aps: list[float]) -> Runs:
    made: dict[str, Values] = {}
    for share, iou, ap in zip(supervised.SHARES, ious, aps, strict=True):
        made[supervised.located(share)] = {supervised.IOU: five(iou)}
        made[supervised.detected(share)] = {supervised.AP: five(ap)}
    return Runs.made_up(made)


def test_fewer_boxes_are_worse_boxes() -> None:
    assert levels(supervised.study, supervision([0.8, 0.7, 0.5], [0.9, 0.6, 0.2])) == dict.fromkeys("ab", Level.REPRODUCED)
    assert levels(supervised.study, supervision([0.8, 0.8, 0.5], [0.9, 0.95, 0.2])) == {
        "a": Level.NOT_REPRODUCED,
        "b": Level.NOT_REPRODUCED,
    }
    assert levels(supervised.study, supervision([0.8, 0.7, 0.5], [0.05, 0.03, 0.01]))["b"] == Level.INCONCLUSIVE
    assert_exchange_turns(supervised.study, supervision([0.8, 0.7, 0.5], [0.9, 0.6, 0.2]))


def batch(count: int = 200) -> dict[str, Any]:
    boxes = [torch.tensor([[0.0, 0.0, 4.0, 4.0], [2.0, 2.0, 9.0, 9.0]]) for _ in range(count)]
    labels = [torch.tensor([0, 1]) for _ in range(count)]
    images = torch.zeros(count, 3, 16, 16, dtype=torch.uint8)
    return {"image": images, "index": torch.arange(count), "boxes": boxes, "labels": labels}


TRAINER: Any = SimpleNamespace(datamodule=SimpleNamespace(data_seed=3))


def test_objects_are_missing_in_every_epoch_alike_and_with_all_that_belongs_to_them() -> None:
    first, again = batch(), batch()
    for one in (first, again):
        MissingObjects(0.5).on_train_batch_start(TRAINER, None, one, 0)
    kept = sum(map(len, first["labels"]))
    assert 140 <= kept <= 260  # of 400; six standard deviations
    for mine, other, labels in zip(first["boxes"], again["boxes"], first["labels"], strict=True):
        assert torch.equal(mine, other) and len(mine) == len(labels)
        assert [tuple(box) for box in mine.tolist()] == [((0, 0, 4, 4), (2, 2, 9, 9))[label] for label in labels.tolist()]
    untouched = batch(3)
    MissingObjects(0.0).on_train_batch_start(TRAINER, None, untouched, 0)
    assert all(len(labels) == 2 for labels in untouched["labels"])


def test_a_share_of_the_pixels_keeps_its_class() -> None:
    masks = {"index": torch.arange(20), "mask": torch.ones(20, 32, 32, dtype=torch.uint8)}
    SparseLabels(0.1).on_train_batch_start(TRAINER, None, masks, 0)
    known = masks["mask"] != IGNORE
    assert 0.08 < float(known.float().mean()) < 0.12
    assert set(masks["mask"].unique().tolist()) == {1, IGNORE}
    again = {"index": torch.arange(20), "mask": torch.ones(20, 32, 32, dtype=torch.uint8)}
    SparseLabels(0.1).on_train_batch_start(TRAINER, None, again, 0)
    assert torch.equal(masks["mask"], again["mask"])


@pytest.mark.parametrize("callback", [MissingObjects, SparseLabels])
def test_a_share_is_a_share(callback: Any) -> None:
    with pytest.raises(ValueError, match=f"{callback.__name__}: share is 1.5: 0 to 1 expected"):
        callback(1.5)


def test_where_a_box_is_missing_the_class_is_still_learned() -> None:
    small = lambda classes: ClassAndBox(classes, backbone=lambda: ConvBackbone((4,), depth=1), hidden=8)  # noqa: E731
    given = batch()
    outputs = small(3)(given["image"].float())

    def found(missing: float, training: bool = True) -> Any:
        task = LocalizationWithMissingBoxes(network=small, missing=missing, metadata=METADATA).train(training)
        return task.losses(outputs, given)  # type: ignore[arg-type]

    whole, half, none = found(0.0), found(0.5), found(1.0)
    assert whole["class"].value == half["class"].value == none["class"].value
    assert (int(whole["box"].count), int(none["box"].count)) == (200, 0)
    assert 60 <= int(half["box"].count) <= 140
    assert found(1.0, training=False)["box"].value == whole["box"].value
    with pytest.raises(ValueError, match="missing is -1"):
        found(-1)


# Segmentation ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixed", "tuned", "level"),
    [
        (0.5, 0.6, Level.REPRODUCED),
        (0.5, 0.53, Level.DIRECTION_ONLY),
        (0.5, 0.5, Level.NOT_REPRODUCED),
        (0.6, 0.5, Level.NOT_REPRODUCED),
        (0.26, 0.5, Level.INCONCLUSIVE),
    ],
)
def test_a_fine_tuned_backbone_segments_better(fixed: float, tuned: float, level: Level) -> None:
    runs = Runs.made_up({fine_tuned.FIXED: {fine_tuned.MIOU: five(fixed)}, fine_tuned.TUNED: {fine_tuned.MIOU: five(tuned)}})
    assert levels(fine_tuned.study, runs) == {"a": level}
    if level is Level.REPRODUCED:
        assert_exchange_turns(fine_tuned.study, runs)


def test_a_backbone_becomes_a_segmenter_of_images_of_any_size() -> None:
    network = BackboneFCN(5, backbone=lambda: ConvBackbone((4, 8), depth=1), hidden=6)
    assert network(torch.zeros(2, 3, 33, 41)).shape == (2, 5, 33, 41)


def test_how_many_labels_there_are_is_exact_and_what_they_are_worth_is_shown() -> None:
    runs = Runs.made_up({pixels.name(share): {pixels.MIOU: five(0.5 + share / 500)} for share in pixels.SHARES})
    (part,) = Verdict.of(pixels.study.parts(runs)).parts.values()
    assert part.level is Level.EXACT and len(part.shown) == 2


def segmenters(segnet: list[float], deconvnet: list[float], control: float = 0.4) -> Runs:
    mious = {mirrored.SEGNET: segnet, mirrored.DECONVNET: deconvnet, mirrored.CONTROL: five(control)}
    return Runs.made_up({v: {mirrored.MIOU: values, "cost/gflop": five(1.0)} for v, values in mious.items()})


def test_mirrored_networks_are_the_papers_and_are_compared_with_an_fcn() -> None:
    runs = segmenters(five(0.45), five(0.43))
    assert levels(mirrored.study, runs) == {"a": Level.EXACT, "b": Level.REPRODUCED, "c": Level.REPRODUCED}
    assert_exchange_turns(mirrored.study, runs)
    found = levels(mirrored.study, segmenters(five(0.35), five(0.4, 0.04)))
    assert (found["b"], found["c"]) == (Level.NOT_REPRODUCED, Level.INCONCLUSIVE)
    assert levels(mirrored.study, segmenters(five(0.3), five(0.3), control=0.3))["b"] is Level.INCONCLUSIVE
