"""What a recipe expects is said of its data, and stays behind where a command has others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.command_line.early import Early, Layer
from experiments.training.expected_data import changed, left_behind
from experiments.training.rebuilding import Saved
from tests.conftest import Lectern
from tests.support.own_data import roboflow_coco

DATA = {"class_path": "datamodules.VOC", "init_args": {"root": "data/bccd", "classes": ["a", "b"]}}


def given(name: str, **arguments: Any) -> Any:
    return SimpleNamespace(class_path=f"datamodules.{name}", init_args=arguments)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (given("VOC", root="./data/bccd", classes=("a", "b"), year=2012, batch_size=99), ""),
        (given("VOC", root="elsewhere", classes=["a", "b"], year=2012), "root data/bccd"),
        (given("VOC", root="data/bccd", classes=["b", "a"], year=2012), "classes a, b"),
        (given("VOC", root="data/bccd", classes=["a", "b"], year=2007), "year 2012"),
        (given("ImageFolder", root="data/bccd"), "VOC"),
    ],
)
def test_other_data_are_told_by_class_place_and_classes(data: Any, said: str) -> None:
    assert changed(DATA, data) == said


def test_released_data_are_the_same_wherever_they_lie() -> None:
    assert changed({"class_path": "MNIST", "init_args": {"root": "data"}}, given("MNIST", root="/elsewhere")) == ""


def early(*layers: dict[str, Any], arguments: tuple[str, ...] = ()) -> Early:
    return Early(["fit", *arguments], None, None, [Layer(f"{i}.yaml", layer) for i, layer in enumerate(layers)])


def test_what_the_command_line_or_a_later_file_expects_is_of_its_own_data() -> None:
    own = {"expect": {"test/mAP50": ">= 0.5"}}
    other = given("ImageFolder", root="x")
    assert "0.yaml expects is of other data (VOC)" in left_behind("fit", early({"data": DATA, **own}), other, None)
    assert left_behind("fit", early({"data": DATA, **own}, arguments=("--expect={}",)), other, None) == ""
    later = {"data": {"class_path": "ImageFolder", "init_args": {"root": "x"}}, **own}
    assert left_behind("fit", early({"data": DATA, **own}, later), other, None) == ""
    assert left_behind("fit", early({"data": DATA}), other, None) == ""


def test_data_that_were_moved_with_their_checkpoint_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def saved(root: str) -> Saved:
        data: Any = {**DATA, "init_args": {"root": root, "classes": ["a", "b"]}}
        return Saved(Path("x.ckpt"), {"data": data, "expect": {"test/mAP50": ">= 0.5"}}, {})

    def there(root: str, *classes: str) -> Any:
        return given("VOC", root=root, classes=list(classes), year=2012)

    assert left_behind("test", early(), there(str(tmp_path), "a", "b"), saved("gone")) == ""
    assert "x.ckpt expects is of other data" in left_behind("test", early(), there("y", "a", "b"), saved(str(tmp_path)))
    assert "(root gone)" in left_behind("test", early(), there(str(tmp_path), "c"), saved("gone"))


@pytest.mark.filterwarnings("ignore:.*are held out")
def test_a_recipe_s_expectation_is_not_checked_on_own_data(lectern: Lectern, workdir: Path) -> None:
    """From the training on: its checkpoint does not have it either."""
    root = roboflow_coco(workdir / "own")
    options = ["--trainer.limit_val_batches=1", "--trainer.max_steps=1", "--trainer.num_sanity_val_steps=0"]
    options += ["--data.image_size=64", "--data.batch_size=2", "--data.workers=0", "--trainer.enable_progress_bar=false"]
    done = lectern("fit", "--config", "detection/ssd_shapes", "--data.root", str(root), *options, "--version", "v")
    assert done.code == 0, done.err
    assert "what detection/ssd_shapes expects is of other data (Shapes) and is not expected of these" in done.err
    checkpoint = workdir / "runs/detection/ssd_shapes/v/checkpoints/last.ckpt"
    done = lectern("test", "--ckpt_path", str(checkpoint), "--trainer.enable_progress_bar=false")
    assert done.code == 0 and "expected  " not in done.out, done.err
