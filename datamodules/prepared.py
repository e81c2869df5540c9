"""The scenes of a split as a data module prepares them: checked, augmented and resized, one by one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import numpy as np
import torch
from torch.utils.data import Dataset

from .checking import check_promise, problems, with_pixels, without_pixels
from .loading import Key, Skipped
from .main_object import main_label
from .resizing import resize_matrix
from .scene import (
    COMPUTED,
    FIELDS,
    InputError,
    ReadScene,
    Scene,
    SceneError,
    Side,
    UnknownClassError,
    declared,
    keep_objects,
    printable,
)
from .scene_cache import SceneCache, size_of
from .transforms import SceneTransform
from .unlearned import ForegroundSought, readable

if TYPE_CHECKING:
    from .base import DataModule

Split = Literal["train", "val", "test"]


class Scenes(Protocol):
    """What a data module gives for a split: anything with a length whose item i is the i-th scene, each time the same. Where a
    true attribute ``in_memory`` says that it has them there, ``cache_mib`` keeps no others."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Scene: ...


_FIRST_NUMBER: dict[Split, int] = {"train": 0, "val": 1 << 40, "test": 2 << 40}
"""Where the numbers of each split's scenes begin in a cache of all."""


_READER_S_OWN = frozenset({*FIELDS, "faults", "called"})
"""What a reader may give that no batch holds, unless it is asked for."""
_OF_LABELS = frozenset({"boxes", "labels", "area", "difficult", "crowd"})
"""What decides which of an image's objects its label is of."""


