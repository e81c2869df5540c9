"""Batches in an order that the seed alone decides, and their loaders."""

from __future__ import annotations

import atexit
import re
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, WeightedRandomSampler

from .ahead import ahead
from .scene import FIELDS, Batch, InputError, Scene

Key = tuple[int, int]
"""(epoch, index): what a sample's augmentation is a function of, together with the run's seed."""


AGAIN = 1 << 32
"""What is added to the epoch in the key of a sample each time that it comes again within one."""


class Skipped(str):
    """Stands in a batch for a scene that could not be used; its text says which, and why."""


def collate(samples: Sequence[Scene | Skipped] | Batch | None) -> Batch | None:
    """B scenes as one batch, without the skipped ones (named under ``skipped``); None where none is left.

    What is a batch already, since its data set gives whole ones (``datamodules.batches``), is handed on.
    """
    if samples is None or isinstance(samples, dict):
        return samples
    scenes: list[dict[str, Any]] = [dict(s) for s in samples if not isinstance(s, Skipped)]
    skipped = [
        *(str(s) for s in samples if isinstance(s, Skipped)),
        *(p for s in scenes for p in s.pop("problems", ())),
    ]
    if not scenes:
        return cast(Batch, {"skipped": skipped}) if skipped else None
    batch: dict[str, Any] = {}
    for field in scenes[0]:
        values = [s[field] for s in scenes]
        if field == "image" or (field in FIELDS and FIELDS[field].stacked):
            batch[field] = torch.stack(values)
        elif field == "index":
            batch[field] = torch.tensor(values)
        else:
            batch[field] = values
    if skipped:
        batch["skipped"] = skipped
    return cast(Batch, batch)


