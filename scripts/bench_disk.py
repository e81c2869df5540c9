"""What data on disk cost: decoding and augmentation, masks, the second epoch, the list of a folder.

Each row is measured in turns with its peer, in CPU milliseconds of one thread. ``LECTERN_DATA`` names the folder of real data
(as the tests read it); rows whose data are not there are left out.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import albumentations as A
import cv2
import torch
import torchvision
from torchvision.transforms import v2

from datamodules import COCO, CamVid, ImageFolder
from datamodules.base import DataModule, PreparedScenes
from datamodules.images import read_image
from scripts.bench_rows import Row

SAMPLES = 200


def rows(repeats: int) -> Iterator[Row]:
    """The table, a row at a time; ``repeats`` pairs of measurements a row."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    data = Path(os.environ.get("LECTERN_DATA", "data"))
    if (data / "imagenette").is_dir():
        yield photographs(data / "imagenette", repeats)
    if (data / "coco").is_dir():
        yield masks(data / "coco", repeats)
    if (data / "camvid").is_dir():
        yield second_epoch(data / "camvid", repeats)
    yield index(repeats)


def photographs(root: Path, repeats: int) -> Row:
    """A sample at 224 px, cropped, resized and flipped at random, decoded each time; torchvision v2 does the same on uint8."""
    augment = [A.RandomResizedCrop(size=(224, 224), scale=(0.35, 1.0)), A.HorizontalFlip()]
    scenes = prepared(ImageFolder(str(root), image_size=224, augment=augment), frozenset({"label"}))
    crop = v2.RandomResizedCrop(224, scale=(0.35, 1.0), antialias=True)
    theirs = torchvision.datasets.ImageFolder(root / "train", v2.Compose([v2.PILToTensor(), crop, v2.RandomHorizontalFlip()]))
    ours, peer = in_turns(repeats, each(scenes), lambda turn: [theirs[i] for i in range(SAMPLES)])
    return Row(
        "Imagenette, random crop and flip, a sample; torchvision v2",
        ours / SAMPLES,
        peer / SAMPLES,
        "ms",
        "≤ .4 of torchvision's",
    )


def masks(root: Path, repeats: int) -> Row:
    """A sample of COCO with masks at 320 px, flipped at random; beside it the photograph alone, which is read in any case."""
    data = COCO(str(root), image_size=320, invalid="skip", augment=[A.HorizontalFlip()])
    scenes = prepared(data, frozenset({"boxes", "labels", "masks"}))
    paths = sorted((root / "train2017").glob("*.jpg"))
    ours, peer = in_turns(repeats, each(scenes, len(paths)), lambda turn: [read_image(path) for path in paths])
    count = len(paths)
    return Row("COCO with masks, 320 px, a sample; its photograph read", ours / count, peer / count, "ms", "half of before")


def second_epoch(root: Path, repeats: int) -> Row:
    """A sample of CamVid from the second epoch on, flipped at random; the same read anew in each epoch."""
    modules = [CamVid(str(root), workers=0, batch_size=4, augment=[A.HorizontalFlip()], cache_mib=mib) for mib in (512, 0)]
    for data in modules:
        data.require(frozenset({"mask"}))
    loaders = [data.train_dataloader() for data in modules]
    count = sum(1 for loader in loaders for _ in loader) * 4 // 2
    ours, peer = in_turns(repeats, *(lambda turn, loader=loader: list(loader) for loader in loaders))
    return Row("CamVid, second epoch, a sample; without cache_mib", ours / count, peer / count, "ms", "no decoding")


def index(repeats: int, files: int = 20_000) -> Row:
    """The list of a folder of class folders; torchvision's."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(20):
            for split, share in (("train", 9), ("val", 1)):
                (where := root / split / f"class{number}").mkdir(parents=True)
                for i in range(files * share // 200):
                    (where / f"{i:06}.jpg").touch()

        def ours(turn: int) -> None:
            data = ImageFolder(folder)
            data.scenes("train"), data.scenes("val")

        found, peer = in_turns(
            repeats, ours, lambda turn: [torchvision.datasets.ImageFolder(root / split) for split in ("train", "val")]
        )
    return Row(f"ImageFolder, {files:,} files; torchvision", found, peer, "ms", "≤ 60")


def prepared(data: DataModule, fields: frozenset[str]) -> PreparedScenes:
    """The training scenes, none of them kept."""
    data.require(fields)
    return PreparedScenes(data, "train", augment=True)


def each(scenes: PreparedScenes, count: int = SAMPLES) -> Callable[[int], object]:
    """Makes ``count`` samples of epoch ``turn``."""
    return lambda turn: [scenes[turn, i] for i in range(count)]


def in_turns(repeats: int, ours: Callable[[int], object], peer: Callable[[int], object]) -> tuple[float, float]:
    """The medians of the CPU milliseconds of both, after one turn that does not count."""
    times: list[list[float]] = [[], []]
    for turn in range(repeats + 1):
        for side, run in enumerate((ours, peer)):
            began = time.process_time()
            run(turn)
            times[side].append(1000 * (time.process_time() - began))
    first, second = (statistics.median(side[1:]) for side in times)
    return first, second


def main() -> int:
    """Prints the table."""
    for row in rows(repeats=5):
        print(f"{row.what} | {row.ours:.3g} {row.unit} | {row.peer:.3g} | {row.ours / row.peer:.2f} | {row.wanted}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
