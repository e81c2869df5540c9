"""What a data set holds, in numbers: classes, sizes, objects an image, copies, and all that is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.base import DataModule, Split
from datamodules.scene import COMPUTED, IGNORE
from experiments import recipes
from experiments.runs.bounded import read_yaml
from experiments.training.catalog import tasks

from .near_copies import across, groups
from .reading import SPLITS, Reading, SceneFacts

SIDES = (8, 16, 32, 96)
"""Pixels: COCO calls an object small below 32, large from 96 on; below 8 it has less than one cell of most networks' maps."""


def findings(reading: Reading, data: DataModule, fields: frozenset[str]) -> dict[str, Any]:
    """All that the report says, as plain values.

    Args:
        reading: every scene.
        data: the data module that read them.
        fields: what it was asked for, of what the folder has.
    """
    sound = [facts for facts in reading.facts if not facts.unreadable]
    by_split = {split: [facts for facts in sound if facts.split == split] for split in SPLITS}
    metadata = data.metadata
    copies = _copies(sound)
    found: dict[str, Any] = {
        "data": type(data).__name__,
        "name": metadata.name,
        "root": str(getattr(data, "root", "")),
        "input_size": list(data.image_size),
        "resize_mode": data.resize_mode,
        "fields": sorted(fields),
        "splits": {split: _split(by_split[split], reading, split) for split in SPLITS},
        "classes": _classes(by_split, metadata.classes) if metadata.classes and "mask" not in fields else [],
        "mask_classes": _pixels(by_split, metadata.mask_classes) if "mask" in fields else [],
        "image_sizes": _sizes(sound),
        "small_objects": _small(sound, data) if "boxes" in fields else {},
        "copies": copies,
        "broken": [
            {"split": facts.split, "name": facts.name, "what": text, "unreadable": facts.unreadable}
            for facts in reading.facts
            for text in facts.wrong
        ],
        "refused": dict(reading.refused),
        "notes": [],
    }
    found["notes"] = notes(found)
    return found


def _split(facts: Sequence[SceneFacts], reading: Reading, split: Split) -> dict[str, Any]:
    counts = [len(one.labels) for one in facts]
    return {
        "scenes": sum(one.split == split for one in reading.facts),
        "usable": len(facts),
        "with_faults": sum(bool(one.wrong) for one in reading.facts if one.split == split),
        "objects": sum(counts),
        "objects_an_image": {str(number): count for number, count in sorted(Counter(counts).items())},
        "most_objects": max(counts, default=0),
    }


