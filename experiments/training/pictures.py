"""Pictures of what a network says, beside the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only

from datamodules.scene import Batch, InputError, unbind
from experiments.runs.files import PICTURES
from experiments.runs.folder import folder_of

from .drawing import write_picture
from .legend import MIN_SCORE
from .panels import Panels, panels_of
from .sheet import sheet


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
    """After validation, a sheet of scenes with truth and prediction: into the run's ``pictures/``, and to W&B.

    Each scene is a row: input, truth, prediction and errors, as far as there is anything of each (:func:`panels_of`), with a
    legend of the classes below. Of a class of the whole image, four scenes stand in a row, with the class below each.
    (``lectern predict`` draws a picture of each image, in :class:`PredictionWriter`.)

    Args:
        count: scenes in the picture, spread over the set; 0 (``--pictures false``) draws none, nor does ``lectern predict``
            then.
        every_n_epochs: between two pictures.
        min_score: detected objects of a lower score are not drawn, by ``lectern predict`` neither; they stay in its JSON.
    """

    def __init__(self, count: int = 8, every_n_epochs: int = 1, min_score: float = MIN_SCORE) -> None:
        if not 0 <= min_score <= 1:
            raise InputError(f"pictures.min_score is {min_score:g}: a score from 0 to 1 expected")
        self.count, self.every_n_epochs, self.min_score = count, every_n_epochs, min_score
        self._scenes: list[Panels] = []

    def on_validation_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, batch_idx: int, *args: Any
    ) -> None:
        self._collect(trainer, pl_module, outputs, batch, batch_idx, trainer.num_val_batches)

    def on_test_batch_end(
        self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, batch_idx: int, *args: Any
    ) -> None:
        self._collect(trainer, pl_module, outputs, batch, batch_idx, trainer.num_test_batches)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._write(trainer, pl_module, f"epoch_{trainer.current_epoch:04d}")

    def on_test_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._write(trainer, pl_module, "test")

    @rank_zero_only
    def _collect(
        self, trainer: pl.Trainer, task: Any, predictions: Any, batch: Batch, batch_idx: int, batches: Sequence[float]
    ) -> None:
        skip = trainer.sanity_checking or not trainer.logger or trainer.current_epoch % self.every_n_epochs
        if skip or predictions is None or not self.count:
            return
        rows = spread(self.count, batches[0], batch_idx, len(predictions))
        if not rows:
            return
        scenes, given = unbind(batch), task.given(batch) if hasattr(task, "given") else None
        for row in rows:
            own = None if given is None else given[row]
            scene, found = scenes[row], predictions[row]
            self._scenes.append(panels_of(scene["image"], scene, found, task.metadata, least=self.min_score, given=own))

    @rank_zero_only
    def _write(self, trainer: pl.Trainer, task: Any, name: str) -> None:
        scenes, self._scenes = self._scenes, []
        folder = folder_of(trainer)
        if not scenes or folder is None:
            return
        path = folder / PICTURES / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(sheet(scenes, task.metadata), path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("pictures", [str(path)], caption=[" | ".join(scenes[0].panels)])


def spread(count: int, batches: float, batch: int, size: int) -> list[int]:
    """The rows of a batch that are drawn, where ``count`` scenes are to lie evenly over all ``batches``.

    Data sets are ordered, by class or by film: their first scenes show one of either. The same scenes are drawn in each epoch.

    Args:
        count: scenes in all.
        batches: their number; may be infinite, when the first scenes are drawn.
        batch: the number of this one.
        size: its scenes.
    """
    if batches == float("inf"):
        return list(range(min(size, max(0, count - batch * size))))
    places = [(i + 0.5) / count * batches for i in range(count)]
    return sorted({int((place - batch) * size) for place in places if batch <= place < batch + 1})