class PreparedScenes(Dataset[Any]):
    """The scenes of a split, each checked, augmented, resized and reduced to the fields in use."""

    def __init__(self, data: DataModule, split: Split, *, augment: bool, cache: SceneCache | None = None) -> None:
        self.source = data.run_scenes(split)
        self.cache = None if data.originals or getattr(self.source, "in_memory", False) else cache
        self.split, self.first = split, _FIRST_NUMBER[split]
        self.metadata, self.invalid, self.seed = data.metadata, data.invalid, run_seed()
        self.fields, self.fields_to_load = data.fields, data.fields_to_load
        self.originals = data.originals
        self.propose = data.proposals if "proposals" in data.fields else None
        self.name, self.promised, self.promise_kept = type(data).__name__, data.fields - COMPUTED, False
        self.sound = bytearray(len(self.source))
        """1 for each scene that was found to keep the contract: it is checked once, and not each epoch."""
        self.foreground = ForegroundSought(least=1 if split == "train" else 4)
        # Areas and scale tell metrics what a pixel of the annotation is; what is augmented is not measured by.
        transforms, flip_pairs = data.augment if augment else (), data.metadata.flip_pairs or None
        self.transform = SceneTransform(
            transforms, data.image_size, data.resize_mode, flip_pairs, annotated_areas=not transforms
        )
        self.chosen: list[int] | None = None
        if split == "train" and data.train_samples is not None and data.train_samples < len(self.source):
            self.chosen = np.random.default_rng(data.data_seed).permutation(len(self.source))[: data.train_samples].tolist()

    def __len__(self) -> int:
        return len(self.source) if self.chosen is None else len(self.chosen)

    def __getitem__(self, key: Key) -> Scene | Skipped:
        epoch, index = key
        number = self.first + index
        scene = self.cache.get(number) if self.cache else None
        if scene is None:
            try:
                scene = self._read(index)
            except SceneError as error:
                if self.invalid == "error" or isinstance(error, UnknownClassError):
                    raise
                return Skipped(error)
            if self.cache and "problems" not in scene:  # those are said each time
                self.cache.put(number, scene)
        if self.transform.augment:
            try:
                scene = self._transformed(scene, (self.seed, epoch, index))
            except SceneError as error:
                if self.invalid == "error":
                    raise
                return Skipped(error)
        return cast(Scene, scene | {"index": index})

    def first_usable(self) -> Scene:
        """The first scene that is not left out.

        Raises:
            InputError: every scene is: the data are not those meant, whatever the policy.
        """
        reason = ""
        for index in range(len(self)):
            scene = self[0, index]
            if not isinstance(scene, Skipped):
                return scene
            reason = reason or str(scene)
        raise InputError(f"{self.name}: none of the {len(self)} {self.split} scenes can be used; the first: {reason}")

    def bytes_in_cache(self, index: int) -> int:
        """What a scene takes where scenes are kept between epochs; 0 where its data set has it in memory anyway."""
        return 0 if getattr(self.source, "in_memory", False) else size_of(self._read(index))

    def _read(self, index: int) -> dict[str, Any]:
        """All of a sample that is the same in each epoch: the whole of it where nothing is augmented."""
        scene, left_out = self.checked(index if self.chosen is None else self.chosen[index])
        if self.propose:
            scene["proposals"] = self.propose(scene["image"])
        height, width = scene["image"].shape[1:]
        size, name = (height, width), scene.get("name", str(index))
        if not self.transform.augment:
            matrix = resize_matrix(size, self.transform.image_size, self.transform.resize_mode)
            size = Side(height, float(matrix[1, 1])), Side(width, float(matrix[0, 0]))
        prepared = dict(scene) if self.transform.augment else self._transformed(scene, ())
        if self.originals:
            prepared["original"] = scene["image"]
        return prepared | {"size": size, "name": name} | ({"problems": left_out} if left_out else {})

    def _transformed(self, scene: Mapping[str, Any], seed: tuple[int, ...]) -> dict[str, Any]:
        prepared = dict(with_pixels(self.transform(cast(Scene, scene), seed)))
        if "boxes" not in self.fields:
            prepared.pop("boxes", None)
        return prepared

    def checked(self, index: int) -> tuple[Scene, list[str]]:
        """The scene as it lies on disk, with the fields that are transformed, and the objects that were left out of it."""
        # Reduced before it is transformed: moving masks and keypoints that nobody uses costs more than drawing the scene.
        loaded = cast(ReadScene, self.source[index])
        if not self.promise_kept:
            check_promise(self.name, self.promised, loaded)
            self.promise_kept = True
        scene = cast(Scene, {k: v for k, v in loaded.items() if k in self.fields_to_load or k not in _READER_S_OWN})
        if self.sound[index]:
            return scene, []
        # An image's label is that of an object, whose box counts then too.
        judged = cast(Scene, scene | {k: v for k, v in loaded.items() if "label" in scene and k in _OF_LABELS})
        whole, objects = problems(judged, self.metadata)
        where = printable(scene.get("name", f"scene {index}"))
        if whole:
            raise SceneError(f"{where}: {whole[0]}")
        self.foreground.look(scene, self.metadata, lambda: readable(self.source.__getitem__, len(self.source)))
        objects = without_pixels(scene) | objects | loaded.get("faults", {})
        if not objects:
            self.sound[index] = 1
            return scene, []
        names = [f" ({one})" for one in loaded.get("called", ())] or [""] * (max(objects) + 1)
        texts = [f"{where}: object {i}{names[i]}: {wrong}" for i, wrong in sorted(objects.items())]
        if self.invalid == "error":
            raise SceneError(f"{texts[0]} (data.invalid: skip leaves such objects out)")
        count = next(len(value) for _, kind, value in declared(judged) if kind.per_object)
        kept = [i for i in range(count) if i not in objects]
        scene = keep_objects(scene, kept)
        if "label" in scene and "boxes" in judged:
            judged = keep_objects(judged, kept)
            if not kept or bool(judged.get("crowd", torch.zeros(1)).all()):
                raise SceneError(f"{texts[0]}; no object is left, so the image has no label")
            scene["label"] = main_label(judged)
        return scene, texts


def run_seed() -> int:
    """The seed that ``seed_everything`` (``--seed_everything`` on the command line) has set, or 0."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0))
