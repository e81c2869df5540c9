"""The embedded data set as a data module: its splits, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from datamodules.drawing import Style
from datamodules.scene import InputError
from datamodules.shapes import Shapes


def test_a_split_does_not_change_with_the_size_of_another() -> None:
    small, large = Shapes(train=3, val=3, test=3), Shapes(train=50, val=9, test=9)
    for split in ("train", "val", "test"):
        for i in range(3):
            assert torch.equal(small.scenes(split)[i]["image"], large.scenes(split)[i]["image"])  # type: ignore[arg-type]


def test_splits_share_no_scene() -> None:
    data = Shapes(train=4, val=4, test=4)
    images = [data.scenes(split)[i]["image"].flatten() for split in ("train", "val", "test") for i in range(4)]  # type: ignore[arg-type]
    assert len({image.numpy().tobytes() for image in images}) == 12


def test_another_scene_seed_draws_other_scenes() -> None:
    first, second = (Shapes(train=1, scene_seed=seed).scenes("train")[0]["image"] for seed in (0, 1))
    assert not torch.equal(first, second)


def test_joints_without_figures_and_labels_of_empty_scenes_are_refused() -> None:
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
