"""What one image costs a detector, by its parts: measured in seconds, and counted in operations."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from lightning_modules.networks import RCNN, FasterRCNN, FastRCNN, SPPNet
from lightning_modules.networks.backbones import Backbone, ConvBackbone
from lightning_modules.networks.boxes import RoIPool
from lightning_modules.networks.detector import Detector


class ImageCost(NamedTuple):
    """What one image costs a detector, from the image to its detections."""

    proposals: float
    """CPU-seconds of a network that proposes regions; 0 where they are given."""
    backbone: float
    """CPU-seconds of the backbone, however often it runs."""
    head: float
    """CPU-seconds of everything else: cutting regions out, classifying, non-maximum suppression."""
    gflop: float
    """Floating-point operations of all of it in 10^9, a multiplication and an addition being two."""
    backbone_gflop: float

    @property
    def seconds(self) -> float:
        return self.proposals + self.backbone + self.head


def cost_of_an_image(detector: Detector, image: Tensor, proposals: Tensor | None = None, repeats: int = 3) -> ImageCost:
    """Runs a detector on one image and says what each part cost: the median of ``repeats``, after one that does not count.

    CPU-seconds are of this process; they are comparable with one another only where torch has one thread.

    Args:
        detector: is put into evaluation mode.
        image: float (1, 3, H, W), normalised.
        proposals: float (P, 4), xyxy in pixels, for a detector that is given them.
        repeats: how often.
    """
    detector.eval()
    inputs: tuple[Any, ...] = (image,) if proposals is None else (image, [proposals])
    rows = []
    with torch.no_grad(), _clock(detector.backbone) as backbone:  # type: ignore[arg-type]
        for _ in range(1 + repeats):
            backbone.seconds = 0.0
            began = time.process_time()
            outputs = detector(*inputs)
            between, in_forward = time.process_time(), backbone.seconds
            detector.predict(outputs)
            ended, in_predict = time.process_time(), backbone.seconds - in_forward
            # What a forward pass does beside the backbone's work is proposing: given regions are only handed on.
            rows.append((between - began - in_forward, backbone.seconds, ended - between - in_predict))
    with torch.no_grad(), FlopCounterMode(display=False) as counter, _counted(detector.backbone, counter) as flops:  # type: ignore[arg-type]
        detector.predict(detector(*inputs))
    proposing, in_backbone, rest = (statistics.median(part) for part in zip(*rows[1:], strict=True))
    if proposals is not None:
        proposing, rest = 0.0, rest + proposing
    return ImageCost(proposing, in_backbone, rest, counter.get_total_flops() / 1e9, sum(flops) / 1e9)


class _Clock:
    """CPU-seconds inside a module."""

    def __init__(self) -> None:
        self.seconds = self.began = 0.0


@contextmanager
def _clock(module: torch.nn.Module) -> Iterator[_Clock]:
    clock = _Clock()

    def start(*_: Any) -> None:
        clock.began = time.process_time()

    def stop(*_: Any) -> None:
        clock.seconds += time.process_time() - clock.began

    handles = [module.register_forward_pre_hook(start), module.register_forward_hook(stop)]
    try:
        yield clock
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _counted(module: torch.nn.Module, counter: FlopCounterMode) -> Iterator[list[int]]:
    """The operations of each run of a module."""
    flops: list[int] = []
    handles = [
        module.register_forward_pre_hook(lambda *_: flops.append(-counter.get_total_flops())),
        module.register_forward_hook(lambda *_: flops.append(counter.get_total_flops())),
    ]
    try:
        yield flops
    finally:
        for handle in handles:
            handle.remove()


def four_detectors(
    num_classes: int, *, backbone: Callable[[], Backbone] = ConvBackbone, crop: int = 64, grid: int = 7, proposals: int = 300
) -> dict[str, Detector]:
    """R-CNN, SPP-net, Fast R-CNN and Faster R-CNN with backbones and fully connected layers of the same shapes.

    The first two have all their stages, as though they were fitted. The weights are random: time does not depend on them.

    Args:
        num_classes: of the data.
        backbone: builds the backbone, with one map.
        crop: side in pixels that R-CNN warps regions to (227 in the paper, for images of about 500).
        grid: cells in a row that each but SPP-net's pyramid pools a region to.
        proposals: that Faster R-CNN's own network makes (300 in the paper).
    """
    detectors: dict[str, Detector] = {
        "R-CNN": RCNN(num_classes, backbone=backbone, crop=crop, grid=grid),
        "SPP-net": SPPNet(num_classes, backbone=backbone),
        "Fast R-CNN": FastRCNN(num_classes, backbone=backbone, pooling=partial(RoIPool, grid)),
        "Faster R-CNN": FasterRCNN(
            num_classes, backbone=backbone, candidates=6000, proposals=proposals, pooling=partial(RoIPool, grid)
        ),
    }
    for name in ("R-CNN", "SPP-net"):
        head: Any = detectors[name].head
        head.has_svm.fill_(True)
        head.has_regressor.fill_(True)
    return detectors
