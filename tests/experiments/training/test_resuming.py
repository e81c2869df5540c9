"""``--ckpt_path`` goes on with the same experiment, or says in one line what is not the same; nothing is written then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image

from experiments.runs.files import read_metrics
from tests.conftest import Lectern
from tests.support.interrupted import curves, start, wait, weights
from tests.support.small_runs import SMALL, one_run

FIT = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0", "--trainer.enable_model_summary=false"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of two epochs of four steps."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("WANDB_MODE", "disabled")
        assert wait(start(FIT, folder / "log")) == 0, (folder / "log").read_text()
    return one_run(folder / "runs")


def content(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder, byte for byte; a lock holds no record."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and "lock" not in path.name}


def last(run: Path) -> str:
    return str(run / "checkpoints" / "last.ckpt")


DIFFERENT = {
    "model.optimizer.lr": ["--model.optimizer.lr=0.0001"],
    "model.optimizer": ["--model.optimizer=torch.optim.SGD", "--model.optimizer.lr=0.01"],
    "model.scheduler": ["--model.scheduler=null"],
    "model.scheduler.warmup": ["--model.scheduler.warmup=0.5"],
    "model.network.skips": ["--model.network.skips=[4]"],
    "data.batch_size": ["--data.batch_size=4"],
    "data.image_size": ["--data.image_size=64"],
    "data.train": ["--data.train=40"],
    "data.augment": ["--data.augment=[{class_path: albumentations.HorizontalFlip}]"],
    "data.style": ["--data.style.clutter=0.125"],
    "seed_everything": ["--seed_everything=7"],
    "trainer.accumulate_grad_batches": ["--trainer.accumulate_grad_batches=2"],
    "trainer.gradient_clip_val": ["--trainer.gradient_clip_val=1"],
    "trainer.precision": ["--trainer.precision=64-true"],
    "trainer.limit_train_batches": ["--trainer.limit_train_batches=3"],
}


@pytest.mark.parametrize("key", DIFFERENT)
def test_what_differs_is_refused_by_its_name_and_nothing_is_touched(key: str, finished: Path, lectern: Lectern) -> None:
    before = content(finished)
    result = lectern(*FIT, "--trainer.max_epochs=3", *DIFFERENT[key], "--ckpt_path", last(finished))
    assert result.code == 2
    (line,) = [line for line in result.err.splitlines() if line.startswith("lectern: ")]
    assert f": {key} is " in line and " and was " in line and "--init_from" in line
    assert line.count(" and was ") == 1, "that alone"
    assert content(finished) == before
    assert not Path("runs").exists() or not list(Path("runs").rglob("config.yaml"))


def test_many_differences_are_counted(finished: Path, lectern: Lectern) -> None:
    given = [argument for key in ("data.batch_size", "data.train", "seed_everything") for argument in DIFFERENT[key]]
    given += [*DIFFERENT["model.optimizer.lr"], *DIFFERENT["trainer.gradient_clip_val"], "--data.val=16"]
    result = lectern(*FIT, "--trainer.max_epochs=3", *given, "--ckpt_path", last(finished))
    assert result.code == 2
    assert result.err.count(" and was ") == 4 and "; 2 more. " in result.err


def test_another_recipe_on_an_old_checkpoint_leaves_the_old_run_as_it_was(finished: Path, lectern: Lectern) -> None:
    """This trained nothing, overwrote the other run's configuration and summary, and reported success."""
    before = content(finished)
    for other in (["--config", "classification/small_shapes"], ["--config", "segmentation/fcn_transpose", "--data.train=99"]):
        result = lectern("fit", *other, "--trainer.max_epochs=2", "--ckpt_path", last(finished))
        assert result.code == 2
        assert content(finished) == before


ALLOWED = [
    *("--trainer.max_epochs=3", "--trainer.log_every_n_steps=2", "--trainer.check_val_every_n_epoch=3", "--data.workers=1"),
    *("--data.cache_mib=1", "--trainer.callbacks+=pytorch_lightning.callbacks.LearningRateMonitor", "--wandb=disabled"),
    *("--trainer.deterministic=true", "--checkpoint.minutes=9", "--trainer.precision=32", "--trainer.limit_train_batches=1.0"),
]


