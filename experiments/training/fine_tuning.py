"""``--init_from``: a new run whose first weights are those of a file, as far as their names and shapes are its own."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor, nn

from datamodules.scene import InputError
from experiments.runs.folder import folder_of
from experiments.runs.writing import write_summary
from lightning_modules.base import Task
from lightning_modules.networks.torchvision_nets import torchvision_name

from .checkpoint_io import read
from .weight_names import Matches, groups_of, match

NAMED = 4
"""Groups of fresh weights that are named; the others are counted."""

COUNTED = ("classes", "mask_classes", "keypoints", "vocabulary")
"""The names of a data set that decide how large a network's last layers are."""


class Weights(NamedTuple):
    """The weights that a file holds, and what it says of the data that they were trained on."""

    path: Path
    tensors: dict[str, Tensor]
    metadata: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Weights:
        """Reads a checkpoint of Lectern or of anybody else, or a plain state dict; of a checkpoint its weights alone.

        A state dict may stand under ``state_dict`` or ``model``. What ``torch.compile`` puts into its names is left out.

        Raises:
            InputError: the file cannot be read, or holds no weights by name.
        """
        content = read(path)
        stored = next((part for k in ("state_dict", "model") if isinstance(part := content.get(k), dict)), content)
        named = {k: value for k, value in stored.items() if isinstance(k, str) and isinstance(value, Tensor)}
        if not named:
            raise InputError(f"{path}: holds no weights by name; --init_from takes a checkpoint or a state dict")
        arguments = content.get("hyper_parameters")
        metadata = arguments.get("metadata") if isinstance(arguments, dict) else None
        tensors = {torchvision_name(k.replace("_orig_mod.", "")): value for k, value in named.items()}
        return cls(path, tensors, metadata if isinstance(metadata, dict) else {})


class Taken(NamedTuple):
    """What a task took of a file."""

    path: Path
    taken: int
    fresh: int
    which: str
    """Of the fresh ones, in words; empty where there are none."""

    def __str__(self) -> str:
        of_all = f"{self.taken} of {self.taken + self.fresh}" if self.fresh else f"all {self.taken}"
        return f"{of_all} weights from {self.path}" + (f"; fresh: {self.which}" if self.fresh else "")


