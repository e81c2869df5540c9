"""The embedded data set as a data module: its splits, and what it refuses."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import albumentations as A
import pytest
import torch
from torch import Tensor

from datamodules.drawing import Style, album
from datamodules.drawing.composition import draw
from datamodules.scene import Batch, InputError
from datamodules.shapes import Shapes

FIGURES = Style(figures=(1, 1), objects=(0, 2))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The numbers of the scenes that are drawn during a test, which begins and ends with nothing kept."""
    numbers: list[int] = []

    def counted(seed: int, index: int, style: Style) -> Any:
        numbers.append(index)
        return draw(seed, index, style)

    monkeypatch.setattr("datamodules.drawing.albums.draw", counted)
    monkeypatch.setattr("datamodules.drawing.albums._albums", {})
    yield numbers


def test_a_split_does_not_change_with_the_size_of_another() -> None:
    small, large = Shapes(train=3, val=3, test=3), Shapes(train=50, val=9, test=9)
    for split in ("train", "val", "test"):
        for i in range(3):
            assert torch.equal(small.scenes(split)[i]["image"], large.scenes(split)[i]["image"])  # type: ignore[arg-type]


def test_splits_share_no_scene() -> None:
    data = Shapes(train=4, val=4, test=4)
    images = [data.scenes(split)[i]["image"].flatten() for split in ("train", "val", "test") for i in range(4)]  # type: ignore[arg-type]
    assert len({image.numpy().tobytes() for image in images}) == 12


def test_another_data_seed_draws_other_scenes() -> None:
    first, second = (Shapes(train=1, data_seed=seed).scenes("train")[0]["image"] for seed in (0, 1))
    assert not torch.equal(first, second)


def test_keypoints_without_figures_and_labels_of_empty_scenes_are_refused() -> None:
    with pytest.raises(InputError, match=r"data\.style\.figures"):
        Shapes().require(frozenset({"keypoints"}))
    with pytest.raises(InputError, match=r"data\.style\.objects"):
        Shapes(style=Style(objects=(0, 2))).require(frozenset({"label"}))


def test_a_batch_holds_what_is_needed_and_nothing_else() -> None:
    data = Shapes(image_size=32, train=4, batch_size=4, workers=0)
    data.require(frozenset({"mask"}))
    batch = next(iter(data.train_dataloader()))
    assert batch is not None
    assert set(batch) == {"image", "mask", "index", "name", "size"}
    assert batch["image"].dtype == torch.uint8 and batch["image"].shape == (4, 3, 32, 32)


def batches(data: Shapes, epochs: int = 2) -> Iterator[Batch]:
    loader = data.train_dataloader()
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        yield from (batch for batch in loader if batch is not None)


def test_runs_of_one_process_draw_each_scene_once(drawn: list[int]) -> None:
    for needs in ({"mask"}, {"label"}, {"boxes", "labels"}):
        data = Shapes(image_size=32, train=8, batch_size=4, workers=0)
        data.require(frozenset(needs))
        list(batches(data))
    assert sorted(drawn) == list(range(8))
    list(batches(Shapes(image_size=32, train=8, batch_size=4, workers=0, cache_mib=0)))
    assert len(drawn) == 8 + 2 * 8
    list(batches(Shapes(image_size=32, train=8, batch_size=4, workers=0, style=Style(clutter=0))))
    assert len(drawn) == 8 + 2 * 8 + 8


@pytest.mark.parametrize("augmented", [False, True])
def test_nothing_downstream_changes_a_kept_scene(augmented: bool, drawn: list[int]) -> None:
    def made(cache_mib: int) -> Iterator[Batch]:
        augment = [A.HorizontalFlip(), A.Affine(rotate=(-20, 20), scale=(0.8, 1.2)), A.GaussNoise()] if augmented else []
        options: dict[str, Any] = {"image_size": 48, "train": 12, "batch_size": 4, "workers": 0}
        return batches(Shapes(style=FIGURES, augment=augment, cache_mib=cache_mib, **options))

    for kept, anew in zip(made(cache_mib=9), made(cache_mib=0), strict=True):
        assert kept.keys() == anew.keys() >= Shapes.provides
        for field, value in kept.items():
            for one, other in zip(value, anew[field], strict=True):  # type: ignore[call-overload, literal-required]
                if isinstance(one, Tensor):
                    torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
                    one.fill_(99)  # a careless task
                    continue
                assert one == other
                if isinstance(one, list):
                    one.append("a careless task")
    assert len(drawn) == 12 + 2 * 12


def test_the_budget_holds_and_goes_to_who_asked_last(drawn: list[int]) -> None:
    first, second = (album(seed, Style()) for seed in (0, 1))
    scenes = [Shapes(train=100, data_seed=seed, cache_mib=1).scenes("train") for seed in (0, 1)]
    assert torch.equal(scenes[0][0]["image"], scenes[0][0]["image"]) and drawn == [0]
    for i in range(100):
        assert torch.equal(scenes[0][i]["mask"], draw(0, i, Style())["mask"])
    assert 2**20 - 2**16 < first.size <= 2**20 and 20 < len(first.kept) < 60
    _ = scenes[1][0]
    assert not first.kept and len(second.kept) == 1
    _ = scenes[0][0]
    assert 0 < first.size + second.size <= 2**20


def test_what_travels_to_a_worker_is_not_what_was_kept(drawn: list[int]) -> None:
    scenes = Shapes(train=20).scenes("train")
    images = [scenes[i]["image"] for i in range(20)]
    assert len(packed := pickle.dumps(scenes)) < 2000
    assert all(torch.equal(pickle.loads(packed)[i]["image"], image) for i, image in enumerate(images))


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(InputError, match="cache_mib is -1"):
        Shapes(cache_mib=-1)
