"""The room on the disk that a run's checkpoints will need is known before its first step."""

from __future__ import annotations

import copy
import io
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn, optim

from experiments.training.trial_size import reserve, state_to_come
from tests.support.interrupted import start, wait
from tests.support.small_runs import SMALL, one_run

OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD with momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": optim.Adam,
    "AdamW, amsgrad": lambda p: optim.AdamW(p, amsgrad=True),
    "AdamW, fused": lambda p: optim.AdamW(p, fused=True),
    "AdamW, foreach": lambda p: optim.AdamW(p, foreach=True),
    "RMSprop, centred": lambda p: optim.RMSprop(p, momentum=0.9, centered=True),
    "NAdam": optim.NAdam,
    "Adagrad": optim.Adagrad,
}


def size_of(network: nn.Module, optimizer: optim.Optimizer) -> int:
    file = io.BytesIO()
    torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict()}, file)
    return len(file.getvalue())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_state_that_an_optimizer_will_have_is_known_before_its_first_step(name: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 300), nn.BatchNorm1d(300), nn.Linear(300, 200))
    optimizer = OPTIMIZERS[name](network.parameters())
    optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)  # hangs a counter on the optimizer's step
    before, options = copy.deepcopy(network.state_dict()), [dict(group) for group in optimizer.param_groups]
    expected = size_of(network, optimizer) + state_to_come(optimizer)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert [dict(group) for group in optimizer.param_groups] == options, "it is left as it is"
    network(torch.randn(4, 8)).square().sum().backward()
    optimizer.step()
    size = size_of(network, optimizer)
    assert size <= expected <= 1.02 * size + 500
    assert state_to_come(optimizer) == 0


def test_a_file_takes_its_room(tmp_path: Path) -> None:
    path = tmp_path / "trial.ckpt"
    path.write_bytes(b"1234")
    reserve(path, 1_000_000)
    assert path.stat().st_size == 1_000_004 and path.read_bytes()[:4] == b"1234"
    assert path.stat().st_blocks * 512 >= 1_000_004, "not only its length"
    reserve(path, 0)
    assert path.stat().st_size == 1_000_004


def test_a_disk_that_holds_the_weights_and_not_the_optimizer_ends_the_run_before_its_first_step(workdir: Path) -> None:
    log = workdir / "log"
    train = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0", "--trainer.max_epochs=1"]
    assert wait(start([*train, "--name", "whole"], log)) == 0, log.read_text()
    real = (one_run(workdir / "runs" / "whole") / "checkpoints" / "last.ckpt").stat().st_size

    def limit(least: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (least, least))

    # A third of an AdamW checkpoint is the weights.
    assert wait(start([*train, "--name", "full"], log, limit(int(0.9 * real)))) == 2, log.read_text()
    said = log.read_text().strip().splitlines()[-1]
    assert "trial.ckpt: the disk has no room for this run's checkpoints (File too large)" in said
    run = one_run(workdir / "runs" / "full")
    assert not list((run / "checkpoints").iterdir()) and not (run / "metrics.csv").exists()
    # Not more than a real one needs: that limit holds the run.
    assert wait(start([*train, "--name", "enough"], log, limit(int(1.05 * real)))) == 0, log.read_text()
