"""A data module that is changed gives the batches of a new one; one that is not keeps its loaders."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import albumentations as A
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules import Shapes
from datamodules.base import DataModule
from datamodules.drawing import Style
from datamodules.proposals import Proposer
from datamodules.scene import Batch
from tests.support.squares import SquaresData, epochs, on_rank, same


class Fixed(Proposer):
    """One box."""

    def __init__(self, side: float) -> None:
        self.side = side

    def __call__(self, image: Any) -> Any:
        return torch.tensor([[0.0, 0.0, self.side, self.side]])


AUGMENT: list[list[Any]] = [[], [A.HorizontalFlip(p=0.5)], [A.D4(p=1), A.GaussNoise(p=1)]]
PROPOSERS = [Fixed(5.0), Fixed(9.0)]
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "batch_size": st.integers(1, 5),
        "image_size": st.sampled_from([16, 20, (16, 24)]),
        "resize_mode": st.sampled_from(["stretch", "letterbox", "crop"]),
        "augment": st.sampled_from(AUGMENT),
        "train_samples": st.sampled_from([None, 6, 8]),
        "proposals": st.sampled_from(PROPOSERS),
        "invalid": st.sampled_from(["error", "skip"]),
        "fields": st.sampled_from([frozenset({"boxes"}), frozenset({"boxes", "labels"}), frozenset({"proposals"})]),
        "seed": st.integers(0, 2),
    },
)


def changed(data: DataModule, changes: dict[str, Any], patch: pytest.MonkeyPatch) -> DataModule:
    for name, value in changes.items():
        if name == "seed":
            patch.setenv("PL_GLOBAL_SEED", str(value))
        elif name == "fields":
            data.require(value)
        else:
            setattr(data, name, value)
    return data


def all_batches(data: DataModule) -> list[Batch]:
    return [*(b for epoch in epochs(data) for b in epoch), *(b for b in data.val_dataloader() if b is not None)]


@settings(max_examples=60)
@given(st.lists(CHANGES, min_size=1, max_size=3))
def test_after_any_change_the_batches_are_those_of_a_new_data_module_with_those_values(steps: list[dict[str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PL_GLOBAL_SEED", "0")
        data, values = SquaresData(), dict[str, Any]()
        all_batches(data)
        for changes in steps:
            values |= changes
            fresh = changed(SquaresData(), values, patch)
            assert same(all_batches(changed(data, changes, patch)), all_batches(fresh))
            train, val = data.train_dataloader(), data.val_dataloader()
            assert (train, val) == (data.train_dataloader(), data.val_dataloader()), "nothing changed: the loader is kept"


def test_workers_are_kept_from_epoch_to_epoch_and_replaced_where_their_number_changes() -> None:
    data = SquaresData(workers=1)
    loader = data.train_dataloader()
    before = all_batches(data)
    assert data.train_dataloader() is loader
    data.workers = 0
    assert data.train_dataloader() is not loader
    assert same(all_batches(data), before)


def test_a_list_that_is_changed_where_it_is_counts_as_changed() -> None:
    data = SquaresData()
    before = all_batches(data)
    data.augment.append(A.HorizontalFlip(p=1))
    assert not same(all_batches(data), before)
    assert same(all_batches(data), all_batches(SquaresData(augment=[A.HorizontalFlip(p=1)])))


def test_what_was_left_out_is_counted_anew_where_the_scenes_are_others() -> None:
    data = SquaresData(broken=[3], invalid="skip")
    with pytest.warns(UserWarning, match="left out"):
        list(data.val_dataloader())
    assert list(data.skipped) == ["scene 3: broken"]
    data.broken = [5]
    with pytest.warns(UserWarning, match="left out"):
        list(data.val_dataloader())
    assert list(data.skipped) == ["scene 5: broken"]


def test_drawn_scenes_take_a_new_image_size() -> None:
    data = Shapes(image_size=32, train=8, val=4, test=4, batch_size=4, workers=0, style=Style(noise=0.0))
    all_batches(data)
    data.image_size = 48
    assert data.metadata.image_size == (48, 48)
    fresh = Shapes(image_size=48, train=8, val=4, test=4, batch_size=4, workers=0, style=Style(noise=0.0))
    assert same(all_batches(data), all_batches(fresh))


def overfitting(data: SquaresData, rank: int = 0, ranks: int = 1) -> SquaresData:
    on_rank(data, rank, ranks)
    cast(Any, data.trainer).overfit_batches = 1
    return data


@pytest.mark.parametrize("ranks", [1, 2])
def test_overfitting_sees_the_first_batches_to_the_bit_in_each_epoch_on_every_rank(ranks: int) -> None:
    augment = [A.D4(p=1), A.GaussNoise(p=1)]
    indices = []
    for rank in range(ranks):
        data = overfitting(SquaresData(augment=augment), rank, ranks)
        first, second, third = epochs(data, 3)
        assert same(first, second) and same(first, third)
        indices.append([batch["index"].tolist() for batch in first])
    assert [[i for part in parts for i in part] for parts in zip(*indices, strict=True)] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_overfitting_goes_on_behind_what_a_resumed_run_has_seen() -> None:
    data = overfitting(SquaresData())
    whole = epochs(data, 1)[0]
    progress = SimpleNamespace(current=SimpleNamespace(ready=1))
    cast(Any, data.trainer).fit_loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress))
    assert same(epochs(data, 1)[0], whole[1:])
