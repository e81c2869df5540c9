"""What grows with the size of the data: each cost as a function of one number, in CPU seconds or in bytes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import albumentations as A
import numpy as np
import torch

from datamodules.base import DataModule, PreparedScenes
from datamodules.coco import COCO
from datamodules.image_folder import ImageFolder
from datamodules.loading import DistributedBatchSampler
from datamodules.scene import DatasetMetadata, Scene
from lightning_modules.classification import Classification
from lightning_modules.means import values, with_total
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.networks import SSD, YOLO, SmallConvNet
from scripts.scale_processes import with_ranks, with_workers

Cost = Callable[[int], float]


class Axis(NamedTuple):
    """One number that data may have much of."""

    title: str
    values: tuple[int, ...]
    costs: dict[str, tuple[str, Cost]]
    """By name: the unit, and what it is at a value. Costs are in all, so that none may grow faster than the number."""


class Generated(DataModule):
    """One scene of noise with so many boxes, each with an outline."""

    provides = frozenset({"boxes", "labels", "mask"})

    def __init__(self, *, objects: int = 5, **options: Any) -> None:
        super().__init__(workers=0, **options)
        rng = np.random.default_rng(0)
        height, width = self.image_size
        corners = rng.uniform(0, 0.5, (objects, 2)) * (width, height)
        boxes = np.concatenate([corners, corners + rng.uniform(0.1, 0.5, (objects, 2)) * (width, height)], 1)
        self.scene: Scene = {
            "image": torch.from_numpy(rng.integers(0, 256, (3, height, width), dtype=np.uint8)),
            "boxes": torch.from_numpy(boxes).float(),
            "labels": torch.from_numpy(rng.integers(0, 6, objects)),
            "mask": torch.from_numpy(rng.integers(0, 7, (height, width), dtype=np.uint8)),
        }

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata("Generated", self.image_size, tuple("abcdef"), tuple("abcdefg"))

    def scenes(self, split: str) -> list[Scene]:
        return [self.scene]


@contextmanager
def timed() -> Iterator[list[float]]:
    """Puts the CPU seconds of this process that the block took into the list."""
    taken: list[float] = []
    began = time.process_time()
    yield taken
    taken.append(time.process_time() - began)


def fastest(function: Callable[[], object], least: float = 0.1) -> float:
    """The CPU seconds of one call: the lowest of three turns, each of enough calls to last a while."""
    function()
    with timed() as first:
        function()
    calls = max(1, int(least / max(first[0], 1e-7)))
    turns = [first[0]] if calls == 1 and first[0] > 1 else []
    while len(turns) < (3 if first[0] < 1 else 1):
        with timed() as taken:
            for _ in range(calls):
                function()
        turns.append(taken[0] / calls)
    return min(turns)


# Images ---------------------------------------------------------------------------------------------------------------


def index_of_a_folder(images: int) -> float:
    """CPU s to list an ImageFolder's photographs in 100 class folders."""
    with tempfile.TemporaryDirectory() as root:
        for name in range(min(100, images)):
            (Path(root) / "train" / f"class{name}").mkdir(parents=True)
        for image in range(images):
            (Path(root) / "train" / f"class{image % min(100, images)}" / f"{image}.jpg").touch()
        return fastest(lambda: ImageFolder(root).scenes("train"))


