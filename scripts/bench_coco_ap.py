"""Time COCO's average precision: Lectern's CocoAP beside torchmetrics with pycocotools.

``python scripts/bench_coco_ap.py [--images 5000] [--detections 100]``
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.detection import MeanAveragePrecision

from lightning_modules.metrics.coco import CocoAP

CLASSES = 80
OBJECTS = 7  # an image, as in COCO


def scenes(images: int, detections: int) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Detections around the objects of each image, some near and some far off."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(images):
        corner = torch.rand(OBJECTS, 2, generator=generator) * 400
        size = torch.rand(OBJECTS, 2, generator=generator) * 200 + 8
        boxes, labels = torch.cat([corner, corner + size], 1), torch.randint(CLASSES, (OBJECTS,), generator=generator)
        matched = torch.randint(OBJECTS, (detections,), generator=generator)
        moved = boxes[matched] + torch.randn(detections, 4, generator=generator) * 8
        moved[:, 2:] = torch.maximum(moved[:, 2:], moved[:, :2] + 1)
        wrong = torch.rand(detections, generator=generator) < 0.5
        guess = torch.where(wrong, torch.randint(CLASSES, (detections,), generator=generator), labels[matched])
        scores = torch.rand(detections, generator=generator)
        yield {"boxes": moved, "labels": guess, "scores": scores}, {"boxes": boxes, "labels": labels}


def measure(metric: Metric, images: int, detections: int, **index: bool) -> tuple[dict[str, Tensor], float, float]:
    """The metric's values, its CPU time (s) and its wall time (s), of updates of 16 images and of compute."""
    data = list(scenes(images, detections))
    cpu, wall = time.process_time(), time.perf_counter()
    for start in range(0, images, 16):
        predictions, targets = map(list, zip(*data[start : start + 16], strict=True))
        if index:
            metric.update(predictions, targets, torch.arange(start, start + len(targets)))
        else:
            metric.update(predictions, targets)
    with redirect_stdout(StringIO()):
        values = metric.compute()
    return values, time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--detections", type=int, default=100, help="an image")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{args.images} images x {args.detections} detections, {CLASSES} classes, one thread")
    names = tuple(f"class {c}" for c in range(CLASSES))
    ours, cpu, wall = measure(CocoAP(names), args.images, args.detections, index=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    theirs, their_cpu, their_wall = measure(MeanAveragePrecision(backend="pycocotools"), args.images, args.detections)
    print(f"{'':32}   CPU s   wall s      mAP")
    print(f"{'CocoAP':32} {cpu:7.1f}  {wall:7.1f}  {ours['mAP'].item():7.5f}   peak memory so far {peak:.1f} GiB")
    print(f"{'torchmetrics, pycocotools':32} {their_cpu:7.1f}  {their_wall:7.1f}  {theirs['map'].item():7.5f}")
    print(f"{their_cpu / cpu:.1f} times less CPU time, {their_wall / wall:.1f} times less wall time")


if __name__ == "__main__":
    main()
