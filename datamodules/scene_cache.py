"""Scenes that were made once, in memory that a process and its workers share."""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import context, reduction
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

try:
    import fcntl
except ImportError:  # Windows: there each process has a cache of its own
    fcntl = None  # type: ignore[assignment]

_HEADER = 64
"""Bytes before the first record: how many are used behind them, and how often the cache was emptied."""
_ALIGNED = 64


class SceneCache:
    """Keeps copies of scenes, and gives copies of them, as long as there is room; what does not fit is not kept.

    It is a list of records in shared memory, which grows at its end alone. Processes that were forked from one that has it, or
    were started with it (by ``spawn`` or ``forkserver``), read and write the same records. The system takes a page of memory
    when something is written there. A process that is killed leaves whole records behind, and no lock. In each process, one
    thread may use it. It lives as long as its processes, and nothing of it is on disk.

    Args:
        capacity: bytes that the scenes of all these processes may take together.
    """

    def __init__(self, capacity: int) -> None:
        self._open(_memory(), capacity, new=True)

    def _open(self, file: int, capacity: int, *, new: bool) -> None:
        if file >= 0 and new:
            try:
                os.ftruncate(file, _HEADER + capacity)
            except OSError:  # a limit on the size of files (ulimit -f) counts here too
                os.close(file)
                file = -1
        self.capacity, self._file = capacity, file
        if file >= 0:
            self._memory = mmap.mmap(file, _HEADER + capacity)
            weakref.finalize(self, os.close, file)
        else:
            # Each process has its own, and no lock is needed; what is forked begins with what this one has.
            own = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if os.name != "nt" else {}
            self._memory = mmap.mmap(-1, _HEADER + capacity, **own)
        self._state: NDArray[np.int64] = np.frombuffer(self._memory, np.int64, 2)
        self._places: dict[int, tuple[int, int]] = {}
        self._seen = [0, 0]
        """The state that ``_places`` belong to."""

    def __reduce__(self) -> tuple[Callable[..., SceneCache], tuple[Any, ...]]:
        if context.get_spawning_popen() is None or self._file < 0:
            return SceneCache, (self.capacity,)  # a copy, and no process that is started with this one
        return _attached, (reduction.DupFd(self._file), self.capacity)

    @property
    def size(self) -> int:
        """Bytes that the kept scenes take."""
        return int(self._state[0])

    @property
    def kept(self) -> list[int]:
        """The numbers of the scenes that are kept."""
        self._look()
        return list(self._places)

    def get(self, number: int) -> dict[str, Any] | None:
        """A copy of the scene that was kept under a number; None where none was."""
        self._look()
        if (place := self._places.get(number)) is None:
            return None
        start, length = place
        record = bytearray(memoryview(self._memory)[_HEADER + start : _HEADER + start + length])
        # Another process may have emptied the cache while this one was copying.
        return _unpacked(record) if self._state[1] == self._seen[1] else None

    def put(self, number: int, scene: Mapping[str, Any], capacity: int | None = None) -> bool:
        """Keeps a copy of a scene under a number, and returns whether there was room (at most ``capacity``)."""
        parts = _packed(scene)
        length = _length(parts)
        room = self.capacity if capacity is None else min(capacity, self.capacity)
        if self.size + _ALIGNED + length > room:  # said without a lock: a full cache costs nothing
            return False
        with self._locked():
            self._read_on()
            start = self.size
            if number in self._places or start + _ALIGNED + length > room:
                return number in self._places
            at = _HEADER + start
            self._memory[at : at + 16] = np.array([number, length], np.int64).tobytes()
            at += _ALIGNED
            for part in parts:
                self._memory[at : at + len(part)] = part
                at += -(-len(part) // _ALIGNED) * _ALIGNED
            self._state[0] = start + _ALIGNED + length  # from now on the record is there
            self._read_on()
        return True

    def empty(self) -> None:
        """Forgets the scenes, in all processes, and gives their memory back."""
        with self._locked():
            self._state[1] += 1
            self._state[0] = 0
            with suppress(AttributeError, OSError, ValueError):  # where the system cannot, it is used again
                page = mmap.PAGESIZE
                self._memory.madvise(mmap.MADV_REMOVE, page, len(self._memory) - page)
            self._read_on()

    def _look(self) -> None:
        """Finds the records that other processes have written since."""
        if self._seen != self._state.tolist():
            with self._locked():
                self._read_on()

    def _read_on(self) -> None:
        used, emptied = self._state.tolist()
        if emptied != self._seen[1]:
            self._places, self._seen = {}, [0, emptied]
        at = self._seen[0]
        while at < used:
            number, length = np.frombuffer(self._memory, np.int64, 2, _HEADER + at).tolist()
            self._places[number] = at + _ALIGNED, length
            at += _ALIGNED + length
        self._seen[0] = at

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if fcntl is None or self._file < 0:
            yield
            return
        fcntl.lockf(self._file, fcntl.LOCK_EX)  # the system opens it where its process dies
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def _attached(file: Any, capacity: int) -> SceneCache:
    cache = SceneCache.__new__(SceneCache)
    cache._open(file.detach(), capacity, new=False)
    return cache


def _memory() -> int:
    """A file without a name, in memory where the system has such; -1 where it has no descriptors that travel."""
    if fcntl is None:
        return -1
    if hasattr(os, "memfd_create"):  # not /dev/shm, which has 64 MiB in a container
        return os.memfd_create("scenes", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def size_of(scene: Mapping[str, Any]) -> int:
    """Bytes that a scene takes in a cache."""
    return _ALIGNED + _length(_packed(scene))


def _length(parts: list[Any]) -> int:
    return sum(-(-len(part) // _ALIGNED) * _ALIGNED for part in parts)


def _packed(scene: Mapping[str, Any]) -> list[Any]:
    """A scene as buffers: their lengths, all but the numbers of its tensors, and these."""
    buffers: list[Any] = []
    entries = {name: _Flat.of_tensor(value) if isinstance(value, Tensor) else value for name, value in scene.items()}
    rest = pickle.dumps(entries, protocol=5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))
    parts = [rest, *buffers]
    return [np.array([len(parts), *map(len, parts)], np.int64).tobytes(), *parts]


def _unpacked(record: bytearray) -> dict[str, Any]:
    """The scene of :func:`_packed`; its tensors lie in the memory of ``record``."""
    count = int(np.frombuffer(record, np.int64, 1)[0])
    lengths = np.frombuffer(record, np.int64, count, 8).tolist()
    parts, at = [], -(-8 * (1 + count) // _ALIGNED) * _ALIGNED
    for length in lengths:
        parts.append(memoryview(record)[at : at + length])
        at += -(-length // _ALIGNED) * _ALIGNED
    entries = pickle.loads(parts[0], buffers=parts[1:])
    return {name: value.tensor() if isinstance(value, _Flat) else value for name, value in entries.items()}


class _Flat:
    """A tensor's numbers in the order in which they lie in memory: an image stays H x W x 3 there."""

    def __init__(self, array: NDArray[Any], order: list[int]) -> None:
        self.array, self.order = array, order

    @classmethod
    def of_tensor(cls, tensor: Tensor) -> _Flat:
        order = sorted(range(tensor.ndim), key=tensor.stride, reverse=True)
        return cls(tensor.permute(order).contiguous().numpy(), order)

    def tensor(self) -> Tensor:
        return torch.from_numpy(self.array).permute([self.order.index(side) for side in range(len(self.order))])
