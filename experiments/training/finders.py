"""Lightning's LearningRateFinder and BatchSizeFinder: what they found is what the run is, and what its configuration says."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import BatchSizeFinder, LearningRateFinder
from pytorch_lightning.cli import SaveConfigCallback
from pytorch_lightning.utilities import rank_zero_info

from datamodules.scene import InputError
from experiments.lightning_compat import limit_batch_size_finder

from .once import Once, callbacks_of

FINDERS = (LearningRateFinder, BatchSizeFinder)


class Found(Once):
    """Takes over what the finders among a run's callbacks found, which stand before it in the list.

    The configuration then has the values and no finder any more, so that it repeats this run. Optimizer and schedule are
    built anew: a schedule multiplies the learning rate that it was made with.
    """

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        for callback in callbacks_of(trainer):
            if stage == "fit" and isinstance(callback, BatchSizeFinder):
                loader = trainer.datamodule.train_dataloader()  # type: ignore[attr-defined]
                limit_batch_size_finder(callback, loader.scenes)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.leave(trainer)
        finders = [c for c in callbacks_of(trainer) if isinstance(c, FINDERS)]
        if not finders or trainer.fast_dev_run:  # type: ignore[attr-defined]  # Lightning skips them, and says so
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        configs = [c.config for c in callbacks_of(trainer) if isinstance(c, SaveConfigCallback)]
        for finder in finders:
            if isinstance(finder, BatchSizeFinder):
                rank_zero_info(f"BatchSizeFinder: data.batch_size is {data.batch_size}")
                for config in configs:
                    config["data"]["init_args"]["batch_size"] = data.batch_size
            elif finder.optimal_lr is None or finder.optimal_lr.suggestion() is None:
                raise InputError(
                    "trainer.callbacks: LearningRateFinder made too few steps to suggest a learning rate; give it more "
                    "(num_training_steps, trainer.max_epochs), or leave it out"
                )
            elif pl_module.lr is not None:
                rank_zero_info(f"LearningRateFinder: model.optimizer.lr is {pl_module.lr:g}")
                for config in configs:
                    config["model"]["init_args"]["optimizer"]["init_args"]["lr"] = pl_module.lr
        for config in configs:
            config["trainer"]["callbacks"] = without_finders(config["trainer"]["callbacks"])
        trainer.strategy.setup_optimizers(trainer)


def take_up(config: Any, experiment: dict[str, Any]) -> None:
    """Gives a run that is resumed what its finders found, in their place: they would search again, with trained weights.

    Args:
        config: the settings of ``fit``.
        experiment: what the checkpoint says of its data and model.
    """
    named = [str(callback.class_path).rsplit(".", 1)[-1] for callback in config.trainer.callbacks or []]
    if BatchSizeFinder.__name__ in named:
        config["data"]["init_args"]["batch_size"] = experiment["data"]["init_args"]["batch_size"]
    if LearningRateFinder.__name__ in named:
        config["model"]["init_args"]["optimizer"]["init_args"]["lr"] = _lr(experiment)
    config["trainer"]["callbacks"] = without_finders(config.trainer.callbacks)


def without_finders(callbacks: Any) -> Any:
    """The configuration's callbacks, their classes named, without the finders."""
    names = [finder.__name__ for finder in FINDERS]
    return callbacks and [c for c in callbacks if str(c.class_path).rsplit(".", 1)[-1] not in names]


def _lr(experiment: dict[str, Any]) -> float:
    return float(experiment["model"]["init_args"]["optimizer"]["init_args"]["lr"])
