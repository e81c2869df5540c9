"""The constant answer of a detector: judged by the metrics as if its boxes, masks and poses had been found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.scene import Scene
from experiments.findings.constant_objects import ConstantObjects, TrueObjects
from experiments.findings.detection import objects_of, true_objects_of
from experiments.findings.inquiry import MeasuredValues, TrainingSample
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.detections import DetectionMetric
from lightning_modules.metrics.oks import KeypointAP
from lightning_modules.metrics.voc import BoxAP

SIZE = 64
KEYPOINTS = ("nose", "left_wrist", "right_wrist")
NOTHING = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long), "scores": torch.zeros(0)}
SCALE = (1.0, 0.5)


def metrics() -> list[DetectionMetric]:
    classes = ("disc", "box")
    return [BoxAP(classes), CocoAP(classes, iou_type="segm"), KeypointAP(classes, KEYPOINTS)]


def image(rng: np.random.Generator) -> dict[str, Tensor]:
    """A disc and a box near places of their own, with a mask each, three keypoints, and now and then a crowd."""
    boxes, masks, keypoints = [], [], []
    for left, top, right, bottom in ((6, 8, 26, 40), (30, 20, 60, 44)):
        corners = np.array([left, top, right, bottom]) + rng.integers(-4, 5, 4)
        (x, y), (width, height) = corners[:2], corners[2:] - corners[:2]
        down, across = np.mgrid[:SIZE, :SIZE] + 0.5
        if left == 6:
            inside = ((across - x) / width - 0.5) ** 2 + ((down - y) / height - 0.5) ** 2 <= 0.25
        else:
            inside = (across > x) & (across < x + width) & (down > y) & (down < y + height)
        places = np.array([[0.5, 0.2], [0.2, 0.6], [0.8, 0.6]]) * (width, height) + (x, y)
        boxes.append(corners)
        masks.append(inside)
        keypoints.append(np.concatenate([places + rng.normal(0, 1, (3, 2)), rng.integers(0, 3, (3, 1))], 1))
    return {
        "boxes": torch.tensor(np.array(boxes), dtype=torch.float32),
        "labels": torch.tensor([0, 1]),
        "masks": torch.tensor(np.array(masks), dtype=torch.uint8),
        "keypoints": torch.tensor(np.array(keypoints), dtype=torch.float32),
        "area": torch.tensor(np.array(masks).sum((1, 2)) / np.prod(SCALE)),
        "crowd": torch.tensor(rng.random(2) < 0.2),
    }


def true(objects: dict[str, Tensor]) -> TrueObjects:
    return true_objects_of(objects_of(NOTHING, objects), objects, SCALE)


def filled(box: Tensor) -> Tensor:
    mask = torch.zeros(SIZE, SIZE, dtype=torch.uint8)
    left, top, right, bottom = box.round().int().tolist()
    mask[top:bottom, left:right] = 1
    return mask


def test_it_is_scored_as_the_metrics_score_what_is_found() -> None:
    rng = np.random.default_rng(0)
    training = [Scene(image=torch.zeros(3, 1, 1, dtype=torch.uint8), **image(rng)) for _ in range(20)]  # type: ignore[typeddict-item]
    images = [image(rng) for _ in range(9)]
    constant = ConstantObjects(metrics(), [true(objects) for objects in images], TrainingSample(training, 20))
    found = {key: torch.from_numpy(np.array(values)) for key, values in constant.answer.items()}
    assert found["boxes"].shape == (2, 4) and found["keypoints"].shape == (2, 3, 3)
    found["masks"] = torch.stack([filled(box) for box in found["boxes"]])
    for metric in metrics():
        targets = [{**objects, "scale": torch.tensor(SCALE, dtype=torch.float64)} for objects in images]
        metric.update([found] * len(images), targets, torch.arange(len(images)))
        expected, values = metric.compute(), constant.values(metric)
        assert max(values.values()) > 0.3 and min(values.values()) < 0.9
        for key, value in values.items():
            assert value == pytest.approx(float(expected[key]), abs=1e-6 if metric.iou_type != "segm" else 0.05), key  # type: ignore[attr-defined]


def test_each_figure_stands_beside_that_of_its_own_constant_answer() -> None:
    rng = np.random.default_rng(1)
    constant = ConstantObjects(metrics(), [true(image(rng)) for _ in range(4)], TrainingSample())
    measured = MeasuredValues(
        "test", dict.fromkeys(("test/mAP", "test/mask_mAP", "test/keypoint_mAP", "test/keypoint_AR"), 0.5)
    )
    sections = constant.sections(measured)
    names = {section.metric: section.name for section in sections}
    assert names == {
        "test/mAP": "constant boxes",
        "test/mask_mAP": "constant boxes, filled",
        "test/keypoint_mAP": "constant poses",
        "test/keypoint_AR": "constant poses",
    }
    assert all("the evaluated images themselves" in section.note for section in sections)


def test_without_an_object_anywhere_there_is_no_answer_and_no_figure_of_poses() -> None:
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long), "masks": torch.zeros(0, 8, 8)}
    boxes, masks, poses = metrics()
    constant = ConstantObjects([boxes, masks, poses], [true(empty)], TrainingSample())
    assert constant.values(boxes)["mAP"] == constant.values(masks)["mask_mAP"] == -1 and constant.values(poses) == {}
