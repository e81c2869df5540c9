"""What precision and memory format make of a training step's time, measured on one batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import torch
from pytorch_lightning.plugins import MixedPrecision, Precision

from datamodules.scene import Batch
from lightning_modules.base import Task
from lightning_modules.means import values

StepPrecision = Literal["32-true", "bf16-mixed"]


class StepOptions(NamedTuple):
    """How a step is computed."""

    precision: StepPrecision
    channels_last: bool

    def typed(self, before: StepOptions) -> str:
        """The command line's options that lead here from ``before``."""
        options = []
        if self.precision != before.precision:
            options.append(f"--trainer.precision {self.precision}")
        if self.channels_last != before.channels_last:
            options.append(f"--model.channels_last {str(self.channels_last).lower()}")
        return " ".join(options)


ALL = [StepOptions(precision, last) for precision in ("32-true", "bf16-mixed") for last in (False, True)]


class Gain(NamedTuple):
    """A step's time by other options: how many times faster it is, the median of pairs, and the least and greatest of them."""

    options: StepOptions
    median: float
    least: float
    greatest: float

    @property
    def pays(self) -> bool:
        """Whether each pair was faster, and the middle one by more than 5 %."""
        return self.least > 1 and self.median > 1.05


def seconds(
    task: Task,
    batch: Batch,
    options: Sequence[StepOptions],
    *,
    pairs: int,
    limit: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
) -> dict[StepOptions, list[float]]:
    """Seconds of a training step, forward to optimizer, once a round for each of the options, which take turns.

    The task is trained by it, on one batch. Of the first round nothing is counted.

    Args:
        task: with an optimizer, on the batch's device.
        batch: is trained on again and again.
        options: what is measured.
        pairs: rounds that count.
        limit: seconds of the clock on the wall after which no further round begins; two are done in any case.
        clock: seconds; ``time.process_time`` where other processes share the machine.
    """
    assert task.make_optimizer, "a training without an optimizer is refused before"
    optimizer = task.make_optimizer(task.parameters())
    times: dict[StepOptions, list[float]] = {each: [] for each in options}
    began, before = time.monotonic(), task.channels_last
    try:
        for turn in range(1 + pairs):
            if turn > 2 and time.monotonic() - began > limit:
                break
            first = turn % len(options)  # each is first, second and last in turns: what one leaves behind is the same for all
            for each in (*options[first:], *options[:first]):
                started = _now(task.device, clock)
                _step(task, batch, optimizer, each)
                if turn:
                    times[each].append(_now(task.device, clock) - started)
    finally:
        task.channels_last = before
    return times


def gains(times: dict[StepOptions, list[float]], before: StepOptions) -> Iterator[Gain]:
    """What each of the other options gives beside ``before``."""
    for options, own in times.items():
        if options != before:
            ratios = [there / here for there, here in zip(times[before], own, strict=True)]
            yield Gain(options, statistics.median(ratios), min(ratios), max(ratios))


def _step(task: Task, batch: Batch, optimizer: Any, options: StepOptions) -> None:
    mixed = MixedPrecision("bf16-mixed", task.device.type)
    plugin: Precision = mixed if options.precision == "bf16-mixed" else Precision()
    task.channels_last = options.channels_last
    with plugin.forward_context():
        losses = task.losses(task.respond(batch), batch)
    optimizer.zero_grad()
    torch.stack(list(values(losses).values())).sum().backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _now(device: torch.device, clock: Callable[[], float]) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()
