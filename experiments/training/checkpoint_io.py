"""Checkpoints as files: written whole or not at all, and read without executing anything."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import TorchCheckpointIO
from torch import Tensor, nn

from datamodules.scene import InputError
from datamodules.temporary import beside

LARGEST_PICKLE = 2 * 2**20
"""Bytes of what a checkpoint holds beside its tensors: more than Lectern writes, and read in a few seconds."""

_STORAGES = ["Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"]
_DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
HELD = {
    *("collections.OrderedDict", "collections.Counter", "collections.defaultdict", "builtins.set", "__builtin__.set"),
    *("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch._tensor._rebuild_from_type_v2"),
    *("torch.Size", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.storage.UntypedStorage"),
    *(f"torch.{name}Storage" for name in _STORAGES),
    *(f"torch.{name}" for name in _DTYPES),
}
"""What a checkpoint's pickle may name. torch reads more without executing it, but some of that fills any memory."""


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes beside the target, syncs, and renames.

    Lightning's own writes to the system's temporary folder and moves: killed in between, and the move being a copy where
    the two are different file systems, it leaves a broken file under the good name. What is read must be the task's own:
    see :func:`check_weights`.

    Args:
        task: which takes the weights that are read.
        held: by path, what :func:`read` gave of a file already: it is looked through as if it were read again, and given away,
            so that it takes no memory for longer.
    """

    def __init__(self, task: nn.Module | None = None, held: dict[Path, dict[str, Any]] | None = None) -> None:
        super().__init__()
        self.task, self.held = task, held or {}

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        checkpoint = load(Path(path), self.held.pop(Path(path), None))
        if self.task is not None:
            check_weights(self.task, checkpoint["state_dict"], Path(path))
        return checkpoint

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        target = Path(path)
        draft = beside(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
            with suppress(OSError):  # where the folder is read-only there is nothing to remove
                draft.unlink(missing_ok=True)
            reason = next((e.strerror for e in (error, error.__context__) if isinstance(e, OSError)), str(error))
            raise InputError(f"{target}: checkpoint not written, the previous one is intact ({reason})") from error


class WeightsAlone(AtomicCheckpoints):
    """For evaluation: of a checkpoint, the state of its training is left out."""

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        if Path(path).suffix == ".onnx":  # its weights are in the graph, which its task has read
            return {"state_dict": {}, "pytorch-lightning_version": version("pytorch-lightning")}
        checkpoint = super().load_checkpoint(path, map_location, weights_only)
        return {"state_dict": checkpoint["state_dict"], "pytorch-lightning_version": version("pytorch-lightning")}


def load(path: Path, held: dict[str, Any] | None = None) -> dict[str, Any]:
    """The checkpoint's content, on the CPU; nothing in it is executed, and it takes no more memory than the file is long.

    Args:
        path: its file.
        held: its content, where :func:`read` gave it already.

    Raises:
        InputError: there is no such file, or it is no checkpoint.
    """
    _check_place(path)
    check_archive(path)
    content = _content(path) if held is None else held
    if "state_dict" not in content:
        raise InputError(f"{path}: holds no task's weights (no state_dict)")
    _check_tensors(content["state_dict"], path)
    return content


def read(path: Path) -> dict[str, Any]:
    """What a file of torch's holds, whoever wrote it: a checkpoint or a plain state dict; nothing in it is executed.

    Unlike :func:`load` it takes files as torch wrote them before version 1.6, which published weights still are.

    Raises:
        InputError: there is no such file, or it holds no such thing.
    """
    _check_place(path)
    if zipfile.is_zipfile(path):
        check_archive(path)
    return _content(path)


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: a folder, and no checkpoint; a run's are in its checkpoints/")
    if not path.is_file():  # a pipe too: to open it would wait for its writer
        raise InputError(f"{path}: no such checkpoint")


def _content(path: Path) -> dict[str, Any]:
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch and its unpickler are led to by bytes that are no checkpoint
        raise InputError(f"{path}: not a checkpoint that can be read, or damaged ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no task's weights (no state_dict)")
    return content


def check_archive(path: Path) -> None:
    """Raises InputError where a file is not an archive as ``torch.save`` writes it: bytes, and one pickle of plain data."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            pickles = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
            plain = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            # Entries that overlap, or are compressed, say more than the file has.
            if not plain or sum(entry.file_size for entry in entries) > path.stat().st_size or len(pickles) != 1:
                raise InputError(f"{path}: not a checkpoint that can be read: an archive that torch.save did not write")
            if pickles[0].file_size > LARGEST_PICKLE:
                raise InputError(
                    f"{path}: holds more than {LARGEST_PICKLE // 2**20} MiB beside its tensors, which no checkpoint does"
                )
            content = archive.read(pickles[0])
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a checkpoint that can be read, or damaged (no archive of torch.save)") from None
    # The text of each GLOBAL is in the pickle as it is; a text that only looks like one is refused with it.
    for module, name in re.findall(rb"c([\w.]+)\n([\w.]+)\n", content):
        if (held := f"{module.decode()}.{name.decode()}") not in HELD:
            raise InputError(f"{path}: holds a {held[:200]}, which no checkpoint of Lectern does")


def _check_tensors(weights: Any, path: Path) -> None:
    if not isinstance(weights, dict) or not all(isinstance(key, str) for key in weights):
        raise InputError(f"{path}: state_dict is no tensors by name")
    total = 0
    for key, value in weights.items():
        if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise InputError(f"{path}: state_dict: {key[:200]} is no tensor")
        total += value.numel() * value.element_size()
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InputError(f"{path}: state_dict: {key[:200]} is larger than what is stored of it")
    if total > 4 * path.stat().st_size:
        raise InputError(f"{path}: state_dict: its tensors are larger than the file")


def check_weights(task: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Raises InputError where weights are not of the names and shapes of the task's; it names the first that differs."""
    expected = task.state_dict()
    faults = [f"{key} is missing" for key in expected if key not in weights]
    faults += [f"{key} is not known" for key in weights if key not in expected]
    faults += [
        f"{key} is {_size(weights[key])}, expected {_size(value)}"
        for key, value in expected.items()
        if key in weights and not nn.parameter.is_lazy(value) and weights[key].shape != value.shape
    ]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"{path}: not the weights of this {type(task).__name__}: {faults[0][:300]}{more}")


def not_finite(weights: Mapping[str, Tensor]) -> str:
    """Which weight is the first that is NaN or infinite, in words; empty where none is."""
    for key, value in weights.items():
        if not bool(torch.isfinite(value).all()):
            wrong = int((~torch.isfinite(value)).sum())
            return f"{key} has {wrong} of {value.numel()} values that are not finite: the training diverged"
    return ""


def _size(value: Tensor) -> str:
    return " x ".join(map(str, value.shape)) or "a number"
