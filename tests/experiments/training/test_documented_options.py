"""docs/fine_tune.md: each option that stands there runs, and does what is said of it."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from experiments import ROOT
from experiments.runs.files import read_metrics
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run

PAGE = ROOT / "docs" / "fine_tune.md"
OPTIONS = re.findall(r"^\|[^|]*\| `(--[^`]*)`", PAGE.read_text() if PAGE.is_file() else "", re.MULTILINE)
FIT = ["fit", "--config", "classification/small_shapes", *SMALL, "--pictures.count=0", "--trainer.enable_model_summary=false"]


def test_the_page_has_all_of_them() -> None:
    text = " ".join(OPTIONS)
    names = ("balanced", "class_weights", "focal_gamma", "label_smoothing", "mixup", "cutmix", "EMAWeightAveraging")
    more = ("EarlyStopping", "LearningRateMonitor", "bf16-mixed", "CompiledNetwork", "TensorBoardLogger")
    assert [name for name in names + more if name not in text] == []


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_runs_as_it_stands(option: str, lectern: Lectern, workdir: Path) -> None:
    if "TensorBoard" in option and not (find_spec("tensorboard") or find_spec("tensorboardX")):
        pytest.skip("tensorboard is not installed")
    # The default backend takes a compiler and half a minute.
    further = ["--trainer.callbacks.backend=eager"] if "Compiled" in option else []
    result = lectern(*FIT, *shlex.split(option), *further)
    assert result.code == 0, result.err
    run = one_run(workdir / "runs")
    rows = read_metrics(run)
    assert any("train/loss" in row for row in rows) and any("val/accuracy" in row for row in rows)
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    if "LearningRate" in option:
        assert any("lr" in name for row in rows for name in row)
    if "EMA" in option:
        assert int(checkpoint["averaging_state"]["n_averaged"]) == 8, "each step's weights"
        # Which is why `lectern test` needs no callback of the training's: the weights that it loads are the averages.
        assert lectern(*FIT, "--name=plain").code == 0
        (plain,) = (workdir / "runs" / "plain").rglob("last.ckpt")
        last, averages = torch.load(plain, weights_only=True)["state_dict"], checkpoint["state_dict"]
        assert last.keys() == averages.keys() and any(not torch.equal(last[name], averages[name]) for name in last)
    if "TensorBoard" in option:
        assert list(Path("tensorboard").rglob("events.out*"))
    # Not `test`, since so short a training misses what the recipe expects.
    again = lectern("validate", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"))
    assert again.code == 0, again.err


def test_a_compiled_network_learns_what_it_would_have_learned(lectern: Lectern, workdir: Path) -> None:
    found = []
    for place, option in enumerate(([], ["--trainer.callbacks+=lightning_modules.CompiledNetwork"])):
        backend = ["--trainer.callbacks.backend=eager"] if option else []
        assert lectern(*FIT, *option, *backend, f"--name=run{place}").code == 0
        (path,) = (workdir / "runs" / f"run{place}").rglob("last.ckpt")
        found.append(torch.load(path, weights_only=True)["state_dict"])
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())
