"""What W&B has around a run: the environment that a sweep's agent sets, and the processes that it starts."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
import yaml


def agent(monkeypatch: pytest.MonkeyPatch, folder: Path, run_id: str) -> None:
    """What ``wandb agent`` sets for a run of its sweep."""
    parameters = folder / "wandb" / "sweep-s1" / f"config-{run_id}.yaml"
    parameters.parent.mkdir(parents=True, exist_ok=True)
    parameters.write_text(yaml.safe_dump({"wandb_version": 1, "model.optimizer.lr": {"value": 0.0123}}))
    settings = {"SWEEP_ID": "s1", "RUN_ID": run_id, "SWEEP_PARAM_PATH": str(parameters), "DIR": str(folder)}
    for name, value in {**settings, "PROJECT": "the-sweep-s", "ENTITY": "my-team"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)


def processes_of_wandb() -> list[int]:
    """W&B's processes that this one has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(") ")[2].split()[1]
            if int(parent) == os.getpid() and "wandb-core" in (folder / "cmdline").read_text():
                found.append(int(folder.name))
    return found
