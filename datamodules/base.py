"""The base of every data module: scenes in, batches out."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol, cast

import numpy as np
import pytorch_lightning as pl
from torch.utils.data import Dataset

from .checking import check_promise, problems
from .following import settings_of, unchanged
from .loading import DistributedBatchSampler, EpochLoader, Key, Skipped
from .proposals import Proposer
from .resizing import ResizeMode
from .scene import COMPUTED, FIELDS, DatasetMetadata, InputError, Scene, SceneError, declared, keep_objects, printable
from .selective_search import SelectiveSearch
from .transforms import SceneTransform, Transform

Split = Literal["train", "val", "test"]

Size = int | tuple[int, int]
"""A square's side, or (H, W)."""


class Scenes(Protocol):
    """What a data module gives for a split: anything with a length whose item i is the i-th scene."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Scene: ...


class DataModule(pl.LightningDataModule):
    """Yields the scenes of one data set as batches.

    A data set is a subclass that says what it ``provides``, gives its ``metadata`` before anything is read, and
    returns the ``scenes`` of a split. Checking, resizing, augmentation, order and collation happen here, once for all.

    The augmentation of sample i in epoch e depends on (seed, e, i) alone, where the seed is the run's
    (``--seed_everything``): not on the number of workers or of devices. In evaluation each sample is seen once.

    An attribute may be changed at any time: the next loader asked for is that of a new data module with those values.

    Args:
        image_size: side of the square images of a batch, or (H, W).
        batch_size: images in a batch over all devices together; N devices take batch_size / N each.
        resize_mode: how an image takes the size ``image_size``: stretch, letterbox or crop.
        augment: albumentations transforms for training, applied to image and annotations together, before the resizing.
        proposals: finds an image's proposals, where a task needs them: selective search, unless something else is said.
        workers: processes that prepare batches; 0 prepares them in the training process. The result is the same.
        train_samples: train on this many scenes only: the first of a permutation that the seed does not change.
        invalid: what happens to a scene or an object that breaks the contract: ``error`` stops and names it; ``skip`` leaves
            it out, with a warning that names it and a count.
    """

    provides: ClassVar[frozenset[str]] = frozenset()
    """The fields of a scene that this data set has, beside the image: a promise that is checked on the first scene read."""

    # A rank whose slice of the validation set is empty is no mistake.
    allow_zero_length_dataloader_with_multiple_devices = True

    def __init__(
        self,
        *,
        image_size: Size,
        batch_size: int = 32,
        resize_mode: ResizeMode = "stretch",
        augment: Sequence[Transform] = (),
        proposals: Proposer | None = None,
        workers: int = 2,
        train_samples: int | None = None,
        invalid: Literal["error", "skip"] = "error",
    ) -> None:
        super().__init__()
        self.image_size = image_size
        if min(self.image_size) < 1 or batch_size < 1 or workers < 0:
            raise InputError(
                f"{type(self).__name__}: image_size and batch_size must be at least 1 and workers at least 0, "
                f"got {image_size}, {batch_size} and {workers}"
            )
        self.batch_size, self.resize_mode, self.augment, self.workers = batch_size, resize_mode, list(augment), workers
        self.proposals = proposals or SelectiveSearch()
        self.train_samples, self.invalid = train_samples, invalid
        if unknown := self.provides - FIELDS.keys():
            raise InputError(
                f"{type(self).__name__} provides {_words(unknown)}; a scene's fields are {_words(frozenset(FIELDS))}"
            )
        self.fields: frozenset[str] = self.provides
        self.skipped: dict[str, None] = {}
        """What was left out so far, in order; filled under ``invalid: skip``."""
        self._loaders: dict[str, EpochLoader] = {}
        self._made_with: dict[str, Any] = {}
        """The settings that ``_loaders`` and ``skipped`` belong to."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) of a batch's images; set to a number, they are square."""
        return self._image_size

    @image_size.setter
    def image_size(self, size: Size) -> None:
        height, width = (size, size) if isinstance(size, int) else size
        self._image_size = (height, width)

    @property
    @abstractmethod
    def metadata(self) -> DatasetMetadata:
        """Names of classes and keypoints, sizes: known without reading a scene."""

    @abstractmethod
    def scenes(self, split: Split) -> Scenes:
        """The scenes of a split, as they lie on disk. Only the fields in ``self.fields_to_load`` need be read."""

    def require(self, fields: frozenset[str]) -> None:
        """Loads, transforms and collates only these fields from now on (a task's ``needs``)."""
        if missing := fields - self.provides - COMPUTED:
            raise InputError(f"{type(self).__name__} provides {_words(self.provides)}; {_words(missing)} asked for")
        self.fields = fields

    @property
    def fields_to_load(self) -> frozenset[str]:
        """The fields in use and, for objects' fields, ``boxes``: through them transforms leave objects out."""
        return self.fields | {"boxes"} if any(FIELDS[field].per_object for field in self.fields) else self.fields

    # Lightning's hooks ------------------------------------------------------------------------------------------------

    def train_dataloader(self) -> EpochLoader:
        return self._loader("train", training=True)

    def val_dataloader(self) -> EpochLoader:
        return self._loader("val")

    def test_dataloader(self) -> EpochLoader:
        return self._loader("test")

    def predict_dataloader(self) -> EpochLoader:
        return self._loader("test")

    def _loader(self, split: Split, training: bool = False) -> EpochLoader:
        if not unchanged(self._made_with, self._settings()):
            self._loaders, self.skipped = {}, {}
        if split not in self._loaders:  # one that is kept keeps its workers
            self._loaders[split] = self._make_loader(split, training)
            self._made_with = self._settings()  # behind it: making one fills what a data set keeps of its files
        return self._loaders[split]

    def _settings(self) -> dict[str, Any]:
        """All that batches depend on: this object's attributes, the run's seed, and the trainer's part."""
        return settings_of(self) | {"seed": run_seed(), "ranks": self._ranks(), "overfit": self._overfit()}

    def _ranks(self) -> tuple[int, int]:
        """This process's rank, and the number of ranks."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _overfit(self) -> bool:
        # Lightning does it by exchanging the sampler of a DataLoader, which EpochLoader is not.
        return bool(getattr(self.trainer, "overfit_batches", 0))

    def _make_loader(self, split: Split, training: bool) -> EpochLoader:
        dataset = self.prepared(split, augment=training)
        name = type(self).__name__
        if len(dataset) == 0:
            raise InputError(f"{name}: the {split} split is empty")
        rank, ranks = self._ranks()
        if training and len(dataset) < self.batch_size:
            raise InputError(
                f"{name}: {len(dataset)} training scenes do not fill one batch of {self.batch_size}; lower data.batch_size"
            )
        if self.batch_size % ranks:
            raise InputError(
                f"{name}: data.batch_size counts all devices together and must divide by their number; "
                f"{self.batch_size} does not divide by {ranks}"
            )
        batches = DistributedBatchSampler(
            len(dataset), self.batch_size, run_seed(), rank, ranks, training=training, overfit=training and self._overfit()
        )
        return EpochLoader(
            dataset,
            batches,
            workers=self.workers,
            position=self._position if training else lambda: 0,
            report=self._report,
        )

    def prepared(self, split: Split, *, augment: bool) -> PreparedScenes:
        """The scenes of a split as batches are made of them."""
        return PreparedScenes(self, split, augment=augment)

    def _position(self) -> int:
        """Batches of the current epoch that the run has trained on already: more than 0 only after a resume."""
        return int(self.trainer.fit_loop.epoch_loop.batch_progress.current.ready) if self.trainer else 0

    def _report(self, skipped: list[str]) -> None:
        for text in skipped:
            if text not in self.skipped:
                self.skipped[text] = None
                warnings.warn(f"left out ({len(self.skipped)} so far): {text}", stacklevel=1)


class PreparedScenes(Dataset[Any]):
    """The scenes of a split, each checked, augmented, resized and reduced to the fields in use."""

    def __init__(self, data: DataModule, split: Split, *, augment: bool) -> None:
        self.source = data.scenes(split)
        self.metadata, self.invalid, self.seed = data.metadata, data.invalid, run_seed()
        self.fields, self.fields_to_load = data.fields, data.fields_to_load
        self.propose = data.proposals if "proposals" in data.fields else None
        self.name, self.promised, self.promise_kept = type(data).__name__, data.fields - COMPUTED, False
        self.sound = bytearray(len(self.source))
        """1 for each scene that was found to keep the contract: it is checked once, and not each epoch."""
        transforms, flip_pairs = data.augment if augment else (), data.metadata.flip_pairs
        self.transform = SceneTransform(transforms, data.image_size, data.resize_mode, flip_pairs)
        self.chosen: list[int] | None = None
        if split == "train" and data.train_samples is not None and data.train_samples < len(self.source):
            self.chosen = np.random.default_rng(0).permutation(len(self.source))[: data.train_samples].tolist()

    def __len__(self) -> int:
        return len(self.source) if self.chosen is None else len(self.chosen)

    def __getitem__(self, key: Key) -> Scene | Skipped:
        epoch, index = key
        try:
            scene, left_out = self.checked(index if self.chosen is None else self.chosen[index])
        except SceneError as error:
            if self.invalid == "error":
                raise
            return Skipped(error)
        if self.propose:
            scene["proposals"] = self.propose(scene["image"])
        size = tuple(scene["image"].shape[1:])
        prepared = dict(self.transform(scene, (self.seed, epoch, index)))
        if "boxes" not in self.fields:
            prepared.pop("boxes", None)
        prepared |= {"index": index, "size": size, "name": scene.get("name", str(index))}
        return cast(Scene, prepared | ({"problems": left_out} if left_out else {}))

    def checked(self, index: int) -> tuple[Scene, list[str]]:
        """The scene as it lies on disk, with the fields that are transformed, and the objects that were left out of it."""
        # Reduced before it is transformed: moving masks and keypoints that nobody uses costs more than drawing the scene.
        loaded = self.source[index]
        if not self.promise_kept:
            check_promise(self.name, self.promised, loaded)
            self.promise_kept = True
        scene = cast(Scene, {k: v for k, v in loaded.items() if k not in FIELDS or k in self.fields_to_load})
        if self.sound[index]:
            return scene, []
        whole, objects = problems(scene, self.metadata)
        where = printable(scene.get("name", f"scene {index}"))
        if whole:
            raise SceneError(f"{where}: {whole[0]}")
        if not objects:
            self.sound[index] = 1
            return scene, []
        texts = [f"{where}: object {i}: {wrong}" for i, wrong in objects.items()]
        if self.invalid == "error":
            raise SceneError(f"{texts[0]} (data.invalid: skip leaves such objects out)")
        count = next(len(value) for _, kind, value in declared(scene) if kind.per_object)
        return keep_objects(scene, [i for i in range(count) if i not in objects]), texts


def run_seed() -> int:
    """The seed that ``seed_everything`` (``--seed_everything`` on the command line) has set, or 0."""
    return int(os.environ.get("PL_GLOBAL_SEED", 0))


def _words(fields: frozenset[str]) -> str:
    return ", ".join(sorted(fields)) or "nothing"
