"""The command line, through its real main(): what a person types, and what comes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from experiments.runs.files import read_metrics
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, last_evaluation, one_run


def test_help_answers_without_torch() -> None:
    code = "import sys; from experiments.__main__ import main; sys.argv = ['lectern', '--help']; main()"
    code += "; assert 'torch' not in sys.modules"
    assert "usage: lectern" in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_fit_test_and_predict(lectern: Lectern, workdir: Path) -> None:
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL).code == 0
    run = one_run(workdir / "runs" / "segmentation" / "fcn_transpose")

    rows = read_metrics(run)
    assert [row["step"] for row in rows] == list(range(8))
    assert all("train/loss" in row for row in rows)
    assert ["val/miou" in row for row in rows] == [False, False, False, True] * 2
    summary = json.loads((run / "summary.json").read_text())
    assert summary["state"] == "finished"
    assert summary["steps"] == 8
    assert {"device", "commit", "versions", "images_per_second", "peak_memory_mib", "seconds"} <= set(summary)
    assert sorted(p.name for p in (run / "pictures").iterdir()) == ["epoch_0000.png", "epoch_0001.png"]
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["init_args"]["train"] == 32

    best = run / "checkpoints" / "best.ckpt"
    tested = lectern("test", "--ckpt_path", str(best), "--trainer.enable_progress_bar=false")
    assert tested.code == 1, "eight steps cannot reach what the recipe expects"
    assert "MISSED" in tested.out
    assert "| test/miou | >= 0.8 |" in (run / "report.md").read_text()
    evaluation = json.loads((last_evaluation(run) / "evaluation.json").read_text())
    assert "test/miou" in evaluation["metrics"]
    assert (evaluation["data"], evaluation["split"], evaluation["scenes"], evaluation["left_out"]) == (
        "datamodules.Shapes", "test", 8, 0,
    )  # fmt: skip
    assert json.loads((run / "summary.json").read_text()) == summary
    assert repr(read_metrics(run)) == repr(rows), "an evaluation leaves the training's metrics alone"

    Path("photos/deep").mkdir(parents=True)
    Image.new("RGB", (50, 31), "red").save("photos/deep/a.jpg")
    Image.new("L", (20, 40), 99).save("photos/b.png")
    done = lectern("predict", "--ckpt_path", str(best), "--data", "ImageFiles", "--data.root", "photos")
    assert done.code == 0, done.err
    entries = json.loads((last_evaluation(run) / "predictions" / "predictions.json").read_text())
    assert [(e["file"], e["size"]) for e in entries] == [("b.png", [40, 20]), ("deep/a.jpg", [31, 50])]
    assert Image.open(last_evaluation(run) / "predictions" / entries[1]["mask"]).size == (50, 31)
    drawn = Image.open(last_evaluation(run) / "predictions" / entries[1]["picture"])
    assert drawn.width * 31 == drawn.height * 50, "not as it lies on disk"


def test_the_same_seed_gives_the_same_weights_and_another_seed_does_not(lectern: Lectern, workdir: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert (
            lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, f"--seed_everything={seed}", "--name", name).code
            == 0
        )
        checkpoint = torch.load(one_run(workdir / "runs" / name) / "checkpoints" / "last.ckpt", weights_only=True)
        weights.append(torch.cat([p.flatten().double() for p in checkpoint["state_dict"].values()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "--config", "segmentation/fcn_transpos"], "did you mean segmentation/fcn_transpose"),
        (["fit", "--config", "segmentation/fcn_transpose", "--model.network.widht", "1"], "widht"),
        (["fit", "--config", "segmentation/fcn_transpose", "--data.invalid", "perhaps"], "invalid"),
        (["fit", "--config", "segmentation/fcn_transpose", "--data.batch_size", "0"], "batch_size"),
        (["fit", "--config", "segmentation/fcn_transpose", "--data.train", "5"], "lower data.batch_size"),
        (["fit", "--config", "segmentation/fcn_transpose", "--expect", '{"test/miou": "great"}'], "expect.test/miou"),
        (["fit", "--config", "classification/lenet5_mnist", "--data.root", "nowhere"], "nowhere"),
        (["fit", "--config", "pose/shapes", "--data.style.figures=[0,0]"], "draws no figures"),
        (["fit", "--config", "pose/shapes", "--data.style.noise=7"], "noise"),
        (["test", "--config", "segmentation/fcn_transpose"], "score random weights"),
        (["predict", "--config", "segmentation/fcn_transpose"], "--ckpt_path"),
        (["test", "--ckpt_path", "gone.ckpt"], "gone.ckpt: no such checkpoint"),
        (["train"], "no command 'train'"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(lectern: Lectern, arguments: list[str], said: str) -> None:
    result = lectern(*arguments)
    assert result.code == 2
    last = result.err.strip().splitlines()[-1]
    assert last.startswith("lectern: ")
    assert said in last
    assert "Traceback" not in result.err


def test_a_task_and_data_that_do_not_fit_are_both_named(lectern: Lectern) -> None:
    result = lectern("fit", "--config", "segmentation/fcn_transpose", "--data", "MNIST")
    assert result.code == 2
    assert "Segmentation needs mask; MNIST provides label" in result.err
    assert "Shapes" in result.err


def test_a_checkpoint_of_another_task_is_named(lectern: Lectern, workdir: Path) -> None:
    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--trainer.max_epochs=1").code == 0
    path = one_run(workdir / "runs") / "checkpoints" / "last.ckpt"
    result = lectern("test", "--config", "classification/lenet5_mnist", "--ckpt_path", str(path))
    assert result.code == 2
    assert "a checkpoint of Segmentation, but the task is Classification" in result.err


def test_the_command_line_stands_above_the_recipe_above_the_environment(
    lectern: Lectern, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LECTERN_FIT__TRAINER__GRADIENT_CLIP_VAL", "3")
    monkeypatch.setenv("LECTERN_FIT__TRAINER__MAX_EPOCHS", "3")
    with pytest.raises(SystemExit, match="0"):
        lectern("fit", "--config", "segmentation/fcn_transpose", "--data.batch_size=7", "--print_config")
    shown = yaml.safe_load(capfd.readouterr().out)
    assert shown["data"]["init_args"]["batch_size"] == 7
    assert shown["trainer"]["gradient_clip_val"] == 3
    assert shown["trainer"]["max_epochs"] == 7, "the recipe stands above the environment"


def test_list_prints_the_matrix(lectern: Lectern) -> None:
    result = lectern("list")
    assert result.code == 0
    assert "segmentation/fcn_transpose" in result.out
    row = next(line for line in result.out.splitlines() if line.startswith("MNIST"))
    assert "yes" in row and "-" in row
