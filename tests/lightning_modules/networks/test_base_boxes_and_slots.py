"""YOLO with base boxes, and regression to slots: each in plain loops."""

from __future__ import annotations

from functools import partial
from itertools import permutations
from math import exp, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou, generalized_box_iou

from lightning_modules.means import values
from lightning_modules.networks import AnchorYOLO, BestMatching, ConvBackbone, FromLeftToRight, SetRegressor
from lightning_modules.networks.set_regressor import Slots
from lightning_modules.networks.yolo import YOLOOutputs

Small = partial(ConvBackbone, (4, 4), depth=1)
BASES = ((0.5, 0.2), (0.2, 0.5), (0.3, 0.3))


def objects(rng: torch.Generator, count: int, size: tuple[int, int], classes: int) -> tuple[Tensor, Tensor]:
    limit = torch.tensor([size[1], size[0], size[1], size[0]], dtype=torch.float32)
    boxes = torch.rand(count, 2, 2, generator=rng).sort(1).values.flatten(1) * limit
    return boxes, torch.randint(classes, (count,), generator=rng)


def corners(x: float, y: float, w: float, h: float) -> Tensor:
    return torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2]])


def test_the_tensor_is_the_slides_7_by_7_by_5b_plus_c() -> None:
    outputs = AnchorYOLO(20, backbone=Small)(torch.randn(2, 3, 112, 112))
    assert outputs.grid.shape == (2, 7, 7, 5 * 3 + 20)


def _by_hand(network: AnchorYOLO, outputs: YOLOOutputs, boxes: list[Tensor], labels: list[Tensor]) -> dict[str, float]:
    """Cell by cell, base box by base box."""
    (height, width), s, b = outputs.size, network.grid, network.boxes
    loss = dict.fromkeys(("coordinates", "confidence_object", "confidence_empty", "class"), 0.0)
    for cells, own, names in zip(outputs.grid.tolist(), boxes, labels, strict=True):
        first: dict[tuple[int, int], tuple[list[float], int]] = {}
        for (x1, y1, x2, y2), label in zip(own.tolist(), names.tolist(), strict=True):
            x, y, w, h = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
            first.setdefault((min(int(y * s), s - 1), min(int(x * s), s - 1)), ([x, y, w, h], label))
        for row in range(s):
            for column in range(s):
                cell = cells[row][column]
                responsible = -1
                if (row, column) in first:
                    (x, y, w, h), label = first[row, column]
                    shapes = [box_iou(corners(0, 0, *base), corners(0, 0, w, h)).item() for base in BASES]
                    responsible = shapes.index(max(shapes))
                    px, py, pw, ph, confidence = cell[5 * responsible : 5 * responsible + 5]
                    bw, bh = BASES[responsible]
                    found = corners((column + px) / s, (row + py) / s, bw * exp(pw), bh * exp(ph))
                    iou = box_iou(found, corners(x, y, w, h)).item()
                    loss["coordinates"] += 5 * ((px - (x * s - column)) ** 2 + (py - (y * s - row)) ** 2)
                    loss["coordinates"] += 5 * ((pw - log(w / bw)) ** 2 + (ph - log(h / bh)) ** 2)
                    loss["confidence_object"] += (confidence - iou) ** 2
                    loss["class"] += sum((p - (c == label)) ** 2 for c, p in enumerate(cell[5 * b :]))
                for j in range(b):
                    loss["confidence_empty"] += 0.5 * cell[5 * j + 4] ** 2 if j != responsible else 0.0
    return {name: value / len(boxes) for name, value in loss.items()}


