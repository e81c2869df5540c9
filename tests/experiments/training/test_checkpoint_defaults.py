"""A checkpoint's experiment is the lowest layer of a command's configuration, however the layers above it are spelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datamodules import Shapes
from datamodules.scene import InputError
from experiments.training.cli import LecternCLI
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run

NETWORK = {"class_path": "lightning_modules.networks.FCN", "init_args": {"skips": [4]}}
ADAM = {"class_path": "torch.optim.AdamW", "init_args": {"lr": 0.001}}
MODEL = {"class_path": "Segmentation", "init_args": {"network": NETWORK, "optimizer": ADAM}}
FLIP = {"class_path": "albumentations.HorizontalFlip", "init_args": {"p": 0.25}}
SQUARES = {"class_path": "SlidingWindows", "init_args": {"step": 0.5}}
DATA = {
    "class_path": "Shapes",
    "init_args": {"image_size": 32, "batch_size": 7, "test": 11, "workers": 0, "augment": [FLIP], "proposals": SQUARES},
}


STYLE = ["--data.style.figures=[1,1]", "--data.style.clutter=0.25"]


class Parsed(LecternCLI):
    """Stops where everything is parsed."""

    def before_instantiate_classes(self) -> None:
        super().before_instantiate_classes()
        raise Stop(self)


class Stop(BaseException):
    def __init__(self, cli: LecternCLI) -> None:
        self.cli = cli


def parsed(*arguments: str) -> Any:
    """The settings that a command line comes to."""
    with pytest.raises(Stop) as stopped:
        Parsed(list(arguments))
    cli = stopped.value.cli
    return cli.config[str(cli.subcommand)]


@pytest.fixture
def checkpoint(workdir: Path) -> str:
    """A checkpoint as ``lectern fit`` writes it, but for the weights."""
    experiment = parsed(
        "fit", "--model", yaml.safe_dump(MODEL), "--data", yaml.safe_dump(DATA), "--expect", "{test/miou: '>= 0.5'}"
    )
    plain = {key: yaml.safe_load(yaml.safe_dump(_plain(experiment[key]))) for key in ("model", "data", "expect", "name")}
    metadata = Shapes(image_size=32).metadata.as_dict()
    torch.save({"state_dict": {}, "experiment": plain, "hyper_parameters": {"metadata": metadata}}, "x.ckpt")
    return "x.ckpt"


def _plain(value: Any) -> Any:
    return value.as_dict() if hasattr(value, "as_dict") else value


def test_a_checkpoint_is_all_that_a_test_needs(checkpoint: str) -> None:
    config = parsed("test", "--ckpt_path", checkpoint)
    assert config.model.init_args.network.init_args.skips == [4]
    assert config.data.class_path == "datamodules.Shapes"
    data = config.data.init_args
    assert (data.image_size, data.batch_size, data.test, data.workers) == (32, 7, 11, 0)
    assert config.expect == {"test/miou": ">= 0.5"}


def test_one_value_changes_only_itself(checkpoint: str) -> None:
    before = parsed("test", "--ckpt_path", checkpoint).as_dict()
    after = parsed("test", "--ckpt_path", checkpoint, "--data.batch_size", "4").as_dict()
    assert after["data"]["init_args"].pop("batch_size") == 4
    assert before["data"]["init_args"].pop("batch_size") == 7
    assert after == before


@pytest.mark.parametrize(
    "chosen",
    [
        ["--data", "CamVid", "--data.root", "x"],
        ["--data=CamVid", "--data.root=x"],
        ["--config", "camvid.yaml"],
        ["--config=camvid.yaml"],
        ["-c", "camvid.yaml"],
    ],
)
def test_another_data_module_takes_nothing_over(chosen: list[str], checkpoint: str) -> None:
    Path("camvid.yaml").write_text("data: {class_path: CamVid, init_args: {root: x}}\n")
    fresh = parsed("fit", "--model", yaml.safe_dump(MODEL), *chosen)
    config = parsed("test", "--ckpt_path", checkpoint, *chosen)
    assert config.data == fresh.data
    assert config.model.init_args.network.class_path.endswith("FCN")


@pytest.mark.parametrize(
    ("chosen", "key", "value"),
    [
        (["--data.proposals", "SelectiveSearch"], "proposals", "SelectiveSearch"),
        (["--data.proposals=null"], "proposals", None),
        (["--data.augment", "[{class_path: albumentations.VerticalFlip}]"], "augment", ["albumentations.VerticalFlip"]),
    ],
)
def test_an_object_of_another_class_and_a_new_list_take_nothing_over(
    chosen: list[str], key: str, value: Any, checkpoint: str
) -> None:
    fresh = parsed("fit", "--model", yaml.safe_dump(MODEL), "--data", "Shapes", *chosen).data.init_args[key]
    found = parsed("test", "--ckpt_path", checkpoint, *chosen).data.init_args
    assert found[key] == fresh
    assert str(value if not isinstance(value, list) else value[0]) in str(found[key])
    assert found.batch_size == 7, "the rest is the checkpoint's"


def test_images_are_given_to_the_network_as_its_data_were(checkpoint: str) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    saved["experiment"]["data"]["init_args"]["resize_mode"] = "letterbox"
    torch.save(saved, checkpoint)
    command = ["predict", "--ckpt_path", checkpoint, "--data=ImageFiles", "--data.root", "photos"]
    images = parsed(*command).data
    assert images.class_path == "datamodules.ImageFiles"
    assert images.init_args.metadata == saved["hyper_parameters"]["metadata"]
    assert images.init_args.resize_mode == "letterbox"
    assert images.init_args.proposals.init_args.step == 0.5
    assert images.init_args.batch_size != 7
    other = parsed(*command, "--data.resize_mode", "crop", "--data.proposals", "SelectiveSearch").data.init_args
    assert other.resize_mode == "crop"
    assert "step" not in other.proposals.init_args
    assert other.metadata == images.init_args.metadata


def test_a_style_stays_what_it_was_but_for_what_is_changed_in_it(checkpoint: str) -> None:
    saved = torch.load(checkpoint, weights_only=True)
    saved["experiment"]["data"] = _plain(parsed("fit", "--model", yaml.safe_dump(MODEL), "--data=Shapes", *STYLE).data)
    torch.save(saved, checkpoint)
    style = parsed("test", "--ckpt_path", checkpoint).data.init_args.style
    assert (tuple(style.figures), style.clutter) == ((1, 1), 0.25)
    other = parsed("test", "--ckpt_path", checkpoint, "--data.style.clutter=0.5").data.init_args.style
    assert (tuple(other.figures), other.clutter) == ((1, 1), 0.5)


def test_the_environment_stands_above_the_checkpoint_and_below_a_file(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_TEST__EXPECT", "{test/miou: '>= 0.6'}")
    assert parsed("test", "--ckpt_path", checkpoint).expect == {"test/miou": ">= 0.6"}
    Path("t.yaml").write_text("expect: {test/miou: '>= 0.7'}\n")
    assert parsed("test", "--ckpt_path", checkpoint, "--config=t.yaml").expect == {"test/miou": ">= 0.7"}


def test_the_checkpoint_may_be_named_by_a_file_or_by_the_environment(checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("t.yaml").write_text(f"ckpt_path: {checkpoint}\n")
    assert parsed("test", "-c", "t.yaml").data.init_args.batch_size == 7
    monkeypatch.setenv("LECTERN_TEST__CKPT_PATH", checkpoint)
    assert parsed("test").data.init_args.batch_size == 7


@pytest.mark.parametrize("chosen", [["--config", "pose/shapes"], ["--config=pose/shapes"], ["-cpose/shapes"]])
def test_a_checkpoint_of_another_task_is_refused(chosen: list[str], checkpoint: str) -> None:
    with pytest.raises(InputError, match=r"x\.ckpt: a checkpoint of Segmentation, but the task is Pose"):
        Parsed(["test", "--ckpt_path", checkpoint, *chosen])


VALUES = {"batch_size": st.integers(1, 9), "test": st.integers(1, 9), "image_size": st.sampled_from([32, 64])}
LAYER = st.fixed_dictionaries({}, optional=VALUES)
FILE = st.sampled_from(["--config {}", "--config={}", "-c {}", "-c{}"])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layers=st.lists(st.tuples(LAYER, FILE, FILE), max_size=2),
    line=LAYER,
    spelled=st.tuples(st.sampled_from(["--data.{}={}", "--data.{} {}"]), st.sampled_from(["--data.{}={}", "--data.{} {}"])),
)
def test_files_and_options_are_layers_however_they_are_spelled(
    layers: list[tuple[dict[str, int], str, str]], line: dict[str, int], spelled: tuple[str, str], checkpoint: str
) -> None:
    expected = {"batch_size": 7, "test": 11, "image_size": 32}
    for i, (values, *_) in enumerate(layers):
        Path(f"{i}.yaml").write_text(yaml.safe_dump({"data": {"class_path": "Shapes", "init_args": values}}))
        expected |= values
    expected |= line
    for way in (0, 1):
        options = " ".join([layer[1 + way].format(f"{i}.yaml") for i, layer in enumerate(layers)])
        options += "".join(f" {spelled[way].format(key, value)}" for key, value in line.items())
        found = parsed("test", f"--ckpt_path={checkpoint}", *options.split()).data.init_args
        assert {key: found[key] for key in expected} == expected
        assert found.workers == 0, "of the checkpoint, which no layer names"


def test_another_input_size_than_the_checkpoint_s_is_said(lectern: Lectern, workdir: Path) -> None:
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--trainer.max_epochs=1").code == 0
    path = str(one_run(workdir / "runs") / "checkpoints" / "last.ckpt")
    assert "was trained on" not in lectern("validate", "--ckpt_path", path).err
    said = lectern("validate", "--ckpt_path", path, "--data.image_size=64").err
    assert "last.ckpt was trained on image_size 32 x 32, and these data have 64 x 64" in said


def test_a_run_s_configuration_repeats_it_under_its_name(lectern: Lectern, workdir: Path) -> None:
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--trainer.max_epochs=1").code == 0
    first = one_run(workdir / "runs")
    longer = ["--trainer.max_epochs=2", "--ckpt_path", str(first / "checkpoints" / "last.ckpt")]
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, *longer).code == 0
    assert lectern("fit", "--config", str(first / "config.yaml")).code == 0
    runs = sorted(path.parent for path in workdir.rglob("config.yaml"))
    assert len(runs) == 2, "a new run, and not the resumed one once more"
    assert {run.parent for run in runs} == {workdir / "runs" / "segmentation" / "fcn_transpose"}
