"""R-CNN, SPP-net and Fast R-CNN: their features against plain loops, their examples, and their losses."""

from __future__ import annotations

from functools import partial
from math import ceil, floor
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.ops import box_iou

from lightning_modules.means import values
from lightning_modules.networks import FPN, RCNN, ConvBackbone, FastRCNN, SoftmaxHead, SPPNet, StagedHead
from lightning_modules.networks.boxes import RoIPool
from lightning_modules.networks.rcnn import CONTEXT, warp
from lightning_modules.networks.region_heads import ClassifierLayers, FullyConnected
from lightning_modules.networks.regions import RegionDetector
from tests.support.registry import REGION_DETECTORS

Small = partial(ConvBackbone, (4, 8, 8), depth=1)
Narrow = partial(FullyConnected, widths=(16,))
BOXES = [torch.tensor([[5.0, 8.0, 40.0, 30.0], [30.0, 30.0, 60.0, 62.0]]), torch.tensor([[10.0, 20.0, 50.0, 60.0]])]
LABELS = [torch.tensor([1, 0]), torch.tensor([2])]
NONE = torch.zeros(0, 4)
DETECTORS, NAMES = list(REGION_DETECTORS.values()), list(REGION_DETECTORS)


def proposals(count: int, seed: int = 0, size: float = 64) -> Tensor:
    """Boxes of at least 2 pixels inside a square image."""
    generator = torch.Generator().manual_seed(seed)
    corners = (torch.rand(count, 2, 2, generator=generator) * (size - 2)).sort(1).values
    corners[:, 1] += 2
    return corners.flatten(1)


# Features -------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(3, 12))
@settings(max_examples=15, deadline=None)
def test_a_warped_region_is_the_region_with_its_context_sampled_pixel_by_pixel(seed: int, crop: int) -> None:
    image = torch.randn(1, 1, 20, 24, generator=torch.Generator().manual_seed(seed))
    (box,) = proposals(1, seed, 20)
    warped = warp(image, torch.cat([torch.zeros(1), box])[None], crop, context=0.1)[0, 0]
    low, high, border = box[:2].tolist(), box[2:].tolist(), 0.1 * crop

    def pixel(y: int, x: int) -> float:
        return float(image[0, 0, y, x])

    for i in range(crop):
        for j in range(crop):
            # The box reaches from ``border`` to crop - border; the centre of pixel j lies at j + 1/2.
            x, y = (
                low[k] + (place + 0.5 - border) / (crop - 2 * border) * (high[k] - low[k]) - 0.5
                for k, place in ((0, j), (1, i))
            )
            if not (-1 <= x <= 24 and -1 <= y <= 20):
                assert warped[i, j] == 0
                continue
            x, y = min(max(x, 0), 23), min(max(y, 0), 19)
            left, top = min(floor(x), 22), min(floor(y), 18)
            right, below = x - left, y - top
            expected = (1 - below) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1))
            expected += below * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1))
            assert float(warped[i, j]) == pytest.approx(expected, abs=1e-4)


def test_a_region_warped_without_distortion_shows_16_pixels_of_context() -> None:
    """Girshick et al. 2014, appendix A: of a region of 195 pixels, a crop of 227 is the image itself around it."""
    image = torch.randn(1, 3, 260, 260)
    crop = warp(image, torch.tensor([[0.0, 20.0, 30.0, 215.0, 225.0]]), 227)
    torch.testing.assert_close(crop, image[:, :, 14:241, 4:231], atol=1e-3, rtol=0)
    assert pytest.approx(16) == 227 * CONTEXT
    outside = warp(image, torch.tensor([[0.0, 0.0, 0.0, 195.0, 195.0]]), 227)
    assert not outside[:, :, :15].any() and not outside[:, :, :, :15].any() and outside[:, :, 17:, 17:].all()


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_the_pyramid_is_the_greatest_value_of_each_cell_of_each_level(seed: int) -> None:
    network = SPPNet(2, backbone=Small, levels=(1, 2, 3))
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, 8, 8, 8, generator=generator)
    boxes = proposals(6, seed)
    found = network.features([maps], [boxes[:4], boxes[4:]])
    assert found.shape == (6, 8 * (1 + 4 + 9))
    for r, box in enumerate(boxes):
        x1, y1, x2, y2 = (floor(float(v) / 8 + 0.5) for v in box)
        height, width, expected = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1), []
        for n in (1, 2, 3):
            level = torch.zeros(8, n, n)
            for i in range(n):
                for j in range(n):
                    rows = slice(min(y1 + floor(i * height / n), 8), min(y1 + ceil((i + 1) * height / n), 8))
                    columns = slice(min(x1 + floor(j * width / n), 8), min(x1 + ceil((j + 1) * width / n), 8))
                    cells = maps[0 if r < 4 else 1, :, rows, columns].flatten(1)
                    level[:, i, j] = cells.max(1).values if cells.numel() else 0
            expected.append(level.flatten())
        torch.testing.assert_close(found[r], torch.cat(expected))