def _classes(by_split: dict[Split, list[SceneFacts]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Of each class: its objects, or images, in each split, and in how many images they are."""
    rows: list[dict[str, Any]] = [{"name": name} for name in names]
    for split, facts in by_split.items():
        objects, images = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
        for one in facts:
            objects += np.bincount(one.labels, minlength=len(names))[: len(names)]
            images[np.unique(one.labels)] += 1
        for row, count, seen in zip(rows, objects.tolist(), images.tolist(), strict=True):
            row[split], row[f"{split}_images"] = count, seen
    return rows


def _pixels(by_split: dict[Split, list[SceneFacts]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Of each class of the maps, and of what is ignored: its part of a split's pixels, and in how many images it is."""
    rows: list[dict[str, Any]] = [{"name": name} for name in [*names, "(ignored)"]]
    for split, facts in by_split.items():
        counts = np.array([one.pixels for one in facts if len(one.pixels)], np.int64).reshape(-1, 256)
        places = [*range(len(names)), IGNORE]
        chosen = counts[:, places]
        parts = chosen.sum(0) / max(1, counts.sum())
        for row, part, seen in zip(rows, parts.tolist(), (chosen > 0).sum(0).tolist(), strict=True):
            row[split], row[f"{split}_images"] = part, seen
    return rows


def _sizes(facts: Sequence[SceneFacts]) -> dict[str, Any]:
    """Of the images: how many different sizes, the most frequent, and the least and greatest side."""
    sizes = Counter(one.size for one in facts)
    frequent = [{"width": width, "height": height, "images": count} for (height, width), count in sizes.most_common(8)]
    sides = [side for size in sizes for side in size]
    return {
        "different": len(sizes),
        "frequent": frequent,
        "least_side": min(sides, default=0),
        "greatest_side": max(sides, default=0),
    }


def _small(facts: Sequence[SceneFacts], data: DataModule) -> dict[str, Any]:
    """Objects by the square root of their box's area, at the network's input size."""
    height, width = data.image_size
    sides = []
    for one in facts:
        down, right = height / max(1, one.size[0]), width / max(1, one.size[1])
        if data.resize_mode != "stretch":
            down = right = min(down, right) if data.resize_mode == "letterbox" else max(down, right)
        sides.append(np.sqrt(np.prod(one.sides * np.array([right, down], np.float32), axis=1)))
    all_sides = np.concatenate(sides) if sides else np.zeros(0)
    edges = [0, *SIDES, np.inf]
    counts = np.histogram(all_sides, edges)[0].tolist()
    names = [f"below {SIDES[0]}", *(f"{a} to {b}" for a, b in pairwise(SIDES)), f"{SIDES[-1]} and more"]
    return {"pixels": dict(zip(names, counts, strict=True)), "median": float(np.median(all_sides)) if len(all_sides) else 0.0}


def _copies(facts: Sequence[SceneFacts]) -> dict[str, Any]:
    """Groups of images that are copies of each other, those across splits first."""
    hashes = np.array([one.code for one in facts], np.uint64)
    thumbs = np.array([one.thumb for one in facts], np.uint8).reshape(-1, 16, 16)
    found = groups(hashes, thumbs)
    between = across(found, [one.split for one in facts])
    named = lambda group: [{"split": facts[i].split, "name": facts[i].name, "index": facts[i].index} for i in group]  # noqa: E731
    inside = [group for group in found if group not in between]
    return {"across_splits": [named(group) for group in between], "within_a_split": [named(group) for group in inside]}


def notes(found: dict[str, Any]) -> list[str]:
    """What somebody who trains on this should know, one line each; empty where nothing stands out."""
    said = [f"{split}: {text}" for split, text in found["refused"].items()]
    total = sum(split["scenes"] for split in found["splits"].values())
    if broken := len({(one["split"], one["name"], one["unreadable"]) for one in found["broken"]}):
        said.append(f"{broken} of {total} scenes have faults: data.invalid: skip leaves out what is broken, and counts it")
    if leaks := len(found["copies"]["across_splits"]):
        said.append(f"{leaks} photographs are in more than one split, so validation or test is easier than new images are")
    for row in found["classes"]:
        if not row["train"] and any(row[split] for split in ("val", "test")):
            said.append(f"class {row['name']} is in no training image")
        elif not any(row[split] for split in SPLITS):
            said.append(f"class {row['name']} is named, and there is none of it")
    counts = [row["train"] for row in found["classes"] if row["train"]]
    if counts and max(counts) > 20 * min(counts):
        said.append(f"the most frequent class has {max(counts) / min(counts):.0f} times as many as the rarest")
    small = found["small_objects"]
    if small and (whole := sum(small["pixels"].values())):
        least = sum(list(small["pixels"].values())[:2])
        if least > 0.1 * whole:
            size = " x ".join(map(str, found["input_size"]))
            what = f"{least / whole:.0%} of the objects are below {SIDES[1]} pixels at {size} (H x W)"
            said.append(f"{what}: a larger data.image_size shows more of them")
    return said


def fitting(provided: dict[str, frozenset[str]]) -> dict[str, dict[str, Any]]:
    """The tasks that these data feed, each with the data module for it and Lectern's recipes of it.

    Args:
        provided: the fields that the folder has, by the name of each data module that reads it.
    """
    by_task: dict[str, list[str]] = {}
    for name in recipes.names():
        content = read_yaml(recipes.path_of(name))
        model = content.get("model") if isinstance(content, dict) else None
        task = str(model.get("class_path", "") if isinstance(model, dict) else model or "").rsplit(".", 1)[-1]
        by_task.setdefault(task, []).append(name)
    found = {}
    # Those that learn from the images alone fit everything, and come last.
    for name, task in sorted(tasks().items(), key=lambda entry: not entry[1].needs):
        for data, fields in provided.items():
            if fields and task.needs <= fields | COMPUTED:
                found[name] = {"data": data, "recipes": by_task.get(name, [])}
                break
    return found


def command(task: str, root: Path, found: dict[str, Any]) -> str:
    """What trains a task on the folder."""
    what = f"--config {found['recipes'][0]}" if found["recipes"] else f"--model {task} …"
    return f"lectern fit {what} --data.root {root}"
