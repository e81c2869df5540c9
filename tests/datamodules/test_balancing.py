"""Balanced sampling: each class as often as the others, and the same order whatever the ranks, workers and interruptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules import Shapes
from datamodules.balancing import balanced_weights, classes_shown
from datamodules.drawing import Style
from datamodules.files import LabelledImages
from datamodules.loading import DistributedBatchSampler
from datamodules.scene import InputError, SceneError


class Rare(Shapes):
    """Drawn scenes of which one in ten is of class 1, and the others of class 0."""

    def scenes(self, split: Any) -> Any:
        images = torch.zeros(100, 3, 32, 32, dtype=torch.uint8) + torch.arange(100, dtype=torch.uint8)[:, None, None, None]
        return LabelledImages(images, (torch.arange(100) % 10 == 0).long(), "rare")


def rare(**options: Any) -> Rare:
    data = Rare(image_size=32, batch_size=10, workers=0, **options)
    data.require(frozenset({"label"}))
    return data


def labels_of(data: Rare, epochs: int = 5) -> Counter[int]:
    loader = data.train_dataloader()
    seen: Counter[int] = Counter()
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            assert batch is not None
            seen.update(batch["label"].tolist())
    return seen


def test_a_rare_class_is_seen_as_often_as_the_other() -> None:
    assert labels_of(rare()) == {0: 450, 1: 50}
    seen = labels_of(rare(balanced=True))
    assert sum(seen.values()) == 500 and 200 < seen[1] < 300


def test_evaluation_sees_each_scene_once() -> None:
    seen = [i for batch in rare(balanced=True).val_dataloader() if batch for i in batch["index"].tolist()]
    assert seen == list(range(100))


@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 9))
def test_the_order_depends_on_seed_and_epoch_alone(ranks: int, epoch: int, seed: int) -> None:
    """Not on ranks; and a run that goes on at batch 2 sees what it would have seen."""
    weights = balanced_weights([{i % 7 == 0} for i in range(60)])

    def batches(rank: int, of_ranks: int, first: int = 0) -> list[list[tuple[int, int]]]:
        sampler = DistributedBatchSampler(60, 12, seed, rank, of_ranks, training=True, weights=weights)
        sampler.set_epoch(epoch)
        sampler.first = first
        return list(sampler)

    alone = batches(0, 1)
    together = [batches(rank, ranks) for rank in range(ranks)]
    assert [[key for each in together for key in each[b]] for b in range(5)] == alone
    assert batches(0, 1, first=2) == alone[2:]
    keys = [key for batch in alone for key in batch]
    assert len(set(keys)) == 60, "what comes again has a key of its own, by which it is augmented anew"
    assert len({index for _, index in keys}) < 60


@given(st.lists(st.one_of(st.none(), st.frozensets(st.integers(0, 4), max_size=3)), min_size=1, max_size=30))
def test_weights_are_those_of_the_rarest_class(shown: list[Collection[int] | None]) -> None:
    weights = balanced_weights(shown).tolist()
    scenes = {c: [i for i, own in enumerate(shown) if own and c in own] for c in range(5)}
    for weight, own in zip(weights, shown, strict=True):
        if own is None:
            assert weight == 0
        elif own:
            assert weight == pytest.approx(max(1 / len(scenes[c]) for c in own))
        else:
            assert weight == min((w for w, o in zip(weights, shown, strict=True) if o), default=1.0)


def test_scenes_on_disk_are_read_for_their_classes_and_bad_ones_are_never_drawn() -> None:
    data = Shapes(image_size=32, train=6, workers=0, style=Style(objects=(1, 3)), invalid="skip")
    data.require(frozenset({"boxes", "labels"}))
    prepared = data.prepared("train", augment=False)
    expected = [set(data.scenes("train")[i]["labels"].tolist()) for i in range(6)]
    assert classes_shown(prepared) == expected

    class Torn:
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Any:
            raise SceneError("torn.jpg: cannot be read")

    prepared.source = Torn()
    prepared.sound = bytearray(1)
    assert classes_shown(prepared)[0] is None
    prepared.invalid = "error"
    with pytest.raises(SceneError):
        classes_shown(prepared)


def test_a_task_without_classes_cannot_be_balanced() -> None:
    data = Shapes(image_size=32, train=32, workers=0, balanced=True)
    data.require(frozenset({"mask"}))
    with pytest.raises(InputError, match=r"data\.balanced goes by the classes"):
        data.train_dataloader()
