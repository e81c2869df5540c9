"""Runs that take seconds."""

from __future__ import annotations

from pathlib import Path

SMALL = [
    "--data.image_size=32",
    "--data.train=32",
    "--data.val=8",
    "--data.test=8",
    "--data.batch_size=8",
    "--data.workers=0",
    "--trainer.max_epochs=2",
    "--trainer.log_every_n_steps=1",
    "--trainer.enable_progress_bar=false",
    "--pictures.count=2",
]


def one_run(root: Path) -> Path:
    """The only run below a folder."""
    (config,) = root.rglob("config.yaml")
    return config.parent


def last_evaluation(run: Path) -> Path:
    """The folder of the newest evaluation of a run."""
    return max((run / "evaluations").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)


def everything_below(folder: Path) -> dict[str, bytes]:
    """Each file below a folder, the locks and the evaluations aside, with its content."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock" and "evaluations" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
