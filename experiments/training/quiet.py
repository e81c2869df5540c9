"""What Lightning says that nobody asked for is left out, and what it warns of is said without the paths of its files."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NO_ADVICE = (
    ".*does not have many workers.*",
    ".*dataloader is not resumable.*",
    ".*Checkpoint directory .* exists.*",
    ".*It is recommended to use .*sync_dist=True.*",  # metrics are gathered before they are logged
    ".*could not find the monitored key in the returned metrics.*",  # Monitors says it
    ".*You are trying to `self.log.*barebones.*",
    ".*You requested to overfit but enabled .*",  # the data module did, without Lightning
    ".*overridden `transfer_batch_to_device` in `LightningModule`.*",  # batches move as each task wants
    ".*callbacks used to create the checkpoint.*",
    ".*LeafSpec.*",
    ".*persistent_workers.*",
    ".*was called before the .*update.* method.*",  # a rank with no sample
    ".*is smaller than the logging interval.*",  # the means are logged at the epoch's end as well
)
"""Warnings that do not apply here, as regular expressions."""

NO_NEWS = (
    "Tip:",
    "TPU available: False",
    "Seed set to",
    "to estimate number of stepping batches",
    "configured with model summary",
)
"""What messages hold that say nothing to who sees them."""

LOGGERS = ("pytorch_lightning.utilities.rank_zero", "lightning_fabric.utilities.rank_zero", "lightning_fabric.utilities.seed")


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps Lightning's advice that does not apply here from the screen; a warning is one line, without the file's path."""
    for message in NO_ADVICE:
        warnings.filterwarnings("ignore", message)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.removeFilter(is_news)
        logger.addFilter(is_news)
    os.environ.setdefault("WANDB_SILENT", "true")
    own = warnings.formatwarning
    if not os.environ.get("LECTERN_TRACEBACK"):
        warnings.formatwarning = one_line  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.formatwarning = own


def is_news(record: logging.LogRecord) -> bool:
    """Whether a message is to be shown."""
    said = record.getMessage()
    return not any(part in said for part in NO_NEWS)


def one_line(message: Warning | str, *args: Any, **kwargs: Any) -> str:
    """A warning as Lectern says things."""
    return f"lectern: warning: {' '.join(str(message).split())}\n"
