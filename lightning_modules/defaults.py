"""What a task takes where nobody has said it: for who writes ``Segmentation(data.metadata)`` in Python.

The command line and recipes name all of it; for them nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from importlib import import_module
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from datamodules.scene import COMPUTED, DatasetMetadata, InputError

Metadata = dict[str, Any] | DatasetMetadata
"""What a data module says of its data: ``data.metadata``, or that as a plain dict, as a checkpoint has it."""


class Askable(Protocol):
    """A data module, as far as the fields that it loads are concerned."""

    provides: frozenset[str]
    fields: frozenset[str]

    def require(self, fields: frozenset[str]) -> None: ...


def plain_metadata(metadata: Metadata) -> dict[str, Any]:
    """Metadata as a dict of strings, numbers and lists, which a checkpoint can hold."""
    return metadata.as_dict() if isinstance(metadata, DatasetMetadata) else metadata


def keep_plain(arguments: MutableMapping[str, Any]) -> None:
    """Reduces a task's arguments, as Lightning keeps them for a checkpoint, to what one can hold and load weights-only.

    What was built in Python, a function, is left out; from the command line all is plain already.
    """
    for name in [name for name, value in arguments.items() if callable(value)]:
        del arguments[name]
    if "metadata" in arguments:
        arguments["metadata"] = plain_metadata(arguments["metadata"])


def default_network(task: type[Any]) -> Callable[..., nn.Module]:
    """What builds a task's network where none is named.

    Raises:
        InputError: the task has no network that suits all its data.
    """
    module, _, name = task.default_network.rpartition(".")
    if not module:
        raise InputError(f"{task.__name__}: network is missing: what builds it, such as a class of lightning_modules.networks")
    return getattr(import_module(module), name)


def default_optimizer(parameters: Iterable[nn.Parameter]) -> Optimizer:
    """AdamW with a learning rate of 1e-3: for whoever wants to see something learn before choosing one."""
    return torch.optim.AdamW(parameters, lr=1e-3)


def ask_for(needs: frozenset[str], uses: frozenset[str], data: Askable | None, stage: str) -> None:
    """Has a data module load only what a task needs, unless it was told already (``DataModule.require``).

    The command line tells it before the run; ``Trainer.fit(task, data)`` does not.

    Args:
        needs: the fields that the task is trained and scored on; for a prediction those that are computed from the image.
        uses: further fields that it takes where the data have them.
        data: None where a trainer was given loaders.
        stage: fit, validate, test or predict.

    Raises:
        InputError: the data do not provide what is needed.
    """
    if data is None or not hasattr(data, "require"):  # somebody else's
        return
    wanted = needs & COMPUTED if stage == "predict" else needs | (uses & data.provides)
    if data.fields == data.provides or not wanted <= data.fields:
        data.require(wanted)
