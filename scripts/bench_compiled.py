"""What compiled loops give: selective search beside scikit-image and NumPy, COCO's average precision beside torchmetrics.

``python scripts/bench_compiled.py [--repeats 5] [--memory 100000]``

Rows of name, ours, peer and their ratio; both sides are measured in turns, in CPU seconds of one thread. Recall of selective
search beside other boxes is ``bench_selective_search.py``'s.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

import cv2
import torch
from torch import Tensor
from torchmetrics.detection import MeanAveragePrecision

from datamodules import SelectiveSearch, Shapes
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.voc import BoxAP
from scripts.bench_rows import Row

CLASSES = 80
OBJECTS = 7  # an image, as in COCO
DETECTIONS = 100
IMAGES = 1000
SIDE = 500  # pixels of the image that is searched
BATCH = 16
Pairs = list[tuple[dict[str, Tensor], dict[str, Tensor]]]


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of the process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def in_turns(ours: Callable[[], object], peer: Callable[[], object], repeats: int) -> tuple[float, float]:
    """The medians of both, measured in turns, after each was done once."""
    ours()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def pairs(images: int) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Detections around the objects of each image, some near and some far off."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(images):
        corner = torch.rand(OBJECTS, 2, generator=generator) * 400
        size = torch.rand(OBJECTS, 2, generator=generator) * 200 + 8
        boxes, labels = torch.cat([corner, corner + size], 1), torch.randint(CLASSES, (OBJECTS,), generator=generator)
        matched = torch.randint(OBJECTS, (DETECTIONS,), generator=generator)
        moved = boxes[matched] + torch.randn(DETECTIONS, 4, generator=generator) * 8
        moved[:, 2:] = torch.maximum(moved[:, 2:], moved[:, :2] + 1)
        wrong = torch.rand(DETECTIONS, generator=generator) < 0.5
        guess = torch.where(wrong, torch.randint(CLASSES, (DETECTIONS,), generator=generator), labels[matched])
        scores = torch.rand(DETECTIONS, generator=generator)
        yield {"boxes": moved, "labels": guess, "scores": scores}, {"boxes": boxes, "labels": labels}


def evaluated(metric: CocoAP, images: Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]) -> dict[str, Tensor]:
    """The metric over all images, given one by one."""
    for i, (prediction, target) in enumerate(images):
        metric.update([prediction], [target], torch.tensor([i]))
    return metric.compute()


def theirs(images: Pairs) -> dict[str, Tensor]:
    """The same of torchmetrics, with the faster of its two evaluations."""
    metric = MeanAveragePrecision(backend="faster_coco_eval")
    for start in range(0, len(images), BATCH):
        found, there = zip(*images[start : start + BATCH], strict=True)
        metric.update(list(found), list(there))
    with redirect_stdout(StringIO()):
        return metric.compute()


def rows(repeats: int) -> Iterator[Row]:
    """Selective search of a drawn image of 500 pixels, and the average precision of 1,000 images."""
    image = Shapes(image_size=SIDE).scenes("val")[0]["image"]
    search = SelectiveSearch(cache=False)

    def plain() -> Tensor:
        with patch("datamodules.segments.search_loops", lambda: None), patch("datamodules.grouping.search_loops", lambda: None):
            return search(image)

    assert torch.equal(search(image), plain())
    yield Row(
        f"selective search, {SIDE} px; scikit-image, NumPy", *in_turns(lambda: search(image), plain, repeats), "s", "≤ .65"
    )
    names = tuple(f"class {c}" for c in range(CLASSES))
    images = list(pairs(IMAGES))
    assert abs(evaluated(CocoAP(names), iter(images))["mAP"] - theirs(images)["map"]) < 1e-3
    measured = in_turns(lambda: evaluated(BoxAP(names), iter(images)), lambda: theirs(images), repeats)
    yield Row(f"COCO AP and VOC AP, {IMAGES:,} x {DETECTIONS}; torchmetrics, COCO alone", *measured, "s", "≤ .6")


def main() -> None:
    """Print the rows, or the memory that many images take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", type=int, metavar="IMAGES", help="the peak memory of evaluating so many images, alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if options.memory:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        took = seconds(lambda: evaluated(BoxAP(tuple(map(str, range(CLASSES)))), pairs(options.memory)))
        gained = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
        print(f"{options.memory:,} images x {DETECTIONS} detections: {gained:.2f} GiB, {took:.0f} CPU-s with making them up")
        return
    print("| | ours | peer | ratio | wanted |\n|---|---|---|---|---|")
    for row in rows(options.repeats):
        print(
            f"| {row.what} | {row.ours:.2f} {row.unit} | {row.peer:.2f} {row.unit} | {row.ours / row.peer:.2f} | {row.wanted} |"
        )


if __name__ == "__main__":
    main()
