"""LightningCLI as it ships, with run folders, recipe names and checks in front."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
import yaml
from jsonargparse.typing import PositiveFloat
from pytorch_lightning.accelerators import CPUAccelerator
from pytorch_lightning.callbacks import ModelCheckpoint, TQDMProgressBar
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities.exceptions import SIGTERMException

import datamodules  # noqa: F401  (makes the short class names known)
import lightning_modules  # noqa: F401
from datamodules.base import DataModule
from datamodules.scene import COMPUTED, InputError
from experiments import recipes
from experiments.runs.expectations import check_expectations, parse_expectations
from experiments.runs.files import CHECKPOINTS, CONFIG, PICTURES
from experiments.runs.folder import EvaluationFolder, RunFolder, folder_of, write_atomically
from experiments.runs.report import write_report
from lightning_modules.base import Task

from . import rebuilding
from .callbacks import Reproducible, RunSummary
from .catalog import check_fit
from .checkpoint_io import AtomicCheckpoints
from .keeping import KeepLast
from .memory import keep_freed_memory
from .pictures import Pictures
from .predictions import PredictionWriter
from .profiling import NoProfiler
from .wandb_logging import WandbMode, finish_wandb, wandb_logger

Command = Literal["fit", "validate", "test", "predict"]


class Parser(LightningArgumentParser):
    """Says what is wrong in one line, without the page of usage before it."""

    def error(self, message: str, ex: Exception | None = None) -> Any:
        raise InputError(readable(message))


def readable(message: str) -> str:
    """jsonargparse's account of a value that fits no member of a union, reduced to the key and what is wrong with it.

    It nests: each level names its key, lists the members it tried, and repeats the value.
    """
    text = " ".join(str(message).split())
    text = re.sub(r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: - ", "", text)
    keys = re.findall(r'Parser key "([^"]+)": ?', text)
    innermost = re.split(r'Parser key "[^"]+": ?', text)[-1]
    reason = re.split(r" - Expected a <class 'NoneType'>| Given value|; Union", innermost)[0]
    if unknown := re.search(r"Expected a dot import path string: (\S+)", reason):
        reason = f"there is no class {unknown[1]} (lectern list shows what there is)"
    return f"{'.'.join(keys)}: {reason}" if keys else reason


class LecternCLI(LightningCLI):
    """fit, validate, test and predict, for every task on every data module."""

    def __init__(self, args: list[str] | None = None) -> None:
        keep_freed_memory()
        super().__init__(
            Task,
            DataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=SaveConfig,
            seed_everything_default=0,
            # The data modules slice batches by rank themselves, and without Lightning's padding by repeats.
            trainer_defaults={"use_distributed_sampler": False},
            auto_configure_optimizers=False,
            parser_class=Parser,
            parser_kwargs={"default_env": True, "env_prefix": "LECTERN", "prog": "lectern"},
            args=args,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--runs", type=str, default="runs", help="the folder of all runs")
        parser.add_argument("--name", type=str | None, default=None, help="of the run; the recipe's name by default")
        parser.add_argument(
            "--version", type=str | None, default=None, help="of the run, its folder's name; the time by default"
        )
        parser.add_argument("--wandb", type=WandbMode, default="auto", help="auto: online where you are logged in")
        parser.add_argument("--rank_timeout", type=PositiveFloat, default=5.0, help="minutes until a silent rank ends the run")
        parser.add_argument("--expect", type=dict[str, str], default={}, help="what `lectern test` checks")
        parser.add_class_arguments(Pictures, "pictures")
        parser.add_class_arguments(KeepLast, "checkpoint")
        parser.link_arguments("data.specification", "model.init_args.specification", _as_dict, apply_on="instantiate")

    # Parsing ----------------------------------------------------------------------------------------------------------

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        arguments = recipes.resolve(sys.argv[1:] if args is None else list(args))
        self.recipe = recipes.name_of(arguments)
        self.config = parser.parse_args(rebuilding.complete(arguments))

    def _parse_ckpt_path(self) -> None:
        """Not Lightning's: there a checkpoint's arguments silently override the recipe and the command line."""

    def before_instantiate_classes(self) -> None:
        config = self.config[self.subcommand]
        parse_expectations(config.expect)
        check_fit(config.model.class_path, config.data.class_path)
        self.run_folder = self._run_folder()

    def _run_folder(self) -> RunFolder:
        config = self.config[self.subcommand]
        name = config.name or self.recipe or f"{_short(config.model)}_{_short(config.data)}".lower()
        path = config.get("ckpt_path")
        if self.subcommand != "fit":
            if not path:
                raise InputError(
                    f"lectern {self.subcommand} needs --ckpt_path: without a checkpoint it would score random weights"
                )
            rebuilding.check(Path(path), config.model.class_path)
            folder = rebuilding.run_folder_of(Path(path))
            return EvaluationFolder.of(folder) if folder else EvaluationFolder(config.runs, name)
        if path == "last":
            found = rebuilding.last_unfinished(Path(config.runs) / name)
            config["ckpt_path"] = path = str(found) if found else None
            print(f"resuming {found}" if found else f"no unfinished run of {name} in {config.runs}: a new one begins")
        if not path:
            return RunFolder(config.runs, name, config.version)
        rebuilding.check(Path(path), config.model.class_path)
        folder = rebuilding.run_folder_of(Path(path))
        return RunFolder.of(folder) if folder else RunFolder(config.runs, name)

    # Building ---------------------------------------------------------------------------------------------------------

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except (ValueError, TypeError) as error:
            raise (_input_error(error) or InputError(readable(str(error)))) from error
        task, data = self.model, self.datamodule
        if str(self.config_init[self.subcommand].trainer.precision) in ("64", "64-true"):
            task.double()  # Lightning converts after it has loaded a checkpoint, which rounds the weights to float32
        # Prediction asks for no annotation, but for what is computed from the image.
        data.require(task.needs | (task.uses & data.provides) if self.subcommand != "predict" else task.needs & COMPUTED)

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        config = self.config_init[self.subcommand]
        torch.use_deterministic_algorithms(config.trainer.deterministic is True)
        if config.trainer.profiler is None:
            kwargs["profiler"] = NoProfiler()
        trainer = super().instantiate_trainer(
            **kwargs,
            logger=self._loggers(config),
            callbacks=[*(config.trainer.callbacks or []), *self._callbacks(config)],
            plugins=[*_listed(config.trainer.plugins), AtomicCheckpoints()],
        )
        if config.trainer.sync_batchnorm and trainer.world_size > 1 and isinstance(trainer.accelerator, CPUAccelerator):
            raise InputError(
                "trainer.sync_batchnorm works on GPUs only; leave it out, or use a task without batch normalisation"
            )
        if hasattr(trainer.strategy, "_timeout"):
            # Lightning takes it as an argument of the strategy's class alone; "ddp" on the command line has no arguments.
            trainer.strategy._timeout = timedelta(minutes=config.rank_timeout)
        return trainer

    def _loggers(self, config: Any) -> list[Logger] | bool:
        if config.trainer.logger is False or config.trainer.fast_dev_run:
            return False
        own = [] if config.trainer.logger in (None, True) else _listed(config.trainer.logger)
        if self.subcommand != "fit":
            return [self.run_folder, *own]
        return [self.run_folder, *wandb_logger(config.wandb, self.run_folder), *own]

    def _callbacks(self, config: Any) -> list[pl.Callback]:
        folder = self.run_folder.folder
        callbacks: list[pl.Callback] = [Reproducible(), RunSummary(self.run_folder), config.pictures]
        if config.trainer.enable_progress_bar is not False:
            callbacks.append(TQDMProgressBar(refresh_rate=10))
        if self.subcommand == "predict":
            callbacks.append(PredictionWriter(folder))
        if self.subcommand == "fit" and config.trainer.enable_checkpointing is not False and not config.trainer.fast_dev_run:
            best = ModelCheckpoint(
                folder / CHECKPOINTS,
                filename="best",
                monitor=self.model.monitor,
                mode=self.model.mode,
                auto_insert_metric_name=False,
                enable_version_counter=False,
            )
            callbacks += [best, config.checkpoint]
        return callbacks

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        return super()._prepare_subcommand_kwargs(subcommand) | {"weights_only": True}

    # Around the run ---------------------------------------------------------------------------------------------------

    def after_fit(self) -> None:
        if self.trainer.is_global_zero and self.trainer.logger:
            folder = self.run_folder.folder
            best = folder / CHECKPOINTS / "best.ckpt"
            print(f"\nrun       {folder}\npictures  {folder / PICTURES}\nreport    {write_report(folder)}")
            if best.is_file():
                print(f"next      lectern test --ckpt_path {best}")

    def after_test(self) -> None:
        self.failed = not check_expectations(self.config[self.subcommand].expect, self.trainer.callback_metrics)
        if self.trainer.is_global_zero and self.trainer.logger:
            folder = self.run_folder.folder
            print(f"pictures  {folder / PICTURES}\nreport    {write_report(folder)}")


class SaveConfig(SaveConfigCallback):
    """Writes the resolved configuration into the run's folder, and into each checkpoint what rebuilds the experiment."""

    def __init__(self, parser: LightningArgumentParser, config: Any, **kwargs: Any) -> None:
        super().__init__(parser, config, overwrite=True)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit" and trainer.is_global_zero and (folder := folder_of(trainer)):
            write_atomically(folder / CONFIG, self.parser.dump(self.config, skip_none=False))

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        plain = yaml.safe_load(self.parser.dump(self.config, skip_none=False))
        checkpoint["experiment"] = {key: plain.get(key) for key in ("model", "data", "expect", "name", "seed_everything")}


