"""``lectern data``: the report on a folder, through the real ``main()``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Lectern
from tests.support.tiny.common import picture, save
from tests.support.tiny.mask_folder import mask_of, write_mask_folder
from tests.support.tiny.yolo import write_yolo

pytestmark = pytest.mark.filterwarnings("ignore:.*held out", "ignore:.*nothing names")


def report(workdir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((workdir / "data_reports/mine/report.json").read_text())
    return found


def test_every_fault_is_listed_and_not_the_first_alone(lectern: Lectern, workdir: Path) -> None:
    root = write_yolo(workdir / "mine", "box", train=8, val=4, test=2)
    labels = root / "labels/train"
    (labels / "train_0.txt").write_text("9 .5 .5 .2 .2\n0 .5 .5 .4 .4\n0 .5 .5 nan .2\n")
    (labels / "train_1.txt").write_text("0 .5 .5 .2\n")
    (root / "images/train/train_2.jpg").write_bytes(b"no image")
    (root / "images/val/val_0.jpg").write_bytes((root / "images/train/train_3.jpg").read_bytes())
    (root / "images/train/train_4.jpg").rename(root / "images/train/<script>x.jpg")
    (labels / "train_4.txt").rename(labels / "<script>x.txt")
    result = lectern("data", "--data.root", "mine", "--data.image_size", "20")
    assert result.code == 1, result.err
    found = report(workdir)
    texts = " ".join(one["what"] for one in found["broken"])
    for part in ("train_0.txt, line 1", "train_0.txt, line 3", "train_1.txt, line 1", "train_2.jpg"):
        assert part in texts and part in result.out
    assert len(found["broken"]) == 4 and sum(one["unreadable"] for one in found["broken"]) == 1
    train = found["splits"]["train"]
    # One of the two objects left of 0, none of 1; of the other five with a file, the last has none.
    assert (train["scenes"], train["usable"], train["with_faults"], train["objects"]) == (8, 7, 3, 1 + 4 * 2)
    assert [row["train"] for row in found["classes"]] == [5, 4]
    (group,) = found["copies"]["across_splits"]
    assert {one["name"] for one in group} == {"images/train/train_3.jpg", "images/val/val_0.jpg"}
    # 20 x 20 and 20 x 36 pixels at 40 x 50 are 8.9 and 12 at 20 x 20.
    assert found["small_objects"]["pixels"]["8 to 16"] == sum(s["objects"] for s in found["splits"].values())
    page = (workdir / "data_reports/mine/report.html").read_text()
    assert "<script>" not in page and "&lt;script&gt;x.jpg" in page and "data:image/jpeg;base64," in page
    assert sorted(path.name for path in (workdir / "data_reports/mine").iterdir()) == ["report.html", "report.json"]


def test_what_fits_is_what_the_folder_really_has(lectern: Lectern, workdir: Path) -> None:
    write_yolo(workdir / "mine", "box")
    assert lectern("data", "--data.root", "mine").code == 0
    fits = report(workdir)["fits"]
    assert fits["Detection"]["command"].endswith("--data.root mine") and fits["Detection"]["data"] == "YOLO"
    assert "InstanceSegmentation" not in fits and "Segmentation" not in fits
    shutil.rmtree(workdir / "mine")
    write_yolo(workdir / "mine")
    assert lectern("data", "--data.root", "mine").code == 0
    assert "InstanceSegmentation" in report(workdir)["fits"]


def test_masks_are_counted_by_their_pixels(lectern: Lectern, workdir: Path) -> None:
    write_mask_folder(workdir / "mine")
    result = lectern("data", "--data.root", "mine", "--output", "out")
    assert result.code == 0, result.err
    found = json.loads((workdir / "out/report.json").read_text())
    parts = {row["name"]: row["train"] for row in found["mask_classes"]}
    assert parts["cell"] == pytest.approx(380 / 2000) and parts["(ignored)"] == pytest.approx(20 / 2000)
    assert "Segmentation" in found["fits"]


def test_too_little_is_said_in_one_line(lectern: Lectern, workdir: Path) -> None:
    (workdir / "empty").mkdir()
    for arguments, part in {
        (): "--data.root needed",
        ("photos",): "photos: the folder is given as --data.root photos",
        ("--data.root", "empty"): "none of the formats",
        ("--data.root", "nowhere"): "not there",
        ("--data", "YOLO", "--data.root", "empty"): "expected a folder|has no data.yaml",
        ("--data.root", "empty", "--colour", "red"): "unrecognized arguments: --colour",
    }.items():
        result = lectern("data", *arguments)
        assert result.code == 2, arguments
        (line,) = result.err.strip().splitlines()
        assert any(one in line for one in part.split("|")), line


def test_several_processes_find_what_one_does(lectern: Lectern, workdir: Path) -> None:
    write_mask_folder(workdir / "mine", all=12)
    save(workdir / "mine/images/odd.jpg", picture((40, 50), [], seed=0))
    save(workdir / "mine/masks/odd.png", mask_of((40, 50), 3))
    reports = []
    for workers in ("0", "2"):
        assert lectern("data", "--data.root", "mine", "--workers", workers).code == 1
        reports.append(report(workdir))
    assert reports[0] == reports[1]


def test_a_real_data_set_is_reported(real_data: Path, lectern: Lectern, workdir: Path) -> None:
    for name, images in (("images", "train"), ("masks", "trainannot")):
        (workdir / "mine" / name).mkdir(parents=True)
        for path in sorted((real_data / "camvid" / images).iterdir())[:16]:
            shutil.copy(path, workdir / "mine" / name / path.name)
    result = lectern("data", "--data.root", "mine")
    assert result.code == 0, result.err
    assert len(report(workdir)["mask_classes"]) > 8
