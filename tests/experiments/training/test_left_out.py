"""What cannot be read is left out, counted on the screen and in the files, and keeps nothing else from being done."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image

from datamodules.drawing import Style
from datamodules.drawing import metadata as drawn_metadata
from datamodules.scene import DatasetMetadata
from experiments.runs.files import read_evaluations, read_summary
from experiments.training.doctor import Doctor
from experiments.training.output_names import OutputPlaces
from experiments.training.predictions import PredictionWriter
from lightning_modules import Segmentation
from lightning_modules.networks import FCN
from tests.conftest import Lectern
from tests.support import tiny
from tests.support.coco_objects import annotation, write
from tests.support.small_runs import last_evaluation, one_run

FIT = [
    *("fit", "--config", "detection/small_shapes", "--data", "COCO", "--data.image_size=64", "--data.batch_size=2"),
    *("--data.workers=0", "--data.invalid=skip", "--trainer.max_steps=2", "--trainer.enable_progress_bar=false"),
    *("--trainer.num_sanity_val_steps=0", "--wandb=disabled", "--pictures.count=0", "--data.augment=[]"),
]


@pytest.fixture
def checkpoint(workdir: Path) -> list[str]:
    """The arguments that name a small network for predictions."""
    model = {"class_path": "Segmentation", "init_args": {"network": {"class_path": "lightning_modules.networks.FCN"}}}
    task = Segmentation(network=FCN, metadata=drawn_metadata(Style(image_size=(32, 32))).as_dict())
    content = {"state_dict": task.state_dict(), "hyper_parameters": {"metadata": task.metadata.as_dict()}}
    torch.save({**content, "experiment": {"model": model}, "pytorch-lightning_version": "2.6.6"}, workdir / "fcn.ckpt")
    return ["--ckpt_path", "fcn.ckpt", "--trainer.enable_progress_bar=false"]


@pytest.mark.parametrize("pictures", [0, 1])
@pytest.mark.parametrize("bad", [0, 77])
def test_one_bad_photograph_of_two_hundred_is_named_and_the_others_predicted(
    pictures: int, bad: int, checkpoint: list[str], lectern: Lectern, workdir: Path
) -> None:
    (workdir / "photos").mkdir()
    count = 200 if pictures == 0 else 80
    for i in range(count):
        Image.new("RGB", (20, 16), (i, 99, 9)).save(workdir / "photos" / f"{i:03}.png")
    (workdir / "photos" / f"{bad:03}.png").write_bytes(b"no photograph")
    arguments = ["--data", "ImageFiles", "--data.root", "photos", "--data.workers", "0", f"--pictures.count={pictures}"]
    with pytest.warns(UserWarning, match=rf"left out \(1 so far\): photos/{bad:03}\.png: not an image"):
        done = lectern("predict", *checkpoint, *arguments)
    assert done.code == 1, done.err
    assert f"left out  1\n          photos/{bad:03}.png: not an image that Pillow can read" in done.out
    (folder,) = (workdir / "runs").glob("*/evaluations/*")
    entries = json.loads((folder / "predictions/predictions.json").read_text())
    assert [entry["file"] for entry in entries] == [f"{i:03}.png" for i in range(count) if i != bad]
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert (evaluation["scenes"], evaluation["left_out"]) == (count - 1, 1)
    assert evaluation["left_out_because"] == [f"photos/{bad:03}.png: not an image that Pillow can read"]


def test_nothing_but_bad_photographs_is_an_error(checkpoint: list[str], lectern: Lectern, workdir: Path) -> None:
    (workdir / "photos").mkdir()
    for i in range(3):
        (workdir / "photos" / f"{i}.png").write_bytes(b"no photograph")
    with pytest.warns(UserWarning, match="left out"):
        done = lectern("predict", *checkpoint, "--data", "ImageFiles", "--data.root", "photos", "--data.workers", "0")
    assert done.code == 2 and "none of the 3 scenes can be used; the first: photos/0.png: not an image" in done.err


def test_what_was_left_out_is_counted_in_summary_report_and_evaluation(lectern: Lectern, workdir: Path) -> None:
    objects = [annotation(31, bbox=[]), annotation(2), *(annotation(i, image_id=i) for i in (3, 4, 5))]
    write(workdir / "set", objects, count=5)
    (workdir / "set/train2017/5.png").write_bytes(b"no photograph")
    with pytest.warns(UserWarning, match="left out"):
        done = lectern(*FIT, "--data.root=set", "--trainer.max_epochs=1", "--trainer.max_steps=-1")
    assert done.code == 0, done.err
    run = one_run(workdir / "runs")
    summary, report = read_summary(run), (run / "report.md").read_text()
    reasons = summary["left_out_because"]
    assert summary["left_out"] == len(reasons) and any("annotation 31 of" in text for text in reasons)
    assert f"left out  {len(reasons)}\n" in done.out and "| left out |" in report and "## Left out" in report
    assert "bbox is 0 values, expected 4 numbers" in report
    with pytest.warns(UserWarning, match="left out"):
        tested = lectern(
            *("test", "--ckpt_path", str(run / "checkpoints/last.ckpt"), "--trainer.enable_progress_bar=false"),
            *("--wandb=disabled", "--expect=null"),
        )
    evaluation = read_evaluations(run)[last_evaluation(run).name]
    assert evaluation["left_out"] == 1 and evaluation["scenes"] == 5 and "left out  1\n" in tested.out
    assert "annotation 31" in (last_evaluation(run) / "report.md").read_text()


def test_another_data_set_is_an_error_under_skip_too(lectern: Lectern, workdir: Path) -> None:
    """Not a training of no step that finishes."""
    tiny.write_voc(workdir / "voc")
    voc = [argument.replace("COCO", "VOC") for argument in FIT] + [
        "--data.root=voc",
        "--data.year=2007",
        "--data.classes=[cup]",
    ]
    done = lectern(*voc)
    assert done.code == 2 and "is not among data.classes (cup)" in done.err
    write(workdir / "set", [annotation(i, image_id=i, bbox=[]) for i in (1, 2)], count=2)
    for image in (workdir / "set/train2017").iterdir():
        image.write_bytes(b"no photograph")
    done = lectern(*FIT, "--data.root=set")
    assert done.code == 2 and "COCO: none of the 2 train scenes can be used; the first: " in done.err


def test_doctor_sees_a_split_without_a_usable_scene(workdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(workdir / "set", [annotation(i, image_id=i) for i in (1, 2)], count=2)
    for image in (workdir / "set/val2017").iterdir():
        image.write_bytes(b"no photograph")
    doctor = Doctor([*FIT[1:], "--data.root=set"])
    out = capsys.readouterr().out
    assert doctor.failed and "val: COCO: none of the 2 val scenes can be used; the first: " in out
    assert "nothing stands in the way" not in out


# Names --------------------------------------------------------------------------------------------------------------------


def test_no_two_images_are_written_to_one_place(tmp_path: Path) -> None:
    names = ["a.jpg", "a.jpg", "A.jpg", "u\u0308.jpg", "\u00fc.jpg", "b.jpg"]
    places = OutputPlaces(tmp_path)
    found = [places.place(name, index) for index, name in enumerate(names)]
    assert found == ["a.jpg", "unnamed/000001", "unnamed/000002", "u\u0308.jpg", "unnamed/000004", "b.jpg"]


def test_processes_that_write_together_see_each_other_s_places(tmp_path: Path) -> None:
    one, other = OutputPlaces(tmp_path, shared=True), OutputPlaces(tmp_path, shared=True)
    assert one.place("a.jpg", 0) == "a.jpg" and other.place("a.jpg", 1) == "unnamed/000001"
    assert other.place("b.jpg", 3) == "b.jpg" and one.place("B.jpg", 2) == "unnamed/000002"
    one.close()
    assert not list(tmp_path.iterdir())


def test_two_images_of_one_name_have_a_picture_each(tmp_path: Path) -> None:
    trainer: Any = SimpleNamespace(datamodule=SimpleNamespace(image_size=(8, 8), resize_mode="stretch"), is_global_zero=True)
    metadata = DatasetMetadata("x", (8, 8), mask_classes=("background", "b"))
    images = [torch.full((3, 8, 8), 90 * i, dtype=torch.uint8) for i in range(2)]
    batch: Any = {"name": ["a.jpg"] * 2, "size": [(8, 8)] * 2, "index": torch.arange(2), "original": images}
    writer, task = PredictionWriter(tmp_path), SimpleNamespace(metadata=metadata)
    found: Any = [{"mask": torch.full((8, 8), i, dtype=torch.uint8)} for i in range(2)]
    with redirect_stdout(StringIO()):
        writer.on_predict_batch_end(trainer, task, found, batch)
        writer.on_predict_epoch_end(trainer, task)  # type: ignore[arg-type]
    entries = json.loads((tmp_path / "predictions/predictions.json").read_text())
    assert len({entry["picture"] for entry in entries}) == len({entry["mask"] for entry in entries}) == 2
