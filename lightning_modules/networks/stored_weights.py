"""Weights stored as torchvision stores them: read from a file or fetched, and given to a network.

No file is unpickled: all are read with ``weights_only``.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from pickle import UnpicklingError
from urllib.parse import urlparse

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights
from torchvision.models._api import WeightsEnum

from datamodules.scene import InputError


class MissingWeights(InputError, FileNotFoundError):
    """There is no such file, and none could be fetched."""


def file_name(stored: WeightsEnum) -> str:
    """What torchvision calls the file of its weights: ``resnet18-f37072fd.pth``."""
    return Path(urlparse(str(stored.url)).path).name


def read_weights(name: str, weights: str) -> dict[str, Tensor]:
    """The stored tensors, by the names that they were stored with.

    Args:
        name: of the network, as ``torchvision.models.get_model`` takes it.
        weights: the path of a ``.pth`` state dict; or one of torchvision's names for this network (``DEFAULT``,
            ``IMAGENET1K_V1``, ``COCO_V1``, ...), whose file is looked for in torch.hub's folder, fetched where it is not there,
            and then compared with its checksum.

    Raises:
        ValueError: torchvision has no such weights, or the file is no state dict.
        MissingWeights: there is no such file, or it could not be fetched; says its name and the folder that it belongs in.
    """
    known: dict[str, WeightsEnum] = dict(get_model_weights(name).__members__)
    try:
        if Path(weights).suffix == ".pth":
            if not Path(weights).is_file():
                own = ", ".join(sorted({file_name(each) for each in known.values()})) or "none"
                raise MissingWeights(f"weights: {weights} is not there; torchvision's own of {name} are {own}")
            state = torch.load(weights, map_location="cpu", weights_only=True)
        elif weights in known:
            state = _fetched(name, known[weights])
        else:
            raise ValueError(f"{name}: weights {weights!r} is neither a .pth file nor one of {', '.join(known) or 'none'}")
    except (UnpicklingError, EOFError, RuntimeError):
        state = None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{weights} is no state dict: expected tensors by name, that torch.load reads with weights_only")
    return state


def _fetched(name: str, stored: WeightsEnum) -> object:
    file, folder = file_name(stored), Path(torch.hub.get_dir()) / "checkpoints"
    here = f"put the file {file} into {folder}, or give its path as weights"
    try:
        return stored.get_state_dict(check_hash=True, map_location="cpu", weights_only=True)
    except RuntimeError as error:
        if "hash" in str(error):
            raise InputError(f"{name}: what came from {stored.url} has another checksum; {here}") from error
        raise
    except OSError as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise MissingWeights(f"{name}: {stored.url} cannot be fetched ({reason}); {here}") from error


def shapes(network: nn.Module) -> dict[str, torch.Size]:
    """The shape of each tensor in a network's state, by its name."""
    return {key: tensor.shape for key, tensor in network.state_dict().items()}


def sized_by_classes(network: nn.Module, other: nn.Module) -> set[str]:
    """What the head is: the tensors whose shape is another one in the same network made for other numbers of classes."""
    expected = shapes(network)
    return {key for key, shape in shapes(other).items() if key in expected and shape != expected[key]}


def load_all_but_head(network: nn.Module, state: dict[str, Tensor], head: Collection[str], where: str) -> None:
    """Loads all tensors; those of the head only where they are of the network's own shape, and otherwise it stays fresh.

    Counts of batches that normalisation has seen may be missing: older files have none. ``state`` is changed, as it carries the
    versions of its modules, by which torchvision knows names that it has given up.

    Args:
        network: to load into.
        state: what :func:`read_weights` gave.
        head: names of the tensors that depend on the number of classes.
        where: the beginning of an error: ``w.pth does not hold the weights of resnet18``.

    Raises:
        ValueError: a tensor is missing, is unknown, or has another shape; or it was trained with statistics of no spread.
    """
    expected = shapes(network)
    for key in list(state):
        if key in head and state[key].shape != expected[key]:
            del state[key]
    faults = [
        f"{key} is {tuple(state[key].shape)}, expected {tuple(expected[key])}"
        for key in state.keys() & expected.keys()
        if state[key].shape != expected[key]
    ]
    try:
        loaded = None if faults else network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # names that only the network's own conversion knows
        raise ValueError(f"{where}: {' '.join(str(error).split())}") from error
    missing, unknown = loaded or (expected.keys() - state.keys(), state.keys() - expected.keys())
    faults += [f"{key} is missing" for key in missing if key not in head and "num_batches_tracked" not in key]
    faults += [f"{key} is unknown" for key in unknown]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise ValueError(f"{where}: {min(faults)}{more}")
