"""What one image costs a detector: seconds are put down to the right part, and operations are those that the layers take."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from experiments.measures.image_cost import cost_of_an_image, four_detectors
from lightning_modules.networks import FasterRCNN
from lightning_modules.networks.backbones import ConvBackbone

BACKBONE = partial(ConvBackbone, (4, 8, 8), depth=1)
IMAGE = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def regions(count: int) -> Tensor:
    corners = torch.rand(count, 2, 2, generator=torch.Generator().manual_seed(0)) * 30
    return torch.cat([corners[:, 0], corners[:, 0] + 4 + corners[:, 1]], 1)


def flops(side: int) -> int:
    """Of the backbone's three convolutions of stride 2 on one square image, a multiplication and an addition being two."""
    outputs = [(side // 2, 4 * 3), (side // 4, 8 * 4), (side // 8, 8 * 8)]
    return sum(2 * 9 * channels * cells**2 for cells, channels in outputs)


def test_operations_of_the_backbone_are_those_of_its_convolutions_however_often_it_runs() -> None:
    detectors = four_detectors(3, backbone=BACKBONE, crop=32, grid=3, proposals=5)
    assert list(detectors) == ["R-CNN", "SPP-net", "Fast R-CNN", "Faster R-CNN"]
    costs = {n: cost_of_an_image(d, IMAGE, None if n == "Faster R-CNN" else regions(300), 1) for n, d in detectors.items()}
    assert costs["R-CNN"].backbone_gflop == pytest.approx(300 * flops(32) / 1e9)
    for name in ("SPP-net", "Fast R-CNN", "Faster R-CNN"):
        assert costs[name].backbone_gflop == pytest.approx(flops(64) / 1e9)
    # Behind the backbone, Fast R-CNN has one hidden layer of 256, and 1 + 3 classes and 4 x 3 offsets on it.
    head = 2 * 300 * (8 * 9 * 256 + 256 * (4 + 12))
    assert costs["Fast R-CNN"].gflop == pytest.approx((flops(64) + head) / 1e9)


def test_each_detector_takes_fewer_operations_than_the_one_before() -> None:
    detectors, image = four_detectors(3, proposals=5), torch.randn(1, 3, 128, 128)
    costs = [cost_of_an_image(d, image, None if n == "Faster R-CNN" else regions(100), 1) for n, d in detectors.items()]
    totals = [cost.gflop for cost in costs]
    assert totals == sorted(totals, reverse=True)


def test_seconds_are_put_down_to_the_part_that_took_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that only the parts move: the backbone by 1 a run, the search for regions by 20, a head's layer by 300."""
    now = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])

    def takes(seconds: float) -> Any:
        def move(*_: Any) -> None:
            now[0] += seconds

        return move

    detectors: Any = four_detectors(3, backbone=BACKBONE, crop=32, grid=3, proposals=5)
    detectors["R-CNN"].at_once = 100
    for name, detector in detectors.items():
        detector.backbone.stages["stride8"].register_forward_hook(takes(1))
        if isinstance(detector, FasterRCNN):
            detector.rpn.head.register_forward_hook(takes(20))
        detector.head.layers.register_forward_hook(takes(300))
        cost = cost_of_an_image(detector, IMAGE, None if name == "Faster R-CNN" else regions(250), repeats=2)
        assert cost.proposals == (20 if name == "Faster R-CNN" else 0)
        assert cost.backbone == (3 if name == "R-CNN" else 1)
        assert cost.head == 300
        assert cost.seconds == cost.proposals + cost.backbone + cost.head
