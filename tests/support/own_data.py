"""One's own data in the layouts that tools export, with the task that each is for and the data module that reads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

from . import tiny
from .tiny.coco import write_coco
from .tiny.common import write_text
from .tiny.labelme import write_labelme
from .tiny.mask_folder import write_mask_folder
from .tiny.yolo import write_yolo


def roboflow_coco(root: Path) -> Path:
    """As Roboflow exports it: the file among the images, and only training and validation."""
    whole = write_coco(root / "official", train=30, val=3)
    for split, folder in (("train", "train"), ("val", "valid")):
        shutil.copytree(whole / f"{split}2017", root / folder)
        shutil.copy(whole / f"annotations/instances_{split}2017.json", root / folder / "_annotations.coco.json")
    shutil.rmtree(whole)
    return root


def cvat_coco(root: Path) -> Path:
    """As CVAT does: one file for all, images in a folder of the subset's name."""
    whole = write_coco(root / "official", train=30)
    shutil.copytree(whole / "train2017", root / "images" / "default")
    (root / "annotations").mkdir()
    shutil.copy(whole / "annotations/instances_train2017.json", root / "annotations" / "instances_default.json")
    shutil.rmtree(whole)
    return root


def label_studio_coco(root: Path) -> Path:
    """As Label Studio does: ``result.json``, whose names have the folder ``images`` before them."""
    whole = write_coco(root / "official", train=30)
    shutil.copytree(whole / "train2017", root / "images")
    content = json.loads((whole / "annotations/instances_train2017.json").read_text())
    for image in content["images"]:
        image["file_name"] = f"images/{image['file_name']}"
    write_text(root / "result.json", json.dumps(content))
    shutil.rmtree(whole)
    return root


def unlisted_voc(root: Path) -> Path:
    """VOC's XML files and images without ``ImageSets``."""
    whole = tiny.write_voc(root / "all", train=20, val=2, test=2, classes=("cell", "platelet"))
    shutil.move(str(whole / "VOCdevkit/VOC2007/Annotations"), root / "Annotations")
    shutil.move(str(whole / "VOCdevkit/VOC2007/JPEGImages"), root / "JPEGImages")
    shutil.rmtree(whole)
    return root


def kaggle_voc(root: Path) -> Path:
    """The same as ``annotations/`` and PNG files in ``images/``."""
    (unlisted_voc(root) / "Annotations").rename(root / "annotations")
    (root / "images").mkdir()
    for path in (root / "JPEGImages").iterdir():
        Image.open(path).save(root / "images" / f"{path.stem}.png")
    shutil.rmtree(root / "JPEGImages")
    return root


def roboflow_voc(root: Path) -> Path:
    """The same with each XML file beside its image, 18 in ``train/``, 3 in ``valid/`` and 3 in ``test/``."""
    unlisted_voc(root)
    for i, path in enumerate(sorted((root / "JPEGImages").iterdir())):
        folder = root / ("train" if i < 18 else "valid" if i < 21 else "test")
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
        (root / "Annotations" / f"{path.stem}.xml").rename(folder / f"{path.stem}.xml")
    shutil.rmtree(root / "JPEGImages")
    shutil.rmtree(root / "Annotations")
    return root


LAYOUTS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "YOLO": (partial(write_yolo, kind="box"), "Detection", "YOLO"),
    "YOLO, Roboflow's": (partial(write_yolo, kind="box", roboflow=True, train=6, valid=2), "Detection", "YOLO"),
    "YOLO, outlines": (write_yolo, "InstanceSegmentation", "YOLO"),
    "YOLO, keypoints": (partial(write_yolo, kind="keypoints"), "KeypointDetection", "YOLOPose"),
    "COCO, Roboflow's": (roboflow_coco, "Detection", "COCO"),
    "COCO, CVAT's": (cvat_coco, "InstanceSegmentation", "COCO"),
    "VOC without lists": (unlisted_voc, "Detection", "VOC"),
    "VOC, Roboflow's": (roboflow_voc, "Detection", "VOC"),
    "labelme": (partial(write_labelme, all=12), "InstanceSegmentation", "LabelMe"),
    "labelme, as a map": (write_labelme, "Segmentation", "LabelMe"),
    "masks": (write_mask_folder, "Segmentation", "MaskFolder"),
    "masks of 0 and 255": (partial(write_mask_folder, binary=True, all=20), "Segmentation", "MaskFolder"),
}
"""By name: what writes it, a task, and the data module that is to be guessed for it."""
