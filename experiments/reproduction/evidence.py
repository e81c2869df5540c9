"""What a run says of itself beside its figures: the data that it saw, where it was made, what its files held at its end."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from datamodules.scene import COMPUTED
from experiments.runs.files import CURVES, METRICS

if TYPE_CHECKING:
    from datamodules.base import DataModule, Split

LIBRARIES = ("torch", "torchvision", "pytorch_lightning", "torchmetrics", "albumentations", "numpy")
SCENES: dict[Split, int] = {"train": 16, "test": 4}
"""How many of a split stand for it, spread over it."""
JUDGED = ("metrics", "test", "measured")
"""The parts of a summary that hold figures."""


class DataSeen(NamedTuple):
    """The data that a run saw."""

    digest: str = ""
    """12 hexadecimal digits that stand for it; empty where that is not known."""
    fields: tuple[str, ...] = ()
    """Of a scene, which it used."""


def data_seen(data: DataModule) -> DataSeen:
    """What stands for the data that a training saw.

    Of the dataset's metadata, the lengths of its splits, and some scenes of training and test as they are prepared without
    augmentation: pixels, and the targets that the task uses. Proposals, which follow from the pixels, are left out.
    """
    found = hashlib.sha256(json.dumps(_plain(vars(data.metadata)), sort_keys=True, default=str).encode())
    fields, data.fields = data.fields, data.fields - COMPUTED
    used = tuple(sorted(data.fields))
    try:
        for split, count in SCENES.items():
            prepared = data.prepared(split, augment=False)
            found.update(f"{split} {len(prepared)} {used}".encode())
            for place in np.unique(np.linspace(0, len(prepared) - 1, count).astype(int)) if len(prepared) else ():
                scene = prepared[0, int(place)]
                for name, value in sorted(scene.items() if isinstance(scene, dict) else ()):
                    found.update(name.encode())
                    found.update(_bytes(value))
    finally:
        data.fields = fields
    return DataSeen(found.hexdigest()[:12], used)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _bytes(value: Any) -> bytes:
    if isinstance(value, torch.Tensor):
        array = value.contiguous().numpy()
        return f"{array.dtype} {array.shape}".encode() + array.tobytes()
    return repr(value).encode()


def processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == "model name"]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of Python, and of the libraries that a result rests on."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def seal(folder: Path, summary: Mapping[str, Any]) -> dict[str, str]:
    """What the run's files hold at its end: of each a digest, by which a later change is found.

    Args:
        folder: the run's.
        summary: its ``summary.json``, as it was read.
    """
    found = {name: _digest((folder / name).read_bytes()) for name in (METRICS, CURVES) if (folder / name).is_file()}
    figures = {part: summary.get(part) for part in JUDGED}
    return {**found, "figures": _digest(json.dumps(figures, sort_keys=True).encode())}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
