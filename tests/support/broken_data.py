"""A data set that is at fault as long as a file says so."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from torch.utils.data import get_worker_info

from datamodules import Shapes
from datamodules.base import Scenes, Split
from datamodules.scene import Scene, SceneError


class BrokenShapes(Shapes):
    """Shapes, of whose training scenes one cannot be had.

    Args:
        fault: the file, in which stands what happens at that scene: ``error``, ``bug`` or ``kill`` (of the process that
            prepares it); nothing where there is no such file.
        scene: its index.
        kwargs: see :class:`datamodules.Shapes`.
    """

    def __init__(self, *, fault: str = "fault", scene: int = 5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fault, self.scene = Path(fault).absolute(), scene

    def scenes(self, split: Split) -> Scenes:
        scenes = super().scenes(split)
        return _Broken(scenes, self.fault, self.scene) if split == "train" else scenes


class _Broken:
    def __init__(self, scenes: Scenes, fault: Path, scene: int) -> None:
        self.scenes, self.fault, self.scene = scenes, fault, scene

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Scene:
        if index == self.scene and self.fault.exists():
            what = self.fault.read_text()
            if what == "error":
                raise SceneError("scene 5: truncated file")
            if what == "bug":
                raise ZeroDivisionError("scene 5")
            assert get_worker_info()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.scenes[index]


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class KillsAWorker(pl.Callback):
    """Kills one of the processes that prepare batches, in the middle of a step; where the file ``killed`` is, no more."""

    def __init__(self, step: int) -> None:
        self.step, self.done = step, Path("killed").absolute()

    def on_before_backward(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self.step and not self.done.exists():
            self.done.touch()
            worker = children(os.getpid())[0]
            os.kill(worker, signal.SIGKILL)
            os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)  # a busy machine takes its time; it is left for torch to see