@given(st.integers(0, 10**6), st.integers(1, 7))
@settings(max_examples=20, deadline=None)
def test_the_base_box_of_the_most_similar_shape_learns_the_object(seed: int, grid: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    network, size = AnchorYOLO(4, backbone=Small, grid=grid, base_boxes=BASES), (90, 120)
    outputs = YOLOOutputs(torch.rand(3, grid, grid, 19, generator=rng) * 1.4 - 0.2, size)
    boxes, labels = zip(*(objects(rng, count, size, 4) for count in (5, 0, 1)), strict=True)
    losses = values(network.losses(outputs, list(boxes), list(labels)))
    assert {k: v.item() for k, v in losses.items()} == pytest.approx(
        _by_hand(network, outputs, list(boxes), list(labels)), rel=1e-3, abs=1e-4
    )


def test_what_it_predicts_of_its_own_targets_is_the_objects() -> None:
    network = AnchorYOLO(2, backbone=Small, base_boxes=BASES)
    boxes, size = torch.tensor([[10.0, 20.0, 60.0, 50.0], [70.0, 60.0, 90.0, 100.0]]), (112, 112)
    grid = torch.zeros(1, 7, 7, 17)
    for box, label in zip(boxes / 112, (0, 1), strict=True):
        x, y, (w, h) = float(box[[0, 2]].mean()), float(box[[1, 3]].mean()), (box[2:] - box[:2]).tolist()
        row, column = int(y * 7), int(x * 7)
        grid[0, row, column, :5] = torch.tensor([x * 7 - column, y * 7 - row, log(w / BASES[0][0]), log(h / BASES[0][1]), 1.0])
        grid[0, row, column, 15 + label] = 1
    (found,) = network.predict(YOLOOutputs(grid, size))
    best = found["scores"] > 0.5
    assert found["labels"][best].sort().values.tolist() == [0, 1]
    assert torch.allclose(found["boxes"][best][found["labels"][best].argsort()], boxes, atol=1e-3)


@pytest.mark.parametrize("bases", [(), ((0.3, 0.0),)])
def test_a_base_box_has_an_area(bases: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=r"AnchorYOLO: base_boxes are .*: widths and heights above 0 expected"):
        AnchorYOLO(3, base_boxes=bases)


@given(st.integers(0, 10**6), st.integers(0, 4))
@settings(max_examples=25, deadline=None)
def test_the_matching_is_the_cheapest_of_all(seed: int, count: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    logits, boxes = torch.randn(4, 6, generator=rng), torch.rand(4, 4, generator=rng) * 0.5 + 0.1
    truth, labels = torch.rand(count, 4, generator=rng) * 0.5 + 0.1, torch.randint(5, (count,), generator=rng)

    def cost(slots: tuple[int, ...]) -> float:
        total = 0.0
        for i, slot in enumerate(slots):
            (x, y, w, h), (a, b, c, d) = boxes[slot].tolist(), truth[i].tolist()
            total -= float(logits[slot].softmax(0)[1 + labels[i]])
            total += 5 * float((boxes[slot] - truth[i]).abs().sum())
            total -= 2 * float(generalized_box_iou(corners(x, y, w, h), corners(a, b, c, d)))
        return total

    found = tuple(BestMatching()(logits, boxes, labels, truth).tolist())
    assert cost(found) == pytest.approx(min(map(cost, permutations(range(4), count))), abs=1e-4)


def test_plain_regression_goes_from_left_to_right() -> None:
    truth = torch.tensor([[0.8, 0.1, 0.1, 0.1], [0.2, 0.9, 0.1, 0.1], [0.5, 0.5, 0.1, 0.1]])
    slots = FromLeftToRight()(torch.zeros(5, 3), torch.zeros(5, 4), torch.zeros(3, dtype=torch.long), truth)
    assert slots.tolist() == [2, 0, 1]


@pytest.mark.parametrize("assignment", [FromLeftToRight, BestMatching])
def test_slots_that_say_the_truth_lose_nothing_and_are_detections(assignment: type[FromLeftToRight]) -> None:
    network = SetRegressor(3, backbone=Small, slots=4, assignment=assignment)
    boxes, labels = torch.tensor([[5.0, 5.0, 25.0, 35.0], [30.0, 10.0, 60.0, 30.0]]), torch.tensor([2, 0])
    logits = torch.full((1, 4, 4), -50.0)
    logits[0, torch.arange(4), torch.tensor([3, 1, 0, 0])] = 50.0
    places = torch.zeros(1, 4, 4)
    places[0, :2] = torch.tensor([[15.0, 20.0, 20.0, 30.0], [45.0, 20.0, 30.0, 20.0]]) / 64
    outputs = Slots(logits, places, (64, 64))
    losses = values(network.losses(outputs, [boxes], [labels]))
    assert all(loss.item() == pytest.approx(0, abs=1e-4) for loss in losses.values())
    (found,) = network.predict(outputs)
    assert torch.allclose(found["boxes"][found["labels"].argsort(descending=True)], boxes, atol=1e-3)


def test_of_more_objects_than_slots_the_largest_are_learned() -> None:
    network = SetRegressor(3, backbone=Small, slots=1, assignment=FromLeftToRight)
    small, large = torch.tensor([[0.0, 0.0, 5.0, 5.0]]), torch.tensor([[10.0, 10.0, 60.0, 60.0]])
    outputs = network(torch.rand(1, 3, 64, 64))
    both = values(network.losses(outputs, [torch.cat([small, large])], [torch.tensor([0, 1])]))
    alone = values(network.losses(outputs, [large], [torch.tensor([1])]))
    assert {k: v.item() for k, v in both.items()} == pytest.approx({k: v.item() for k, v in alone.items()})
