"""Visual Genome."""

from __future__ import annotations

import json
from pathlib import Path

from .common import Tiny, picture, save, write_text


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
    write_text(root / "image_data.json", json.dumps(data))
    write_text(root / "region_descriptions.json", json.dumps(regions))
    return root


TINY = {"VisualGenome": Tiny(write_visual_genome, {"min_count": 2}, image_size=32)}