def test_the_gradient_of_roi_pooling_is_the_numerical_one() -> None:
    """Girshick 2015, equation 4: each pooled value sends its gradient to the cell that it was taken from."""
    torch.manual_seed(0)
    # Values far enough apart that no small step changes which of them is the greatest.
    features = (torch.randperm(2 * 3 * 6 * 8).double() / 10).view(2, 3, 6, 8).requires_grad_()
    regions = torch.tensor([[0.0, 3.0, 2.0, 50.0, 41.0], [1.0, 17.0, 9.0, 61.0, 30.0], [1.0, 0.0, 0.0, 64.0, 48.0]]).double()
    for size in (1, 2, 3, 7):
        pooling = RoIPool(size)
        assert torch.autograd.gradcheck(lambda maps, pooling=pooling: pooling.cut(maps, regions, 1 / 8), [features])


def test_a_pyramid_of_one_level_is_fast_r_cnns_pooling() -> None:
    fast, spp = FastRCNN(2, backbone=Small, pooling=partial(RoIPool, 5)), SPPNet(2, backbone=Small, levels=[5])
    maps, regions = [torch.randn(1, 8, 8, 8)], [proposals(9)]
    assert torch.equal(fast.features(maps, regions), spp.features(maps, regions))


def test_r_cnn_looks_at_each_region_alone_however_many_go_through_together() -> None:
    torch.manual_seed(0)
    images, regions = torch.randn(2, 3, 64, 64), [proposals(5), proposals(4, 1)]
    network = RCNN(2, backbone=Small, at_once=3).eval()
    features = network.features(network.share(images), regions)
    alone = []
    for image, boxes in zip(images, regions, strict=True):
        for box in boxes:
            crop = warp(image[None], torch.cat([torch.zeros(1), box])[None], 32)
            alone.append(network.backbone(crop)[-1].flatten(1))
    torch.testing.assert_close(features, torch.cat(alone))


# Examples and losses --------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_examples_are_as_many_and_as_near_to_objects_as_the_paper_says(seed: int) -> None:
    """Girshick 2015, section 2.3: of 64 regions a quarter with IoU of at least .5, the others with IoU in [.1, .5)."""
    network = FastRCNN(3, backbone=Small)
    torch.manual_seed(seed)
    boxes, labels = BOXES[0], LABELS[0]
    near = (boxes.repeat(20, 1) + torch.randn(40, 4) * 3).clamp(0, 64)
    regions, classes, matched, places = network.sample(torch.cat([near, proposals(200, seed)]), boxes, labels)
    overlap, best = box_iou(regions, boxes).max(1)
    objects = classes > 0
    assert objects.sum() == 16 and len(regions) == 64
    assert bool((overlap[objects] >= 0.5).all()) and torch.equal(classes[objects], 1 + labels[best[objects]])
    assert torch.equal(matched, boxes[best]) and torch.equal(places, best)
    assert bool(((overlap[~objects] >= 0.1) & (overlap[~objects] < 0.5)).all())
    assert len(torch.unique(regions, dim=0)) == 64


def test_objects_are_examples_of_themselves_and_empty_images_are_background() -> None:
    network = FastRCNN(3, backbone=Small)
    regions, classes, matched, _ = network.sample(NONE, BOXES[0], LABELS[0])
    assert (
        torch.equal(regions.sort(0).values, BOXES[0]) and torch.equal(regions, matched) and sorted(classes.tolist()) == [1, 2]
    )
    regions, classes, matched, _ = network.sample(proposals(30), NONE, torch.zeros(0, dtype=torch.long))
    assert len(regions) == 30 and not classes.any()


