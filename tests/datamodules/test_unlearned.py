"""Masks of 0 and 255: a foreground that would be ignored is refused, and ignored pixels are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datamodules.camvid import CamVid
from datamodules.scene import IGNORE, InputError, SceneError
from datamodules.voc import VOC
from tests.support import tiny

SMALL: dict[str, Any] = {"workers": 0, "batch_size": 1, "image_size": 16, "hold_out": 0}

pytestmark = pytest.mark.filterwarnings("ignore::datamodules.remarks.Remark")


def polyps(root: Path, **options: Any) -> VOC:
    data = VOC(str(tiny.write_voc(root, classes=("polyp",))), year=2007, classes=["polyp"], **SMALL, **options)
    data.require(frozenset({"mask"}))
    return data


def masks(root: Path) -> list[Path]:
    return sorted(root.rglob("SegmentationClass/*.png"))


def draw(path: Path, *values: int) -> None:
    """A mask of VOC's tiny images with these values from left to right."""
    tiny.save(path, np.repeat(np.array(values, np.uint8), 50 // len(values) + 1)[None, :50].repeat(40, 0))


@pytest.mark.parametrize("invalid", ["error", "skip"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_foreground_of_255_is_refused_with_the_remedy(split: str, invalid: str, tmp_path: Path) -> None:
    tiny.write_voc(tmp_path, test=6, classes=("polyp",))
    data = VOC(str(tmp_path), year=2007, classes=["polyp"], invalid=invalid, **SMALL)
    data.require(frozenset({"mask"}))
    for path in masks(tmp_path):
        draw(path, 0, IGNORE)
    with pytest.raises(InputError, match=r"holds 255 and no class but 0 \(background\).*nothing is learned of polyp") as error:
        list(data.train_dataloader() if split == "train" else data.test_dataloader())
    assert "mask // 255" in str(error.value) and "\n" not in str(error.value)
    assert not isinstance(error.value, SceneError)  # the data set's fault, which skipping would leave unsaid


def test_an_image_without_foreground_does_not_hide_it(tmp_path: Path) -> None:
    data = polyps(tmp_path)
    paths = masks(tmp_path)
    draw(paths[0], 0)
    for path in paths[1:]:
        draw(path, 0, IGNORE)
    with pytest.raises(InputError, match="255 is “ignore”"):
        list(data.train_dataloader())


def test_ignored_pixels_are_fine_where_another_mask_has_the_class(tmp_path: Path) -> None:
    data = polyps(tmp_path)
    for path in masks(tmp_path)[:3]:  # of four
        draw(path, 0, IGNORE)
    assert len([batch for batch in data.train_dataloader() if batch]) == 4


def test_a_few_test_images_may_show_no_object(tmp_path: Path) -> None:
    data = polyps(tmp_path)
    for path in masks(tmp_path)[-2:]:
        draw(path, 0, IGNORE)
    assert len(list(data.test_dataloader())) == 2


def test_a_class_that_there_is_not_is_named(tmp_path: Path) -> None:
    data = polyps(tmp_path)
    for path in masks(tmp_path):
        draw(path, 0, 128, IGNORE)
    with pytest.raises(SceneError, match="mask has class 128: PASCAL VOC 2007 has classes 0 to 1, and 255 for ignore"):
        list(data.train_dataloader())


def test_every_data_module_with_masks_is_asked(tmp_path: Path) -> None:
    data = CamVid(str(tiny.write_camvid(tmp_path)), **SMALL)
    for path in tmp_path.glob("trainannot/*.png"):
        mask = np.zeros((36, 48), np.uint8)
        mask[:20] = IGNORE
        tiny.save(path, mask)
    with pytest.raises(InputError, match=r"no class but 0 \(sky\)"):
        list(data.train_dataloader())
