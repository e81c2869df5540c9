"""What precision and memory format make of a step, and Faster R-CNN's step beside torchvision's.

``python -m scripts.bench_layout [--repeats 5]``
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN as TorchvisionFasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from datamodules import Shapes
from datamodules.base import PreparedScenes
from datamodules.loading import collate
from experiments.training.memory import keep_freed_memory
from experiments.training.step_times import ALL, StepOptions, seconds
from lightning_modules import Classification, Detection, Segmentation
from lightning_modules.base import Task
from lightning_modules.networks import FCN, SSD, YOLO, CifarNet, ConvBackbone, FasterRCNN, LinearClassifier, SmallConvNet
from scripts.bench_rows import Row

CASES: dict[str, tuple[type[Task], Callable[[int], nn.Module], int, int]] = {
    "FCN": (Segmentation, FCN, 64, 32),
    "CifarNet-20": (Classification, CifarNet, 32, 32),
    "SmallConvNet": (Classification, SmallConvNet, 32, 64),
    "LinearClassifier": (Classification, LinearClassifier, 64, 16),
    "YOLO": (Detection, YOLO, 112, 16),
    "SSD": (Detection, SSD, 112, 16),
    "Faster R-CNN": (Detection, FasterRCNN, 112, 16),
}
"""Task, network, side of the images, and batch."""


def task_and_batch(kind: type[Task], network: Any, side: int, count: int) -> tuple[Task, Any]:
    """A task with a small learning rate, and drawn scenes to train it on."""
    torch.manual_seed(0)
    data = Shapes(image_size=side, batch_size=count, workers=0, train=count)
    task = kind(network=network, optimizer=partial(torch.optim.AdamW, lr=1e-5), metadata=data.metadata.as_dict())
    data.require(task.needs)
    scenes = PreparedScenes(data, "train", augment=False)
    return task, collate([scenes[(0, i)] for i in range(count)])


def format_rows(repeats: int) -> Iterator[Row]:
    """Each network's step with bf16, channels_last or both beside fp32 and channels first."""
    plain = ALL[0]
    for name, case in CASES.items():
        task, batch = task_and_batch(*case)
        times = seconds(task, batch, ALL, pairs=repeats, clock=time.process_time)
        for options in ALL[1:]:
            ours, peer = _paired(times[options], times[plain])
            default = StepOptions("32-true", task.channels_last) == options
            wanted = "peer / ours >= 1" if default else "-"
            yield Row(f"{name}: {options.typed(plain)}", ours, peer, "ms", wanted)


def _paired(ours: list[float], peer: list[float]) -> tuple[float, float]:
    """Milliseconds of both, such that their ratio is the median of the pairs' ratios."""
    middle = statistics.median(peer)
    ratio = statistics.median(a / b for a, b in zip(ours, peer, strict=True))
    return 1000 * middle * ratio, 1000 * middle


class OneMap(nn.Module):
    """Our backbone as torchvision takes one: it says how wide its map is."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = ConvBackbone()
        self.out_channels = self.maps.channels[-1]

    def forward(self, images: Tensor) -> Tensor:
        return self.maps(images)[-1]  # type: ignore[no-any-return]


def torchvision_detector(num_classes: int, side: int) -> nn.Module:
    """torchvision's Faster R-CNN with our defaults: backbone, anchors, samples, proposals and head."""
    backbone = OneMap()
    stride = backbone.maps.strides[-1]
    return TorchvisionFasterRCNN(
        backbone,
        min_size=side,
        max_size=side,
        image_mean=[0.0] * 3,
        image_std=[1.0] * 3,
        rpn_anchor_generator=AnchorGenerator(((2 * stride, 4 * stride, 8 * stride),), ((0.5, 1.0, 2.0),)),
        rpn_pre_nms_top_n_train=300,
        rpn_post_nms_top_n_train=50,
        rpn_batch_size_per_image=64,
        box_roi_pool=MultiScaleRoIAlign(["0"], 7, -1),
        box_head=nn.Sequential(nn.Flatten(), nn.Linear(backbone.out_channels * 49, 256), nn.ReLU()),
        box_predictor=FastRCNNPredictor(256, num_classes + 1),
        box_batch_size_per_image=16,
    )


def detector_row(repeats: int, channels_last: bool) -> Row:
    """A step of ours and one of torchvision's on the same images, from random weights, in turns."""
    task, batch = task_and_batch(*CASES["Faster R-CNN"])
    task.channels_last = channels_last
    theirs = torchvision_detector(len(task.metadata.classes), batch["image"].shape[-1]).train()
    made = [torch.optim.AdamW(module.parameters(), lr=1e-5) for module in (task, theirs)]
    targets = [{"boxes": b, "labels": n + 1} for b, n in zip(batch["boxes"], batch["labels"], strict=True)]

    def ours() -> Tensor:
        return torch.stack([mean.value for mean in task.losses(task.respond(batch), batch).values()]).sum()

    def peer() -> Tensor:
        images = list((batch["image"] - task.mean) / task.std)
        return torch.stack(list(theirs(images, targets).values())).sum()

    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(2 + repeats):
        for side in (0, 1) if turn % 2 else (1, 0):
            began = time.process_time()
            loss = (ours, peer)[side]()
            made[side].zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            made[side].step()
            if turn > 1:
                times[side].append(time.process_time() - began)
    form = "channels_last, as it ships" if channels_last else "channels first, as torchvision's"
    return Row(f"Faster R-CNN's step ({form})", *_paired(*times), "ms", "ours / peer <= .75")


def rows(repeats: int) -> Iterator[Row]:
    """All rows, in a process of one thread."""
    torch.set_num_threads(1)
    keep_freed_memory()
    yield detector_row(4 * repeats, channels_last=True)
    yield detector_row(4 * repeats, channels_last=False)
    yield from format_rows(repeats)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="pairs of measurements a row")
    for row in rows(parser.parse_args().repeats):
        print(f"{row.what} | {row.ours:.2f} | {row.peer:.2f} | {row.ours / row.peer:.2f}", flush=True)


if __name__ == "__main__":
    main()