def test_what_changes_no_training_may_differ(
    finished: Path, lectern: Lectern, workdir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(finished, run := workdir / "runs" / "segmentation" / "fcn_transpose" / "copy")
    result = lectern(*FIT, *ALLOWED, "--ckpt_path", last(run))
    assert result.code == 0, result.err
    assert torch.load(last(run), weights_only=True)["global_step"] == 12
    assert yaml.safe_load((run / "config.yaml").read_text())["trainer"]["max_epochs"] == 3
    assert "WarmupCosine is laid out over 12 steps from here on, and no longer over 8" in caplog.text


def test_a_longer_run_is_the_longer_run(lectern: Lectern, workdir: Path) -> None:
    """Where the rate does not depend on the length, and the first run ended inside an epoch."""
    fit = [*FIT, "--model.scheduler=null"]
    for name, length in {"whole": "--trainer.max_epochs=3", "cut": "--trainer.max_steps=6"}.items():
        assert lectern(*fit, length, "--name", name).code == 0
    whole, cut = (one_run(workdir / "runs" / name) for name in ("whole", "cut"))
    assert lectern(*fit, "--trainer.max_epochs=3", "--name=cut", "--ckpt_path", last(cut)).code == 0
    assert torch.equal(weights(cut), weights(whole))
    losses = [[row["train/loss"] for row in read_metrics(run)] for run in (whole, cut)]
    assert losses[0] == losses[1] and len(losses[0]) == 12


def test_a_checkpoint_is_read_once(finished: Path, lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = shutil.copytree(finished, workdir / "runs" / "copied" / "v")
    read: list[str] = []
    load = torch.load

    def counted(path: Any, **options: Any) -> Any:
        read.append(Path(path).name)
        return load(path, **options)

    monkeypatch.setattr(torch, "load", counted)
    result = lectern(*FIT, "--ckpt_path", last(copied), "--trainer.max_epochs=3")
    assert result.code == 0, result.err
    assert read.count("last.ckpt") == 1


def test_a_schedule_of_torch_s_keeps_its_own_length_and_it_is_said(lectern: Lectern, caplog: pytest.LogCaptureFixture) -> None:
    fit = [*FIT, "--model.scheduler=null", "--model.scheduler=torch.optim.lr_scheduler.CosineAnnealingLR"]
    fit += ["--model.scheduler.T_max=2", "--name=r"]
    assert lectern(*fit).code == 0
    path = last(one_run(Path("runs")))
    longer = lectern(*fit, "--trainer.max_epochs=3", "--model.scheduler.T_max=3", "--ckpt_path", path)
    assert longer.code == 2 and "model.scheduler.T_max is 3 and was 2" in longer.err
    assert lectern(*fit, "--trainer.max_epochs=3", "--ckpt_path", path).code == 0
    assert "the run has another length now, and CosineAnnealingLR keeps the one that it is given (T_max: 2)" in caplog.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--trainer.max_epochs=2"], "finished after 2 epochs (8 steps); more of them"),
        (["--trainer.max_epochs=-1", "--trainer.max_steps=8"], "finished after 2 epochs (8 steps); more of them"),
        (["--trainer.max_epochs=1"], "2 epochs are done, and trainer.max_epochs asks for 1 in all"),
        (["--trainer.max_steps=5", "--trainer.max_epochs=9"], "8 steps are done, and trainer.max_steps asks for 5 in all"),
    ],
)
@pytest.mark.parametrize("checkpoint", ["last.ckpt", "best.ckpt"])
def test_a_finished_run_that_is_not_made_longer_is_said(
    asked: list[str], said: str, checkpoint: str, finished: Path, lectern: Lectern
) -> None:
    before = content(finished)
    path = finished / "checkpoints" / checkpoint
    if torch.load(path, weights_only=True)["global_step"] < 8:
        pytest.skip("the best epoch was the first")
    result = lectern(*FIT, *asked, "--ckpt_path", str(path))
    assert result.code == 2 and f"{checkpoint}: {said}" in result.err
    assert content(finished) == before


def test_a_run_that_was_stopped_between_its_last_checkpoint_and_its_end_comes_to_it(
    finished: Path, lectern: Lectern, workdir: Path
) -> None:
    shutil.copytree(finished, run := workdir / "runs" / "segmentation" / "fcn_transpose" / "killed")
    summary = json.loads((run / "summary.json").read_text()) | {"state": "running"}
    (run / "summary.json").write_text(json.dumps(summary))
    assert lectern(*FIT, "--ckpt_path", "last").code == 0
    assert json.loads((run / "summary.json").read_text())["state"] == "finished"
    assert curves(run) == curves(finished)


