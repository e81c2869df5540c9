"""Faster R-CNN: the paper's anchors, four losses and what each of them trains, RoI pooling, and torchvision's own network."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from math import ceil, floor
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN as Reference
from torchvision.models.detection import roi_heads
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import box_iou
from torchvision.ops.poolers import LevelMapper

from lightning_modules.means import values
from lightning_modules.networks.backbones import FPN, ConvBackbone
from lightning_modules.networks.boxes import RoIAlign, RoIPool, RoIPooling, paired_iou
from lightning_modules.networks.fast_rcnn import FastRCNN
from lightning_modules.networks.faster_rcnn import FasterRCNN
from lightning_modules.networks.region_heads import SoftmaxHead

Small = partial(ConvBackbone, (4, 8, 8), depth=1)
Pyramid = partial(FPN, partial(ConvBackbone, (4, 8, 8, 8), depth=1, strides=[4, 8, 16]), width=8)
BOXES = [torch.tensor([[5.0, 8.0, 40.0, 30.0], [30.0, 30.0, 60.0, 62.0]]), torch.tensor([[10.0, 20.0, 50.0, 60.0]])]
LABELS = [torch.tensor([1, 0]), torch.tensor([2])]


def test_the_paper_has_nine_anchors_a_place_and_about_20000_an_image() -> None:
    """Ren et al. 2015, section 3.1.1 and 3.3: areas of 128², 256², 512², ratios 1:2, 1:1, 2:1; 1000 x 600 pixels."""
    backbone = partial(ConvBackbone, (4, 4, 4, 4), depth=1)
    network = FasterRCNN(20, backbone=backbone, anchor_scales=(8, 16, 32), proposals=1)
    anchors = network(torch.zeros(1, 3, 600, 1000)).proposed.anchors
    assert len(anchors) == 9 * 38 * 63
    sides = (anchors[:9, 2:] - anchors[:9, :2]).double()
    torch.testing.assert_close(
        sides.prod(1).sqrt().sort().values, torch.tensor([128, 256, 512]).repeat_interleave(3).double(), rtol=0.01, atol=0
    )
    torch.testing.assert_close(
        (sides[:, 1] / sides[:, 0]).sort().values, torch.tensor([0.5, 1, 2]).repeat_interleave(3).double(), rtol=0.02, atol=0
    )


@pytest.mark.parametrize("backbone", [Small, Pyramid])
def test_anchors_lie_evenly_over_the_image(backbone: type[ConvBackbone]) -> None:
    anchors = FasterRCNN(2, backbone=backbone)(torch.zeros(1, 3, 64, 96)).proposed.anchors
    torch.testing.assert_close((anchors[:, :2] + anchors[:, 2:]).mean(0) / 2, torch.tensor([48.0, 32.0]))


@pytest.mark.parametrize(
    ("loss", "trained", "untrained"),
    [
        ("rpn_objectness", "rpn.head.cls_logits", ["rpn.head.bbox_pred", "head."]),
        ("rpn_box", "rpn.head.bbox_pred", ["rpn.head.cls_logits", "head."]),
        ("roi_class", "head.classes", ["rpn.", "head.boxes"]),
        ("roi_box", "head.boxes", ["rpn.", "head.classes"]),
    ],
)
@pytest.mark.parametrize("backbone", [Small, Pyramid], ids=["map", "pyramid"])
def test_each_of_the_four_losses_trains_its_own_head_and_the_backbone(
    loss: str, trained: str, untrained: list[str], backbone: type[ConvBackbone]
) -> None:
    torch.manual_seed(0)
    network = FasterRCNN(3, backbone=backbone)
    losses = values(network.losses(network(torch.randn(2, 3, 64, 64)), BOXES, LABELS))
    assert set(losses) == {"rpn_objectness", "rpn_box", "roi_class", "roi_box"}
    losses[loss].backward()
    touched = {name for name, p in network.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert any(name.startswith(trained) for name in touched) and any(name.startswith("backbone.") for name in touched)
    assert not any(name.startswith(prefix) for name in touched for prefix in untrained)


class _Named(nn.Module):
    """Our backbone as torchvision wants one."""

    def __init__(self, backbone: nn.Module, channels: int) -> None:
        super().__init__()
        self.backbone, self.out_channels = backbone, channels

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return OrderedDict((str(i), features) for i, features in enumerate(self.backbone(images)))


class _Centred(AnchorGenerator):
    """torchvision's anchors, moved from the corners of the cells to their centres."""

    def grid_anchors(self, grid_sizes: list[list[int]], strides: list[list[Tensor]]) -> list[Tensor]:
        return [grid + stride[0] / 2 for grid, stride in zip(super().grid_anchors(grid_sizes, strides), strides, strict=True)]


