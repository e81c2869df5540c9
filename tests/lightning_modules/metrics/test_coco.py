"""CocoAP gives the numbers of pycocotools."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from lightning_modules.metrics.coco import KEYS, CocoAP

CLASSES = ("dog", "cat", "cow")
Objects = dict[str, Tensor]
Images = list[tuple[Objects, Objects]]


def blocks(boxes: Tensor, side: int) -> Tensor:
    """uint8 (N, side, side): masks that fill their boxes, but for a corner."""
    at = torch.arange(side) + 0.5
    inside = [(at[None] > x1) & (at[None] < x2) & (at[:, None] > y1) & (at[:, None] < y2) for x1, y1, x2, y2 in boxes]
    cut = at[None] + at[:, None] > 0.6 * side
    return (torch.stack(inside) & cut).to(torch.uint8) if inside else torch.zeros(0, side, side, dtype=torch.uint8)


def scenes(seed: int, images: int, *, objects: int = 6, detections: int = 12, side: int = 160) -> Images:
    """Images with any number of objects, some of them crowds, and detections near them and elsewhere; many ties."""
    random = torch.Generator().manual_seed(seed)

    def integer(low: int, high: int, size: int) -> Tensor:
        return torch.randint(low, high, (size,), generator=random)

    made: Images = []
    for _ in range(images):
        there, found = int(integer(0, objects + 1, 1)), int(integer(0, detections + 1, 1))
        corner = torch.rand(there, 2, generator=random) * side / 2
        boxes = torch.cat([corner, corner + 4 + torch.rand(there, 2, generator=random) * side * 0.45], 1)
        labels = integer(0, len(CLASSES), there)
        corner = torch.rand(found, 2, generator=random) * side / 2
        guesses = torch.cat([corner, corner + 4 + torch.rand(found, 2, generator=random) * side * 0.45], 1)
        guessed = integer(0, len(CLASSES), found)
        if there:
            matched = integer(0, there, found)
            near = torch.rand(found, generator=random) < 0.7
            guesses[near] = boxes[matched[near]] + torch.rand(int(near.sum()), 4, generator=random) * 6
            guessed[near] = labels[matched[near]]
        target = {"boxes": boxes, "labels": labels, "crowd": torch.rand(there, generator=random) < 0.2}
        target["area"] = (boxes[:, 2:] - boxes[:, :2]).prod(1) * 0.7
        prediction = {"boxes": guesses, "labels": guessed, "scores": integer(1, 30, found) / 30}
        prediction["masks"], target["masks"] = blocks(guesses, side), blocks(boxes, side)
        made.append((prediction, target))
    return made


def pycocotools(images: Images, iou_type: Literal["bbox", "segm"]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Its twelve numbers, and the mean precision of each class."""
    there: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image, (prediction, target) in enumerate(images):
        for objects, listed in ((target, there), (prediction, found)):
            for i, (x1, y1, x2, y2) in enumerate(objects["boxes"].tolist()):
                mask = rle.encode(np.asfortranarray(objects["masks"][i].numpy()))
                area = (x2 - x1) * (y2 - y1) if iou_type == "bbox" else float(rle.area(mask))
                listed.append(
                    {
                        "id": len(listed) + 1,
                        "image_id": image,
                        "category_id": int(objects["labels"][i]),
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "segmentation": mask,
                        "area": float(objects["area"][i]) if "area" in objects else area,
                        "iscrowd": int(objects["crowd"][i]) if "crowd" in objects else 0,
                        "score": float(objects["scores"][i]) if "scores" in objects else 1.0,
                    }
                )
    sides = [p["masks"].shape[1:] for p, _ in images]
    about = {
        "images": [{"id": i, "height": height, "width": width} for i, (height, width) in enumerate(sides)],
        "categories": [{"id": c, "name": name} for c, name in enumerate(CLASSES)],
    }
    truth, detections = COCO(), COCO()
    with redirect_stdout(StringIO()):
        for coco, listed in ((truth, there), (detections, found)):
            coco.dataset = about | {"annotations": listed}
            coco.createIndex()
        evaluation = COCOeval(truth, detections, iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats, evaluation.eval["precision"][:, :, :, 0, -1].mean((0, 1))


def measured(images: Images, **kwargs: Any) -> dict[str, float]:
    metric = CocoAP(CLASSES, **kwargs)
    predictions, targets = map(list, zip(*images, strict=True))
    metric.update(predictions, targets, torch.arange(len(images)))
    return {key: value.item() for key, value in metric.compute().items()}


@given(st.integers(0, 2**31), st.integers(1, 8), st.sampled_from(["bbox", "segm"]))
@settings(max_examples=25, deadline=None)
def test_all_numbers_are_those_of_pycocotools(seed: int, count: int, iou_type: Literal["bbox", "segm"]) -> None:
    images = scenes(seed, count)
    stats, per_class = pycocotools(images, iou_type)
    prefix = "mask_" if iou_type == "segm" else ""
    expected = {prefix + key: value for key, value in zip(KEYS, stats, strict=True)}
    expected |= {f"{prefix}AP/{name}": value for name, value in zip(CLASSES, per_class, strict=True)}
    assert measured(images, iou_type=iou_type, per_class=True) == pytest.approx(expected, abs=1e-6)


def test_the_random_scenes_try_everything() -> None:
    """Or the test above would prove little: sizes, crowds, more than 10 detections, values that are neither 0 nor 1."""
    stats, _ = pycocotools(scenes(0, 8), "bbox")
    assert len(set(stats.tolist())) >= 10
    assert (stats[[0, 1, 2, 6, 7, 8]] > 0.05).all()
    assert (stats < 1).all()
    assert any(target["crowd"].any() for _, target in scenes(0, 8))


def test_more_than_100_detections_of_a_class_are_cut() -> None:
    images = scenes(3, 2, objects=3, detections=300, side=64)
    stats, _ = pycocotools(images, "bbox")
    assert max(p["labels"].bincount().max() for p, _ in images) > 100
    assert list(measured(images).values()) == pytest.approx(stats, abs=1e-6)


BOX = torch.tensor([[10.0, 10.0, 50.0, 50.0]])
NOTHING = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long)}
FOUND = {"boxes": BOX, "labels": torch.tensor([1]), "scores": torch.tensor([0.9])}
THERE = {"boxes": BOX, "labels": torch.tensor([1])}


