"""A misspelt key, class or value: the line names it, where it stands, and what may have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from experiments.command_line.mistakes import LONGEST
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run

RECIPE = ["fit", "--config", "segmentation/fcn_transpose"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--trainer.max_epoch 3", "--trainer.max_epoch: no such option; did you mean --trainer.max_epochs"),
        ("--trainer.max 3", "--trainer.max: no such option"),  # and not the first that begins so
        ("--ckpt x", "did you mean --ckpt_path?"),
        ("--chekpoint.minutes=3", "did you mean --checkpoint.minutes"),
        ("--pictures.cout=3", "did you mean --pictures.count"),
        ("--epoch=3", "did you mean --trainer.max_epochs?"),
        (
            "--model.optimizer.learning_rate 1",
            "model.optimizer.learning_rate: no such setting; did you mean model.optimizer.lr?",
        ),
        ("--model.netwrok.skips true", "model.netwrok: no such setting; did you mean model.network?"),
        ("--data.batchsize 3", "data.batchsize: no such setting; did you mean data.batch_size?"),
        ("--data.image-size 3", "did you mean data.image_size?"),
        ("--data.style.noize=1", "data.style.noize: no such setting; did you mean data.style.noise?"),
        ("--model.network.colours=3", "model.network.colours: no such setting; there are "),
        (
            "--model.network.encoder.widht=3",
            "model.network.encoder.widht: no such setting; did you mean model.network.encoder.width",
        ),
        ("--data Shape", "data: there is no class Shape; did you mean Shapes"),
        ("--data shapes_", "Shapes"),
        ("--data datamodules.Shape", "datamodules has no Shape; did you mean Shapes?"),
        ("--data Xyz", "there are CIFAR10, COCO"),
        ("--data my_data.MyCSV", "there is no module my_data"),
        ("--model Segmentaton", "did you mean Segmentation"),
        ("--model.network=FNC", "FCN"),
        ("--model.optimizer=AdamWW", "did you mean AdamW"),
        ("--model.optimizer=torch.optim.AdamWW", "torch.optim has no AdamWW; did you mean AdamW"),
        ("--trainer.callbacks+=EarlyStoping", "did you mean EarlyStopping"),
        ("--trainer.callbacks+=EarlyStopping --trainer.callbacks.monitr=x", "did you mean trainer.callbacks.monitor?"),
        ("--data.batch_size x", "data.batch_size: int expected, not x"),
        ("--trainer.max_epochs x", "trainer.max_epochs: int expected, not x"),
        ("--trainer {max_epochs: x}", "trainer.max_epochs: int expected, not x"),
        ("--model.optimizer.lr x", "model.optimizer.lr: float expected, not x"),
        ("--wandb perhaps", "wandb: auto, online, offline, disabled expected, not perhaps"),
        ("--trainer.precision=17", "trainer.precision: 64, 32, 16, "),
        ("--trainer.max_epochs", "--trainer.max_epochs: expected one argument"),
        ("--config keys.yaml", "keys.yaml: trainer.max_epoch: no such setting; did you mean trainer.max_epochs"),
        ("--config nested.yaml", "nested.yaml: model.netwrok: no such setting; did you mean model.network?"),
        ("--config value.yaml", "value.yaml: trainer.max_epochs: int expected, not many"),
        ("--config top.yaml", "top.yaml: modle: no such setting; did you mean model"),
    ],
)
def test_the_nearest_is_named(lectern: Lectern, arguments: str, said: str) -> None:
    Path("keys.yaml").write_text("trainer:\n  max_epoch: 3\n")
    Path("value.yaml").write_text("trainer:\n  max_epochs: many\n")
    Path("nested.yaml").write_text("model:\n  class_path: Segmentation\n  init_args:\n    netwrok: {class_path: FCN}\n")
    Path("top.yaml").write_text("modle: Segmentation\n")
    words = ["--trainer", "{max_epochs: x}"] if arguments.startswith("--trainer {") else arguments.split()
    result = lectern(*RECIPE, *words)
    assert result.code == 2
    assert result.err.startswith("lectern: ") and result.err.count("\n") == 1
    assert said in result.err
    assert len(result.err) <= LONGEST + len("lectern: \n")


def test_a_guess_is_not_done(lectern: Lectern, workdir: Path) -> None:
    for option in ("--trainer.max_epoch=3", "--lr=1", "--ckpt=last"):
        assert lectern(*RECIPE, option).code == 2
    assert not (workdir / "runs").exists()


def test_a_place_that_cannot_be_written_is_one_line(lectern: Lectern) -> None:
    result = lectern(*RECIPE, *SMALL, "--runs", "/proc/lectern", "--trainer.max_epochs=1")
    assert result.code == 2
    assert "Traceback" not in result.err
    assert result.err.strip().splitlines()[-1].startswith("lectern: /proc/lectern")


def test_what_lightning_refuses_while_it_trains_is_one_line(lectern: Lectern) -> None:
    for option, said in (
        ("--trainer.val_check_interval=1000", "1000 batches are more than an epoch's"),
        ("--trainer.accelerator=gpuu", "accelerator='gpuu'"),
    ):
        result = lectern(*RECIPE, *SMALL, option)
        assert result.code == 2
        assert "Traceback" not in result.err
        assert said in result.err.strip().splitlines()[-1]


def test_a_run_s_folder_and_every_spelling_of_config_evaluate_the_same(
    lectern: Lectern, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert lectern(*RECIPE, *SMALL, "--trainer.max_epochs=1").code == 0
    run = one_run(workdir / "runs")
    Path("t.yaml").write_text("data: {class_path: Shapes, init_args: {test: 8, workers: 0}}\n")
    shown = []
    for arguments in (["--config", "t.yaml"], ["--config=t.yaml"], ["-c", "t.yaml"]):
        with pytest.raises(SystemExit, match="0"):
            lectern("test", "--ckpt_path", str(run), *arguments, "--print_config")
        shown.append(yaml.safe_load(capfd.readouterr().out))
    assert shown[0] == shown[1] == shown[2]
    assert shown[0]["data"]["init_args"]["test"] == 8
    assert shown[0]["data"]["init_args"]["image_size"] == 32, "of the checkpoint's experiment"

    tested = lectern("test", "--ckpt_path", str(run))
    assert f"--ckpt_path {run} is a folder: {run / 'checkpoints' / 'best.ckpt'} is taken" in tested.err
    assert tested.code == 1, "eight steps cannot reach what the recipe expects"


def test_help_names_the_folder_of_ones_own_recipes(lectern: Lectern) -> None:
    help_page = lectern("fit", "--help")
    assert help_page.code == 0
    assert "--recipes FOLDER" in help_page.out
