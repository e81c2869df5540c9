"""The rows of the table that ``scripts/bench`` prints, and the log that it adds them to."""

from __future__ import annotations

import csv
import logging
import math
import os
import platform
import subprocess
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import torch

LOG = Path(__file__).parents[1] / "docs" / "bench.csv"
COLUMNS = ("time", "commit", "processor", "torch", "what", "ours", "peer", "unit")
SLOWER = 1.10
"""A ratio may be so many times the last one before it is said: what pairs of measurements spread by on a quiet machine."""


class Row(NamedTuple):
    """One comparison, both sides measured in turns."""

    what: str
    """What is measured; and behind a semicolon what it is compared with."""
    ours: float
    """In ``unit``; less is better."""
    peer: float
    """The same of what ours is compared with, in ``unit``; NaN where there is none."""
    unit: str
    wanted: str
    """What is aimed at, in words."""

    @property
    def ratio(self) -> float:
        """Ours ÷ peer."""
        return self.ours / self.peer

    def markdown(self) -> str:
        """A line of a table."""
        peer, ratio = ("", "") if math.isnan(self.peer) else (f"{self.peer:.3g} {self.unit}", f"{self.ratio:.3g}")
        return f"| {self.what} | {self.ours:.3g} {self.unit} | {peer} | {ratio} | {self.wanted} |"


def processor() -> str:
    """The name of the processor, and which of the instructions that change speeds it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    info = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = set(info.get("flags", "").split())
    wide = [name for name, flag in (("AVX2", "avx2"), ("AVX-512", "avx512f"), ("AMX", "amx_tile")) if flag in flags]
    return " ".join([info.get("model name", platform.machine()), *wide])


def regressions(rows: Sequence[Row], log: Path) -> list[str]:
    """What is slower than the log's last line of the same name on the same processor, in words.

    Where there is a peer the ratios are compared: a busy machine slows both down.
    """
    last = {(line["processor"], line["what"]): line for line in _lines(log)}
    here, said = processor(), []
    for row in rows:
        before = last.get((here, row.what))
        if before is None:
            continue
        old = Row(row.what, float(before["ours"]), float(before["peer"]), before["unit"], "")
        now, then = (row.ours, old.ours) if math.isnan(row.ratio + old.ratio) else (row.ratio, old.ratio)
        if now > SLOWER * then:
            said.append(f"{row.what}: {now / then:.2f} times what it was on {before['time']} at {before['commit']}")
    return said


def append(rows: Sequence[Row], log: Path) -> None:
    """Adds the rows to the log."""
    new = not log.exists()
    common = [datetime.now(UTC).strftime("%Y-%m-%d %H:%M"), _commit(), processor(), torch.__version__]
    with log.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerows([*common, row.what, f"{row.ours:.4g}", f"{row.peer:.4g}", row.unit] for row in rows)


def _lines(log: Path) -> list[dict[str, str]]:
    if not log.exists():
        return []
    with log.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _commit() -> str:
    told = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=LOG.parent, capture_output=True, text=True)
    return told.stdout.strip() or "unknown"


def quiet() -> None:
    """One thread, and nothing said by W&B and Lightning: in each process that measures."""
    os.environ["WANDB_MODE"] = "offline"
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
