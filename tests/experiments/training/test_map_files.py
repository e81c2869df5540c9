"""What ``lectern predict`` keeps of a map: indices that a program reads, and colours that a person sees."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image

from datamodules.images import read_mask
from datamodules.scene import DatasetMetadata
from experiments.training.legend import colour
from experiments.training.map_files import write_map
from experiments.training.predictions import PredictionWriter

NAMES = ("background", "road", "sky")
VALUES = torch.tensor([[0, 1, 2], [2, 1, 255]], dtype=torch.uint8)


def test_a_map_of_classes_is_read_as_indices_and_seen_in_the_pictures_colours(tmp_path: Path) -> None:
    path = write_map(tmp_path / "a.jpg_mask", VALUES, NAMES)
    assert path.name == "a.jpg_mask.png"
    with Image.open(path) as picture:
        assert picture.mode == "P" and np.array_equal(np.asarray(picture), VALUES.numpy())
        seen = np.asarray(picture.convert("RGB"))
    assert [tuple(pixel) for pixel in seen[0].tolist()] == [colour(0), colour(1), colour(2)]
    assert np.array_equal(read_mask(path), VALUES.numpy()), "as a data module reads masks"


def test_a_quantity_is_an_array(tmp_path: Path) -> None:
    path = write_map(tmp_path / "a_depth", VALUES.float() / 2, ())
    assert path.suffix == ".npy" and np.array_equal(np.load(path), VALUES.numpy() / 2)


def test_the_json_names_the_classes_that_occur(tmp_path: Path) -> None:
    metadata = DatasetMetadata("x", (8, 8), mask_classes=NAMES)
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace(image_size=(8, 8), resize_mode="stretch"), is_global_zero=True)
    mask = torch.zeros(8, 8, dtype=torch.uint8)
    mask[:2] = 2
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    batch: Any = {"name": ["a.jpg"], "size": [(8, 8)], "index": torch.tensor([0]), "original": [image]}
    writer, task = PredictionWriter(tmp_path), SimpleNamespace(metadata=metadata)
    with redirect_stdout(StringIO()):
        writer.on_predict_batch_end(trainer, task, [{"mask": mask}], batch)
        writer.on_predict_epoch_end(trainer, task)  # type: ignore[arg-type]
    (entry,) = json.loads((tmp_path / "predictions" / "predictions.json").read_text())
    assert entry["mask_classes"] == {"0": "background", "2": "sky"} and entry["mask"] == "a.jpg_mask.png"


def test_the_least_score_of_pictures_leaves_the_json_as_it_is(tmp_path: Path) -> None:
    metadata = DatasetMetadata("x", (64, 64), ("cat",))
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace(image_size=(64, 64), resize_mode="stretch"), is_global_zero=True)
    found: Any = {
        "boxes": torch.tensor([[10.0, 20, 50, 60]]), "labels": torch.tensor([0]), "scores": torch.tensor([0.5])
    }  # fmt: skip
    pictures = []
    for least in (0.3, 0.6):
        image = torch.full((3, 64, 64), 128, dtype=torch.uint8)
        batch: Any = {"name": ["a.jpg"], "size": [(64, 64)], "index": torch.tensor([0]), "original": [image]}
        writer, task = PredictionWriter(tmp_path / str(least), min_score=least), SimpleNamespace(metadata=metadata)
        with redirect_stdout(StringIO()):
            writer.on_predict_batch_end(trainer, task, [found], batch)
            writer.on_predict_epoch_end(trainer, task)  # type: ignore[arg-type]
        folder = tmp_path / str(least) / "predictions"
        (entry,) = json.loads((folder / "predictions.json").read_text())
        assert [o["score"] for o in entry["objects"]] == [0.5]
        pictures.append(np.asarray(Image.open(folder / entry["picture"])).astype(int))
    line = pictures[0][150, 29:33].mean(0) - pictures[1][150, 29:33].mean(0)  # 64 pixels are drawn as 192: the left edge
    assert np.abs(line).max() > 20
    assert pictures[1][2:8, 2:30].mean() < 115 < pictures[0][2:8, 2:30].mean(), "it says that nothing is above 0.6"
