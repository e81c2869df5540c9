"""What ``data.invalid: skip`` left out of a run or an evaluation: counted and named where its results are."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from lightning_modules.distributed import gather_objects

NAMED = 100
"""How many are named in a file; all are counted."""
SAID = 20
"""How many are named on the screen at the end."""


def left_out(trainer: pl.Trainer) -> list[str]:
    """What all processes left out so far, each scene or object once; afterwards the data module of each knows all."""
    skipped: dict[str, None] = getattr(trainer.datamodule, "skipped", {})  # type: ignore[attr-defined]
    for part in gather_objects(list(skipped)):
        skipped.update(dict.fromkeys(part))
    return list(skipped)


def recorded(texts: list[str]) -> dict[str, Any]:
    """The entries of a summary or an evaluation."""
    return {"left_out": len(texts), "left_out_because": texts[:NAMED]}


def say(texts: list[str]) -> None:
    """Names them on the screen; says nothing where there are none."""
    if texts:
        print(f"left out  {len(texts)}")
        for text in texts[:SAID]:
            print(f"          {text}")
        if len(texts) > SAID:
            print(f"          and {len(texts) - SAID} more")
