"""Checkpoints as files: written whole or not at all, and read without executing anything."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins import TorchCheckpointIO

from datamodules.scene import InputError


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes beside the target, syncs, and renames.

    Lightning's own writes to the system's temporary folder and moves: killed in between, and the move being a copy where
    the two are different file systems, it leaves a broken file under the good name.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        target = Path(path)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
            with suppress(OSError):  # where the folder is read-only there is nothing to remove
                beside.unlink(missing_ok=True)
            reason = next((e.strerror for e in (error, error.__context__) if isinstance(e, OSError)), str(error))
            raise InputError(f"{target}: checkpoint not written, the previous one is intact ({reason})") from error


def check_resumable(checkpoint: dict[str, Any], path: Path) -> None:
    """Raises InputError where a checkpoint has weights alone."""
    if "optimizer_states" not in checkpoint:
        raise InputError(
            f"{path}: holds weights alone (save_weights_only), so no run can go on from it; "
            f"--init_from {path} begins a new one with them"
        )


def load(path: Path) -> dict[str, Any]:
    """The checkpoint's content, on the CPU; nothing in it is executed.

    Raises:
        InputError: there is no such file, or it is no checkpoint.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"holds a {foreign[1]}" if foreign else (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: not a checkpoint that can be read, or damaged ({reason})") from None
    if not isinstance(content, dict) or "state_dict" not in content:
        raise InputError(f"{path}: holds no task's weights (no state_dict)")
    return content