class _Pooled(nn.Module):
    """Our pooling as torchvision calls it."""

    def __init__(self, network: FasterRCNN) -> None:
        super().__init__()
        self.pooling, self.strides = network.pooling, network.backbone.strides

    def forward(self, maps: dict[str, Tensor], regions: list[Tensor], sizes: list[tuple[int, int]]) -> Tensor:
        return self.pooling(list(maps.values()), self.strides, regions)


class _Head(nn.Module):
    """Our second stage as torchvision calls it: an own box for the background too."""

    def __init__(self, head: SoftmaxHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.head.layers(features.flatten(1))
        return self.head.classes(hidden), F.pad(self.head.boxes(hidden), (4, 0))


@pytest.mark.parametrize("backbone", [Small, Pyramid], ids=["map", "pyramid"])
def test_losses_and_detections_are_those_of_torchvisions_own_network(
    backbone: type[ConvBackbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same parts, all anchors and regions sampled, and Fast R-CNN's smooth L1, nothing differs."""
    torch.manual_seed(0)
    every = 10**5
    # Background down to an IoU of 0, as torchvision has it; objects are few enough to be all in.
    ours: Any = FasterRCNN(
        3, backbone=backbone, proposals=20, rpn_samples=every, samples=every, background=(0.0, 0.5), score_threshold=0.05
    )
    generator = ours.rpn.generator
    theirs = Reference(
        _Named(ours.backbone, 8),
        min_size=64,
        max_size=64,
        image_mean=[0.0] * 3,
        image_std=[1.0] * 3,
        rpn_anchor_generator=_Centred(generator.sizes, generator.aspect_ratios),
        rpn_head=ours.rpn.head,
        rpn_pre_nms_top_n_train=ours.rpn.candidates,
        rpn_pre_nms_top_n_test=ours.rpn.candidates,
        rpn_post_nms_top_n_train=20,
        rpn_post_nms_top_n_test=20,
        rpn_batch_size_per_image=every,
        box_head=nn.Identity(),
        box_predictor=_Head(ours.head),
        box_batch_size_per_image=every,
        _skip_resize=True,  # which would draw a random number
    )
    theirs.roi_heads.box_roi_pool = _Pooled(ours)

    def smooth_l1(*args: Any, beta: float, **kwargs: Any) -> Tensor:
        assert beta == 1 / 9  # torchvision's own, of which the papers know nothing
        return F.smooth_l1_loss(*args, **kwargs)

    monkeypatch.setattr(
        roi_heads, "F", SimpleNamespace(softmax=F.softmax, cross_entropy=F.cross_entropy, smooth_l1_loss=smooth_l1)
    )
    images, truth = (
        torch.rand(2, 3, 64, 64),
        [{"boxes": b, "labels": 1 + label} for b, label in zip(BOXES, LABELS, strict=True)],
    )
    expected = theirs(list(images), truth)
    losses = values(ours.losses(ours(images), BOXES, LABELS))
    torch.testing.assert_close(
        [losses[name] for name in ("roi_class", "roi_box", "rpn_objectness", "rpn_box")],
        [expected[name] for name in ("loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg")],
    )
    ours.eval(), theirs.eval()
    with torch.no_grad():
        for found, reference in zip(ours.predict(ours(images)), theirs(list(images)), strict=True):
            torch.testing.assert_close(dict(found), {**reference, "labels": reference["labels"] - 1})


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_anchors_of_the_loss_are_as_the_paper_says_and_drawn_by_the_images_generator(seed: int) -> None:
    """Ren et al. 2015, section 3.1.2: an IoU of .7 or an object's best, and all below .3; at most half of them on objects."""
    rpn = FasterRCNN(3, backbone=Small, rpn_samples=30).rpn
    anchors = rpn._anchors([torch.zeros(1, 8, 8, 8)])
    boxes = torch.cat([BOXES[0], anchors[torch.randperm(len(anchors), generator=torch.Generator().manual_seed(seed))[:20]]])
    drawn, offsets = rpn._sample(anchors, boxes, torch.Generator().manual_seed(seed))
    overlap = box_iou(boxes, anchors)
    positive = (overlap >= 0.7).any(0) | (overlap == overlap.amax(1, keepdim=True)).any(0)
    assert len(offsets) == min(15, int(positive.sum())) and len(drawn) == 30 == len(drawn.unique())
    assert bool(positive[drawn[: len(offsets)]].all()) and bool((overlap.amax(0)[drawn[len(offsets) :]] < 0.3).all())
    again, _ = rpn._sample(anchors, boxes, torch.Generator().manual_seed(seed))
    other, _ = rpn._sample(anchors, boxes, torch.Generator().manual_seed(seed + 1))
    assert torch.equal(drawn, again) and not torch.equal(drawn, other)


def test_fast_and_faster_r_cnn_take_the_same_losses_on_the_same_regions() -> None:
    torch.manual_seed(0)
    faster, fast = FasterRCNN(3, backbone=Small, samples=10**5), FastRCNN(3, backbone=Small, pooling=RoIAlign, samples=10**5)
    fast.load_state_dict({name: value for name, value in faster.state_dict().items() if not name.startswith("rpn.")})
    images = torch.rand(2, 3, 64, 64)
    outputs = faster(images)
    found = values(faster.losses(outputs, BOXES, LABELS))
    expected = values(fast.losses(fast(images, outputs.proposals), BOXES, LABELS))
    torch.testing.assert_close({name: found[name] for name in ("roi_class", "roi_box")}, expected)


def test_few_candidates_for_proposals_do_not_limit_the_detections() -> None:
    """Twelve anchors become proposals, and each proposal a detection of every class."""
    torch.manual_seed(0)
    network = FasterRCNN(3, backbone=Small, candidates=12, proposals=50, score_threshold=0.0, nms_threshold=1.0).eval()
    outputs = network(torch.rand(1, 3, 64, 64))
    (proposals,) = outputs.proposals
    assert 4 < len(proposals) <= 12
    assert len(network.predict(outputs)[0]["boxes"]) == 3 * len(proposals)


def test_maps_of_different_widths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"channels \(4, 8\).*FPN"):
        FasterRCNN(3, backbone=partial(Small, strides=[2, 4]))


def test_fewer_proposals_at_test_time_need_no_new_training() -> None:
    """Huang et al. 2017: the number of proposals trades accuracy for time; no weight depends on it."""
    many, few = FasterRCNN(3, backbone=Small, proposals=40).eval(), FasterRCNN(3, backbone=Small, proposals=5).eval()
    few.load_state_dict(many.state_dict())
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for five, forty in zip(few(images).proposals, many(images).proposals, strict=True):
            assert len(five) == 5 < len(forty) <= 40 and torch.equal(five, forty[:5])


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_each_region_is_pooled_from_the_map_of_equation_1(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    maps = [torch.full((2, 1, 800 // s, 800 // s), float(i)) for i, s in enumerate((4, 8, 16, 32))]
    corner, side = torch.rand(2, 40, 2, generator=generator) * 300
    regions = list(torch.cat([corner, corner + 1 + side], 1).split([25, 15]))
    expected = LevelMapper(2, 5)(regions)
    for pooling in (RoIAlign(3), RoIPool(3)):
        levels = pooling(maps, (4, 8, 16, 32), regions)
        assert torch.equal(levels, expected.float()[:, None, None, None].expand(-1, 1, 3, 3))


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_roi_pooling_is_max_pooling_of_rounded_regions(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    features, size = torch.randn(2, 3, 8, 10, generator=generator), 3
    corner, side = torch.rand(2, 6, 2, generator=generator) * 60
    boxes = torch.cat([corner, corner + side], 1)
    pooled = RoIPool(size)([features], (8,), [boxes[:4], boxes[4:]])
    for r, box in enumerate(boxes):
        x1, y1, x2, y2 = (int(v) for v in (box / 8 + 0.5).floor())
        rows, columns = (y1, max(y2 - y1 + 1, 1) / size), (x1, max(x2 - x1 + 1, 1) / size)
        for i in range(size):
            for j in range(size):
                (top, bottom), (left, right) = (
                    [min(max(floor(k * step) + start, 0), end), min(max(ceil((k + 1) * step) + start, 0), end)]
                    for k, (start, step), end in ((i, rows, 8), (j, columns, 10))
                )
                cells = features[0 if r < 4 else 1, :, top:bottom, left:right].flatten(1)
                expected = cells.max(1).values if cells.numel() else torch.zeros(3)
                torch.testing.assert_close(pooled[r, :, i, j], expected)


@pytest.mark.parametrize("pooling", [RoIAlign(2), RoIPool(2)])
def test_pooling_is_differentiable_and_takes_images_without_regions(pooling: RoIPooling) -> None:
    maps = [torch.rand(2, 2, 8, 8, requires_grad=True), torch.rand(2, 2, 4, 4, requires_grad=True)]
    none, one = torch.zeros(0, 4), torch.tensor([[4.0, 4.0, 28.0, 28.0]])
    assert pooling(maps, (4, 8), [none, none]).shape == (0, 2, 2, 2)
    pooling(maps, (4, 8), [none, one]).sum().backward()
    assert maps[0].grad is not None and not maps[0].grad[0].any() and maps[0].grad[1].any()


@given(st.integers(0, 10**6), st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_paired_iou_is_the_diagonal_of_box_iou(seed: int, count: int) -> None:
    boxes = torch.rand(2, count, 2, 2, generator=torch.Generator().manual_seed(seed)).sort(-2).values.flatten(-2)
    torch.testing.assert_close(paired_iou(*boxes), box_iou(*boxes).diagonal())
    assert paired_iou(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0
