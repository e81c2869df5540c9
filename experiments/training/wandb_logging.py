"""Weights & Biases without a question: online where the user is logged in, offline elsewhere."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlparse

from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from experiments.runs.files import read_summary
from experiments.runs.folder import RunFolder, write_summary

from .first_process import is_first_process

PROJECT = "lectern"

WandbMode = Literal["auto", "online", "offline", "disabled"]


def wandb_mode(asked: WandbMode) -> Literal["online", "offline", "disabled"]:
    """The mode to start W&B in; it never waits at a prompt, nor for a network that is not there."""
    chosen = os.environ.get("WANDB_MODE", asked) if asked == "auto" else asked
    if chosen in ("online", "offline", "disabled"):
        return chosen  # type: ignore[return-value]
    return "online" if _reachable() and _logged_in() else "offline"


def _logged_in() -> bool:
    import wandb

    return bool(wandb.login(prompt=False, verify=False))


def _reachable() -> bool:
    """Whether W&B's server takes a connection within two seconds; with a key and no network wandb waits for 100."""
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai"))
    try:
        with socket.create_connection((host.hostname or "", host.port or 443), timeout=2):
            return True
    except OSError:
        return False


class Forgiving(WandbLogger):
    """W&B's process gets the signals of a preempted job too, and may end before the run does: the run goes on without it."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        with suppress(ConnectionError):
            super().log_metrics(metrics, step)

    @rank_zero_only
    def log_image(self, key: str, images: list[Any], step: int | None = None, **kwargs: Any) -> None:
        with suppress(ConnectionError):
            super().log_image(key, images, step, **kwargs)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        with suppress(ConnectionError):
            super().finalize(status)


def finish_wandb() -> None:
    """Ends W&B's run, where there is one and W&B's process is still there."""
    if "wandb" in sys.modules:
        import wandb

        if wandb.run is not None:
            with suppress(ConnectionError):
                wandb.finish()


def wandb_logger(asked: WandbMode, folder: RunFolder) -> list[Logger]:
    """W&B's logger for a run, or none where it is disabled; a resumed run goes on under its id."""
    mode = wandb_mode(asked)
    if mode == "disabled" or not is_first_process():
        return []
    import wandb

    if wandb.run is not None:  # a second logger in one process would go on with the first one's run
        wandb.finish()
    run_id = read_summary(folder.folder).get("wandb_id") or secrets.token_hex(4)
    folder.folder.mkdir(parents=True, exist_ok=True)
    write_summary(folder.folder, {"wandb_id": run_id})
    run = wandb.init(
        project=PROJECT,
        name=f"{folder.title}/{folder.version}",
        dir=folder.folder,
        id=run_id,
        resume="allow",
        mode=mode,
        group=folder.title,
        settings=wandb.Settings(silent=True, console="off"),
    )
    return [Forgiving(experiment=run)]