@pytest.mark.parametrize("kind", DETECTORS, ids=NAMES)
def test_images_without_objects_or_without_proposals_are_trained_and_predicted_on(kind: Any) -> None:
    network: RegionDetector = kind(3)
    nothing = torch.zeros(0, dtype=torch.long)
    for boxes, labels, regions in ((NONE, nothing, proposals(9)), (NONE, nothing, NONE), (BOXES[0], LABELS[0], NONE)):
        losses = values(network.losses(network(torch.randn(1, 3, 64, 64), [regions]), [boxes], [labels]))
        sum(losses.values(), torch.zeros(())).backward()
        assert all(bool(value.isfinite()) for value in losses.values())
    network.eval()
    found = network.predict(network(torch.randn(2, 3, 64, 64), [NONE, proposals(9)]))
    assert len(found[0]["boxes"]) == 0 < len(found[1]["boxes"])


@pytest.mark.parametrize("kind", DETECTORS, ids=NAMES)
def test_in_bfloat16_losses_scores_and_boxes_stay_in_single_precision(kind: Any) -> None:
    torch.manual_seed(0)
    network: RegionDetector = kind(3).eval()
    if isinstance(head := network.head, StagedHead):
        head.has_svm.fill_(True), head.has_regressor.fill_(True), head.svm.normal_(std=0.1), head.regressor.normal_(std=0.01)
    images, regions = torch.randn(2, 3, 64, 64), [proposals(20), proposals(20, 1)]
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(images, regions)
        losses, found = values(network.losses(outputs, BOXES, LABELS)), network.predict(outputs)
    assert all(value.dtype == torch.float32 and bool(value.isfinite()) for value in losses.values())
    assert all(
        detections["boxes"].dtype == detections["scores"].dtype == torch.float32 and len(detections["boxes"])
        for detections in found
    )


@pytest.mark.parametrize("kind", DETECTORS, ids=NAMES)
def test_a_network_of_double_precision_takes_double_images_and_regions(kind: Any) -> None:
    network: RegionDetector = kind(3).double().eval()
    if isinstance(head := network.head, StagedHead):
        head.has_svm.fill_(True), head.has_regressor.fill_(True)
    outputs = network(torch.randn(1, 3, 64, 64).double(), [proposals(20).double()])
    losses = values(network.losses(outputs, [BOXES[0].double()], LABELS[:1]))
    sum(losses.values(), torch.zeros(())).backward()
    assert all(value.dtype == torch.float64 for value in losses.values())
    assert len(network.predict(outputs)[0]["boxes"])


@pytest.mark.parametrize(("kind", "backbone"), [*zip(DETECTORS, (True, False, True), strict=True)], ids=NAMES)
def test_only_spp_nets_backbone_is_left_as_it_is(kind: Any, backbone: bool) -> None:
    """Girshick 2015, section 1.2: "fine-tuning cannot update the convolutional layers that precede the pyramid"."""
    network: RegionDetector = kind(3).train()
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    losses = values(network.losses(network(torch.randn(2, 3, 64, 64), [proposals(50), proposals(50, 1)]), BOXES, LABELS))
    sum(losses.values(), torch.zeros(())).backward()
    assert any(p.grad is not None and bool(p.grad.any()) for p in network.backbone.parameters()) == backbone
    assert all(torch.equal(before[name], value) for name, value in network.backbone.state_dict().items()) != backbone
    assert all(p.grad is not None and bool(p.grad.any()) for p in network.head.parameters())


def test_the_losses_are_those_of_fast_r_cnns_equations() -> None:
    """Girshick 2015, equations 1 to 3, a region at a time."""
    torch.manual_seed(0)
    head = SoftmaxHead(8, 3, layers=partial(FullyConnected, widths=()), box_weight=2.0)
    head.boxes.weight.data.normal_()
    features, regions = torch.randn(4, 8), torch.tensor([[4.0, 4, 20, 36], [0, 0, 10, 10], [30, 20, 60, 60], [3, 3, 9, 5]])
    classes, boxes = (
        torch.tensor([2, 0, 1, 0]),
        torch.tensor([[6.0, 2, 21, 40], [0, 0, 10, 10], [28, 24, 59, 63], [3, 3, 9, 5]]),
    )
    with torch.no_grad():
        found = values(head.losses(features, regions, classes, boxes))
    log_loss, box_loss = 0.0, 0.0
    logits, offsets = head.classes(features).detach().softmax(1), head.boxes(features).view(4, 3, 4)
    for r, u in enumerate(classes.tolist()):
        log_loss -= float(logits[r, u].log())
        if u == 0:
            continue
        x1, y1, x2, y2 = regions[r].tolist()
        g1, h1, g2, h2 = boxes[r].tolist()
        target = [
            ((g1 + g2) - (x1 + x2)) / 2 / (x2 - x1) / 0.1,
            ((h1 + h2) - (y1 + y2)) / 2 / (y2 - y1) / 0.1,
            float(torch.tensor((g2 - g1) / (x2 - x1)).log()) / 0.2,
            float(torch.tensor((h2 - h1) / (y2 - y1)).log()) / 0.2,
        ]
        for t, v in zip(offsets[r, u - 1].tolist(), target, strict=True):
            box_loss += 0.5 * (t - v) ** 2 if abs(t - v) < 1 else abs(t - v) - 0.5
    assert float(found["roi_class"]) == pytest.approx(log_loss / 4, rel=1e-5)
    assert float(found["roi_box"]) == pytest.approx(2 * box_loss / 4, rel=1e-5)


