"""Pictures of what a network says, beside the truth."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor
from torch.nn import functional as F
from torchvision.utils import make_grid

from datamodules.scene import Batch, InputError, unbind
from experiments.runs.files import PICTURES
from experiments.runs.folder import folder_of

from .drawing import draw, write_picture


def with_pictures_spelled(arguments: list[str]) -> list[str]:
    """A command line with ``--pictures false`` spelled as what it means, ``--pictures.count=0``; ``true`` is left out.

    (``--pictures`` with a file, or with ``{...}``, is the parser's own: the arguments of :class:`Pictures`.)

    Raises:
        InputError: it is given something else.
    """
    spelled = list[str]()
    for before, argument in zip(["", *arguments], arguments, strict=False):
        option, _, value = argument.partition("=")
        if option == "--pictures" and value:
            spelled += _spelled(value, [argument])
        elif before == "--pictures":
            spelled[-1:] = _spelled(argument, [before, argument])
        else:
            spelled.append(argument)
    return spelled


def _spelled(value: str, typed: list[str]) -> list[str]:
    """What ``--pictures VALUE`` means; as it was typed where that is the parser's to say."""
    if value.lower() in (meant := {"true": [], "false": ["--pictures.count=0"]}):
        return meant[value.lower()]
    if not value.startswith(("{", "-")) and not value.endswith((".yaml", ".yml", ".json")):
        raise InputError(f"--pictures {value}: expected true or false (or --pictures.count 8)")
    return typed


class Pictures(pl.Callback):
    """After validation, a grid of inputs with truth and prediction: into the run's ``pictures/``, and to W&B.

    Each scene is a pair, the truth on the left and the prediction on the right; of a task that changes its images (``given``:
    noise, a rotation) what the network was given stands between them, or under the prediction. A predicted image is shown
    itself. (``lectern predict`` draws a picture of each image, in :class:`PredictionWriter`.)

    Args:
        count: scenes in the picture, the first ones of the validation set; 0 (``--pictures false``) draws none, nor does
            ``lectern predict`` then.
        every_n_epochs: between two pictures.
    """

    def __init__(self, count: int = 8, every_n_epochs: int = 1) -> None:
        self.count, self.every_n_epochs = count, every_n_epochs
        self._pairs: list[Tensor] = []

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        self._collect(trainer, pl_module, outputs, batch)

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        self._collect(trainer, pl_module, outputs, batch)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer, f"epoch_{trainer.current_epoch:04d}")

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer, "test")

    @rank_zero_only
    def _collect(self, trainer: pl.Trainer, task: Any, predictions: Any, batch: Batch) -> None:
        skip = trainer.sanity_checking or not trainer.logger or trainer.current_epoch % self.every_n_epochs
        if skip or predictions is None:
            return
        left = min(self.count - len(self._pairs), len(predictions))
        if not left:
            return
        scenes, changes = unbind(batch), hasattr(task, "given")
        given = task.given(batch) if changes else batch["image"]
        for truth, image, prediction in zip(scenes[:left], given, predictions, strict=False):
            panels = [draw(truth["image"], truth, task.metadata, scale=truth)]
            if changes and "image" in prediction:
                panels.append(draw(image, {}, task.metadata))
            panels.append(draw(prediction.get("image", image), prediction, task.metadata, scale=truth))
            self._pairs.append(F.pad(torch.cat(panels, dim=2), (2, 2, 2, 2), value=255))

    @rank_zero_only
    def _write(self, trainer: pl.Trainer, name: str) -> None:
        pairs, self._pairs = self._pairs, []
        folder = folder_of(trainer)
        if not pairs or folder is None:
            return
        grid = make_grid(pairs, nrow=2, padding=2, pad_value=255)
        path = folder / PICTURES / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(grid, path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("pictures", [str(path)], caption=["truth | prediction"])