def _as_dict(specification: Any) -> dict[str, Any]:
    return dict(specification.as_dict())


def _short(config: Any) -> str:
    return str(config.class_path).rsplit(".", 1)[-1]


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def run() -> int:
    """``lectern fit`` and its like, with the arguments of the command line; returns the exit code."""
    return run_cli(LecternCLI)


def run_cli(start: Callable[[], LecternCLI]) -> int:
    """Runs a command line; what a person got wrong is one line on stderr. Returns the exit code."""
    _quiet()
    try:
        cli = start()
    except SIGTERMException as stopped:  # Lightning's has no code, where the signal came before the training
        print("\nstopped; --ckpt_path last goes on from here", file=sys.stderr)
        return int(stopped.code or 128 + signal.SIGTERM)
    except Exception as error:
        wrong = _input_error(error)
        if wrong is None or os.environ.get("LECTERN_TRACEBACK"):
            raise
        print(f"lectern: {_one_line(wrong)}", file=sys.stderr)
        return 2
    finally:
        finish_wandb()
    return int(getattr(cli, "failed", False))


def _input_error(error: BaseException | None) -> InputError | None:
    """The InputError that an exception is, or was raised from."""
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
    return error


def _one_line(error: Exception) -> str:
    """The message; of an error raised in a loader's worker the last line, since torch puts a stack trace before it."""
    text = str(error).strip()
    return text.splitlines()[-1].split("Error: ", 1)[-1] if "Original Traceback" in text else " ".join(text.split())


def _quiet() -> None:
    """Keeps Lightning's advice that does not apply here from the screen."""
    for message in (
        ".*does not have many workers.*",
        ".*dataloader is not resumable.*",
        ".*Checkpoint directory .* exists.*",
        ".*It is recommended to use .*sync_dist=True.*",  # metrics are gathered before they are logged
        ".*overridden `transfer_batch_to_device` in `LightningModule`.*",  # batches move as each task wants
    ):
        warnings.filterwarnings("ignore", message)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(lambda record: "Tip:" not in record.getMessage())
    os.environ.setdefault("WANDB_SILENT", "true")
    for message in (".*callbacks used to create the checkpoint.*", ".*LeafSpec.*", ".*persistent_workers.*"):
        warnings.filterwarnings("ignore", message)
    warnings.filterwarnings("ignore", ".*was called before the .*update.* method.*")  # a rank with no sample
