"""Order, augmentation and collation: the seed decides them, and neither workers nor devices."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import albumentations as A
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from datamodules import loading
from datamodules.base import Split
from datamodules.checking import problems
from datamodules.loading import DistributedBatchSampler, collate
from datamodules.scene import Batch, InputError, Scene, SceneError
from tests.support.squares import COUNT, Squares, SquaresData, epochs, on_rank, same


def augmented(**options: Any) -> SquaresData:
    return SquaresData(augment=[A.D4(p=1), A.RandomResizedCrop((15, 15), p=0.7), A.GaussNoise(p=1)], **options)


def indices(batches: Sequence[Batch | None]) -> list[int]:
    return [i for batch in batches if batch for i in batch["index"].tolist()]


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_the_same_with_any_number_of_workers(workers: int) -> None:
    assert same(epochs(augmented(workers=workers)), epochs(augmented(workers=0)))


@pytest.mark.parametrize("ranks", [2, 3])
def test_a_global_batch_is_the_same_on_any_number_of_devices(ranks: int) -> None:
    alone = epochs(augmented(batch_size=6))
    together = [epochs(on_rank(augmented(batch_size=6), rank, ranks)) for rank in range(ranks)]
    for epoch in range(2):
        for number, batch in enumerate(alone[epoch]):
            parts = [together[rank][epoch][number] for rank in range(ranks)]
            assert {len(part["name"]) for part in parts} == {6 // ranks}
            joined = {
                key: torch.cat([part[key] for part in parts])  # type: ignore[literal-required]
                if isinstance(value, Tensor)
                else [entry for part in parts for entry in part[key]]  # type: ignore[literal-required]
                for key, value in batch.items()
            }
            assert same(joined, dict(batch))


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_evaluation_sees_each_sample_once_and_in_order(ranks: int) -> None:
    size = 12 // ranks * ranks
    seen = [indices(list(on_rank(SquaresData(batch_size=size), rank, ranks).val_dataloader())) for rank in range(ranks)]
    assert sorted(i for part in seen for i in part) == list(range(COUNT))
    assert all(part == sorted(part) for part in seen)


def test_more_devices_than_samples_leave_some_without() -> None:
    batches = [list(DistributedBatchSampler(2, 4, 0, rank, 4, training=False)) for rank in range(4)]
    assert sorted(key for rank in batches for batch in rank for key in batch) == [(0, 0), (0, 1)]
    assert {len(rank) for rank in batches} == {1}  # every rank takes the same number of steps


@given(st.integers(1, 50), st.integers(1, 8), st.integers(1, 4), st.integers(0, 9), st.booleans())
@settings(deadline=None)
def test_ranks_share_each_batch(length: int, share: int, ranks: int, seed: int, training: bool) -> None:
    size = share * ranks
    alone = list(DistributedBatchSampler(length, size, seed, 0, 1, training=training))
    parts = [list(DistributedBatchSampler(length, size, seed, rank, ranks, training=training)) for rank in range(ranks)]
    assert [[key for part in step for key in part] for step in zip(*parts, strict=True)] == alone
    seen = [index for batch in alone for _, index in batch]
    assert len(seen) == len(set(seen)) == (length // size * size if training else length)


def test_workers_end_with_their_loader_and_nobody_waits_for_them() -> None:
    """torch would wait five seconds for each of the two, where the loader is part of a cycle, as a trainer's are."""
    data = SquaresData(workers=2)
    list(data.train_dataloader())
    data.itself = data  # type: ignore[attr-defined]
    del data
    began = time.monotonic()
    gc.collect()
    assert time.monotonic() - began < 9  # ten, and what a busy machine takes


def test_a_process_that_ends_does_not_wait_for_its_workers() -> None:
    """torch 2.11 waits five seconds for each, where batches are pinned for a GPU, before it tells one to end."""
    lines = [
        "import atexit, sys",
        "from torch.utils.data import dataloader",
        "from tests.support.squares import SquaresData",
        "made = dataloader._MultiProcessingDataLoaderIter.__init__",
        "def registering(self, *args):",
        "    made(self, *args)",
        "    for worker in self._workers:",
        "        atexit.register(lambda worker=worker: (worker.join(5), worker.is_alive() and sys.stderr.write('waited')))",
        "dataloader._MultiProcessingDataLoaderIter.__init__ = registering",
        "batches = iter(SquaresData(workers=2, batch_size=1).train_dataloader())",
        "next(batches)",
    ]
    ended = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert not ended.stderr


def test_what_is_pinned_is_equal_and_each_tensor_of_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pins: list[Tensor] = []
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: pins.append(tensor) or tensor.clone())
    batch = epochs(SquaresData())[0][0]
    assert same(loading.pinned(batch), dict(batch)) and loading.pinned(None) is None
    tensors = [value for value in batch.values() if isinstance(value, Tensor)]
    assert len(pins) == len(tensors) + sum(len(batch[field]) for field in ("boxes", "labels"))


def test_epochs_and_seeds_have_orders_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = epochs(SquaresData())
    assert indices(first) != indices(second)
    monkeypatch.setenv("PL_GLOBAL_SEED", "1")
    assert indices(epochs(SquaresData())[0]) != indices(first)
    # Augmentation too: the same scenes in the same epoch look different under another seed.
    other = {b["name"][i]: b["image"][i] for b in epochs(augmented())[0] for i in range(4)}
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    here = {b["name"][i]: b["image"][i] for b in epochs(augmented())[0] for i in range(4)}
    assert any(not torch.equal(here[name], other[name]) for name in here.keys() & other.keys())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_resumed_epoch_goes_on_behind_what_was_seen(workers: int) -> None:
    whole = epochs(augmented(batch_size=2))[0]
    rest = epochs(on_rank(augmented(batch_size=2, workers=workers), 0, 1, seen=3), count=1)[0]
    assert same(rest, whole[3:])


