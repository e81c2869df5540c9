"""``lectern fit`` on a folder as it lies: one command, nothing renamed, and no data module named."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from datamodules.guessing import guesses
from experiments.runs.folder import is_finished
from tests.conftest import Lectern
from tests.support import tiny
from tests.support.own_data import LAYOUTS
from tests.support.registry import experiment
from tests.support.tiny.mask_folder import write_mask_folder
from tests.support.tiny.yolo import write_yolo

pytestmark = pytest.mark.filterwarnings("ignore:.*held out", "ignore:.*nothing names")
STEP = (
    "--trainer.max_steps=1 --trainer.limit_val_batches=1 --trainer.num_sanity_val_steps=0 --trainer.enable_progress_bar=false "
    "--trainer.enable_model_summary=false --data.batch_size=2 --data.workers=0 --data.image_size=48 --pictures.count=1 "
    "--trainer.log_every_n_steps=1"
).split()


def config_of(task: str, workdir: Path, **parts: Any) -> str:
    """A configuration of a small network, with no data module but what ``parts`` says."""
    path = workdir / "own.yaml"
    path.write_text(yaml.safe_dump(experiment(task) | parts))
    return str(path)


def data_of(workdir: Path) -> dict[str, Any]:
    """The data module of the one run, as it was saved."""
    (run,) = (workdir / "runs" / "own").iterdir()
    assert is_finished(run)
    with (run / "metrics.csv").open() as file:
        assert any(row.get("train/loss") or row.get("step") for row in csv.DictReader(file))
    settings: dict[str, Any] = yaml.safe_load((run / "config.yaml").read_text())["data"]
    return settings


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_first_step_takes_one_command(layout: str, lectern: Lectern, workdir: Path) -> None:
    write, task, expected = LAYOUTS[layout]
    root = write(workdir / "mine")
    result = lectern("fit", "--config", config_of(task, workdir), "--data.root", str(root), *STEP)
    assert result.code == 0, result.err
    assert f"--data {expected}" in result.err
    assert data_of(workdir)["class_path"].endswith(f".{expected}")
    (run,) = (workdir / "runs" / "own").iterdir()
    tested = lectern("test", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"))
    assert tested.code == 0, tested.err


def test_a_recipe_on_other_data_keeps_what_is_not_the_data_sets(lectern: Lectern, workdir: Path) -> None:
    root = write_yolo(workdir / "mine", "box")
    shapes = {"class_path": "Shapes", "init_args": {"image_size": 64, "train": 8, "workers": 0, "batch_size": 4}}
    config = config_of("Detection", workdir, data=shapes)
    result = lectern("fit", "--config", config, f"--data.root={root}", "--trainer.fast_dev_run=true", "--data.batch_size", "2")
    assert result.code == 0, result.err
    assert "YOLO's layout (data.yaml): --data YOLO in place of the recipe's Shapes" in result.err


def test_what_the_command_line_names_stays(lectern: Lectern, workdir: Path) -> None:
    root = write_yolo(workdir / "mine", "box")
    result = lectern("fit", "--config", config_of("Detection", workdir), "--data", "VOC", f"--data.root={root}", *STEP)
    assert result.code == 2 and "VOC" in result.err and "expected PASCAL VOC's layout" in result.err


def test_a_recipe_whose_layout_it_is_keeps_its_data_module(lectern: Lectern, workdir: Path) -> None:
    root = tiny.write_voc(workdir / "mine", classes=("cell", "platelet"))
    data = {"class_path": "VOC", "init_args": {"year": 2007}}
    result = lectern("fit", "--config", config_of("Detection", workdir, data=data), f"--data.root={root}", *STEP)
    assert result.code == 0, result.err
    assert "in place of" not in result.err
    assert data_of(workdir)["init_args"]["classes"] == ["cell", "platelet"]


def test_a_folder_of_two_formats_is_refused_in_one_line(lectern: Lectern, workdir: Path) -> None:
    root = write_yolo(workdir / "mine", "box")
    tiny.write_coco(root)
    result = lectern("fit", "--config", config_of("Detection", workdir), f"--data.root={root}", *STEP)
    assert result.code == 2
    (line,) = result.err.strip().splitlines()
    assert "(--data YOLO)" in line and "(--data COCO)" in line and line.endswith("--data says which is meant")


def test_a_folder_of_no_format_is_refused_in_one_line(lectern: Lectern, workdir: Path) -> None:
    (workdir / "mine").mkdir()
    for root in ("mine", "nowhere"):
        result = lectern("fit", "--config", config_of("Detection", workdir), f"--data.root={root}", *STEP)
        assert result.code == 2
        (line,) = result.err.strip().splitlines()
        assert f"--data.root {root}: " in line and "--data NAME" in line


def test_one_folder_around_is_looked_into(tmp_path: Path) -> None:
    write_mask_folder(tmp_path / "archive" / "cells")
    (tmp_path / "__MACOSX").mkdir()
    (guess,) = guesses(tmp_path)
    assert guess.data == "MaskFolder" and guess.root == tmp_path / "archive" / "cells"


@pytest.mark.parametrize("name", ["lost+found", "private"])
def test_a_folder_that_nobody_may_read_stops_no_guess(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a disk's ``lost+found``: root, as which tests may run, would be let in."""
    write_mask_folder(tmp_path)
    (tmp_path / name).mkdir()
    look = os.scandir

    def refusing(place: Any) -> Any:
        if Path(place).name == name:
            raise PermissionError(13, "Permission denied", str(place))
        return look(place)

    monkeypatch.setattr(os, "scandir", refusing)
    assert [guess.data for guess in guesses(tmp_path)] == ["MaskFolder"]


