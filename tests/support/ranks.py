"""Small experiments that one process and several make alike, and their runs."""

from __future__ import annotations

from pathlib import Path

import yaml

from .interrupted import wait
from .registry import SUMS_OVER_IMAGES, experiment

COMMON = (
    "--data.train=48 --data.test=4 --data.workers=0 --trainer.enable_progress_bar=false --trainer.log_every_n_steps=1 "
    "--trainer.enable_model_summary=false --pictures.count=0 --trainer.num_sanity_val_steps=0 --trainer.precision=64-true "
    "--data.batch_size=6 --data.image_size=48 --data.style.figures=[1,1]"
).split()


def config(task: str, folder: Path) -> list[str]:
    """A small experiment of the task, trained by plain SGD."""
    optimizer = {"class_path": "torch.optim.SGD", "init_args": {"lr": 1e-3}}
    path = folder / f"{task}.yaml"
    path.write_text(yaml.safe_dump(experiment(task, SUMS_OVER_IMAGES, optimizer) | {"data": {"class_path": "Shapes"}}))
    return ["--config", str(path)]


def finish(pids: list[int], folder: Path) -> None:
    """Waits for all of them, none of which may fail."""
    codes = [wait(pid) for pid in pids]
    logs = "".join(p.read_text() for p in folder.glob("log*"))
    assert codes == [0] * len(pids), logs


def the_run(folder: Path, name: str) -> Path:
    """The only run of this name."""
    (run,) = (folder / "runs" / name).iterdir()
    return run
