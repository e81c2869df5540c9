"""A trained task is called with a picture in a line, and says what ``lectern predict`` says of the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from datamodules import Shapes
from datamodules.images import read_image
from datamodules.scene import InputError
from experiments.training.predictor import Predictor, as_image
from lightning_modules import Detection, RegionDetection, Segmentation
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run


def picture(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def segmenter() -> Predictor:
    torch.manual_seed(0)
    return Predictor(Segmentation(Shapes(image_size=32).metadata))


def test_what_is_found_is_in_the_picture_s_own_pixels(segmenter: Predictor) -> None:
    array = picture(50, 70, 3)
    found = segmenter(array)
    assert found["mask"].shape == (50, 70) and found["mask"].dtype == torch.uint8
    assert segmenter.picture(array, found).mode == "RGB"


@pytest.mark.parametrize("kind", ["file", "PIL", "tensor"])
def test_all_kinds_of_a_picture_are_one(kind: str, segmenter: Predictor, tmp_path: Path) -> None:
    array = picture(40, 60, 3)
    Image.fromarray(array).save(tmp_path / "a.png")
    given = {"file": tmp_path / "a.png", "PIL": Image.fromarray(array), "tensor": torch.from_numpy(array).permute(2, 0, 1)}
    assert torch.equal(segmenter(given[kind])["mask"], segmenter(array)["mask"])


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "LA", "1", "RGB"])
def test_a_picture_in_memory_is_read_as_its_file_is(mode: str, tmp_path: Path) -> None:
    image = Image.fromarray(picture(20, 30, 4)).convert(mode)
    image.save(tmp_path / "a.png")
    assert torch.equal(as_image(image), read_image(tmp_path / "a.png"))


def test_a_photograph_that_lies_on_its_side_stands_up() -> None:
    image = Image.fromarray(picture(20, 30, 3))
    image.getexif()[0x0112] = 6
    assert as_image(image).shape == (3, 30, 20)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.zeros((20, 30), np.uint8), "an array (H, W, 3) of uint8 expected"),
        (np.zeros((20, 30, 3), np.float32), "float32: an array (H, W, 3) of uint8 expected"),
        (torch.zeros(1, 3, 20, 30, dtype=torch.uint8), "a tensor (3, H, W) of uint8 expected"),
        (Image.new("I;16", (8, 8)), "give the path of its file"),
    ],
    ids=["grey", "floats", "batch", "deep"],
)
def test_what_is_no_picture_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises(InputError) as error:
        as_image(wrong)
    assert said in str(error.value)


@pytest.mark.parametrize("kind", [Detection, RegionDetection])
def test_objects_have_boxes_inside_the_picture(kind: type[Detection]) -> None:
    """Of a task that is given its regions too: they are found."""
    torch.manual_seed(0)
    predictor = Predictor(kind(Shapes(image_size=32).metadata), resize_mode="letterbox")
    found = predictor(picture(40, 80, 3))
    assert len(found["boxes"]) == len(found["labels"]) == len(found["scores"])
    assert bool((found["boxes"] >= 0).all()) and bool((found["boxes"] <= torch.tensor([80, 40, 80, 40])).all())


@pytest.mark.slow
def test_it_says_what_lectern_predict_says(lectern: Lectern, workdir: Path) -> None:
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--data.resize_mode", "crop").code == 0
    checkpoint = one_run(Path("runs")) / "checkpoints" / "best.ckpt"
    (workdir / "photos").mkdir()
    Image.fromarray(picture(40, 60, 3)).save(workdir / "photos" / "a.png")
    lectern("predict", "--ckpt_path", str(checkpoint), "--data", "ImageFiles", "--data.root", "photos")
    (predictions,) = Path("runs").rglob("predictions.json")
    (entry,) = json.loads(predictions.read_text(encoding="utf-8"))
    expected = np.array(Image.open(predictions.parent / entry["mask"]))
    found = Predictor.load(checkpoint)(workdir / "photos" / "a.png")
    assert np.array_equal(found["mask"].numpy(), expected)
    with pytest.raises(InputError, match="nowhere"):
        Predictor.load("nowhere.ckpt")