def changed(path: str, **values: Any) -> str:
    """A copy of a checkpoint with other content; None takes the key away."""
    checkpoint = torch.load(path, weights_only=True)
    for key, value in values.items():
        checkpoint.pop(key, None)
        if value is not None:
            checkpoint[key] = value
    torch.save(checkpoint, "changed.ckpt")
    return "changed.ckpt"


def test_what_is_no_run_of_lectern_begins_one(finished: Path, lectern: Lectern) -> None:
    longer = [*FIT, "--trainer.max_epochs=3", "--ckpt_path"]
    old = lectern(*longer, changed(last(finished), experiment=None))
    assert old.code == 2 and "does not say which experiment it is of" in old.err and "--init_from changed.ckpt" in old.err
    alone = lectern(*longer, changed(last(finished), optimizer_states=None))
    assert alone.code == 2 and "has weights alone" in alone.err and "--init_from changed.ckpt" in alone.err
    torch.save({"fc.weight": torch.zeros(2, 3)}, "plain.pth")
    plain = lectern(*longer, "plain.pth")
    assert plain.code == 2 and "--init_from plain.pth" in plain.err


def test_a_checkpoint_of_before_this_version_is_compared_by_what_it_says(finished: Path, lectern: Lectern) -> None:
    experiment = torch.load(last(finished), weights_only=True)["experiment"]
    del experiment["trainer"], experiment["init_from"]
    del experiment["model"]["init_args"]["scheduler"]["init_args"]["final"]  # an argument that has come since
    experiment["data"]["class_path"] = "Shapes"
    experiment["data"]["init_args"]["batch_size"] = "8"
    path = changed(last(finished), experiment=experiment)
    longer = [*FIT, "--trainer.max_epochs=3", "--ckpt_path", path]
    assert lectern(*longer).code == 0
    assert "model.scheduler.final is 0.5 and was 0.0" in lectern(*longer, "--model.scheduler.final=0.5").err


def test_no_class_of_a_checkpoint_is_imported_to_compare_it(finished: Path, lectern: Lectern) -> None:
    Path("hostile.py").write_text("open('PWNED', 'w')\ndef call(*args, **kwargs): pass\n")
    experiment = torch.load(last(finished), weights_only=True)["experiment"]
    model, data = (experiment[part]["init_args"] for part in ("model", "data"))
    call = {"class_path": "hostile.call"}
    for place, key, value in ((model, "optimizer", call), (model, "network", "hostile.call"), (data, "augment", [call])):
        kept, place[key] = place[key], value
        result = lectern(*FIT, "--trainer.max_epochs=3", "--ckpt_path", changed(last(finished), experiment=experiment))
        assert result.code == 2 and f".{key} is " in result.err
        place[key] = kept
    assert not Path("PWNED").exists()


def test_a_run_goes_on_where_its_data_were_moved_to_and_not_on_others(lectern: Lectern) -> None:
    images("first", "cat", "dog")
    images("second", "cat", "dog")
    images("third", "cat", "dog", "hen")
    fit = ["fit", "--config", "classification/small_shapes", "--data=ImageFolder", "--data.image_size=32", "--pictures.count=0"]
    fit += ["--data.batch_size=2", "--data.workers=0", "--data.augment=[]", "--trainer.enable_progress_bar=false", "--name=r"]
    assert lectern(*fit, "--data.root=first", "--trainer.max_epochs=1").code == 0
    path = last(one_run(Path("runs")))
    refused = lectern(*fit, "--data.root=second", "--trainer.max_epochs=2", "--ckpt_path", path)
    assert refused.code == 2 and "data.root is second and was first" in refused.err
    Path("first").rename("moved")
    longer = lectern(*fit, "--data.root", str(Path("moved").resolve()), "--trainer.max_epochs=2", "--ckpt_path", path)
    assert longer.code == 0, longer.err
    Path("moved").rename("gone")
    before = content(Path("runs"))
    others = lectern(*fit, "--data.root=third", "--trainer.max_epochs=3", "--ckpt_path", path)
    assert others.code == 2 and "the data's classes is [cat, dog, hen] and was [cat, dog]" in others.err
    assert content(Path("runs")) == before


def images(root: str, *classes: str) -> None:
    for split in ("train", "val", "test"):
        for name in classes:
            (folder := Path(root, split, name)).mkdir(parents=True)
            for i in range(2):
                Image.new("RGB", (32, 32), (60 * i, 99, 9)).save(folder / f"{i}.png")
