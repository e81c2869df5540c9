"""LightningCLI as it ships, with run folders, recipe names and checks in front."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from jsonargparse.typing import PositiveFloat
from pytorch_lightning.accelerators import CPUAccelerator
from pytorch_lightning.cli import LightningArgumentParser

import datamodules.exports  # noqa: F401  (makes the short class names known)
import lightning_modules  # noqa: F401
from datamodules.base import DataModule
from datamodules.image_files import ImageFiles
from datamodules.scene import COMPUTED, InputError
from experiments import recipes
from experiments.command_line.early import read_early, say_which_checkpoint
from experiments.command_line.mistakes import input_error
from experiments.lightning_compat import OpenLightningCLI, forget_nvml, parse_unchecked, set_rank_timeout
from experiments.runs.expectations import check_expectations, parse_expectations
from experiments.runs.files import CHECKPOINTS, PICTURES
from experiments.runs.folder import RunFolder
from experiments.runs.lock import releasing
from experiments.runs.report import write_evaluation_report, write_report
from lightning_modules.base import Task

from . import building, expected_data, exported, finders, fine_tuning, loss_options, monitors, rebuilding, trainer_options
from .both_ends import compare_ends
from .catalog import check_fit
from .checkpoint_io import AtomicCheckpoints, WeightsAlone, read
from .divergence import OnNan
from .errors import readable
from .filter_pictures import FirstLayerFilters  # noqa: F401  (makes its short name known)
from .guessed_data import with_data_guessed
from .keeping import KeepLast
from .memory import keep_freed_memory
from .outcome import baselines, measured_lines, outcome, where
from .parsing import Parser, say_what_is_hidden
from .pictures import Pictures, with_pictures_spelled
from .profiling import NoProfiler
from .quiet import quiet
from .resuming import GoOn, Resumed
from .run_choice import CHOSEN, choose
from .saving import SaveConfig
from .wandb_logging import WandbMode, finish_wandb


class LecternCLI(OpenLightningCLI):
    """fit, validate, test and predict, for every task on every data module."""

    def __init__(self, args: list[str] | None = None) -> None:
        keep_freed_memory()
        forget_nvml()
        self.verb = next(iter(sys.argv[1:] if args is None else args), "")
        self.saved: rebuilding.Saved | None = None
        self.run_folder: RunFolder | None = None
        """Where this command writes; None where it writes nothing."""
        self.resumed: Resumed | None = None
        """The run that a fit goes on with; None where a new one begins."""
        self.held: dict[Path, dict[str, Any]] = {}
        """The content of its checkpoint, until the training takes it."""
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
        parser.epilog = "--recipes FOLDER: the folder of your own recipes, for --config NAME; ./recipes by default."
        parser.add_argument("--runs", type=str, default="runs", help="the folder of all runs")
        parser.add_argument("--name", type=str | None, default=None, help="of the run; the recipe's name by default")
        parser.add_argument(
            "--version", type=str | None, default=None, help="of the run, its folder's name; the time by default"
        )
        parser.add_argument("--overwrite", type=bool, default=False, help="of a run of that --version: replaces it by this one")
        parser.add_argument(
            "--init_from",
            type=str | None,
            default=None,
            help="of fit: a checkpoint or state dict whose weights a new run takes",
        )
        parser.add_argument("--wandb", type=WandbMode, default="auto", help="auto: online where you are logged in")
        parser.add_argument("--rank_timeout", type=PositiveFloat, default=5.0, help="minutes until a silent rank ends the run")
        parser.add_argument(
            "--on_nan",
            type=OnNan,
            default="stop",
            help="where a loss, or a checkpoint's weight, is not finite: stop, or continue",
        )
        parser.add_argument("--expect", type=dict[str, str] | None, default={}, help="what `lectern test` checks")
        parser.add_argument("--test_at_end", type=bool, default=True, help="of fit: tests best.ckpt and last.ckpt at its end")
        parser.add_argument(
            "--findings", type=bool, default=True, help="of a test: writes what went wrong, and the worst scenes"
        )
        parser.add_class_arguments(Pictures, "pictures")
        parser.add_class_arguments(KeepLast, "checkpoint")
        parser.link_arguments("data.metadata", "model.init_args.metadata", _as_dict, apply_on="instantiate")

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """The command's own alone, where it is one: a parser of each takes longer than all the rest of the building."""
        every = super().subcommands()
        return {self.verb: every[self.verb]} if self.verb in every else every

    def parser_of(self, subcommand: str) -> Parser:
        return cast("Parser", super().parser_of(subcommand))

    # Parsing ----------------------------------------------------------------------------------------------------------

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        early = read_early(sys.argv[1:] if args is None else list(args))
        command = early.arguments[0] if early.arguments else ""
        if command in self.subcommands():
            early = early._replace(arguments=with_pictures_spelled(early.arguments))
            parser.early, parser.command = early, self.parser_of(command)
            parser.command.own_recipes, parser.command.early = early.own_recipes, early
        if command == "fit":
            early = early._replace(arguments=with_data_guessed(early))
        self.early = early
        if command in ("validate", "test", "predict") and early.checkpoint:
            say_which_checkpoint(early)
            path, trusted = Path(early.checkpoint), early.trusted
            if path.suffix == exported.SUFFIX:
                self.saved, trusted = exported.saved_of(path, command), (*trusted, exported.__name__)
            else:
                self.saved = rebuilding.Saved.for_evaluation(path)
            unshown = [a for a in early.arguments if not a.startswith("--print_config")]
            parse = lambda: parse_unchecked(parser, unshown)[command]  # noqa: E731
            rebuilding.start_from(self.saved, self.parser_of(command), parse, trusted)
        self.config = parser.parse_args(early.arguments)
        if self.saved:
            self.config[command]["ckpt_path"] = early.checkpoint
        files = [Path(str(path)) for path in self.config[command].config or []]
        say_what_is_hidden(files, early.own_recipes)
        self.recipe = recipes.name_of(files[0], early.own_recipes) if files else ""

    def before_instantiate_classes(self) -> None:
        config = self.config[self.subcommand]
        config["expect"] = config.expect or {}
        parse_expectations(config.expect)
        if self.subcommand == "fit" and config.model.init_args.get("optimizer", "none is taken") is None:
            raise InputError("model.optimizer: a training needs one, such as --model.optimizer torch.optim.AdamW")
        trainer_options.check_values(config.trainer)
        loss_options.check(config.model.init_args)
        check_fit(config.model.class_path, config.data.class_path)
        if why := expected_data.left_behind(str(self.subcommand), self.early, config.data, self.saved):
            print(f"lectern: {why}", file=sys.stderr)
            config["expect"] = {}
        if self.saved:
            if self.saved.diverged and config.on_nan == "stop":
                why = f"{self.saved.diverged}; evaluate an earlier checkpoint (--on_nan continue takes this one)"
                raise InputError(f"{self.saved.path}: {why}")
            rebuilding.check_root(self.saved, config.data.init_args.get("root"))
        name, self.take_folder = choose(str(self.subcommand), config, self.recipe, self.saved, config.rank_timeout)
        config["name"] = name
        if self.subcommand == "fit":
            self._resume_or_begin(config)

    def _resume_or_begin(self, config: Any) -> None:
        if config.ckpt_path:
            path = Path(config.ckpt_path)
            self.held[path] = read(path)
            self.resumed = Resumed.of_content(self.held[path], path)
            finders.take_up(config, self.resumed.experiment)
            self.resumed.check(config, self.parser_of("fit"))
        elif config.init_from:
            fine_tuning.begin(config)

    # Building ---------------------------------------------------------------------------------------------------------

    def instantiate_classes(self) -> None:
        try:
            super().instantiate_classes()
        except (ValueError, TypeError) as error:
            raise (input_error(error) or InputError(readable(str(error)))) from error
        task, data = self.model, self.datamodule
        for line in self.saved.differences(data.metadata.as_dict()) if self.saved else ():
            print(f"lectern: {line}", file=sys.stderr)
        if str(self.config_init[self.subcommand].trainer.precision) in ("64", "64-true"):
            task.double()  # Lightning converts after it has loaded a checkpoint, which rounds the weights to float32
        # Prediction asks for no annotation, but for what is computed from the image.
        data.require(task.needs | (task.uses & data.provides) if self.subcommand != "predict" else task.needs & COMPUTED)
        if self.subcommand == "predict" and isinstance(data, ImageFiles):
            data.invalid = "skip"  # one photograph that cannot be read keeps no other from its prediction
        data.originals = self.subcommand == "predict" and self.config_init[self.subcommand].pictures.count > 0

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        config = self.config_init[self.subcommand]
        if self.resumed:
            self.resumed.check_metadata(self.datamodule.metadata.as_dict())
        self.run_folder = self.take_folder() if building.leaves_files(str(self.subcommand), config) else None
        if not self.run_folder and not building.has_checkpoints_of_its_own(config):
            kwargs["enable_checkpointing"] = False  # Lightning's default would write into the current folder
        torch.use_deterministic_algorithms(config.trainer.deterministic is True)
        if config.trainer.profiler is None:
            kwargs["profiler"] = NoProfiler()
        checkpoints = AtomicCheckpoints if self.subcommand == "fit" else WeightsAlone
        plugin, self.held = checkpoints(self.model, self.held), {}
        loggers = building.loggers(str(self.subcommand), config, self.run_folder, self.plain_config)
        callbacks = trainer_options.usable(config.trainer)
        if self.subcommand == "fit":
            folder = self.run_folder.folder if self.run_folder else None
            trainer_options.check_callbacks(config.trainer, callbacks, folder and folder / CHECKPOINTS)
            if folder and config.trainer.default_root_dir is None:
                kwargs["default_root_dir"] = str(folder)  # where callbacks put what they put beside checkpoints
        trainer = super().instantiate_trainer(
            **{"logger": loggers, **kwargs, **trainer_options.without_features(config.trainer)},
            callbacks=[
                *callbacks,
                *self.own_callbacks(config),
                *([GoOn()] if self.resumed else fine_tuning.callbacks(str(self.subcommand), config)),
            ],
            plugins=[*building.listed(config.trainer.plugins), plugin],
        )
        if config.trainer.sync_batchnorm and trainer.world_size > 1 and isinstance(trainer.accelerator, CPUAccelerator):
            raise InputError(
                "trainer.sync_batchnorm works on GPUs only; leave it out, or use a task without batch normalisation"
            )
        set_rank_timeout(trainer, config.rank_timeout)
        return trainer

    def plain_config(self) -> dict[str, Any]:
        command = str(self.subcommand)
        return self.parser_of(command).plain(self.config[command])

    def own_callbacks(self, config: Any) -> list[pl.Callback]:
        """Those beside the configuration's own."""
        return building.callbacks(str(self.subcommand), config, self.run_folder, self.model, self.plain_config()["data"])

    # Around the run ---------------------------------------------------------------------------------------------------

    def after_fit(self) -> None:
        monitors.say_what_was_never_measured(self.trainer)
        if not self.run_folder:
            return
        config = self.config_init["fit"]
        tested = compare_ends(self.trainer, self.model, self.datamodule, self.run_folder, config) if config.test_at_end else []
        if self.trainer.is_global_zero:
            folder = self.run_folder.folder
            print("", *outcome(folder, self.model.monitor, self.model.mode, write_report(folder), tested), sep="\n")

    def after_validate(self) -> None:
        self.say_what_was_measured()
        if self.run_folder and self.trainer.is_global_zero:
            print(f"report    {write_evaluation_report(self.run_folder.folder)}", *where(self.run_folder.folder), sep="\n")

    def say_what_was_measured(self) -> None:
        """The metrics, rounded, in place of Lightning's table."""
        if self.trainer.is_global_zero and self.config_init[self.subcommand].verbose:
            measured = {name: float(value) for name, value in self.trainer.callback_metrics.items()}
            beside = baselines(self.run_folder.folder) if self.run_folder else {}
            print("", *measured_lines(measured, beside), sep="\n")

    def after_test(self) -> None:
        self.say_what_was_measured()
        self.failed = not check_expectations(self.config[self.subcommand].expect, self.trainer.callback_metrics)
        if self.run_folder and self.trainer.is_global_zero:
            folder = self.run_folder.folder
            print(f"pictures  {folder / PICTURES}\nreport    {write_evaluation_report(folder)}", *where(folder), sep="\n")

    def after_predict(self) -> None:
        self.failed = isinstance(self.datamodule, ImageFiles) and bool(self.datamodule.skipped)


def _as_dict(metadata: Any) -> dict[str, Any]:
    return dict(metadata.as_dict())


def run() -> int:
    """``lectern fit`` and its like, with the arguments of the command line; returns the exit code."""
    return run_cli(LecternCLI)


def run_cli(start: Callable[[], LecternCLI]) -> int:
    """Runs a command line; returns the exit code, 1 where what was expected was missed."""
    with releasing():
        return _run_cli(start)


def _run_cli(start: Callable[[], LecternCLI]) -> int:
    with quiet():
        try:
            cli = start()
        finally:
            os.environ.pop(CHOSEN, None)  # what comes after in this process is another run
            finish_wandb()
    return int(getattr(cli, "failed", False))
