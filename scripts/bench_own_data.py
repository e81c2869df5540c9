"""What ``lectern data`` costs beyond decoding: ``python -m scripts.bench_own_data [--images 20000]``.

It draws a data set in YOLO's layout into a temporary folder (photographs of 640 x 480 with up to ten boxes, JPEG), reads all
of it in this process as the command does, counts copies, and writes the report. Decoding is timed by itself, in CPU time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import datamodules.images
import datamodules.yolo
from datamodules import YOLO
from experiments.inspecting.findings import findings, fitting
from experiments.inspecting.page import write_report
from experiments.inspecting.reading import fields_to_read, lacking_fields, read_all

SIZE = (480, 640)


def write_data(root: Path, count: int) -> None:
    """images/ and labels/ of ``count`` scenes, four in five for training; smooth colours, so that no two are alike."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
    (root / "data.yaml").write_text("names: [a, b, c]\ntrain: images/train\nval: images/val\n")
    for i in range(count):
        split = "val" if i % 5 == 4 else "train"
        small = rng.integers(0, 256, (6, 8, 3), np.uint8)
        image = cv2.resize(small, (SIZE[1], SIZE[0]), interpolation=cv2.INTER_CUBIC)
        image[::2] ^= rng.integers(
            0, 8, (SIZE[0] // 2, SIZE[1], 3), np.uint8
        )  # a photograph's noise, which makes its file long
        cv2.imwrite(str(root / f"images/{split}/{i:06d}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
        boxes = rng.uniform(0.05, 0.2, (rng.integers(0, 11), 2))
        centres = rng.uniform(0.2, 0.8, boxes.shape)
        lines = [f"{rng.integers(3)} {x:.6f} {y:.6f} {w:.6f} {h:.6f}" for (x, y), (w, h) in zip(centres, boxes, strict=True)]
        (root / f"labels/{split}/{i:06d}.txt").write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description="What lectern data costs an image beyond decoding, in CPU milliseconds.")
    parser.add_argument("--images", type=int, default=20_000)
    count = parser.parse_args().images
    cv2.setNumThreads(1)
    decoding, read_image = 0.0, datamodules.images.read_image

    def timed(path: Path) -> Any:
        nonlocal decoding
        began = time.process_time()
        image = read_image(path)
        decoding += time.process_time() - began
        return image

    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder) / "data", count)
        vars(datamodules.yolo)["read_image"] = timed  # by the name that the reader calls
        began = time.process_time()
        data = YOLO(str(Path(folder) / "data"))
        fields = fields_to_read(data, lacking_fields(data))
        data.require(fields)
        reading = read_all(data, workers=0)
        read = time.process_time()
        found = findings(reading, data, fields)
        counted = time.process_time()
        found |= {"layout": "", "fits": {t: one | {"command": ""} for t, one in fitting({"YOLO": fields}).items()}}
        write_report(Path(folder) / "report", found, data, reading)
        ended = time.process_time()
    each = 1000 / count
    print(f"{count} images: decoding {decoding * each:.2f} CPU-ms an image; beyond it {(ended - began - decoding) * each:.2f}")
    parts = f"reading {(read - began - decoding) * each:.2f}, counting and copies {(counted - read) * each:.2f}"
    faults, copies = len(found["broken"]), len(found["copies"]["across_splits"])
    print(f"of that {parts}, the page {(ended - counted) * each:.2f}; {faults} faults, {copies} copies")


if __name__ == "__main__":
    main()
