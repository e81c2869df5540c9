"""Lightning's LearningRateFinder and BatchSizeFinder in a run: what they find is used, said and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from tests.conftest import Lectern
from tests.support.small_runs import one_run
from tests.support.spy import FIT, SEEN, SPY, callback, weights

SEARCHES = {
    "lr": callback("LearningRateFinder", "num_training_steps=20"),
    "batch_size": callback("BatchSizeFinder", "init_val=4"),
}


def found(run: Path) -> dict[str, Any]:
    """What a run's configuration says, which is what its checkpoint says."""
    config = yaml.safe_load((run / "config.yaml").read_text())
    saved = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["experiment"]
    values, in_checkpoint = (
        {
            "lr": part["model"]["init_args"]["optimizer"]["init_args"]["lr"],
            "batch_size": part["data"]["init_args"]["batch_size"],
        }
        for part in (config, saved)
    )
    assert values == in_checkpoint
    assert not [c for c in config["trainer"]["callbacks"] if "Finder" in c["class_path"]]
    return values


@pytest.mark.parametrize("what", SEARCHES)
def test_what_is_found_is_the_runs_own_and_its_configuration_repeats_it(what: str, lectern: Lectern, workdir: Path) -> None:
    result = lectern(*FIT, "--trainer.max_epochs=6", *SEARCHES[what], "--name=searched")
    assert result.code == 0, result.err
    run = one_run(workdir / "runs" / "searched")
    values = found(run)
    assert values["batch_size"] == (32 if what == "batch_size" else 8), "doubled as far as the scenes reach"
    assert (values["lr"] == 0.01) == (what == "batch_size")
    assert not [path for path in [*workdir.iterdir(), *run.iterdir()] if path.name.startswith(".") and path.suffix == ".ckpt"]

    again = lectern("fit", "--config", str(run / "config.yaml"), "--name=again")
    assert again.code == 0, again.err
    assert torch.equal(weights(run), weights(one_run(workdir / "runs" / "again")))


def test_a_resumed_run_keeps_what_was_found_and_does_not_search_again(lectern: Lectern, workdir: Path) -> None:
    arguments = [*FIT, *SEARCHES["batch_size"], "--model.scheduler=null", SPY]
    assert lectern(*arguments, "--trainer.max_epochs=1").code == 0
    SEEN.clear()
    last = one_run(workdir / "runs") / "checkpoints" / "last.ckpt"
    result = lectern(*arguments, "--trainer.max_epochs=2", "--ckpt_path", str(last))
    assert result.code == 0, result.err
    assert [len(scenes) for _, scenes, _ in SEEN] == [32]
    assert "trying batch size" not in result.err


def test_a_smoke_test_searches_nothing(lectern: Lectern, workdir: Path) -> None:
    SEEN.clear()
    both = [*SEARCHES["lr"], *SEARCHES["batch_size"]]
    assert lectern(*FIT, *both, *callback("LearningRateMonitor"), "--trainer.fast_dev_run=true", SPY).code == 0
    assert len(SEEN) == 1
    assert not list(workdir.iterdir())
