"""``lectern doctor``: what a configuration would do here, without training."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.base import PreparedScenes, Split
from datamodules.loading import collate
from datamodules.scene import COMPUTED, InputError
from lightning_modules.evaluating import evaluating
from lightning_modules.means import values

from .callbacks import peak_memory_mib
from .cli import LecternCLI, run_cli
from .step_times import ALL, StepOptions, gains, seconds
from .wandb_logging import WandbMode, wandb_mode

MIB = 2**20

PAIRS, LIMIT, LONG = 5, 10.0, 2.0
"""Rounds of measured steps, the seconds after which no further one begins, and those of a step that is not tried in passing."""


class Doctor(LecternCLI):
    """Builds everything that ``lectern fit`` builds with the same arguments, and looks at it instead of training.

    (Some steps on one batch say how fast it would be, and with which options faster.)
    """

    def __init__(self, args: list[str]) -> None:
        self.run_batch = "--run" in args
        self.asked_wandb: WandbMode = "auto"
        super().__init__(["fit", *(a for a in args if a != "--run")])

    def before_instantiate_classes(self) -> None:
        config = self.config["fit"]
        self.asked_wandb, config["wandb"] = config["wandb"], "disabled"
        config["trainer"]["logger"] = False  # it looks, and makes no run's folder
        super().before_instantiate_classes()

    def run_subcommand(self, subcommand: str) -> None:
        self.failed = not all([self._machine(), self._data(), self._memory(), not self.run_batch or self._one_batch()])
        if not self.failed:
            self._speed()
        print("doctor     " + ("found a problem" if self.failed else "nothing stands in the way"))

    def _machine(self) -> bool:
        trainer = self.trainer
        _say(
            "device",
            f"{trainer.world_size} x {trainer.strategy.root_device}, {type(trainer.strategy).__name__}, {trainer.precision}",
        )
        _say("workers", f"{self.datamodule.workers} processes prepare batches; this machine has {_cores()} cores")
        if self.datamodule.workers > _cores():
            _say("", f"more workers than cores: --data.workers {_cores()} would do")
        _say("W&B", wandb_mode(self.asked_wandb))
        return True

    def _data(self) -> bool:
        data, trainer = self.datamodule, self.trainer
        fine, lengths = True, {}
        splits: tuple[Split, ...] = ("train", "val", "test")
        for split in splits:
            try:
                scenes = PreparedScenes(data, split, augment=split == "train")
                lengths[split] = len(scenes)
                scenes.first_usable()
            except (InputError, OSError) as error:
                _say("data", f"{split}: {error}")
                fine = False
        for remark in data.remarks:
            _say("data", remark)
        if not fine:
            return False
        _say(
            "data",
            f"{type(data).__name__}: "
            + ", ".join(f"{n} {split}" for split, n in lengths.items())
            + ", the first of each reads well",
        )
        self._cache(lengths)
        batches = lengths["train"] // data.batch_size
        per_device = data.batch_size // trainer.world_size
        _say("batch", f"{data.batch_size} over all devices, {per_device} on each")
        if not batches or data.batch_size % trainer.world_size:
            _say("", "that does not fill one batch, or does not divide by the devices: change data.batch_size")
            return False
        steps = (
            trainer.max_steps
            if trainer.max_steps >= 0
            else batches * (trainer.max_epochs or 1000) // trainer.accumulate_grad_batches
        )
        _say("steps", f"{batches} batches an epoch, {steps} optimizer steps in all")
        return True

    def _cache(self, lengths: dict[Split, int]) -> None:
        """How much of the data is kept between epochs."""
        data = self.datamodule
        trained = PreparedScenes(data, "train", augment=True)
        if trained.propose:  # finding them takes too long for a look
            return
        one = statistics.mean(trained.bytes_in_cache(i) for i in range(min(8, len(trained))))
        whole = one * (lengths["train"] + lengths["val"]) / MIB
        if whole:
            kept = "them" if whole <= data.cache_mib else "so much of them, and the rest is read again each epoch"
            _say(
                "cache",
                f"train and val take about {whole:.0f} MiB once they are read; data.cache_mib ({data.cache_mib}) keeps {kept}",
            )

    def _memory(self) -> bool:
        parameters = sum(p.numel() * p.element_size() for p in self.model.parameters())
        share = self.datamodule.batch_size // self.trainer.world_size
        # Weights, gradients and (for Adam and its kin) two moments; activations are kept for the backward pass.
        self.estimate = estimate = 4 * parameters + share * self._activations()
        _say(
            "memory",
            f"about {estimate / MIB:.0f} MiB a device ({parameters / MIB:.1f} of weights, the rest for {share} images)",
        )
        runs = Path(self.config["fit"]["runs"]).resolve()
        place = next(p for p in (runs, *runs.parents) if p.exists())
        free = shutil.disk_usage(place).free
        _say(
            "disk",
            f"two checkpoints of up to {3 * parameters / MIB:.1f} MiB are kept; {free / MIB / 1024:.1f} GiB free in {place}",
        )
        return free > 8 * parameters

    def _activations(self) -> int:
        """Bytes of what the layers put out for one image."""
        total = 0

        def count(module: nn.Module, inputs: Any, output: Any) -> None:
            nonlocal total
            if isinstance(output, Tensor) and not list(module.children()):
                total += output.numel() * output.element_size()

        handles = [m.register_forward_hook(count) for m in self.model.network.modules()]
        height, width = self.model.metadata.image_size
        image, whole = torch.zeros(1, 3, height, width), torch.tensor([[0.0, 0.0, width, height]])
        with torch.no_grad(), evaluating(self.model):
            self.model.respond({"image": image, "proposals": [whole]})
        for handle in handles:
            handle.remove()
        return total

    def _learns_by_gradients(self) -> bool:
        """Whether there is anything for an optimizer; a part model is fitted from all images at the end of each epoch."""
        return any(parameter.requires_grad for parameter in self.model.parameters())

    def _one_batch(self) -> bool:
        if not self._learns_by_gradients():
            _say("one batch", f"not tried: {type(self.model).__name__} is fitted at the end of an epoch, from all images")
            return True
        began = time.perf_counter()
        batch: Any = self._batch()
        prepared = time.perf_counter()
        task = self.model
        assert task.make_optimizer, "a training without an optimizer is refused before"
        optimizer = task.make_optimizer(task.parameters())
        losses = values(task.losses(task.respond(batch), batch))
        total = torch.stack(list(losses.values())).sum()
        total.backward()
        optimizer.step()
        took = time.perf_counter() - prepared
        _say(
            "one batch",
            f"prepared in {prepared - began:.2f} s, trained in {took:.2f} s, peak memory {peak_memory_mib()} MiB",
        )
        _say("", ", ".join(f"{name} {float(value.detach()):.4g}" for name, value in losses.items()))
        return bool(torch.isfinite(total))

    def _batch(self) -> Any:
        """The first scenes of the training set, as many as one device trains on, on its device; and the task too."""
        device = self.trainer.strategy.root_device
        scenes = PreparedScenes(self.datamodule, "train", augment=True)
        share = min(len(scenes), self.datamodule.batch_size // self.trainer.world_size)
        task = self.model.to(device)
        return task.transfer_batch_to_device(collate([scenes[(0, i)] for i in range(share)]), device, 0)

    def _speed(self) -> None:
        """What other precision and memory format would make of a step's time; measured, by training on one batch."""
        task, precision = self.model, str(self.trainer.precision)
        if not self._learns_by_gradients():
            return _say("speed", f"not measured: {type(task).__name__} has no step of an optimizer")
        if precision not in ("32-true", "bf16-mixed"):
            return _say("speed", f"not measured: 32-true and bf16-mixed are compared, and this is {precision}")
        if not self.run_batch and (reason := self._too_much()):
            return _say("speed", f"not measured: {reason}; --run measures it")
        now, batch = StepOptions("bf16-mixed" if "bf" in precision else "32-true", task.channels_last), self._batch()
        (alone,) = seconds(task, batch, [now], pairs=1)[now]
        if alone > LONG and not self.run_batch:
            return _say("speed", f"{alone:.1f} s a step, too long to compare options in passing; --run does")
        times = seconds(task, batch, ALL, pairs=PAIRS, limit=LIMIT)
        form = "channels_last" if now.channels_last else "channels first"
        _say(
            "speed",
            f"{1000 * statistics.median(times[now]):.3g} ms a step ({precision}, {form}); by {len(times[now])} pairs, with",
        )
        found = list(gains(times, now))
        for gain in found:
            _say("", f"{gain.options.typed(now):60} {gain.median:.2f} x as fast [{gain.least:.2f}, {gain.greatest:.2f}]")
        best = max(found, key=lambda gain: gain.median)
        if not best.pays:
            return _say("", "none of them pays here: leave both as they are")
        rounding = "; bf16 rounds, so compare the metrics too" if best.options.precision != now.precision == "32-true" else ""
        _say("", f"worth a try: {best.options.typed(now)}{rounding}")

    def _too_much(self) -> str:
        """Why a step is more than one would look at in passing; empty where it is not."""
        if self.model.needs & COMPUTED:
            return "the images' proposals have to be searched first"
        free = _free_memory()
        return f"a step needs more than the {free / MIB:.0f} MiB that are free" if 2 * self.estimate > free else ""


def _say(what: str, text: str) -> None:
    print(f"{what:10} {text}")


def _free_memory() -> float:
    """Bytes; infinite where the system does not say."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return float("inf")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    return run_cli(lambda: Doctor(arguments))
