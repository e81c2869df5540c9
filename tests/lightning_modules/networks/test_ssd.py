"""SSD: the paper's default boxes, matching, and its loss in plain loops."""

from __future__ import annotations

from functools import partial
from math import log, sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from lightning_modules.means import values
from lightning_modules.networks.backbones import FPN, ConvBackbone
from lightning_modules.networks.ssd import SSD, SSDBackbone, SSDOutputs

Small = partial(ConvBackbone, (4, 4, 8), depth=1)
SSD300 = {
    "scales": 6,
    "ratios": [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
    "box_scales": [0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.075],
}


def test_ssd300_has_the_papers_8732_default_boxes() -> None:
    outputs = SSD(20, backbone=SSDBackbone, **SSD300).eval()(torch.zeros(1, 3, 300, 300))  # type: ignore[arg-type]
    assert outputs.defaults.shape == (8732, 4)
    assert outputs.logits.shape == (1, 8732, 21) and outputs.offsets.shape == (1, 8732, 4)


def test_default_boxes_are_those_of_equation_4() -> None:
    outputs = SSD(2, backbone=Small, scales=3, ratios=[[2.0]], min_scale=0.2, max_scale=0.8)(torch.zeros(1, 3, 80, 160))
    sides = outputs.defaults[:, 2:] - outputs.defaults[:, :2]
    maps = [(10, 20), (5, 10), (3, 5)]
    assert len(sides) == 4 * sum(h * w for h, w in maps)
    start = 0
    for k, (h, w) in enumerate(maps):
        s, following = (0.2, 0.5, 0.8, 1.0)[k : k + 2]
        expected = [(s, s), (sqrt(s * following),) * 2, (s * sqrt(2), s / sqrt(2)), (s / sqrt(2), s * sqrt(2))]
        limits = torch.tensor(expected).clamp(max=1) * torch.tensor([160.0, 80.0])
        torch.testing.assert_close(sides[start : start + 4], limits)
        first = outputs.defaults[start]
        torch.testing.assert_close((first[:2] + first[2:]) / 2, torch.tensor([160 / w / 2, 80 / h / 2]))
        start += 4 * h * w


@pytest.mark.parametrize("scales", [1, 2, 4, 5])
def test_the_number_of_scales_is_free_on_any_backbone(scales: int) -> None:
    pyramid = partial(FPN, partial(Small, strides=[4, 8]), width=8)
    for backbone in (Small, pyramid):
        network = SSD(2, backbone=backbone, scales=scales)
        outputs = network(torch.randn(1, 3, 64, 64))
        first = 64 // network.backbone.strides[0]
        assert outputs.logits.shape[1] == sum(4 * max(first // 2**k, 1) ** 2 for k in range(scales))


def _loss_by_hand(outputs: SSDOutputs, boxes: list[Tensor], labels: list[Tensor]) -> dict[str, float]:
    """Liu et al. 2016, section 2.2: match, offsets (equation 2), smooth L1, and an image's hardest negatives, 3 to 1."""
    matched, box, errors = 0, 0.0, 0.0
    for logits, offsets, truth, names in zip(outputs.logits, outputs.offsets, boxes, labels, strict=True):
        overlap = box_iou(truth, outputs.defaults)
        objects = {d: int(overlap[:, d].argmax()) for d in range(len(logits)) if len(truth) and overlap[:, d].max() >= 0.5}
        objects |= {int(overlap[i].argmax()): i for i in range(len(truth))}
        negatives = []
        for d, default in enumerate(outputs.defaults.tolist()):
            chances = logits[d].log_softmax(0)
            if d not in objects:
                negatives.append(-chances[0].item())
                continue
            matched += 1
            errors -= chances[1 + names[objects[d]]].item()
            (x1, y1, x2, y2), (a1, b1, a2, b2) = default, truth[objects[d]].tolist()
            w, h = x2 - x1, y2 - y1
            target = [10 * (a1 + a2 - x1 - x2) / 2 / w, 10 * (b1 + b2 - y1 - y2) / 2 / h]
            target += [5 * log((a2 - a1) / w), 5 * log((b2 - b1) / h)]
            for value, goal in zip(offsets[d].tolist(), target, strict=True):
                gap = abs(value - goal)
                box += gap**2 / 2 if gap < 1 else gap - 0.5
        errors += sum(sorted(negatives, reverse=True)[: 3 * len(objects)])
    return {"class": errors / max(matched, 1), "box": box / max(matched, 1)}


@given(st.integers(0, 10**6), st.sampled_from([(3, 0, 2), (1,), (0, 0)]))
@settings(max_examples=15, deadline=None)
def test_the_loss_is_the_papers(seed: int, counts: tuple[int, ...]) -> None:
    torch.manual_seed(seed)
    network = SSD(3, backbone=Small, scales=3)
    outputs = network(torch.randn(len(counts), 3, 48, 64))
    limit = torch.tensor([64.0, 48.0, 64.0, 48.0])
    boxes = [torch.rand(n, 2, 2).sort(1).values.flatten(1) * limit + torch.tensor([0, 0, 0.5, 0.5]) for n in counts]
    labels = [torch.randint(3, (n,)) for n in counts]
    losses = values(network.losses(outputs, boxes, labels))
    expected = _loss_by_hand(outputs, boxes, labels)
    assert {k: v.item() for k, v in losses.items()} == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_an_object_that_no_default_box_fits_still_has_its_best_one() -> None:
    network = SSD(3, backbone=Small)
    outputs = network(torch.randn(1, 3, 64, 64))
    sliver = torch.tensor([[10.0, 10.0, 60.0, 11.0]])
    assert box_iou(sliver, outputs.defaults).max() < 0.5
    assert network.losses(outputs, [sliver], [torch.tensor([0])])["box"].value > 0


def test_offsets_of_zero_and_a_sure_class_are_the_default_boxes_themselves() -> None:
    network = SSD(3, backbone=Small, score_threshold=0.5)
    outputs = network(torch.randn(1, 3, 64, 64))
    logits = torch.full_like(outputs.logits, -9.0)
    logits[..., 0], logits[0, 100, 3] = 9.0, 30.0
    (found,) = network.predict(outputs._replace(logits=logits, offsets=torch.zeros_like(outputs.offsets)))
    torch.testing.assert_close(found["boxes"], outputs.defaults[100:101].clamp(0, 64))
    assert found["labels"].tolist() == [2]