class InitFrom(pl.Callback):
    """Gives a new run its first weights before its optimizer is made, says which, and keeps it in ``summary.json``."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.taken: Taken | None = None

    def setup(self, trainer: pl.Trainer, pl_module: Any, stage: str) -> None:
        if stage == "fit" and self.taken is None:
            self.taken = initialise(pl_module, Weights.read(Path(self.path)))
            rank_zero_info(str(self.taken))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.taken and trainer.is_global_zero and (folder := folder_of(trainer)):
            about = {"path": self.path, "weights": self.taken.taken, "fresh": self.taken.fresh}
            write_summary(folder, {"init_from": about})


def callbacks(subcommand: str, config: Any) -> list[pl.Callback]:
    """The one that ``--init_from`` asks for, where a new run begins."""
    return [InitFrom(config.init_from)] if subcommand == "fit" and config.init_from and not config.ckpt_path else []


def begin(config: Any) -> None:
    """Makes a command's settings those of a run that begins with a file's weights: without pre-trained ones.

    Raises:
        InputError: the file cannot be read, or holds no weights.
    """
    Weights.read(Path(config.init_from))
    if dropped := without_pretraining(config):
        rank_zero_info(f"--init_from is in place of the weights {', '.join(dropped)}, which are not read")


def without_pretraining(config: Any) -> list[str]:
    """Sets the ``weights`` of all networks in ``config.model`` to null, in place; returns what they were."""
    dropped: list[str] = []

    def walk(value: Any) -> None:
        parts = vars(value) if isinstance(value, Namespace) else value
        if isinstance(parts, dict) and isinstance(found := parts.get("weights"), str):
            parts["weights"] = None
            dropped.append(found)
        for part in parts.values() if isinstance(parts, dict) else parts if isinstance(parts, list | tuple) else ():
            walk(part)

    walk(config.model)
    return dropped


def initialise(task: Task, weights: Weights) -> Taken:
    """Gives a task the weights of a file that have the name and the shape of its own; the others stay as they are.

    Running statistics are weights here. What a module fits at the end of its training (``fitted_buffers``) is not: the
    new run fits its own.

    Raises:
        InputError: there are none, or they are not finite.
    """
    target = {name: value for name, value in task.state_dict().items() if isinstance(value, Tensor) and not _lazy(value)}
    fitted = _names_in(task, "fitted_buffers")
    wanted = {name: value for name, value in target.items() if name not in fitted}
    found = match(weights.tensors, wanted, _aliases(task))
    if not found.same:
        raise InputError(
            f"{weights.path}: none of its {len(weights.tensors)} weights has the name and shape of one of "
            f"{type(task).__name__} with {type(task.network).__name__} ({_examples(weights.tensors)} there, "
            f"{_examples(wanted)} here)"
        )
    if bad := next((name for name in found.same.values() if not torch.isfinite(weights.tensors[name]).all()), None):
        raise InputError(f"{weights.path}: {bad} is not finite everywhere; a run that begins with it would learn nothing")
    with torch.no_grad():
        for name, stored in found.same.items():
            target[name].copy_(weights.tensors[stored])
    fresh = [name for name in target if name not in found.same]
    reasons = _reasons(found, target, weights, task.metadata.as_dict())
    return Taken(weights.path, len(found.same), len(fresh), _in_words(groups_of(fresh, target), reasons))


def _in_words(groups: dict[str, list[str]], reasons: dict[str, str]) -> str:
    said = []
    for prefix, names in list(groups.items())[:NAMED]:
        why = next((f"; {reasons[name]}" for name in names if name in reasons), "")
        said.append(f"{prefix} ({len(names)}{why})")
    return ", ".join(said) + (f" and {len(groups) - NAMED} more" if len(groups) > NAMED else "")


def _reasons(found: Matches, target: Mapping[str, Tensor], weights: Weights, here: dict[str, Any]) -> dict[str, str]:
    """Why weights that the file has by name are fresh: the numbers of classes or the like, where these make the difference."""
    said = {}
    for name, stored in found.of_another_shape.items():
        ours, theirs = target[name].shape, weights.tensors[stored].shape
        said[name] = "of another shape there"
        for key in COUNTED:
            many, few = len(here.get(key) or ()), len(weights.metadata.get(key) or ())
            if many != few and many and few and len(ours) and len(theirs) and ours[1:] == theirs[1:]:
                a_class, rest = divmod(ours[0] - theirs[0], many - few)  # rows that belong to each
                if a_class > 0 and not rest:
                    said[name] = f"{many} {key.replace('_', ' ')} here, {few} there"
                    break
    return said


def _aliases(task: nn.Module) -> dict[str, str]:
    """What torchvision calls the task's weights, of the networks that say so (``torchvision_names``)."""
    found: dict[str, str] = {}
    for place, module in task.named_modules():
        for own, name in getattr(module, "torchvision_names", {}).items():
            before = f"{place}.{own}."
            found |= {k: f"{name}.{k.removeprefix(before)}" for k in _below(module, own, before)}
    return found


def _below(module: nn.Module, own: str, before: str) -> list[str]:
    return [before + key for key in module.get_submodule(own).state_dict()]


def _names_in(task: nn.Module, attribute: str) -> set[str]:
    return {f"{place}.{name}" for place, module in task.named_modules() for name in getattr(module, attribute, ())}


def _lazy(value: Tensor) -> bool:
    return nn.parameter.is_lazy(value)


def _examples(tensors: Mapping[str, Tensor]) -> str:
    return f"{next(iter(tensors))}, …" if tensors else "nothing"
