"""Schedules know the run's length: a run that is made longer goes on learning at the rates of the longer one."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from datamodules import Shapes
from datamodules.proposals import SlidingWindows
from experiments.runs.folder import RunFolder
from experiments.training.resuming import GoOn
from lightning_modules import Classification, StagedDetection
from lightning_modules.base import Task
from lightning_modules.networks import RCNN, ConvBackbone, FullyConnected, SmallConvNet, StagedHead
from lightning_modules.schedules import Schedule, Steps, WarmupCosine

LR = 0.05
STEPS = 3
"""Optimizer steps in an epoch."""


class Rates(pl.Callback):
    """What each step is done with: the number of steps before it, and its learning rate."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if not isinstance(pl_module, StagedDetection) or pl_module.fine_tuning:
            self.seen.append((trainer.global_step, trainer.optimizers[0].param_groups[0]["lr"]))


class SaveAt(pl.Callback):
    """Saves behind a number of batches, and stops there, as a signal would."""

    def __init__(self, batches: int, path: Path) -> None:
        self.batches, self.path = batches, path

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.batches:
            trainer.save_checkpoint(self.path)
            raise KeyboardInterrupt


def data() -> Shapes:
    windows = SlidingWindows(sides=(14,), ratios=(1.0,), step=0.25)
    return Shapes(image_size=28, train=2 * STEPS, val=2, batch_size=2, workers=0, proposals=windows)


def classifier(scheduler: Callable[..., Any], scenes: Shapes) -> Task:
    return Classification(
        network=partial(SmallConvNet, widths=(2, 2)),
        optimizer=partial(torch.optim.SGD, lr=LR, momentum=0.9),
        scheduler=scheduler,
        metadata=scenes.metadata.as_dict(),
    )


def staged(scheduler: Callable[..., Any], scenes: Shapes) -> Task:
    head = partial(StagedHead, layers=partial(FullyConnected, widths=(4,)))
    return StagedDetection(
        network=partial(RCNN, backbone=partial(ConvBackbone, (2, 2), depth=1), head=head, samples=2),
        optimizer=partial(torch.optim.SGD, lr=LR, momentum=0.9),
        scheduler=scheduler,
        metadata=scenes.metadata.as_dict(),
    )


def train(folder: Path, task: Any, scenes: Shapes, *callbacks: pl.Callback, start: Path | None = None, **length: Any) -> Path:
    """Trains; returns a checkpoint of the end."""
    torch.manual_seed(0)
    built = task(scenes)
    scenes.require(built.needs)
    trainer = pl.Trainer(
        **{"max_epochs": -1} | length, logger=RunFolder(folder, "run"), callbacks=[GoOn(), *callbacks], accelerator="cpu",
        default_root_dir=folder,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, use_distributed_sampler=False,
        num_sanity_val_steps=0, limit_val_batches=0, log_every_n_steps=1,
    )  # fmt: skip
    try:
        trainer.fit(built, scenes, ckpt_path=start, weights_only=True)
    except SystemExit:  # Lightning's, for the interrupt
        return folder / "stopped.ckpt"
    trainer.save_checkpoint(folder / "end.ckpt")
    return folder / "end.ckpt"


def rate(schedule: Any, step: int, steps: int) -> float:
    """By the formula, of a run of so many steps."""
    return float(LR * schedule(_optimizer()).factor(min(1.0, step / steps)))


def _optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=LR)


