"""Recall and time of selective search on images in COCO's layout, beside another implementation's boxes.

``python scripts/bench_selective_search.py COCO [--mode fast] [--other boxes.json] [--images 25]``

COCO is the folder of ``val2017/`` and ``annotations/``; ``--split train2017`` takes other images. Counted are the objects
larger than 32 x 32 pixels that are no crowds. The other implementation's boxes are read from a JSON of
``{"000000000139.jpg": {"seconds": 1.5, "boxes": [[x1, y1, x2, y2], ...]}, ...}``, the best box first. OpenCV's needs its
contrib build, which takes the place of ours, and so an environment of its own (``pip install
opencv-contrib-python-headless``), where these lines make the file at the size at which ours searches:

    import cv2, json, pathlib, sys, time
    cv2.setNumThreads(1)
    found = {}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jpg")):
        image = cv2.imread(str(path))
        scale = min(1, 500 / max(image.shape[:2]))
        search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
        began = time.process_time()
        search.setBaseImage(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        search.switchToSelectiveSearchFast()
        rects = search.process()
        seconds = time.process_time() - began
        boxes = [[v / scale for v in (x, y, x + w, y + h)] for x, y, w, h in rects.tolist()]
        found[path.name] = {"seconds": seconds, "boxes": boxes}
    json.dump(found, sys.stdout)
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import cv2
import torch
from torch import Tensor
from torchvision.ops import box_iou

from datamodules import COCO, SelectiveSearch
from datamodules.scene import Scene

COUNTS = (100, 500, 1000, 2000, 5000)
SMALL = 32.0**2


def objects(scene: Scene) -> Tensor:
    """The boxes (N, 4) of a scene that count."""
    return scene["boxes"][(scene["area"] > SMALL) & ~scene["crowd"]]


def row(name: str, scenes: list[Scene], found: list[tuple[Tensor, float]]) -> str:
    """A line of the table: boxes and CPU seconds an image, and the recall of the first proposals."""
    best = {
        count: torch.cat([_best(objects(s), boxes[:count]) for s, (boxes, _) in zip(scenes, found, strict=True)])
        for count in COUNTS
    }
    recalls = [f"{(overlap >= 0.5).double().mean():.3f}" for overlap in best.values()]
    boxes = statistics.mean(len(boxes) for boxes, _ in found)
    return f"| {name} | {boxes:.0f} | {statistics.median(s for _, s in found):.2f} | " + " | ".join(recalls) + " |"


def _best(truth: Tensor, boxes: Tensor) -> Tensor:
    return box_iou(truth, boxes).max(1).values if len(boxes) else torch.zeros(len(truth))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--split", default="val2017", choices=("train2017", "val2017"))
    parser.add_argument("--mode", default="fast", choices=("fast", "quality"))
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--other", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data = COCO(str(options.root), image_size=500)
    data.require(frozenset({"boxes", "labels", "crowd", "area"}))
    split = data.scenes("train" if options.split == "train2017" else "val")
    scenes = [split[i] for i in range(min(options.images, len(split)))]
    search = SelectiveSearch(options.mode, count=100_000, cache=False)
    search(scenes[0]["image"])
    ours = []
    for scene in scenes:
        began = time.process_time()
        boxes = search(scene["image"])
        ours.append((boxes, time.process_time() - began))
    print(f"{len(scenes)} images, {sum(len(objects(s)) for s in scenes)} objects; CPU seconds are medians, recalls at IoU 0.5")
    print("| | boxes | CPU-s | " + " | ".join(f"first {count}" for count in COUNTS) + " |\n|" + "---|" * (3 + len(COUNTS)))
    print(row(f"ours, {options.mode}", scenes, ours))
    if options.other:
        content = json.loads(options.other.read_text())
        theirs = [content[Path(scene["name"]).name] for scene in scenes]
        print(row(options.other.stem, scenes, [(torch.tensor(t["boxes"]).reshape(-1, 4), t["seconds"]) for t in theirs]))


if __name__ == "__main__":
    main()
