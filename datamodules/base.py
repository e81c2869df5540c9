"""The base of every data module: scenes in, batches out."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import pytorch_lightning as pl

from .balancing import balanced_weights, classes_shown
from .following import settings_of, unchanged
from .loading import DistributedBatchSampler, EpochLoader
from .prepared import PreparedScenes, Scenes, Split, run_seed
from .proposals import Proposer
from .remarks import say
from .resizing import ResizeMode
from .scene import COMPUTED, FIELDS, DatasetMetadata, InputError
from .scene_cache import SceneCache
from .selective_search import SelectiveSearch
from .transforms import Transform

__all__ = ["DataModule", "PreparedScenes", "Scenes", "Size", "Split", "run_seed"]  # what a data set is written with

Size = int | tuple[int, int]
"""A square's side, or (H, W)."""


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
        augment: transforms for training, albumentations' or ``torchvision.transforms.v2``'s, applied to image and annotations
            together, before the resizing.
        proposals: finds an image's proposals, where a task needs them: selective search, unless something else is said.
        workers: processes that prepare batches; 0 prepares them in the training process. The result is the same.
        train_samples: train on this many scenes only: the first of a permutation that ``data_seed`` decides, and the run's own
            seed does not.
        data_seed: which data: which ``train_samples`` are taken; of drawn scenes, which are drawn.
        cache_mib: MiB that this process (one a device) and its workers together may take to keep the scenes they have read:
            decoded, and resized where nothing is augmented. What does not fit, and with 0 every scene, is read in each epoch.
        balanced: training draws its scenes with replacement, so that each class is seen as often as the others: a scene's
            weight is 1 / (scenes of its class), and of several classes, as in detection, that of the rarest. Before the first
            epoch each training scene is read once, where they do not lie in memory.
        invalid: what happens to a scene or an object that is wrong, or that an augmentation cannot do: ``error`` stops and
            names it; ``skip`` leaves it out, with a warning that names it, and counts it in the run's summary and report.
            A class that nobody knows, and a split without a scene that can be used, are errors under both.
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
        data_seed: int = 0,
        cache_mib: int = 512,
        balanced: bool = False,
        invalid: Literal["error", "skip"] = "error",
    ) -> None:
        super().__init__()
        self.image_size = image_size
        if min(self.image_size) < 1 or batch_size < 1 or workers < 0:
            raise InputError(
                f"{type(self).__name__}: image_size and batch_size must be at least 1 and workers at least 0, "
                f"got {image_size}, {batch_size} and {workers}"
            )
        for name, value in {"cache_mib": cache_mib, "data_seed": data_seed}.items():
            if value < 0:
                raise InputError(f"{type(self).__name__}: {name} is {value}: 0 or more expected")
        self.batch_size, self.resize_mode, self.augment, self.workers = batch_size, resize_mode, list(augment), workers
        self.proposals = proposals or SelectiveSearch()
        self.train_samples, self.data_seed, self.cache_mib, self.invalid = train_samples, data_seed, cache_mib, invalid
        self.balanced = balanced
        if unknown := self.provides - FIELDS.keys():
            raise InputError(
                f"{type(self).__name__} provides {_words(unknown)}; a scene's fields are {_words(frozenset(FIELDS))}"
            )
        self.fields: frozenset[str] = self.provides
        self.originals = False
        """Whether a batch has each image as it lies on disk too, under ``original``: ``lectern predict`` draws upon it."""
        self.skipped: dict[str, None] = {}
        """What was left out so far, in order; filled under ``invalid: skip``."""
        self.remarks: dict[str, None] = {}
        """What was made of the files without being asked, in order: a split held out of another, files passed over."""
        self._loaders: dict[str, EpochLoader] = {}
        self._made_with: dict[str, Any] = {}
        """The settings that ``_loaders``, ``skipped`` and ``_cache`` belong to."""
        self._cache: SceneCache | None = None  # one for all splits, made before the first worker: all share it

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

    def run_scenes(self, split: Split) -> Scenes:
        """The scenes of a split as a run has them: those of :meth:`scenes`, unless a data set says otherwise."""
        return self.scenes(split)

    def remark(self, text: str) -> None:
        """Says on stderr, once, what was made of the files, and keeps it for the run's summary."""
        if text not in self.remarks:
            self.remarks[text] = None
            say(text)

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
            self._loaders, self.skipped, self._cache = {}, {}, None
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
        if self._cache is None and self.cache_mib:
            self._cache = SceneCache(self.cache_mib * 2**20)
        dataset = self.prepared(split, augment=training)
        name = type(self).__name__
        if len(dataset) == 0:
            raise InputError(f"{name}: the {split} split is empty")
        if self.invalid == "skip" and not self.originals:  # of which each is read once
            dataset.first_usable()
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
            len(dataset),
            self.batch_size,
            run_seed(),
            rank,
            ranks,
            training=training,
            overfit=training and self._overfit(),
            weights=balanced_weights(classes_shown(dataset)) if training and self.balanced else None,
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
        return PreparedScenes(self, split, augment=augment, cache=self._cache)

    def _position(self) -> int:
        """Batches of the current epoch that the run has trained on already: more than 0 only after a resume."""
        return int(self.trainer.fit_loop.epoch_loop.batch_progress.current.ready) if self.trainer else 0

    def _report(self, skipped: list[str]) -> None:
        for text in skipped:
            if text not in self.skipped:
                self.skipped[text] = None
                warnings.warn(f"left out ({len(self.skipped)} so far): {text}", stacklevel=1)


def _words(fields: frozenset[str]) -> str:
    return ", ".join(sorted(fields)) or "nothing"
