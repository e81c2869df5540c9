"""What ``scripts/gpu-check`` measures: each recipe's speed and memory, and whether an interrupted run ends as a whole one."""

from __future__ import annotations

import gc
import logging
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from io import StringIO
from multiprocessing import get_context, get_start_method, set_start_method
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import yaml

from experiments import command, recipes
from experiments.runs.files import read_summary, test_metrics
from experiments.runs.folder import is_finished
from experiments.training.callbacks import peak_memory_mib
from experiments.training.cli import LecternCLI, run_cli

QUIET = [
    *("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.num_sanity_val_steps=0"),
    *("--trainer.devices=1", "--pictures.count=0", "--wandb=disabled"),
]


LEFT_OUT = ("PretrainedBackbone", "FreezeBackbone")


class Recipe(NamedTuple):
    """A recipe as it is run here."""

    name: str
    text: str
    """Without pretrained weights, which are downloaded, and without callbacks that train a backbone first, or freeze it."""
    data: str
    """The class of its data module."""

    @property
    def staged(self) -> bool:
        return "StagedDetection" in self.text

    def options(self, folder: Path, device: str, roots: dict[str, str]) -> list[str]:
        """What makes it run on ``device``; the file is written into ``folder``."""
        path = folder / f"{self.name.replace('/', '-')}.yaml"
        path.write_text(self.text)
        root = [f"--data.root={roots[self.data]}"] if self.data in roots else []
        return ["--config", str(path), f"--trainer.accelerator={device}", f"--runs={folder / 'runs'}", *root, *QUIET]


def recipe(name: str) -> Recipe:
    """The recipe of that name."""
    text = re.sub(r"weights: [^\s,}]+", "weights: null", recipes.path_of(name).read_text())
    config = yaml.safe_load(text)
    callbacks = config["trainer"].pop("callbacks", [])
    config["trainer"]["callbacks"] = [c for c in callbacks if c["class_path"].split(".")[-1] not in LEFT_OUT]
    return Recipe(name, yaml.safe_dump(config), config["data"]["class_path"].split(".")[-1])


# Speed -----------------------------------------------------------------------------------------------------------------


class Speed(NamedTuple):
    """Of one epoch of a training, whose scenes are read or drawn, after its first quarter."""

    images: float = 0.0
    """A second."""
    plain: float = 0.0
    """A second, of a plain loop: the same network, losses, optimizer and batches without Lightning."""
    mib: int = 0
    """The most memory that was held."""
    seconds: float = 0.0
    """Of the whole: building, the epoch before it, a validation, the plain loop."""
    error: str = ""


class Clock(pl.Callback):
    """Counts images and seconds of one epoch, from after its first quarter; it waits for the device twice.

    Args:
        epoch: the one that is measured; in those before it scenes are read or drawn, and kept.
    """

    def __init__(self, epoch: int) -> None:
        self.epoch, self.images, self.began, self.seconds = epoch, 0, 0.0, 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.current_epoch == self.epoch and batch_idx == warmup(trainer):
            self.images, self.began = 0, now()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if trainer.current_epoch == self.epoch:
            self.images += len(batch["image"])
            if trainer.is_last_batch:
                self.seconds = now() - self.began


def warmup(trainer: pl.Trainer) -> int:
    """The steps at an epoch's beginning that are not measured."""
    return int(trainer.num_training_batches) // 4


def now() -> float:
    """Seconds, when the device has done all that it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def speeds(cases: Iterable[tuple[Recipe, str]], device: str, steps: int, roots: dict[str, str]) -> Iterator[Speed]:
    """Of each recipe and precision, one after another in one process; after a failure in a new one, whose GPU is sound."""
    fresh = partial(ProcessPoolExecutor, 1, get_context("spawn"), _begin, (get_start_method(),))
    pool = fresh()
    try:
        for case in cases:
            try:
                got = pool.submit(speed, *case, device, steps, roots).result()
            except BrokenProcessPool:
                got = Speed(error="its process was killed")
            yield got
            if got.error and not got.error.startswith("InputError"):
                pool.shutdown()
                pool = fresh()
    finally:
        pool.shutdown()


def _begin(method: str) -> None:
    """Has a loader's workers begin as ever; spawned, as this process is, each of them would import everything."""
    set_start_method(method, force=True)


def speed(wanted: Recipe, precision: str, device: str, steps: int, roots: dict[str, str]) -> Speed:
    """Of one recipe, in this process, which keeps nothing of it."""
    torch.backends.cudnn.benchmark = False  # a recipe may ask for it, and Lightning leaves it as it was
    began = now()
    try:
        got = _speed(wanted, precision, device, steps, roots)
        return got._replace(seconds=now() - began)
    finally:
        gc.collect()  # a trainer refers to itself: its loaders' workers end, and its memory is free
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def _speed(wanted: Recipe, precision: str, device: str, steps: int, roots: dict[str, str]) -> Speed:
    clock, made = Clock(1), list[LecternCLI]()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)

    class Timed(LecternCLI):
        def instantiate_classes(self) -> None:
            super().instantiate_classes()
            made.append(self)
            self.datamodule.train_samples = steps * self.datamodule.batch_size  # the same in each epoch, in another order

        def own_callbacks(self, config: Any) -> list[pl.Callback]:
            return [*super().own_callbacks(config), clock]

    said = StringIO()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(said), redirect_stderr(said):
        epochs = 2 + wanted.staged  # whose last one fits stages
        length = [f"--trainer.max_epochs={epochs}", "--trainer.max_steps=-1", f"--trainer.limit_train_batches={steps}"]
        length += [
            f"--trainer.check_val_every_n_epoch={epochs}",
            "--trainer.val_check_interval=1.0",
            "--trainer.limit_val_batches=2",
        ]
        arguments = ["fit", *wanted.options(Path(folder), device, roots), *length, f"--trainer.precision={precision}"]
        try:
            run_cli(lambda: Timed(arguments))
            peak = peak_memory_mib()
            plain = plain_images(made[-1], precision)
            return Speed(clock.images / max(1e-9, clock.seconds), plain, peak)
        except (Exception, SystemExit) as error:
            last = [line for line in said.getvalue().splitlines() if line.strip()][-1:]
            return Speed(error=f"{type(error).__name__}: {' '.join(str(error).split()) or ' '.join(last)}"[:160])