# Heads ----------------------------------------------------------------------------------------------------------------


def test_a_staged_head_answers_by_what_has_been_fitted_so_far() -> None:
    torch.manual_seed(0)
    head = StagedHead(6, 2, layers=partial(FullyConnected, widths=(5,)))
    features, regions = torch.randn(3, 6), torch.tensor([[10.0, 10, 30, 20]]).repeat(3, 1)
    boxes, scores = head(features, regions)
    torch.testing.assert_close(scores, head.classes(head.layers(features)).softmax(1)[:, 1:])
    assert torch.equal(boxes, regions)
    head.svm.normal_(), head.has_svm.fill_(True)
    boxes, scores = head(features, regions)
    margins = head.layers(features) @ head.svm[:, 1:].T + head.svm[:, 0]
    torch.testing.assert_close(scores.logit(), margins, atol=1e-4, rtol=1e-4)
    assert torch.equal(boxes, regions)
    # Class 0 moves right by a quarter of the width, class 1 doubles the height: Girshick et al. 2014, equations 1 to 4.
    head.regressor[0, 0, 0], head.regressor[1, 3, 0] = 0.25, float(torch.tensor(2.0).log())
    head.has_regressor.fill_(True)
    boxes, _ = head(features, regions)
    expected = torch.tensor([[15.0, 10, 35, 20], [10, 5, 30, 25]])
    torch.testing.assert_close(boxes, expected.expand(3, 2, 4))


def test_detections_come_from_the_best_class_and_its_own_box() -> None:
    network = FastRCNN(2, backbone=Small, head=partial(SoftmaxHead, layers=Narrow)).eval()
    head: Any = network.head
    nn.init.zeros_(head.classes.weight), nn.init.zeros_(head.boxes.weight)
    head.classes.bias.data = torch.tensor([0.0, -9.0, 5.0])
    head.boxes.bias.data[4:] = torch.tensor([2.5, 0.0, 0.0, 0.0])  # of class 1: a quarter of the width to the right
    (found,) = network.predict(network(torch.randn(1, 3, 64, 64), [torch.tensor([[8.0, 8, 40, 40]])]))
    assert found["labels"].tolist() == [1] and float(found["scores"].detach()) > 0.9
    torch.testing.assert_close(found["boxes"], torch.tensor([[16.0, 8, 48, 40]]))


def test_the_papers_layers_are_those_of_a_classifier() -> None:
    layers = ClassifierLayers(256 * 6 * 6, name="alexnet")
    assert layers.width == 4096
    assert [tuple(m.weight.shape) for m in layers if isinstance(m, nn.Linear)] == [(4096, 9216), (4096, 4096)]
    with pytest.raises(ValueError, match="fc6 takes 9216 features, but a region has 4096"):
        ClassifierLayers(256 * 16, name="alexnet")
    with pytest.raises(ValueError, match="resnet18 has no fc6"):
        ClassifierLayers(512, name="resnet18")


def test_maps_of_different_widths_are_refused_and_a_pyramid_of_maps_is_not() -> None:
    for kind in (FastRCNN, SPPNet):
        with pytest.raises(ValueError, match=rf"{kind.__name__} needs maps of one width, got channels \(4, 8\).*FPN"):
            kind(3, backbone=partial(Small, strides=[2, 4]))
        pyramid = kind(3, backbone=partial(FPN, partial(Small, strides=[4, 8]), width=8)).eval()
        assert pyramid.predict(pyramid(torch.randn(1, 3, 64, 64), [proposals(5)]))