def test_what_cannot_be_measured_is_minus_one() -> None:
    none_there = measured([(FOUND, NOTHING)])
    assert set(none_there.values()) == {-1.0}
    none_found = measured([(NOTHING | {"scores": torch.zeros(0)}, THERE)], per_class=True)
    assert none_found["mAP"] == none_found["AR100"] == none_found["mAP_medium"] == none_found["AP/cat"] == 0
    assert none_found["mAP_small"] == none_found["AP/dog"] == -1
    assert set(measured([(NOTHING | {"scores": torch.zeros(0)}, NOTHING)]).values()) == {-1.0}
    metric = CocoAP(CLASSES)
    with pytest.warns(UserWarning, match="before the ``update``"):
        assert {value.item() for value in metric.compute().values()} == {-1.0}


def test_a_perfect_detection_scores_one_and_its_class_alone_counts() -> None:
    perfect = measured([(FOUND, THERE)], per_class=True)
    assert perfect["mAP"] == perfect["AR1"] == perfect["AP/cat"] == 1
    assert perfect["AP/dog"] == -1


def test_size_is_the_area_given_not_that_of_the_box() -> None:
    assert measured([(FOUND, THERE)])["mAP_medium"] == 1
    small = measured([(FOUND, THERE | {"area": torch.tensor([1000.0])})])
    assert (small["mAP_small"], small["mAP_medium"]) == (1, -1)


@pytest.mark.parametrize("flag", ["crowd", "difficult"])
def test_a_crowd_or_a_difficult_object_counts_for_nothing_found_or_not(flag: str) -> None:
    there = {"boxes": torch.cat([BOX, BOX + 100]), "labels": torch.tensor([1, 1])}
    flagged, alone = there | {flag: torch.tensor([False, True])}, {key: value[:1] for key, value in there.items()}
    both = {"boxes": there["boxes"].flip(0), "labels": torch.tensor([1, 1]), "scores": torch.tensor([0.9, 0.8])}
    assert measured([(both, alone)])["mAP"] == 0.5
    assert measured([(FOUND, there)])["mAP"] == pytest.approx(51 / 101)  # of 101 recalls, 0 to 0.5 are reached
    assert measured([(both, flagged)])["mAP"] == measured([(FOUND, flagged)])["mAP"] == 1
