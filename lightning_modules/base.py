"""The base of every task: what all of them share, written once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy
from torch import Tensor, nn
from torchmetrics import MetricCollection

from datamodules.scene import Batch, DatasetMetadata, InputError

from .accumulation import Step
from .defaults import Metadata, ask_for, default_network, default_optimizer, keep_plain, plain_metadata
from .evaluating import materialise
from .means import Mean, mean_losses, values, with_total
from .prediction import Prediction as Prediction
from .running import RunningLosses, over_ranks
from .schedules import Schedule
from .scheduling import Plateau, optimizer_of, scheduler_of, step_plateau, steps_of
from .uploads import moved

Stage = Literal["train", "val", "test"]


class Task(pl.LightningModule):
    """One problem of the lecture: a network, its losses, and what counts as success.

    A subclass says what it ``needs`` of a scene, and gives three short methods: :meth:`losses`, :meth:`predict` and
    :meth:`metrics` (with :meth:`metric_inputs`, which hands a batch to them). The steps of training, validation and test
    are here; so are optimizer, schedule and logging.

    Args:
        metadata: the data set's, ``data.metadata``; the command line fills it in.
        network: called with the number of outputs that the data set asks for, returns the network; None: ``default_network``.
        optimizer: any class of ``torch.optim``, given the parameters; None takes :func:`.defaults.default_optimizer`.
        scheduler: a class of ``torch.optim.lr_scheduler`` (stepped each epoch; OneCycleLR and CyclicLR each step;
            ReduceLROnPlateau when its metric is measured) or of ``lightning_modules.schedules`` (which know the run's length).
        channels_last: whether images reach the network as ``torch.channels_last`` (NHWC in memory); None takes what the
            network's class says (its attribute ``channels_last``, where it was measured to be faster; otherwise False). The
            results are equal up to rounding; ``lectern doctor`` measures what it gives here.
    """

    mean: Tensor
    std: Tensor

    needs: ClassVar[frozenset[str]]
    """The fields of a scene that the task is trained and scored on."""
    uses: ClassVar[frozenset[str]] = frozenset()
    """Further fields that it takes into account where a data set has them."""
    on_host: ClassVar[frozenset[str]] = frozenset({"index", "difficult", "crowd", "area"})
    """The fields of a batch that stay on the CPU: what they decide is decided there, and read from a GPU it would be waited
    for."""
    monitor: ClassVar[str]
    """The validation metric that decides which checkpoint is best."""
    default_network: ClassVar[str] = ""
    """The class path of the network where none is named. A path: a study that names its own is not to rest on this one."""
    mode: ClassVar[Literal["min", "max"]] = "max"
    """Whether the best value of ``monitor`` is the least or the greatest."""

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        optimizer: OptimizerCallable | None = None,
        scheduler: LRSchedulerCallable | None = None,
        channels_last: bool | None = None,
    ) -> None:
        super().__init__()
        self.metadata = DatasetMetadata.from_dict(plain_metadata(metadata))
        self._remember_arguments()
        self.make_optimizer, self.make_scheduler = optimizer or default_optimizer, scheduler
        self.lr: float | None = None  # in place of the optimizer's own: what Lightning's LearningRateFinder has found
        self.register_buffer("mean", torch.tensor(self.metadata.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(self.metadata.std).view(1, 3, 1, 1) * 255, persistent=False)
        self.network = (network or default_network(type(self)))(self.outputs())
        self.channels_last = bool(getattr(self.network, "channels_last", False)) if channels_last is None else channels_last
        materialise(self.network, self.metadata.image_size)
        self.val_metrics, self.test_metrics = self.metrics(), self.metrics()
        self.experiment: Callable[[], dict[str, Any]] | None = None
        """What rebuilds the experiment; the command line gives it, and each checkpoint has it, one of weights alone too."""
        self._eval_losses: list[dict[str, Mean]] = []
        self._step = Step()
        self._micro_batch: dict[str, Mean] | None = None
        """Where a step has several: the losses of the one whose gradient is due."""
        self._running = RunningLosses()
        self.step_losses: dict[str, Tensor] = {}
        """Of the last step, each loss and their sum, detached and on the device; who keeps them waits for nothing."""

    # A task's own -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def outputs(self) -> int:
        """The number that the network is made for: of classes, as a rule."""

    @abstractmethod
    def losses(self, outputs: Any, batch: Batch) -> dict[str, Mean]:
        """The losses by name, from what the network gave; the sum of these means is minimised."""

    @abstractmethod
    def predict(self, outputs: Any) -> list[Prediction]:
        """One prediction an image, from what the network gave: what metrics, pictures and ``lectern predict`` use."""

    def stacked(self, outputs: Any) -> dict[str, Tensor] | None:
        """The same as :meth:`predict`, each field as one tensor (B, ...); None where images differ in their numbers of things.

        A task that gives it has its :meth:`predict` from :func:`.prediction.unstacked`, and an exported graph without a loop.
        """
        return None

    @abstractmethod
    def metrics(self) -> MetricCollection:
        """Fresh metrics, one call each for validation and test."""

    @abstractmethod
    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        """The keyword arguments of the metrics' ``update``."""

    # Shared by all ----------------------------------------------------------------------------------------------------

    def forward(self, images: Tensor) -> Any:
        """The network's outputs for images as they travel: uint8 (B, 3, H, W)."""
        return self.network(self.normalized(images))

    def normalized(self, images: Tensor) -> Tensor:
        """Images as the network takes them, float (B, 3, H, W), normalised and in its memory format, from uint8."""
        # In one new tensor, and before the conversion: a broadcast over three channels in a row takes thrice as long.
        images = images.to(self.mean, copy=True, memory_format=torch.contiguous_format).sub_(self.mean).div_(self.std)
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def __setattr__(self, name: str, value: Any) -> None:
        if (value is None or isinstance(value, str)) and name in self.__dict__:
            self.__dict__[name] = value  # no parameter or module; Lightning notes each hook's name so, 46 times a step
        else:
            super().__setattr__(name, value)

    def respond(self, batch: Batch) -> Any:
        """The network's outputs for a batch; a task whose network is given more than the images gives it here."""
        return self(batch["image"])

    def setup(self, stage: str) -> None:
        ask_for(self.needs, self.uses, getattr(self.trainer, "datamodule", None), stage)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        losses = self.losses(self.respond(batch), batch)
        if batch_idx % self.trainer.accumulate_grad_batches == 0:
            self._step = Step()
        if self.trainer.accumulate_grad_batches == 1:
            return self._end_step(losses)
        self._micro_batch = losses
        return with_total(values(losses))["loss"]

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """The gradient of the step's means: over all ranks, and over all micro-batches where a step has several."""
        if self._micro_batch is None:
            return super().backward(loss, *args, **kwargs)
        losses, self._micro_batch = self._micro_batch, None
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)  # of 16-mixed
        scale = scaler.get_scale() if scaler else 1.0
        if self._step_goes_on():
            trained = (p for p in self.parameters() if p.requires_grad)
            self._step.keep(losses, trained, scale * self.trainer.world_size)
        else:
            self._end_step(losses, scale).backward()  # type: ignore[no-untyped-call]

    def _step_goes_on(self) -> bool:
        """Whether further micro-batches belong to the step; the last batch of an epoch ends one that is not full."""
        strategy = self.trainer.strategy
        if not isinstance(strategy, DDPStrategy | SingleDeviceStrategy):
            raise InputError(
                f"trainer.accumulate_grad_batches: {type(strategy).__name__} keeps no gradients of its own on each device; "
                "set it to 1, or trainer.strategy to ddp"
            )
        done = self.trainer.fit_loop.epoch_loop.batch_progress.current.ready
        return done % self.trainer.accumulate_grad_batches > 0 and not self.trainer.is_last_batch

    def _end_step(self, losses: dict[str, Mean], scale: float = 1.0) -> Tensor:
        """What is to be differentiated of a step's last micro-batch, which as a rule is its only one."""
        ranks = self.trainer.world_size  # the strategy averages gradients over them
        loss, parts = self._step.end(losses, self._sum_over_ranks, scale * ranks)
        self.step_losses = with_total(parts if ranks == 1 else {name: part * ranks for name, part in parts.items()})
        self._running.add(self.step_losses)
        return loss

    def _sum_over_ranks(self, counts: Tensor) -> Tensor:
        return (
            counts if self.trainer.world_size == 1 else torch.as_tensor(self.trainer.strategy.reduce(counts, reduce_op="sum"))
        )

    def validation_step(self, batch: Batch | None, batch_idx: int) -> Any:
        return self._evaluate(batch, "val", self.val_metrics)

    def test_step(self, batch: Batch | None, batch_idx: int) -> Any:
        return self._evaluate(batch, "test", self.test_metrics)

    def predict_step(self, batch: Batch | None, batch_idx: int) -> list[Prediction] | None:
        return None if batch is None else self.predict(self.respond(batch))

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """The batch on the device, but for what is ``on_host``; Lightning's own looks into every name and size."""
        if not isinstance(batch, dict):
            return super().transfer_batch_to_device(batch, device, dataloader_idx)
        here = self.on_host | {"original"}  # an image as it lies on disk is drawn upon where it is
        return {field: value if field in here else moved(value, device) for field, value in batch.items()}

    def _evaluate(self, batch: Batch | None, stage: Stage, metrics: MetricCollection) -> list[Prediction] | None:
        if batch is None:  # this device's share of the last batch is empty
            return None
        outputs = self.respond(batch)
        self._eval_losses.append(self.losses(outputs, batch))
        predictions = self.predict(outputs)
        metrics.update(**self.metric_inputs(predictions, batch))
        return predictions

    def on_validation_epoch_end(self) -> None:
        self._log_metrics("val", self.val_metrics)

    def on_test_epoch_end(self) -> None:
        self._log_metrics("test", self.test_metrics)

    def _log_metrics(self, stage: Stage, metrics: MetricCollection) -> None:
        """Computes each metric once over the whole set, on all devices together, and starts afresh."""
        computed = metrics.compute() | mean_losses(self._eval_losses)
        logged = {f"{stage}/{name}": value for name, value in computed.items()}
        self.log_dict(logged)
        metrics.reset()
        self._eval_losses = []
        if self.trainer.state.fn == "fit" and not self.trainer.sanity_checking:
            step_plateau(self, logged)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        if means := self._due_means():
            for name, value in over_ranks(means, self.trainer.strategy).items():
                self.log(name, value, prog_bar=name == "train/loss", batch_size=1)

    def on_train_epoch_end(self) -> None:
        # What validation measures is new at its end only; all else as often as an epoch ends.
        metrics = self.trainer.callback_metrics
        step_plateau(self, {name: value for name, value in metrics.items() if not name.startswith("val/")})

    def lr_scheduler_step(self, scheduler: Any, metric: Any | None) -> None:
        if metric is not None or not isinstance(scheduler, Plateau):  # of that one, Lightning knows no metric
            super().lr_scheduler_step(scheduler, metric)

    def on_train_start(self) -> None:
        for config in self.trainer.lr_scheduler_configs:
            if isinstance(config.scheduler, Schedule):
                config.scheduler.stretch(self.schedule_steps(config.scheduler))
        # A checkpoint is written before its own step is logged; a run resumed from it logs that step here.
        if means := self._due_means():
            self.log_directly(means, self._running.epoch)

    def log_directly(self, means: dict[str, Tensor], epoch: int) -> None:
        """Logs means over the ranks for the step that has just been done, where :meth:`log` comes too late or says too much."""
        metrics = {name: float(value) for name, value in over_ranks(means, self.trainer.strategy).items()} | {"epoch": epoch}
        for logger in self.loggers:
            logger.log_metrics(metrics, step=self.global_step - 1)

    def _due_means(self) -> dict[str, Tensor]:
        return self._running.due_means(self.global_step, int(self.trainer.log_every_n_steps))  # type: ignore[attr-defined]

    def schedule_steps(self, scheduler: Schedule) -> int:
        """The optimizer steps that a schedule is laid out over: the run's.

        Raises:
            InputError: it has no end.
        """
        return steps_of(self.trainer, scheduler)

    def configure_optimizers(self) -> Any:
        optimizer = optimizer_of(self.make_optimizer, (p for p in self.parameters() if p.requires_grad), self.lr)
        if self.make_scheduler is None:
            return optimizer
        config = scheduler_of(self.make_scheduler, optimizer, self.trainer)
        if isinstance(config["scheduler"], Schedule):
            config["scheduler"].total_steps = self.schedule_steps(config["scheduler"])
        return {"optimizer": optimizer, "lr_scheduler": config}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if self.experiment:
            checkpoint["experiment"] = self.experiment()
        # Without these, the first mean that a resumed run logs would lack the steps before the checkpoint.
        checkpoint["running_losses"] = self._running.state(self.current_epoch)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if "running_losses" in checkpoint:  # not where it is of weights alone
            trainer = self._trainer
            rank, ranks = (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 0)
            self._running.load(checkpoint["running_losses"], rank, ranks, self.device)

    def _remember_arguments(self) -> None:
        """Keeps the arguments that a checkpoint can hold: from the command line all of them, as plain configuration."""
        self.save_hyperparameters()
        keep_plain(self.hparams)