class DistributedBatchSampler(Sampler[list[Key]]):
    """This rank's slice of each global batch.

    The order is a permutation given by (seed, epoch) in training, and the data set's own in evaluation. Batch b is the
    samples [b * batch_size, (b + 1) * batch_size) of that order, whatever the number of ranks; each rank takes its
    contiguous slice. In training the last, incomplete batch of an epoch is left out, so that every rank has the same
    number of samples; in evaluation it stays, each sample is there once, and a rank may have an empty slice.

    With ``weights`` training draws with replacement: an epoch has as many samples, of which some are seen several times, each
    time augmented anew, and some not at all.

    With ``overfit`` (``trainer.overfit_batches``) training has the data set's own order, and every epoch is the first one
    again, augmentation included: the same batches, to the bit.
    """

    def __init__(
        self,
        length: int,
        batch_size: int,
        seed: int,
        rank: int,
        ranks: int,
        *,
        training: bool,
        overfit: bool = False,
        weights: Tensor | None = None,
    ) -> None:
        self.length, self.batch_size, self.seed = length, batch_size, seed
        self.rank, self.ranks, self.training, self.overfit = rank, ranks, training, overfit
        self.weights = weights
        """float64 (length,): how often each sample is drawn in training, relative to the others; None draws each once."""
        self.epoch = 0
        self.first = 0
        """The batch that the next iteration begins with."""

    def set_epoch(self, epoch: int) -> None:
        self.epoch = 0 if self.overfit else epoch

    def __len__(self) -> int:
        return self.length // self.batch_size if self.training else -(-self.length // self.batch_size)

    def order(self) -> list[int]:
        """The indices of this epoch, in the order in which they are seen."""
        if not self.training or self.overfit:
            return list(range(self.length))
        if self.weights is not None:
            state = int(np.random.SeedSequence([self.seed, self.epoch]).generate_state(1, np.uint64)[0]) >> 1
            generator = torch.Generator().manual_seed(state)
            return list(WeightedRandomSampler(self.weights, self.length, generator=generator))  # type: ignore[arg-type]
        return cast("list[int]", np.random.default_rng([self.seed, self.epoch]).permutation(self.length).tolist())

    def __iter__(self) -> Iterator[list[Key]]:
        order = self.order()
        times = None if self.weights is None else _times(order)
        for b in range(self.first, len(self)):
            here = range(self.length)[b * self.batch_size : (b + 1) * self.batch_size]
            low, high = (len(here) * r // self.ranks for r in (self.rank, self.rank + 1))
            # One that comes again has an epoch of its own, so that it is augmented anew.
            yield [(self.epoch + (AGAIN * times[place] if times else 0), order[place]) for place in here[low:high]]


def _times(order: Sequence[int]) -> list[int]:
    """How often each index stood in the list before."""
    seen: Counter[int] = Counter()
    times = []
    for index in order:
        times.append(seen[index])
        seen[index] += 1
    return times


class EpochLoader:
    """Iterates over the batches of a data set; Lightning treats it as any iterable with a length.

    It is no ``DataLoader``, because Lightning replaces those. It makes its iterator at the first ``next`` and not at
    ``iter``, since Lightning calls ``iter`` before it says which epoch comes; and it then asks ``position`` how many
    batches of that epoch a resumed run has already seen, and begins behind them.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batches: DistributedBatchSampler,
        *,
        workers: int,
        position: Callable[[], int] = lambda: 0,
        report: Callable[[list[str]], None] = lambda skipped: None,
    ) -> None:
        self.sampler = self.batch_sampler = batches  # Lightning asks for both, and calls set_epoch
        self.position, self.report = position, report
        there_is_a_gpu = torch.cuda.is_available()
        self.pins = there_is_a_gpu and workers == 0
        self.loader: DataLoader[Any] = DataLoader(
            dataset,
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=there_is_a_gpu and workers > 0,
            worker_init_fn=_one_thread,
            # A generator of its own: otherwise each iteration draws from, and so shifts, the global one.
            generator=torch.Generator(),
        )

    @property
    def scenes(self) -> int:
        """How many there are, whatever the size of a batch."""
        return self.sampler.length

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batch | None]:
        self.sampler.first = self.position()
        reason, usable = "", self.sampler.first > 0 or self.sampler.ranks > 1  # another rank may have one
        for number, batch in enumerate(self._prepared(), self.sampler.first + 1):
            if batch is not None and "skipped" in batch:
                reason = reason or batch["skipped"][0]
                self.report(batch.pop("skipped"))
            usable = usable or bool(batch)
            if reason and not usable and number == len(self):  # and not behind it, where nobody asks any more
                raise InputError(f"none of the {self.scenes} scenes can be used; the first: {reason}")
            # None keeps the count of batches, so that the ranks of a distributed run stay in step.
            yield batch or None

    def _prepared(self) -> Iterator[Any]:
        batches = iter(self.loader)
        _end_with(batches)
        try:
            yield from ahead(pinning(batches, torch.cuda.current_device())) if self.pins else batches
        except RuntimeError as error:
            if killed := worker_killed(error):
                raise killed from error
            raise
        except (ConnectionError, EOFError) as error:  # it died while it handed a batch over
            raise WorkerKilled(f"a process that prepares batches was killed, {_ADVICE}") from error


def pinning(batches: Iterator[Any], device: int) -> Iterator[Any]:
    """Each batch in pinned memory, for a thread that does nothing else on the GPU of that number."""
    torch.cuda.set_device(device)  # of this thread; otherwise it would begin to use the first GPU
    yield from map(pinned, batches)


def pinned(value: Any) -> Any:
    """A batch with its tensors in pinned memory, from where a GPU fetches them while the program goes on.

    torch's own looks into every name and size: a millisecond for 512 images, which a thread beside workers has, and a training
    that prepares its batches itself has not.
    """
    match value:
        case torch.Tensor():
            return value.pin_memory()
        case dict():
            return {field: pinned(entry) for field, entry in value.items()}
        case [torch.Tensor(), *_]:
            return [entry.pin_memory() for entry in value]
    return value


_at_work: weakref.WeakSet[Any] = weakref.WeakSet()
"""The iterators of loaders that have workers."""


def _end_with(batches: Any) -> None:
    """Has the workers of a loader's iterator end with it, or with the process, and nobody wait five seconds for each.

    Where the garbage collector finds an iterator and the queues by which its workers are told to end at once (a trainer refers
    to itself, and has its loaders), the queues would be closed first: they are kept for as long as the iterator. And where
    batches are pinned, torch 2.11 waits at the process's end for workers that nobody has told to end yet.
    """
    queues = getattr(batches, "_index_queues", None)
    if queues and batches not in _at_work:
        weakref.finalize(batches, _nothing, queues).atexit = False
        _at_work.add(batches)
        atexit.unregister(_send_workers_away)
        atexit.register(_send_workers_away)  # again, since what was registered last is called first: before torch's


def _send_workers_away() -> None:
    for batches in list(_at_work):
        batches._shutdown_workers()


def _nothing(queues: list[Any]) -> None:
    """They are kept until it is called."""


_ADVICE = "as the system does where memory runs out; lower data.workers or data.batch_size"


class WorkerKilled(InputError):
    """A process that prepares batches was killed: the run goes on from its last checkpoint."""

    state = "unfinished"


def worker_killed(error: RuntimeError) -> WorkerKilled | None:
    """What to say where torch says with ``error`` that a worker was killed; None where it says something else."""
    found = re.search(r"DataLoader worker .*?(killed by signal: [\w ]+|exited unexpectedly)", str(error))
    if found is None:
        return None
    return WorkerKilled(f"a process that prepares batches was killed ({found[1].strip()}), {_ADVICE}")


def _one_thread(worker: int) -> None:
    import cv2

    cv2.setNumThreads(0)  # workers are the parallelism; OpenCV's own threads would compete with them
