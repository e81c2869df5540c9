"""Tiny data sets on disk, in the official layouts: a few small images each, written in milliseconds.

Every writer takes a folder and the number of images of each split, and returns the folder that the data module's
``root`` names. Images are noise with a bright rectangle where an object is, so that there is something to learn.
"""

from __future__ import annotations

import csv
import gzip
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def write_mnist(root: Path, train: int = 20, test: int = 4, packed: bool = True) -> Path:
    """MNIST/raw/*.gz, or unpacked."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        images = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, magic, values in (("images-idx3", 2051, images), ("labels-idx1", 2049, labels)):
            data = np.array([magic, *values.shape], ">i4").tobytes() + values.tobytes()
            path = raw / f"{part}-{name}-ubyte"
            (raw / f"{path.name}.gz").write_bytes(gzip.compress(data)) if packed else path.write_bytes(data)
    return root


def write_cifar10(root: Path, train: int = 20, test: int = 4) -> Path:
    """cifar-10-batches-py/; torchvision checks checksums, so its ``check_integrity`` must be made to agree."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    batches = {f"data_batch_{i + 1}": train // 5 for i in range(5)} | {"test_batch": test}
    for name, count in batches.items():
        data = rng.integers(0, 256, (count, 3072)).astype(np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": [i % 10 for i in range(count)]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR_CLASSES)}))
    return root


def write_image_folder(
    root: Path, classes: Sequence[str] = ("cat", "dog"), size: tuple[int, int] = (20, 24), **splits: int
) -> Path:
    """<split>/<class>/*.jpg with so many images a class (``train=3, val=2``); without splits, 10 in <class>/*.jpg."""
    for split, count in (splits or {"": 10}).items():
        for i in range(count):
            for label, name in enumerate(classes):
                save(root / split / name / f"{i}.jpg", picture(size, [(4, 4, 14, 14)], seed=100 * label + i))
    return root


def write_camvid(root: Path, train: int = 4, val: int = 2, test: int = 2, size: tuple[int, int] = (36, 48)) -> Path:
    """train/, trainannot/ and so on: road below, sky above, a car, and a border of void."""
    for split, count in (("train", train), ("val", val), ("test", test)):
        for i in range(count):
            mask = np.zeros(size, np.uint8)
            mask[size[0] // 2 :] = 3
            mask[10:20, 5 + i : 20 + i] = 8
            mask[:2] = 11
            save(root / split / f"{split}_{i}.png", picture(size, [(5 + i, 10, 20 + i, 20)], seed=i))
            save(root / f"{split}annot" / f"{split}_{i}.png", mask)
    return root


def write_voc(
    root: Path,
    train: int = 4,
    val: int = 2,
    test: int = 2,
    year: int = 2007,
    classes: Sequence[str] = ("aeroplane", "person"),
    size: tuple[int, int] = (40, 50),
) -> Path:
    """VOCdevkit/VOC<year>/: two objects an image, the second of them difficult, and a mask for each image."""
    folder = root / "VOCdevkit" / f"VOC{year}"
    number = 0
    for split, count in (("train", train), ("val", val), ("test", test)):
        names = [f"{number + i:06d}" for i in range(count)]
        for kind in ("Main", "Segmentation"):
            if count:
                _write(folder / "ImageSets" / kind / f"{split}.txt", "\n".join(names) + "\n")
        for i, name in enumerate(names):
            boxes = [(5 + i, 6, 24, 25), (28, 2, 49, 39)]
            objects = [(classes[0], 0, boxes[0]), (classes[1 % len(classes)], 1, boxes[1])]
            mask = np.zeros(size, np.uint8)
            mask[5:25, 4 + i : 24] = 1
            mask[5, 4 + i : 24] = 255
            save(folder / "JPEGImages" / f"{name}.jpg", picture(size, boxes, seed=number + i))
            save(folder / "SegmentationClass" / f"{name}.png", mask, palette=True)
            _write(folder / "Annotations" / f"{name}.xml", voc_xml(size, objects))
        number += count
    return root


def voc_xml(size: tuple[int, int], objects: Sequence[tuple[str, int, tuple[int, ...]]]) -> str:
    """An annotation of VOC's: objects are (class, difficult, (xmin, ymin, xmax, ymax))."""
    lines = [f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"]
    for name, difficult, box in objects:
        corners = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        lines.append(f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{corners}</bndbox></object>")
    return f"<annotation>{''.join(lines)}</annotation>"


COCO_JOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)


def write_coco(root: Path, train: int = 4, val: int = 2, size: tuple[int, int] = (40, 50)) -> Path:
    """train2017/, val2017/, annotations/: a person (polygon, joints) and a crowd of cars (run lengths) an image.

    The last image of each split has no object.
    """
    categories: list[dict[str, Any]] = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
    person = {"id": 1, "name": "person", "keypoints": list(COCO_JOINTS), "skeleton": [[16, 14], [14, 12]]}
    for split, count in (("train2017", train), ("val2017", val)):
        images, annotations, people = [], [], []
        for i in range(count):
            number = 10 * i + 7
            images.append({"id": number, "file_name": f"{number:012d}.jpg", "height": size[0], "width": size[1]})
            x, y, w, h = 4.5 + i, 6.0, 12.0, 20.5
            boxes = [(x, y, x + w, y + h), (30, 30, 49, 39)] if i < count - 1 else []
            save(root / split / f"{number:012d}.jpg", picture(size, boxes, seed=i))
            if not boxes:
                continue
            base: dict[str, Any] = {"image_id": number, "iscrowd": 0}
            polygon = [x, y, x + w, y, x + w, y + h, x, y + h]
            joints = [value for k in range(17) for value in ((int(x) + k % 5, int(y) + k, 2) if k % 4 else (0, 0, 0))]
            figure = base | {
                "id": 2 * i,
                "category_id": 1,
                "bbox": [x, y, w, h],
                "area": w * h,
                "segmentation": [polygon],
            }
            crowd = np.zeros(size, np.uint8)
            crowd[30:39, 30:49] = 1
            runs = {"size": list(size), "counts": run_lengths(crowd)}
            annotations += [
                figure,
                base
                | {"id": 2 * i + 1, "category_id": 3, "bbox": [30, 30, 19, 9], "area": 171, "iscrowd": 1}
                | {"segmentation": runs},
            ]
            people.append(figure | {"keypoints": joints, "num_keypoints": 12})
        for kind, entries, names in (("instances", annotations, categories), ("person_keypoints", people, [person])):
            content = {"images": images, "annotations": entries, "categories": names}
            _write(root / "annotations" / f"{kind}_{split}.json", json.dumps(content))
    return root


def run_lengths(mask: Array) -> list[int]:
    """COCO's uncompressed run-length code of a 0/1 mask: column by column, the first run is of 0."""
    flat = np.concatenate([[0], mask.flatten(order="F"), [1 - mask.flatten(order="F")[-1]]])
    changes = np.flatnonzero(np.diff(flat))
    runs: list[int] = np.diff(np.concatenate([[0], changes])).tolist()
    return runs


def write_caltech_boxes(root: Path, count: int = 30, classes: Sequence[str] = ("airplane", "face")) -> Path:
    """images/<class>/ and annotations/<class>.csv."""
    for label, name in enumerate(classes):
        rows = []
        for i in range(count):
            box = (3 + i % 4, 4 + label, 20 + i % 3, 18)
            save(root / "images" / name / f"image_{i:04d}.jpg", picture((24, 30), [box], seed=100 * label + i))
            rows.append([f"image_{i:04d}.jpg", *box, name])
        (root / "annotations").mkdir(exist_ok=True)
        with (root / "annotations" / f"{name}.csv").open("w", newline="") as lines:
            csv.writer(lines).writerows(rows)
    return root


def write_lsp(root: Path, count: int = 40, original: bool = False, size: tuple[int, int] = (40, 30)) -> Path:
    """joints.mat and images/: joint k of image i at (k + 1.25, 2 k + 1.75) by MATLAB's count; the first joint is flagged."""
    joints = np.zeros((14, 3, count))
    joints[:, 0] = (np.arange(14) + 1.25)[:, None]
    joints[:, 1] = (2 * np.arange(14) + 1.75)[:, None]
    joints[0, 2] = 1
    if not original:
        joints[:, 2] = 1 - joints[:, 2]  # its flag says labelled, the original's hidden
    for i in range(count):
        save(root / "images" / (f"im{i + 1:04d}.jpg" if original else f"im{i + 1:05d}.jpg"), picture(size, [], seed=i))
    scipy.io.savemat(root / "joints.mat", {"joints": joints.transpose(1, 0, 2) if original else joints})
    return root


def write_visual_genome(root: Path, count: int = 30, size: tuple[int, int] = (40, 50)) -> Path:
    """region_descriptions.json, image_data.json, VG_100K/<id>.jpg."""
    data, regions = [], []
    for i in range(1, count + 1):
        data.append({"image_id": i, "height": size[0], "width": size[1]})
        phrases = ["The cat's red ball.", "a dog, running", "  "]
        boxes = [(3 + i % 5, 4, 12, 20), (20, 10, 25, 25), (1, 1, 5, 5)]
        keys = ("x", "y", "width", "height")
        entries = [dict(zip(keys, b, strict=True)) | {"phrase": p} for b, p in zip(boxes, phrases, strict=True)]
        regions.append({"id": i, "regions": entries})
        corners = [(x, y, x + w, y + h) for x, y, w, h in boxes[:2]]
        save(root / "VG_100K" / f"{i}.jpg", picture(size, corners, seed=i))
    _write(root / "image_data.json", json.dumps(data))
    _write(root / "region_descriptions.json", json.dumps(regions))
    return root


def picture(size: tuple[int, int], boxes: Sequence[tuple[float, ...]], seed: int) -> Array:
    """Dark noise, uint8 (H, W, 3), with a bright rectangle in each box (x1, y1, x2, y2)."""
    image = np.random.default_rng(seed).integers(0, 100, (*size, 3)).astype(np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[round(y1) : round(y2), round(x1) : round(x2)] += 150
    return image


def save(path: Path, array: Array, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    if palette:
        image.putpalette([value for i in range(256) for value in (i, 255 - i, 7 * i % 256)])
    image.save(path, quality=95)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
