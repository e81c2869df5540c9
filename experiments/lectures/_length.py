"""How long a run is, as studies change it."""

from __future__ import annotations

from typing import Any


def steps(count: int) -> dict[str, Any]:
    """Changes: a run takes so many steps, and is validated when it is done."""
    return {"trainer.max_steps": count, "trainer.val_check_interval": count}


def epochs(count: int) -> dict[str, Any]:
    """Changes: a run takes so many epochs, and is validated when it is done."""
    return {"trainer.max_epochs": count, "trainer.check_val_every_n_epoch": count}
