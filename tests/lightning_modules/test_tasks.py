"""What the tasks train on and what they leave out, on batches made by hand."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from datamodules.scene import DatasetMetadata
from datamodules.shapes import Shapes
from lightning_modules import (
    Classification,
    Detection,
    FreezeBackbone,
    Localization,
    MultiLabelClassification,
    Pose,
    Segmentation,
)
from lightning_modules.base import Task
from lightning_modules.localization import GIoULoss, main_objects, pick
from lightning_modules.means import Mean, counted, mean_losses, with_total
from lightning_modules.networks import FCN, YOLO, ClassAndBox, ConvBackbone, KeypointRegressor, LinearClassifier
from lightning_modules.schedules import Steps, Triangle, WarmupCosine

METADATA = DatasetMetadata("x", (16, 16), tuple("abc"), ("background", *"abc"), ("left", "right"), (), ((0, 1),)).as_dict()
SGD = partial(torch.optim.SGD, lr=0.1)
SMALL = partial(ConvBackbone, widths=(4, 8))


def task_of(kind: type[Task], network: Any, **kwargs: Any) -> Any:
    return kind(network=network, optimizer=SGD, metadata=METADATA, **kwargs)


def images(count: int) -> Tensor:
    return torch.zeros(count, 3, 16, 16, dtype=torch.uint8)


def test_a_network_is_made_for_as_many_classes_as_the_data_has() -> None:
    assert task_of(Classification, LinearClassifier)(images(2)).shape == (2, 3)
    assert task_of(Segmentation, FCN)(images(2)).shape == (2, 4, 16, 16)


def test_a_smoothed_target_is_spread_over_all_classes() -> None:
    task = task_of(Classification, LinearClassifier, label_smoothing=0.3)
    batch: Any = {"image": images(2), "label": torch.tensor([0, 2])}
    outputs = task(batch["image"])
    target = 0.1 + 0.7 * nn.functional.one_hot(batch["label"], 3)
    expected = -(target * outputs.log_softmax(1)).sum(1).mean()
    assert torch.allclose(task.losses(outputs, batch)["cross_entropy"].value, expected)


def test_a_triangle_rises_to_the_rate_itself_and_falls_to_nothing() -> None:
    schedule = Triangle(torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0), top=0.25)
    assert [schedule.factor(part) for part in (0, 0.125, 0.25, 0.625, 1)] == [0, 0.5, 1, 0.5, 0]


def test_pixels_of_value_255_are_not_trained_on() -> None:
    task = task_of(Segmentation, FCN)
    batch: Any = {"image": images(2), "mask": torch.full((2, 16, 16), 255, dtype=torch.uint8)}
    loss = task.losses(task(batch["image"]), batch)["cross_entropy"].value
    assert float(loss.detach()) == 0
    outputs = task(batch["image"])
    batch["mask"][0, 3, 4] = 2
    expected = nn.functional.cross_entropy(outputs[0, :, 3, 4][None], torch.tensor([2]))
    assert torch.allclose(task.losses(outputs, batch)["cross_entropy"].value, expected)


BATCH: Any = {
    "image": images(3),
    "boxes": [
        torch.tensor([[0.0, 0, 4, 4], [2, 2, 12, 12]]),
        torch.zeros(0, 4),
        torch.tensor([[0.0, 0, 16, 16], [1, 1, 5, 5]]),
    ],
    "labels": [torch.tensor([0, 2]), torch.zeros(0, dtype=torch.long), torch.tensor([1, 0])],
    "difficult": [torch.tensor([False, False]), torch.zeros(0, dtype=torch.bool), torch.tensor([True, False])],
    "index": torch.arange(3),
}


def test_the_main_object_is_the_largest_that_is_not_difficult() -> None:
    rows, labels, boxes = main_objects(BATCH)
    assert rows.tolist() == [0, 2] and labels.tolist() == [2, 0]
    assert boxes.tolist() == [[2, 2, 12, 12], [1, 1, 5, 5]]


@pytest.mark.parametrize("loss", [nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, GIoULoss])
@pytest.mark.parametrize("boxes", ["one", "per_class"])
def test_localization_trains_on_images_with_objects_only(loss: Any, boxes: str) -> None:
    task = task_of(Localization, partial(ClassAndBox, backbone=SMALL, boxes=boxes), box_loss=loss, box_weight=3.0)
    outputs = task(BATCH["image"])
    losses = task.losses(outputs, BATCH)
    target = torch.tensor([[2, 2, 12, 12], [1, 1, 5, 5]]) / 16
    assert torch.allclose(losses["box"].value, 3 * loss()(pick(outputs.boxes[[0, 2]], torch.tensor([2, 0])), target))
    none: Any = {k: v[1:2] for k, v in BATCH.items()}
    sum(mean.value for mean in task.losses(task(none["image"]), none).values()).backward()
    assert all(float(p.grad.abs().sum()) == 0 for p in task.parameters() if p.grad is not None)


def test_giou_takes_corners_in_any_order() -> None:
    box, target = torch.tensor([[0.1, 0.2, 0.6, 0.9]]), torch.tensor([[0.2, 0.2, 0.7, 0.8]])
    assert torch.equal(GIoULoss()(box, target), GIoULoss()(box[:, [2, 3, 0, 1]], target))
    assert float(GIoULoss()(target, target)) == pytest.approx(0, abs=1e-6)


def test_keypoints_that_are_not_labelled_do_not_count() -> None:
    task = task_of(Pose, partial(KeypointRegressor, backbone=SMALL))
    keypoints = torch.tensor([[[4.0, 4, 1], [12, 8, 1]], [[0.0, 0, 0], [0, 0, 0]]])
    batch: Any = {"image": images(2), "keypoints": [keypoints, keypoints[1:]], "index": torch.arange(2)}
    outputs = task(batch["image"])
    expected = nn.functional.mse_loss(outputs[0], keypoints[0, :, :2] / 16)
    assert torch.allclose(task.losses(outputs, batch)["keypoints"].value, expected)
    keypoints[0, 1, 2] = 0  # one labelled keypoint spreads over no area: there is no instance to be judged
    assert float(task.losses(outputs, batch)["keypoints"].value.detach()) == 0


def test_a_difficult_object_makes_its_class_neither_shown_nor_absent() -> None:
    task = task_of(MultiLabelClassification, LinearClassifier)
    assert task.targets(BATCH).tolist() == [[1, 0, 1], [0, 0, 0], [1, -1, 0]]


def test_detection_does_not_train_on_difficult_objects() -> None:
    task = task_of(Detection, partial(YOLO, backbone=SMALL)).eval()
    outputs = task(BATCH["image"])
    without: Any = BATCH | {
        "boxes": [*BATCH["boxes"][:2], BATCH["boxes"][2][1:]],
        "labels": [*BATCH["labels"][:2], BATCH["labels"][2][1:]],
    }
    without.pop("difficult")
    with_difficult, reference = task.losses(outputs, BATCH), task.losses(outputs, without)
    assert with_difficult.keys() == reference.keys()
    assert all(torch.equal(with_difficult[k].value, reference[k].value) for k in reference)


def test_the_total_is_the_sum_and_batches_weigh_by_what_they_count() -> None:
    assert with_total({"a": torch.tensor(1.0), "b": torch.tensor(2.5)})["loss"] == 3.5

    def mean(value: float, count: int) -> Mean:
        total = torch.tensor(value * count)
        return Mean(total, counted(count, total))

    assert mean_losses([{"a": mean(1.0, 3), "b": mean(9.0, 0)}, {"a": mean(5.0, 1), "b": mean(2.0, 7)}]) == {
        "a": 2.0,
        "b": 2.0,
        "loss": 4.0,
    }
    assert mean_losses([{"a": mean(1.0, 0)}]) == {"a": 0.0, "loss": 0.0} and mean_losses([]) == {}
    assert float(mean(1.0, 0).value) == 0 and math.isnan(float(Mean(torch.tensor(math.nan), torch.tensor(0)).value))


def test_what_has_numbers_goes_to_the_device_and_the_rest_stays() -> None:
    boxes = [torch.zeros(2, 4), torch.zeros(0, 4)]
    batch: dict[str, Any] = {"image": torch.zeros(2, 3, 8, 8), "boxes": boxes, "captions": [["a ring"], []], "name": ["0", "1"]}
    task = task_of(Classification, LinearClassifier)
    moved = task.transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved["image"].is_meta and [(b.is_meta, len(b)) for b in moved["boxes"]] == [(True, 2), (True, 0)]
    assert moved["captions"] == batch["captions"] and moved["name"] == batch["name"]
    assert not batch["image"].is_meta
    assert task.transfer_batch_to_device(None, torch.device("meta"), 0) is None


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (partial(WarmupCosine, warmup=0.2, final=0.1), {0: 0.01, 20: 1.0, 60: 0.55, 100: 0.1}),
        (partial(Steps, at=(0.5, 0.75), gamma=0.1), {0: 1, 49: 1, 50: 0.1, 75: 0.01, 100: 0.01}),
    ],
)
def test_a_schedule_follows_the_run_s_length(schedule: Any, expected: dict[int, float]) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = schedule(optimizer)
    scheduler.total_steps = 100
    rates = []
    for _ in range(101):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert {step: rates[step] / 2 for step in expected} == pytest.approx(expected)


def test_a_frozen_backbone_keeps_its_weights_and_statistics_until_its_epoch() -> None:
    data = Shapes(image_size=32, train=8, val=4, batch_size=4, workers=0)
    task = Localization(network=partial(ClassAndBox, backbone=SMALL), optimizer=SGD, metadata=data.metadata.as_dict())
    data.require(task.needs)
    before = {k: v.clone() for k, v in task.network.backbone.state_dict().items()}  # type: ignore[union-attr]
    heads = task.network.classes.weight.detach().clone()  # type: ignore[union-attr]
    for epochs, frozen in ((1, True), (2, False)):
        trainer = pl.Trainer(
            max_epochs=epochs, callbacks=[FreezeBackbone(1)], logger=False, enable_checkpointing=False, accelerator="cpu",
            enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
        )  # fmt: skip
        trainer.fit(task, datamodule=data)
        after = task.network.backbone.state_dict()  # type: ignore[union-attr]
        assert all(torch.equal(before[k], after[k]) for k in before) == frozen
        assert not torch.equal(heads, task.network.classes.weight)  # type: ignore[union-attr]
