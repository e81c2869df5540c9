"""YOLO: the paper's tensor, and equation 3 term by term, in plain loops."""

from __future__ import annotations

from functools import partial
from math import sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from lightning_modules.means import values
from lightning_modules.networks.backbones import ConvBackbone
from lightning_modules.networks.yolo import YOLO, ConvHead, FullyConnectedHead, YOLOHead, YOLOOutputs

Small = partial(ConvBackbone, (4, 4), depth=1)


@pytest.mark.parametrize("head", [ConvHead, partial(FullyConnectedHead, hidden=32)])
@pytest.mark.parametrize("size", [(448, 448), (112, 112), (60, 97)])
def test_pascal_voc_gives_the_papers_7_by_7_by_30(head: type[YOLOHead], size: tuple[int, int]) -> None:
    outputs = YOLO(20, backbone=Small, head=head)(torch.randn(2, 3, *size))
    assert outputs.grid.shape == (2, 7, 7, 30) and outputs.size == size


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_the_tensor_is_s_by_s_by_5b_plus_c(grid: int, boxes: int, num_classes: int) -> None:
    network = YOLO(num_classes, backbone=Small, grid=grid, boxes=boxes)
    assert network(torch.randn(2, 3, 48, 64)).grid.shape == (2, grid, grid, 5 * boxes + num_classes)


def _loss_by_hand(network: YOLO, outputs: YOLOOutputs, boxes: list[Tensor], labels: list[Tensor]) -> dict[str, float]:
    """Redmon et al. 2016, equation 3: cell by cell, predictor by predictor."""
    (height, width), s, b = outputs.size, network.grid, network.boxes
    loss = dict.fromkeys(("coordinates", "confidence_object", "confidence_empty", "class"), 0.0)
    for cells, of_image, names in zip(outputs.grid.tolist(), boxes, labels, strict=True):
        objects: dict[tuple[int, int], tuple[list[float], int]] = {}
        for (x1, y1, x2, y2), label in zip(of_image.tolist(), names.tolist(), strict=True):
            x, y, w, h = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
            objects.setdefault((min(int(y * s), s - 1), min(int(x * s), s - 1)), ([x, y, w, h], label))
        for row in range(s):
            for column in range(s):
                cell = cells[row][column]
                predictors = [cell[5 * j : 5 * j + 5] for j in range(b)]
                responsible, iou = -1, 0.0
                if (row, column) in objects:
                    (x, y, w, h), label = objects[row, column]
                    truth = torch.tensor([[x - w / 2, y - h / 2, x + w / 2, y + h / 2]])
                    ious = []
                    for px, py, pw, ph, _ in predictors:
                        cx, cy, side, tall = (column + px) / s, (row + py) / s, pw**2, ph**2
                        box = torch.tensor([[cx - side / 2, cy - tall / 2, cx + side / 2, cy + tall / 2]])
                        ious.append(box_iou(box, truth).item())
                    responsible, iou = ious.index(max(ious)), max(ious)
                    px, py, pw, ph, confidence = predictors[responsible]
                    loss["coordinates"] += 5 * ((px - (x * s - column)) ** 2 + (py - (y * s - row)) ** 2)
                    loss["coordinates"] += 5 * ((pw - sqrt(w)) ** 2 + (ph - sqrt(h)) ** 2)
                    loss["confidence_object"] += (confidence - iou) ** 2
                    loss["class"] += sum((p - (c == label)) ** 2 for c, p in enumerate(cell[5 * b :]))
                for j, (*_, confidence) in enumerate(predictors):
                    loss["confidence_empty"] += 0.5 * confidence**2 if j != responsible else 0.0
    return {name: value / len(boxes) for name, value in loss.items()}


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_the_loss_is_equation_3(seed: int, boxes: int, grid: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    network, size, counts = YOLO(4, backbone=Small, grid=grid, boxes=boxes), (90, 120), (5, 0, 1)
    outputs = YOLOOutputs(torch.rand(3, grid, grid, 5 * boxes + 4, generator=generator) * 1.4 - 0.2, size)
    limit = torch.tensor([120.0, 90.0, 120.0, 90.0])
    truth = [torch.rand(n, 2, 2, generator=generator).sort(1).values.flatten(1) * limit for n in counts]
    labels = [torch.randint(4, (n,), generator=generator) for n in counts]
    losses = values(network.losses(outputs, truth, labels))
    expected = _loss_by_hand(network, outputs, truth, labels)
    assert {k: v.item() for k, v in losses.items()} == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_perfect_grid_costs_nothing_but_confidences_and_predicts_the_truth() -> None:
    network = YOLO(3, backbone=Small, boxes=1, score_threshold=0.5)
    grid = torch.zeros(1, 7, 7, 8)
    # Centre (50, 88) of an image of 112 x 140 (H x W): the middle of the cell in row 5 and column 2; 70 x 28 pixels.
    grid[0, 5, 2] = torch.tensor([0.5, 0.5, sqrt(70 / 140), sqrt(28 / 112), 1.0, 0.0, 1.0, 0.0])
    outputs, truth = YOLOOutputs(grid, (112, 140)), torch.tensor([[15.0, 74.0, 85.0, 102.0]])
    losses = values(network.losses(outputs, [truth], [torch.tensor([1])]))
    assert all(loss.item() == pytest.approx(0, abs=1e-9) for loss in losses.values())
    (found,) = network.predict(outputs)
    torch.testing.assert_close(found["boxes"], truth)
    assert found["labels"].tolist() == [1] and found["scores"].tolist() == [1.0]


def test_only_the_first_object_of_a_cell_is_learned() -> None:
    network = YOLO(3, backbone=Small)
    outputs = network(torch.randn(1, 3, 70, 70))
    boxes, labels = torch.tensor([[10.0, 10.0, 19.0, 19.0], [11.0, 11.0, 17.0, 17.0]]), torch.tensor([2, 0])
    both = values(network.losses(outputs, [boxes], [labels]))
    first = values(network.losses(outputs, [boxes[:1]], [labels[:1]]))
    second = values(network.losses(outputs, [boxes[1:]], [labels[1:]]))
    assert both == first and both["class"] != second["class"]


def test_a_centre_on_the_far_border_belongs_to_the_last_cell() -> None:
    network = YOLO(2, backbone=Small)
    outputs = network(torch.randn(1, 3, 64, 64))
    losses = values(network.losses(outputs, [torch.tensor([[63.9999, 63.9999, 64.0, 64.0]])], [torch.tensor([0])]))
    assert all(bool(loss.isfinite()) for loss in losses.values())


def test_two_negative_factors_make_no_detection() -> None:
    network = YOLO(2, backbone=Small, score_threshold=0.0)
    assert len(network.predict(YOLOOutputs(torch.full((1, 7, 7, 12), -1.0), (64, 64)))[0]["scores"]) == 0


def test_the_confidence_learns_the_iou_but_the_box_does_not_learn_from_it() -> None:
    network = YOLO(2, backbone=Small)
    grid = torch.rand(1, 7, 7, 12, requires_grad=True)
    losses = values(
        network.losses(YOLOOutputs(grid, (64, 64)), [torch.tensor([[10.0, 10.0, 40.0, 30.0]])], [torch.tensor([1])])
    )
    losses["confidence_object"].backward()
    assert grid.grad is not None
    touched = grid.grad.abs().sum((0, 1, 2)).nonzero().flatten().tolist()
    assert touched in ([4], [9])
