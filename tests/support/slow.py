"""A training that takes its time, for tests of what happens in the middle of one."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl


class Slow(pl.Callback):
    """Sleeps after each step."""

    def __init__(self, seconds: float = 0.3) -> None:
        self.seconds = seconds

    def on_train_batch_end(self, *args: Any) -> None:
        time.sleep(self.seconds)