def classes_called_mask(root: Path) -> Path:
    whole = tiny.write_image_folder(root)
    (whole / "cat").rename(whole / "mask")
    (whole / "dog").rename(whole / "no_mask")
    return whole


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (tiny.write_image_folder, ["ImageFolder"]),
        (lambda root: tiny.write_image_folder(root, train=2, val=2), ["ImageFolder"]),
        (classes_called_mask, []),
        (tiny.write_voc, ["VOC", "MaskFolder"]),
        (tiny.write_coco, ["COCO", "COCOKeypoints"]),
        (tiny.write_caltech_boxes, ["CaltechBoxes"]),
        (tiny.write_camvid, ["CamVid", "MaskFolder"]),
        (tiny.write_lsp, ["LSP"]),
        (lambda root: write_yolo(root, "keypoints"), ["YOLO", "YOLOPose"]),
    ],
)
def test_a_format_is_told_from_its_files(write: Callable[[Path], Path], expected: list[str], tmp_path: Path) -> None:
    assert [guess.data for guess in guesses(write(tmp_path))] == expected


def test_real_data_are_told_apart(real_data: Path) -> None:
    known = {"bccd": "VOC", "camvid": "CamVid", "coco": "COCO", "imagenette": "ImageFolder", "cifar10": "ImageFolder"}
    for name, expected in known.items():
        certain = [guess.data for guess in guesses(real_data / name) if guess.certain]
        assert certain == [expected], name


def test_bccd_without_its_lists_trains(real_data: Path, lectern: Lectern, workdir: Path) -> None:
    source = real_data / "bccd/VOCdevkit/VOC2007"
    for path in sorted((source / "Annotations").iterdir())[:24]:
        for folder, name in (("labels", path.name), ("photos", f"{path.stem}.jpg")):
            (workdir / "mine" / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(source / ("Annotations" if folder == "labels" else "JPEGImages") / name, workdir / "mine" / folder)
    result = lectern("fit", "--config", config_of("Detection", workdir), "--data.root", "mine", *STEP, "--data.invalid=skip")
    assert result.code == 0, result.err
    assert data_of(workdir)["init_args"]["classes"] == ["Platelets", "RBC", "WBC"]
