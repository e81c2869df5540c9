"""Every scene of a data module, read once in several processes: what is known of each, and what is wrong with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from datamodules.base import DataModule, PreparedScenes, Split
from datamodules.layout import to_hwc
from datamodules.scene import InputError, Scene, SceneError

from .near_copies import fingerprint

SPLITS: tuple[Split, ...] = ("train", "val", "test")
FEW = 200
"""Scenes that are read in this process: others take longer to start."""


@dataclass(frozen=True)
class SceneFacts:
    """What is kept of a scene that was read."""

    split: Split
    index: int
    name: str
    size: tuple[int, int] = (0, 0)
    """(H, W) as it lies on disk."""
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """(N,), of its objects; of an image with a class alone, that."""
    sides: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    """(N, 2): width and height of its objects, in pixels of the image on disk."""
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Pixels of each value of its map of classes."""
    code: int = 0
    """Its perceptual hash."""
    thumb: NDArray[np.uint8] | None = None
    wrong: tuple[str, ...] = ()
    """All that is wrong with it or with its objects, one line each."""
    unreadable: bool = False
    """Whether nothing of it can be used."""


class SceneReader(Dataset[SceneFacts]):
    """The scenes of a split, as facts."""

    def __init__(self, data: DataModule, split: Split) -> None:
        self.split, self.scenes = split, PreparedScenes(data, split, augment=False)
        self.scenes.invalid = "skip"

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> SceneFacts:
        try:
            scene, left_out = self.scenes.checked(index)
        except SceneError as error:
            return SceneFacts(self.split, index, f"scene {index}", wrong=(str(error),), unreadable=True)
        said: Any = cast("dict[str, Any]", scene).get("problems", ())  # a reader's own
        return facts_of(scene, self.split, index, [*said, *left_out])


def facts_of(scene: Scene, split: Split, index: int, wrong: list[str]) -> SceneFacts:
    """What is kept of a scene."""
    image = scene["image"]
    code, thumb = fingerprint(to_hwc(image))
    labels = scene["labels"].numpy() if "labels" in scene else np.zeros(0, np.int64)
    if "label" in scene and "labels" not in scene:
        labels = scene["label"].reshape(1).numpy()
    boxes = scene["boxes"].numpy() if "boxes" in scene else np.zeros((0, 4), np.float32)
    counts = torch.bincount(scene["mask"].flatten().int(), minlength=256).numpy() if "mask" in scene else np.zeros(0, np.int64)
    height, width = image.shape[1:]
    return SceneFacts(
        split,
        index,
        scene.get("name", f"scene {index}"),
        (height, width),
        labels,
        boxes[:, 2:] - boxes[:, :2],
        counts,
        int(code),
        thumb,
        tuple(wrong),
    )


@dataclass
class Reading:
    """All scenes of all splits."""

    facts: list[SceneFacts] = field(default_factory=list)
    refused: dict[Split, str] = field(default_factory=dict)
    """Splits that could not be listed, and why."""


def read_all(data: DataModule, workers: int | None = None) -> Reading:
    """Reads every scene of every split; nothing that is wrong with one ends it.

    Args:
        data: the data module, with the fields that are asked for.
        workers: processes; as many as there are cores where nothing is said.
    """
    reading = Reading()
    readers = []
    data.invalid = "skip"
    for split in SPLITS:
        try:
            readers.append(SceneReader(data, split))
        except InputError as error:
            reading.refused[split] = str(error)
    total = sum(map(len, readers))
    processes = (cores() if workers is None else workers) if total > FEW or workers else 0
    with tqdm(total=total, desc="reading", unit="image", mininterval=0.5, file=sys.stderr, disable=None) as bar:
        for reader in readers:
            for facts in _batches(reader, processes):
                reading.facts += facts
                bar.update(len(facts))
    return reading


def _batches(reader: SceneReader, workers: int) -> Iterator[list[SceneFacts]]:
    if not len(reader):
        return
    options: dict[str, Any] = (
        {"worker_init_fn": _alone, "prefetch_factor": 4, "generator": torch.Generator()} if workers else {}
    )
    yield from DataLoader(reader, batch_size=32, num_workers=workers, collate_fn=list, **options)


def _alone(worker: int) -> None:
    # 0, and not 1, which would end the threads of the process that this one was forked from, and wait for ever.
    cv2.setNumThreads(0)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lacking_fields(data: DataModule, looked_at: int = 8) -> frozenset[str]:
    """The fields that the data module provides and this folder has not, by a look at some training scenes.

    ``masks`` are lacking where no object of these scenes has one, a map of classes where no scene has one.
    """
    lacking: set[str] = set()
    if "masks" in data.provides:
        rest = data.provides & {"boxes", "labels", "area"}
        if _objects(data, rest, looked_at) and not _objects(data, rest | {"masks"}, looked_at):
            lacking.add("masks")
    if "mask" in data.provides and not any(not facts.unreadable for facts in _look(data, frozenset({"mask"}), looked_at)):
        lacking.add("mask")
    return frozenset(lacking)


def fields_to_read(data: DataModule, lacking: frozenset[str]) -> frozenset[str]:
    """The fields that every scene is read with: ``label`` is left out where objects have one each (a scene without an object
    has none), and so is a map of classes beside objects, of which a data set has another list of scenes or draws them."""
    return data.provides - lacking - ({"label", "mask"} if "boxes" in data.provides else set())


def _look(data: DataModule, fields: frozenset[str], looked_at: int) -> list[SceneFacts]:
    """Some of the training scenes, without the objects that lack a field."""
    data.require(fields)
    before: Literal["error", "skip"] = data.invalid
    data.invalid = "skip"
    try:
        reader = SceneReader(data, "train")
        return [reader[i] for i in range(0, len(reader), max(1, len(reader) // looked_at))]
    except InputError:
        return []
    finally:
        data.invalid = before


def _objects(data: DataModule, fields: frozenset[str], looked_at: int) -> int:
    return sum(len(facts.labels) for facts in _look(data, fields, looked_at))