SCHEDULES: dict[str, Any] = {"cosine": partial(WarmupCosine, warmup=0.2, final=0.01), "steps": Steps}
LONGER = {
    "epochs": ({"max_epochs": 2}, {"max_epochs": 5}, 5 * STEPS),
    "steps, inside an epoch": ({"max_steps": 4}, {"max_steps": 11}, 11),
    "steps, at an epoch's end": ({"max_steps": 2 * STEPS}, {"max_steps": 4 * STEPS}, 4 * STEPS),
    "from steps to epochs": ({"max_steps": 4}, {"max_epochs": 4}, 4 * STEPS),
    "from epochs to steps": ({"max_epochs": 2}, {"max_steps": 10}, 10),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("how", LONGER)
def test_a_longer_run_goes_on_at_the_rates_of_the_longer_schedule(schedule: str, how: str, tmp_path: Path) -> None:
    short, long, steps = LONGER[how]
    task = partial(classifier, SCHEDULES[schedule])
    rates = Rates()
    start = train(tmp_path, task, data(), **short)
    done = torch.load(start, weights_only=True)["global_step"]
    train(tmp_path, task, data(), rates, start=start, **long)
    assert [step for step, _ in rates.seen] == list(range(done, steps)), "each step once"
    expected = [rate(SCHEDULES[schedule], step, steps) for step in range(done, steps)]
    assert [lr for _, lr in rates.seen] == pytest.approx(expected)


@pytest.mark.parametrize("how", LONGER)
def test_the_optimizer_and_the_batches_go_on_where_they_were(how: str, tmp_path: Path) -> None:
    """With a rate that does not depend on the length, the longer run is one that was never cut, bit for bit."""
    short, long, _ = LONGER[how]
    task = partial(classifier, None)
    whole = train(tmp_path / "whole", task, data(), **long)
    start = train(tmp_path / "cut", task, data(), **short)
    longer = train(tmp_path / "cut", task, data(), start=start, **long)
    one, other = (torch.load(path, weights_only=True) for path in (whole, longer))
    for name, weight in one["state_dict"].items():
        assert torch.equal(weight, other["state_dict"][name]), name
    states = [checkpoint["optimizer_states"][0]["state"] for checkpoint in (one, other)]
    assert states[0] and all(torch.equal(states[0][i]["momentum_buffer"], states[1][i]["momentum_buffer"]) for i in states[0])


def test_a_run_of_the_same_length_goes_on_at_its_own_rates(tmp_path: Path) -> None:
    task = partial(classifier, SCHEDULES["cosine"])
    whole, first, second = Rates(), Rates(), Rates()
    train(tmp_path, task, data(), whole, max_epochs=3)
    start = train(tmp_path, task, data(), first, SaveAt(4, tmp_path / "stopped.ckpt"), max_epochs=3)
    train(tmp_path, task, data(), second, start=start, max_epochs=3)
    assert first.seen[:4] + second.seen == whole.seen, "to the last bit"


def test_stages_that_are_made_longer_learn_to_the_end_of_their_schedule(tmp_path: Path) -> None:
    """Of 5 epochs the second and the last write features; what is learned in the others is one schedule from end to end."""
    task, rates = partial(staged, SCHEDULES["cosine"]), Rates()
    start = train(tmp_path, task, data(), max_epochs=2)
    train(tmp_path, task, data(), rates, start=start, max_epochs=5)
    assert [step for step, _ in rates.seen] == list(range(2 * STEPS, 4 * STEPS))
    # One epoch was learned before, and two are now.
    expected = [rate(SCHEDULES["cosine"], step, 3 * STEPS) for step in range(STEPS, 3 * STEPS)]
    assert [lr for _, lr in rates.seen] == pytest.approx(expected)


def test_stages_of_the_same_length_keep_their_rates(tmp_path: Path) -> None:
    task = partial(staged, SCHEDULES["cosine"])
    whole, first, second = Rates(), Rates(), Rates()
    train(tmp_path, task, data(), whole, max_epochs=3)
    for stop in (2, 2 * STEPS + 1):  # in the fine-tuning; while features are written
        first.seen, second.seen = [], []
        start = train(tmp_path, task, data(), first, SaveAt(stop, tmp_path / "stopped.ckpt"), max_epochs=3)
        train(tmp_path, task, data(), second, start=start, max_epochs=3)
        assert first.seen[:stop] + second.seen == whole.seen


@settings(max_examples=50)
@given(
    schedule=st.sampled_from([partial(WarmupCosine, warmup=0.3), Steps, partial(Steps, at=[0.25], gamma=0.5)]),
    length=st.integers(1, 30),
    longer=st.integers(1, 60),
    done=st.integers(0, 30),
)
def test_a_stretched_schedule_is_one_that_had_the_length_from_the_start(
    schedule: Callable[[Any], Schedule], length: int, longer: int, done: int
) -> None:
    made = []
    for total in (length, longer):
        optimizer = _optimizer()
        scheduler = schedule(optimizer)
        scheduler.total_steps = total
        for _ in range(done):
            optimizer.step()
            scheduler.step()
        made.append((optimizer, scheduler))
    (optimizer, scheduler), (wanted, other) = made
    stored = deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    restored = schedule(optimizer)
    optimizer.load_state_dict(stored[0])
    restored.load_state_dict(stored[1])
    restored.stretch(longer)
    for _ in range(3):
        assert optimizer.param_groups[0]["lr"] == wanted.param_groups[0]["lr"]
        assert restored.get_last_lr() == other.get_last_lr()
        for each in (restored, other):
            each.step()
