"""Instance segmentation and keypoint detection: what they train on, what they are scored by."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from datamodules.scene import DatasetMetadata, InputError
from lightning_modules import InstanceSegmentation, KeypointAndMaskDetection, KeypointDetection, RegionDetection
from lightning_modules.base import Task
from lightning_modules.means import values
from lightning_modules.networks import (
    ConvBackbone,
    FasterRCNN,
    FullyConnected,
    KeypointMaskRCNN,
    KeypointRCNN,
    MaskRCNN,
    SoftmaxHead,
)

KEYPOINTS = ("left_hip", "neck", "head_top")
METADATA = DatasetMetadata("x", (32, 32), tuple("abc"), keypoints=KEYPOINTS).as_dict()
HEAD = partial(SoftmaxHead, layers=partial(FullyConnected, widths=(8,)))
SMALL: dict[str, Any] = {"backbone": partial(ConvBackbone, widths=(4, 8), depth=1), "head": HEAD}
TASKS: list[tuple[type[Task], Any]] = [
    (InstanceSegmentation, partial(MaskRCNN, **SMALL)),
    (KeypointDetection, partial(KeypointRCNN, **SMALL)),
    (KeypointAndMaskDetection, partial(KeypointMaskRCNN, **SMALL)),
]
PREFIXES = {"masks": "mask_", "keypoints": "keypoint_"}
every_task = pytest.mark.parametrize(("kind", "network"), TASKS, ids=[kind.__name__ for kind, _ in TASKS])


def task_of(kind: type[Task], network: Any, **kwargs: Any) -> Any:
    torch.manual_seed(0)
    return kind(network=network, optimizer=partial(torch.optim.SGD, lr=0.1), metadata=METADATA, **kwargs)


def batch() -> Any:
    """Two images, the second without an object; the first one's last object is a crowd."""
    boxes = torch.tensor([[2.0, 2, 14, 20], [12, 12, 30, 30], [0, 0, 32, 10]])
    masks = torch.zeros(3, 32, 32, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
    corners = boxes.view(3, 2, 2)
    keypoints = torch.cat([corners[:, :1], corners.mean(1, keepdim=True), corners[:, 1:]], 1)
    return {
        "image": torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8),
        "boxes": [boxes, torch.zeros(0, 4)],
        "labels": [torch.tensor([0, 2, 1]), torch.zeros(0, dtype=torch.long)],
        "masks": [masks, torch.zeros(0, 32, 32, dtype=torch.uint8)],
        "keypoints": [torch.cat([keypoints, torch.full((3, 3, 1), 2.0)], -1), torch.zeros(0, 3, 3)],
        "crowd": [torch.tensor([False, False, True]), torch.zeros(0, dtype=torch.bool)],
        "index": torch.arange(2),
    }


@every_task
def test_a_crowd_is_trained_on_in_no_field(kind: type[Task], network: Any) -> None:
    task, full = task_of(kind, network).eval(), batch()
    without = {k: [v[0][:2], v[1]] if isinstance(v, list) else v for k, v in full.items() if k != "crowd"}
    outputs = task(full["image"])
    found = []
    for given in (full, without):
        found.append(values(task.losses(outputs, given)))
    assert found[0].keys() == {"rpn_objectness", "rpn_box", "roi_class", "roi_box", *(f"roi_{field}" for field in task.learns)}
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


@every_task
def test_the_truth_itself_scores_one_by_every_name(kind: type[Task], network: Any) -> None:
    task, given = task_of(kind, network), batch()
    fields = ("boxes", "labels", *task.learns)
    predictions = [{field: given[field][i] for field in fields} for i in range(2)]
    for prediction in predictions:
        prediction["scores"] = torch.full((len(prediction["labels"]),), 0.9)
    metrics = task.metrics()
    metrics.update(**task.metric_inputs(predictions, given))
    values = metrics.compute()
    for name in ("mAP", "mAP_voc07", *(f"{PREFIXES[field]}mAP75" for field in task.learns)):
        assert values[name] == 1, name
    assert task.monitor.removeprefix("val/") in values


def test_a_network_is_made_for_the_keypoints_that_the_data_has() -> None:
    task = task_of(KeypointDetection, partial(KeypointRCNN, **SMALL, score_threshold=0.0)).eval()
    with torch.no_grad():
        found = task.predict(task(batch()["image"]))[0]
    assert found["keypoints"].shape == (len(found["labels"]), len(KEYPOINTS), 3)


@pytest.mark.parametrize(
    ("kind", "network", "says"),
    [
        (InstanceSegmentation, partial(KeypointRCNN, num_keypoints=3), "learns masks; KeypointRCNN has a branch for keypoints"),
        (KeypointDetection, KeypointMaskRCNN, "learns keypoints; KeypointMaskRCNN has a branch for keypoints and masks"),
    ],
)
def test_a_network_with_other_branches_is_refused(kind: type[Task], network: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        task_of(kind, partial(network, **SMALL))


def test_a_network_that_proposes_its_regions_is_given_none() -> None:
    with pytest.raises(InputError, match="FasterRCNN proposes its regions by itself; Detection trains it"):
        task_of(RegionDetection, FasterRCNN)


def test_keypoints_that_nobody_has_measured_need_a_sigma() -> None:
    odd = DatasetMetadata("x", (32, 32), ("cow",), keypoints=("horn",)).as_dict()
    build = partial(KeypointDetection, network=partial(KeypointRCNN, **SMALL), optimizer=partial(torch.optim.SGD, lr=0.1))
    with pytest.raises(InputError, match="'horn'"):
        build(metadata=odd)
    assert build(metadata=odd, sigmas={"horn": 0.05}).sigmas == {"horn": 0.05}
