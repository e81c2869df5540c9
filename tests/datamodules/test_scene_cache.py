"""Scenes that are kept in memory: what comes out is what went in, for all processes, within a limit."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.scene import InputError, Scene
from datamodules.scene_cache import SceneCache, size_of
from tests.support.squares import COUNT, Squares, SquaresData, epochs, same

FORKED = multiprocessing.get_context("fork") if hasattr(os, "fork") else None
needs_fork = pytest.mark.skipif(FORKED is None, reason="this system does not fork")


def scene(number: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(number)
    return {
        "image": torch.from_numpy(rng.integers(0, 256, (20, 31, 3), np.uint8)).permute(2, 0, 1),
        "mask": torch.from_numpy(rng.integers(0, 9, (20, 31), np.uint8)),
        "boxes": torch.zeros(0, 4),
        "depth": torch.from_numpy(rng.random((20, 31))),
        "gray": torch.ones(1, 4, 5, dtype=torch.uint8).expand(3, -1, -1),
        "crowd": torch.tensor([True, False]),
        "label": torch.tensor(number),
        "captions": ["a square", "ein Würfel"],
        "name": f"train/{number}.png",
        "size": (20, 31),
    }


def in_a_process(function: Callable[..., None], *arguments: Any) -> int | None:
    assert FORKED is not None
    process = FORKED.Process(target=function, args=arguments)
    process.start()
    process.join(30)
    return process.exitcode


def test_what_comes_out_is_a_copy_of_what_went_in() -> None:
    cache, kept = SceneCache(2**20), scene(3)
    assert cache.put(7, kept)
    for _ in range(2):
        found = cache.get(7)
        assert found is not None and same(found, kept)
        assert all(found[k].dtype == v.dtype for k, v in kept.items() if isinstance(v, Tensor))
        assert found["image"].stride() == kept["image"].stride(), "the order in memory, which decides what comes next costs"
        found["image"].fill_(0)  # a careless task
        found["captions"].append("a careless task")


def test_there_is_no_more_in_it_than_its_capacity() -> None:
    size = size_of(scene())
    cache = SceneCache(3 * size + size // 2)
    assert [cache.put(i, scene(i)) for i in range(5)] == [True, True, True, False, False]
    assert cache.size == 3 * size and cache.kept == [0, 1, 2]
    assert cache.get(3) is None
    cache.empty()
    assert cache.size == 0 and cache.get(0) is None
    assert not cache.put(9, scene(9), capacity=size - 1)
    assert cache.put(9, scene(9)) and same(cache.get(9), scene(9))


def put(cache: SceneCache, numbers: list[int]) -> None:
    for number in numbers:
        cache.put(number, scene(number))


def put_all_with_me(cache: SceneCache) -> None:
    assert same(cache.get(0), scene(0))
    put(cache, [1, 2])


@needs_fork
def test_processes_share_what_any_of_them_keeps() -> None:
    cache = SceneCache(2**22)
    assert in_a_process(put, cache, [0, 1]) == 0
    assert cache.kept == [0, 1] and same(cache.get(1), scene(1))
    assert in_a_process(SceneCache.empty, cache) == 0
    assert cache.get(0) is None
    put(cache, [5])
    assert cache.kept == [5] and same(cache.get(5), scene(5))


@needs_fork
def test_where_no_file_may_be_so_large_each_process_keeps_its_own() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**12, before[1]))
    try:
        cache = SceneCache(2**22)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    put(cache, [0])
    assert in_a_process(put_all_with_me, cache) == 0
    assert cache.kept == [0] and same(cache.get(0), scene(0))


@needs_fork
def test_processes_that_write_at_once_lose_nothing() -> None:
    assert FORKED is not None
    cache = SceneCache(2**22)
    writers = [FORKED.Process(target=put, args=(cache, list(range(first, 120)))) for first in (0, 40, 80)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert sorted(cache.kept) == list(range(120))
    assert cache.size == 120 * size_of(scene()), "none is there twice"
    assert all(same(cache.get(i), scene(i)) for i in range(120))


@pytest.mark.skipif(os.name == "nt", reason="there each process has a cache of its own")
def test_a_process_that_was_not_forked_shares_it_too() -> None:
    cache = SceneCache(2**20)
    put(cache, [0])
    process = multiprocessing.get_context("spawn").Process(target=put_all_with_me, args=(cache,))
    process.start()
    process.join(60)
    assert process.exitcode == 0 and cache.kept == [0, 1, 2]


def die_while_writing(cache: SceneCache) -> None:
    with cache._locked():
        os.kill(os.getpid(), signal.SIGKILL)


@needs_fork
def test_a_process_that_is_killed_while_it_writes_stops_no_other() -> None:
    cache = SceneCache(2**20)
    assert in_a_process(die_while_writing, cache) == -signal.SIGKILL
    assert cache.put(1, scene(1)) and same(cache.get(1), scene(1))


class CountedSquares(Squares):
    def __init__(self) -> None:
        super().__init__()
        self.read = torch.zeros(COUNT, dtype=torch.int64).share_memory_()

    def __getitem__(self, index: int) -> Scene:
        self.read[index] += 1
        return super().__getitem__(index)


@pytest.mark.parametrize(("augment", "workers"), [([], 0), ([A.D4(p=1), A.GaussNoise(p=1)], 0), ([A.D4(p=1)], 2)])
def test_each_scene_is_read_once_and_batches_are_those_that_are_read_anew(
    augment: list[Any], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = CountedSquares()
    data = SquaresData(augment=augment, workers=workers, batch_size=1)
    monkeypatch.setattr(data, "scenes", lambda split: counted)
    kept = epochs(data, 3)
    assert counted.read.tolist() == [1] * COUNT
    assert same(kept, epochs(SquaresData(augment=augment, batch_size=1, cache_mib=0), 3))


def test_splits_are_kept_apart_and_other_settings_read_anew() -> None:
    data = SquaresData(augment=[A.HorizontalFlip(p=1)])
    first = [epochs(data), list(data.val_dataloader())]
    assert same(first, [epochs(data), list(data.val_dataloader())])
    data.image_size = 20
    fresh = SquaresData(augment=[A.HorizontalFlip(p=1)], image_size=20, cache_mib=0)
    assert same([epochs(data), list(data.val_dataloader())], [epochs(fresh), list(fresh.val_dataloader())])


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(InputError, match="SquaresData: cache_mib is -1"):
        SquaresData(cache_mib=-1)
