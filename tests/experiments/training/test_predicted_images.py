"""What becomes of an image that a task predicts: at the size of the file, in pictures, in an exported network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import cv2
import pytest
import torch
import yaml
from torch import nn

from datamodules.resizing import ResizeMode, resize_matrix
from datamodules.scene import DatasetMetadata
from experiments.training.agreement import differences
from experiments.training.exported import fault
from experiments.training.predictions import image_back
from tests.conftest import Lectern
from tests.support.registry import data_arguments, experiment

QUICK = (
    "--trainer.max_epochs=1 --trainer.limit_train_batches=1 --trainer.limit_val_batches=1 --trainer.num_sanity_val_steps=0 "
    "--trainer.enable_progress_bar=false --trainer.enable_model_summary=false --data.batch_size=2 --data.workers=0"
).split()


@pytest.mark.parametrize("mode", get_args(ResizeMode))
def test_a_predicted_image_goes_back_to_the_place_that_it_came_from(mode: ResizeMode) -> None:
    size, small = (40, 60), (20, 20)
    image = torch.full((3, *small), 90, dtype=torch.uint8)
    image[0, 10:] = 200
    back = image_back(image, resize_matrix(size, small, mode), size)
    assert back.shape == (3, *size) and back.dtype == torch.uint8
    seen = back[1] == 90
    assert bool((seen | (back[1] == 0)).all()), "nothing is mixed in from beside the image"
    assert bool(seen.all()) == (mode != "crop")
    assert bool((back[0, :18][seen[:18]] == 90).all()) and bool((back[0, 23:][seen[23:]] == 200).all()), (
        "the edge is in the middle"
    )


def test_one_grey_level_is_rounding_and_more_is_not() -> None:
    own = {"image": torch.full((3, 4, 4), 7, dtype=torch.uint8)}
    for step, apart in ((0, 0.0), (1, 0.0), (3, 2 / 255)):
        assert differences(nn.Identity(), None, own, {"image": own["image"] + step}) == {"image": pytest.approx(apart)}


@pytest.mark.parametrize("image", [torch.zeros(3, 4, 4), torch.zeros(3, 4, 5, dtype=torch.uint8)])
def test_a_stranger_s_image_is_of_the_right_kind_or_refused(image: torch.Tensor) -> None:
    about = DatasetMetadata("x", (4, 4))
    assert fault({"image": image}, about, (4, 4)).startswith("image is torch.") and "expected uint8 (3, 4, 4)" in fault(
        {"image": image}, about, (4, 4)
    )
    assert not fault({"image": torch.zeros(3, 4, 4, dtype=torch.uint8)}, about, (4, 4))


def test_predict_writes_the_denoised_image_beside_the_original(lectern: Lectern, workdir: Path) -> None:
    (workdir / "noise.yaml").write_text(yaml.safe_dump(experiment("Denoising") | {"data": {"class_path": "Shapes"}}))
    fitted = lectern("fit", "--config", "noise.yaml", *data_arguments("Shapes", workdir), "--data.image_size=32", *QUICK)
    assert fitted.code == 0, fitted.err
    (run,) = (workdir / "runs" / "noise").iterdir()
    truth, noisy, denoised = 1, 1, 1
    picture: Any = cv2.imread(str(run / "pictures" / "epoch_0000.png"))
    assert picture.shape[1] > picture.shape[0] * (truth + noisy + denoised) - 40, "three panels a scene, of two scenes in a row"
    (workdir / "photos").mkdir()
    cv2.imwrite(str(workdir / "photos" / "a.png"), torch.randint(256, (50, 70, 3), dtype=torch.uint8).numpy())
    options = ["--data", "ImageFiles", "--data.root", "photos", "--data.workers=0", "--trainer.enable_progress_bar=false"]
    done = lectern("predict", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"), *options)
    assert done.code == 0, done.err
    (found,) = run.rglob("predictions.json")
    (entry,) = json.loads(found.read_text())
    assert cv2.imread(str(found.parent / entry["image"])).shape == (50, 70, 3)
    drawn: Any = cv2.imread(str(found.parent / entry["picture"]))
    assert drawn.shape[1] == pytest.approx(drawn.shape[0] * 2 * 70 / 50, abs=2)