def test_loading_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    epochs(augmented(workers=1))
    assert torch.equal(torch.rand(3), expected)


def test_evaluation_is_not_augmented() -> None:
    assert same(list(augmented().val_dataloader()), list(SquaresData().val_dataloader()))


def test_train_samples_are_the_same_under_every_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for seed in ("0", "5"):
        monkeypatch.setenv("PL_GLOBAL_SEED", seed)
        data = SquaresData(train_samples=5, batch_size=1)
        names.append(sorted(name for batch in epochs(data, 1)[0] for name in batch["name"]))
        assert len(indices(list(data.val_dataloader()))) == COUNT
    assert names[0] == names[1] and len(names[0]) == 5


def test_a_batch_has_the_fields_asked_for_and_no_others() -> None:
    data = SquaresData()
    data.require(frozenset({"labels"}))
    batch = epochs(data)[0][0]
    assert set(batch) == {"image", "labels", "index", "name", "size"}
    assert batch["image"].shape == (4, 3, 16, 24) and batch["image"].dtype == torch.uint8
    assert batch["size"] == [(20 + i, 30) for i in batch["index"].tolist()]
    with pytest.raises(InputError, match="SquaresData provides boxes, labels; mask asked for"):
        data.require(frozenset({"mask"}))


def test_objects_leave_the_image_the_same_whatever_is_needed_of_them() -> None:
    def first_epoch(*fields: str) -> list[Batch]:
        data = SquaresData(augment=[A.RandomCrop(12, 12)])
        data.require(frozenset(fields))
        return epochs(data, 1)[0]

    everything, labels = first_epoch("boxes", "labels"), first_epoch("labels")
    for whole, part in zip(everything, labels, strict=True):
        assert "boxes" not in part and same(whole["labels"], part["labels"])
    assert sum(len(n) for batch in labels for n in batch["labels"]) < sum(i % 3 for i in indices(labels))


def test_a_scene_is_checked_once_and_a_broken_one_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bad(Squares):
        def __getitem__(self, index: int) -> Scene:
            scene = super().__getitem__(index)
            return scene | {"labels": torch.full((index % 3,), 7)} if index == 2 else scene  # type: ignore[return-value]

    data = SquaresData(invalid="skip")
    monkeypatch.setattr(data, "scenes", lambda split: Bad())
    checks: list[int] = []
    monkeypatch.setattr(
        "datamodules.prepared.problems", lambda scene, s: checks.append(int(scene["image"][0, 0, 0])) or problems(scene, s)
    )
    loader = data.val_dataloader()
    with pytest.warns(UserWarning, match="label 7"):
        found = [list(loader) for _ in range(3)]
    assert same(found[0], found[1]) and same(found[0], found[2])
    assert sorted(checks) == sorted([*range(COUNT), 2, 2])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_scene_is_named_or_left_out(workers: int) -> None:
    with pytest.raises(SceneError, match="scene 5: broken"):
        list(SquaresData(broken=[5], workers=workers).val_dataloader())
    data = SquaresData(broken=[4, 5, 6, 7, 9], invalid="skip", workers=workers)
    with pytest.warns(UserWarning, match="left out"):
        batches = list(data.val_dataloader())
    assert indices(batches) == [0, 1, 2, 3, 8, 10]
    assert len(batches) == 3 and batches[1] is None  # the ranks of a distributed run stay in step
    assert list(data.skipped) == [f"scene {i}: broken" for i in (4, 5, 6, 7, 9)]
    list(data.val_dataloader())
    assert len(data.skipped) == 5  # counted once


def test_objects_that_break_the_contract_are_left_out_and_counted() -> None:
    class Bad(Squares):
        def __getitem__(self, index: int) -> Scene:
            scene = super().__getitem__(index)
            if index == 2:
                scene["boxes"][0] = torch.tensor([5.0, 5, 5, 9])
            return scene

    class BadData(SquaresData):
        def scenes(self, split: Split) -> Squares:
            return Bad()

    with pytest.raises(SceneError, match=r"scene 2: object 0: box \(5, 5, 5, 9\) has no area"):
        list(BadData().val_dataloader())
    data = BadData(invalid="skip")
    with pytest.warns(UserWarning, match=r"left out \(1 so far\): scene 2: object 0"):
        batches = list(data.val_dataloader())
    assert batches[0] is not None and batches[0]["labels"][2].tolist() == [1]
    assert indices(batches) == list(range(COUNT)) and len(data.skipped) == 1


def test_collate_stacks_what_has_one_size() -> None:
    scenes: list[Any] = [{"image": torch.zeros(3, 2, 2), "boxes": torch.zeros(n, 4), "index": n} for n in (0, 2)]
    batch = collate(scenes)
    assert batch is not None
    assert batch["image"].shape == (2, 3, 2, 2) and [len(b) for b in batch["boxes"]] == [0, 2]
    assert collate([]) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 12}, "11 training scenes do not fill one batch of 12"),
        ({"batch_size": 0}, "at least 1"),
        ({"image_size": (0, 3)}, "at least 1"),
        ({"workers": -1}, "at least 0"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SquaresData(**options).train_dataloader()


def test_batches_must_divide_by_devices() -> None:
    with pytest.raises(InputError, match="4 does not divide by 3"):
        on_rank(SquaresData(batch_size=4), 0, 3).train_dataloader()
