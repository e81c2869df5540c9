"""PASCAL VOC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datamodules import voc

from .common import Tiny, picture, save, write_text


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
                write_text(folder / "ImageSets" / kind / f"{split}.txt", "\n".join(names) + "\n")
        for i, name in enumerate(names):
            boxes = [(5 + i, 6, 24, 25), (28, 2, 49, 39)]
            objects = [(classes[0], 0, boxes[0]), (classes[1 % len(classes)], 1, boxes[1])]
            mask = np.zeros(size, np.uint8)
            mask[5:25, 4 + i : 24] = 1
            mask[5, 4 + i : 24] = 255
            save(folder / "JPEGImages" / f"{name}.jpg", picture(size, boxes, seed=number + i))
            save(folder / "SegmentationClass" / f"{name}.png", mask, palette=True)
            write_text(folder / "Annotations" / f"{name}.xml", voc_xml(size, objects))
        number += count
    return root


def voc_xml(size: tuple[int, int], objects: Sequence[tuple[str, int, tuple[int, ...]]]) -> str:
    """An annotation of VOC's: objects are (class, difficult, (xmin, ymin, xmax, ymax))."""
    lines = [f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"]
    for name, difficult, box in objects:
        corners = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        lines.append(f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{corners}</bndbox></object>")
    return f"<annotation>{''.join(lines)}</annotation>"


TINY = {"VOC": Tiny(write_voc, {"year": 2007, "classes": voc.CLASSES}, image_size=32)}
