"""YOLO's layout: boxes or outlines, and keypoints."""

from __future__ import annotations

from pathlib import Path

from .common import Tiny, picture, save, write_text

BOXES = ((5.0, 6.0, 25.0, 26.0), (28.0, 2.0, 48.0, 38.0))
"""Of each image's two objects, xyxy in pixels."""


def write_yolo(
    root: Path, kind: str = "outline", size: tuple[int, int] = (40, 50), roboflow: bool = False, **splits: int
) -> Path:
    """data.yaml, images/<split>/, labels/<split>/, with an object of each of two classes an image (``train=4, val=2``).

    The last image of each split has an empty label file. Objects are a ``box``, an ``outline`` (of four points, the box's
    corners) or a box with three ``keypoints``. With ``roboflow`` folders are as Roboflow has them: <split>/images.
    """
    folders = {split: f"{split}/images" if roboflow else f"images/{split}" for split in splits or ("train", "val", "test")}
    lines = ["names: [cell, platelet]", "nc: 2"]
    for split, folder in folders.items():
        lines.append(f"{split}: ../{folder}" if roboflow else f"{split}: {folder}")
        count = splits.get(split, 4 if split == "train" else 2)
        for i in range(count):
            save(root / folder / f"{split}_{i}.jpg", picture(size, BOXES, seed=i + 10 * len(split)))
            objects = (
                [yolo_line(label, box, kind, size) for label, box in enumerate(BOXES)] if i < count - 1 or count == 1 else []
            )
            write_text(root / folder.replace("images", "labels") / f"{split}_{i}.txt", "".join(f"{o}\n" for o in objects))
    if kind == "keypoints":
        lines += ["kpt_shape: [3, 3]", "flip_idx: [0, 2, 1]", "kpt_names: {0: [nose, left_eye, right_eye]}"]
    write_text(root / "data.yaml", "\n".join(lines) + "\n")
    return root


def yolo_line(label: int, box: tuple[float, float, float, float], kind: str, size: tuple[int, int]) -> str:
    """An object as a line, of an image of ``size`` (H, W)."""
    height, width = size
    x1, y1, x2, y2 = box[0] / width, box[1] / height, box[2] / width, box[3] / height
    box_or_outline = [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]
    values = [x1, y1, x2, y1, x2, y2, x1, y2] if kind == "outline" else box_or_outline
    if kind == "keypoints":
        values += [x1, y1, 2, x2, y1, 1, 0, 0, 0]
    return " ".join([str(label), *(f"{value:.6g}" for value in values)])


def _write_pose(root: Path) -> Path:
    return write_yolo(root, "keypoints")


TINY = {
    "YOLO": Tiny(lambda root: write_yolo(root, train=4, val=3, test=3), image_size=32),
    "YOLOPose": Tiny(_write_pose, image_size=32),
}