def coco_file(images: int, root: Path) -> None:
    """Writes COCO's annotations of so many photographs, with seven boxes each."""
    (root / "annotations").mkdir()
    with (root / "annotations" / "instances_val2017.json").open("w") as file:
        file.write('{"categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], "images": [')
        file.write(", ".join(f'{{"id": {i}, "file_name": "{i}.jpg", "height": 480, "width": 640}}' for i in range(images)))
        file.write('], "annotations": [')
        box = '{{"id": {}, "image_id": {}, "category_id": {}, "bbox": [{}.5, 10.25, 50.5, 60.0], "area": 900.5, "iscrowd": 0}}'
        file.write(", ".join(box.format(n, n // 7, 1 + n % 2, n % 500) for n in range(7 * images)))
        file.write("]}")


def _read_coco(root: Path) -> object:
    data = COCO(str(root))
    data.require(frozenset({"boxes", "labels"}))
    return data.scenes("val")


def index_of_coco(images: int) -> float:
    """CPU s to read COCO's annotations."""
    with tempfile.TemporaryDirectory() as root:
        coco_file(images, Path(root))
        with timed() as taken:
            _read_coco(Path(root))
        return taken[0]


def memory_of_coco(images: int) -> float:
    """Bytes that the annotations hold once they are read."""
    with tempfile.TemporaryDirectory() as root:
        coco_file(images, Path(root))
        before = _resident()
        kept = _read_coco(Path(root))
        after = _resident()
        del kept
        return max(after - before, 1)


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGESIZE")


def order_of_an_epoch(images: int) -> float:
    """CPU s until the first batch of an epoch is chosen."""
    batches = DistributedBatchSampler(images, 32, 0, 0, 1, training=True)
    return fastest(lambda: next(iter(batches)))


# Objects and classes --------------------------------------------------------------------------------------------------


def a_sample(objects: int) -> float:
    """CPU s to check, flip and resize a scene with so many boxes."""
    return _sample(objects=objects, image_size=64)


def a_sample_of_side(side: int) -> float:
    """CPU s of one with five boxes and a mask, and of this side."""
    return _sample(objects=5, image_size=side)


def _sample(**options: Any) -> float:
    data = Generated(augment=[A.HorizontalFlip(p=1.0)], batch_size=1, **options)
    data.require(data.provides)
    scenes = PreparedScenes(data, "train", augment=True)
    return fastest(lambda: scenes[0, 0])


def a_loss(kind: type[YOLO] | type[SSD], objects: int) -> float:
    """CPU s to find the losses of a batch of four images with so many boxes each, the network's maps given."""
    torch.manual_seed(0)
    network = kind(6)
    data = Generated(objects=objects, image_size=64)
    images = torch.stack([data.scene["image"]] * 4).float() / 255
    with torch.no_grad():
        outputs = network(images)
        return fastest(lambda: network.losses(outputs, [data.scene["boxes"]] * 4, [data.scene["labels"]] * 4))


def average_precision(images: int, *, detections: int = 10, objects: int = 5, classes: int = 6) -> float:
    """CPU s of COCO's metric, updates and compute."""
    rng = np.random.default_rng(0)
    names = tuple(f"class {c}" for c in range(classes))
    scenes = [
        (
            {
                "boxes": torch.from_numpy(_boxes(rng, detections)),
                "labels": torch.from_numpy(rng.integers(0, classes, detections)),
                "scores": torch.from_numpy(rng.random(detections, dtype=np.float32)),
            },
            {
                "boxes": torch.from_numpy(_boxes(rng, objects)),
                "labels": torch.from_numpy(rng.integers(0, classes, objects)),
            },
        )
        for _ in range(min(images, 1000))
    ]
    metric = CocoAP(names)
    metric.update([scenes[0][0]], [scenes[0][1]], torch.tensor([0]))  # what is made once is not counted
    metric.compute()
    metric.reset()
    with timed() as taken:
        for start in range(0, images, 16):
            batch = [scenes[i % len(scenes)] for i in range(start, min(start + 16, images))]
            metric.update([s[0] for s in batch], [s[1] for s in batch], torch.arange(start, start + len(batch)))
        metric.compute()
    return taken[0]


def _boxes(rng: np.random.Generator, number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    corners = rng.uniform(0, 400, (number, 2))
    return np.concatenate([corners, corners + rng.uniform(8, 200, (number, 2))], 1).astype(np.float32)


def a_classification_step(classes: int) -> float:
    """CPU s of a training step of a small network, its metrics included."""
    torch.manual_seed(0)
    metadata = DatasetMetadata("Generated", (32, 32), tuple(f"class {c}" for c in range(classes)))
    task = Classification(
        network=partial(SmallConvNet, widths=(8, 16)),
        optimizer=partial(torch.optim.SGD, lr=0.1),
        metadata=metadata.as_dict(),
    )
    batch: Any = {"image": torch.randint(0, 256, (16, 3, 32, 32), dtype=torch.uint8), "label": torch.arange(16) % classes}

    def step() -> None:
        outputs = task.respond(batch)
        with_total(values(task.losses(outputs, batch)))["loss"].backward()  # type: ignore[no-untyped-call]
        task.val_metrics.update(**task.metric_inputs(task.predict(outputs), batch))

    return fastest(step)


AXES = [
    Axis(
        "images",
        (1_000, 10_000, 100_000),
        {
            "index of an ImageFolder": ("CPU s", index_of_a_folder),
            "index of a COCO file": ("CPU s", index_of_coco),
            "memory of a COCO file": ("MiB", lambda n: memory_of_coco(n) / 2**20),
            "order of an epoch": ("CPU s", order_of_an_epoch),
            "COCO's AP, 10 detections an image": ("CPU s", average_precision),
        },
    ),
    Axis(
        "objects an image",
        (1, 10, 100, 1_000, 2_000),
        {
            "a sample, flipped": ("CPU s", a_sample),
            "YOLO's losses": ("CPU s", partial(a_loss, YOLO)),
            "SSD's losses": ("CPU s", partial(a_loss, SSD)),
            "COCO's AP, 100 images": ("CPU s", lambda n: average_precision(100, detections=100, objects=n)),
        },
    ),
    Axis(
        "classes",
        (2, 10, 100, 1_000),
        {
            "a classification step": ("CPU s", a_classification_step),
            "COCO's AP, 500 images": ("CPU s", lambda n: average_precision(500, classes=n)),
        },
    ),
    Axis("pixels", (32, 64, 128, 256, 512, 1024), {"a sample, flipped": ("CPU s", a_sample_of_side)}),
    Axis("workers", (0, 1, 2, 3, 4), {"512 drawn scenes": ("s", with_workers)}),
    Axis("ranks", (1, 2, 3, 4), {"60 steps of segmentation/small_shapes": ("s", with_ranks)}),
]