def plain_images(cli: LecternCLI, precision: str) -> float:
    """Images a second of a plain loop over the same batches, once, which lie where the training has kept them."""
    task, data, device = cli.model, cli.datamodule, cli.trainer.strategy.root_device
    task.to(device).train()
    optimizer = task.make_optimizer([p for p in task.parameters() if p.requires_grad])
    loader = data.train_dataloader()
    loader.position = lambda: 0
    images, began = 0, now()
    for step, batch in enumerate(loader):
        if step == warmup(cli.trainer):
            images, began = 0, now()
        moved = data.on_after_batch_transfer(task.transfer_batch_to_device(batch, device, 0), 0)
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            losses = task.losses(task.respond(moved), moved)
        optimizer.zero_grad()
        torch.stack([mean.value for mean in losses.values()]).sum().backward()
        optimizer.step()
        images += len(moved["image"])
    return images / (now() - began)


# Interruptions ---------------------------------------------------------------------------------------------------------


def started(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """``lectern`` in a session of its own, so that it can be killed with its workers."""
    environment = {**os.environ, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # which deterministic matrix products ask for
    with log.open("ab") as output:
        return subprocess.Popen(command(*arguments), stdout=output, stderr=output, env=environment, start_new_session=True)


def killed_and_resumed(wanted: Recipe, device: str, steps: int, roots: dict[str, str]) -> str:
    """What becomes of a run that is killed at its first checkpoint and goes on, against one that is not; in words."""
    with tempfile.TemporaryDirectory() as name:
        folder, log = Path(name), Path(name) / "log"
        length = [f"--trainer.max_steps={steps}", "--trainer.max_epochs=-1", "--trainer.limit_val_batches=0"]
        arguments = ["fit", *wanted.options(folder, device, roots), *length, "--checkpoint.steps=1"]
        # A benchmark would choose operators by their times, which no two processes measure alike.
        arguments += ["--trainer.deterministic=warn", "--trainer.benchmark=false"]
        whole, cut = folder / "whole", folder / "cut"
        uncut = started([*arguments, f"--runs={whole}"], log)
        process = started([*arguments, f"--runs={cut}"], Path(name) / "cut-log")
        while process.poll() is None and not list(cut.glob("*/*/checkpoints/last.ckpt")):
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        ended = process.wait() == 0
        if uncut.wait():
            return f"failed: {_last_line(log)}"
        if ended:
            return "ended before it was killed"
        (last,) = cut.glob("*/*/checkpoints/last.ckpt")
        before = torch.load(last, map_location="cpu", weights_only=True)["global_step"]
        if started([*arguments, f"--runs={cut}", f"--ckpt_path={last}"], log).wait():
            return f"killed after step {before}, and the resumed run failed: {_last_line(log)}"
        return f"killed after step {before} of {steps}: {_difference(last, next(whole.glob('*/*/checkpoints/last.ckpt')))}"


def _difference(one: Path, other: Path) -> str:
    states = (torch.load(path, map_location="cpu", weights_only=True)["state_dict"] for path in (one, other))
    first, second = (torch.cat([v.flatten().double() for v in state.values()]) for state in states)
    return "equal weights" if first.equal(second) else f"weights differ by up to {float((first - second).abs().max()):.2g}"


def _last_line(log: Path) -> str:
    return (log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing was said"])[-1][:160]


def two_at_once(wanted: Recipe, device: str, steps: int, roots: dict[str, str]) -> str:
    """What becomes of two runs that are started together; in words."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        length = [f"--trainer.max_steps={steps}", "--trainer.max_epochs=-1", "--trainer.limit_val_batches=0"]
        arguments = ["fit", *wanted.options(folder, device, roots), *length]
        both = [started(arguments, folder / f"log{i}") for i in (0, 1)]
        codes = [process.wait() for process in both]
        runs = [run for run in folder.glob("runs/*/*") if is_finished(run)]
        rates = [f"{read_summary(run)['images_per_second']:.0f}" for run in runs]
        return f"exit codes {codes}, {len(runs)} finished runs, {' and '.join(rates)} images/s"


def cifar10_fast(wanted: Recipe, device: str, roots: dict[str, str]) -> str:
    """The whole recipe, and its test; in words."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if started(["fit", *wanted.options(folder, device, roots)], folder / "log").wait():
            return f"failed: {_last_line(folder / 'log')}"
        (run,) = folder.glob("runs/*/*")
        code = started(["test", f"--ckpt_path={run / 'checkpoints' / 'last.ckpt'}", *QUIET], folder / "log").wait()
        summary, accuracy = read_summary(run), test_metrics(run).get("test/accuracy")
        if accuracy is None:
            return f"failed in its test: {_last_line(folder / 'log')}"
        trained = summary["steps"] * 512 / summary["images_per_second"]
        return (
            f"test accuracy {accuracy:.4f} (expectation {'met' if code == 0 else 'missed'}); {trained:.1f} s of training, "
            f"{summary['seconds']:.1f} s with validation and checkpoints; {summary['images_per_second']:.0f} images/s"
        )
