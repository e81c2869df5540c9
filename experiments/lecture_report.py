"""The report of all studies."""

from __future__ import annotations

from pathlib import Path

from .records import FOLDER, read_records
from .runs import write_atomically
from .study import ScaleName
from .table import table


def write_reports(runs: Path, scale: ScaleName) -> dict[str, Path]:
    """Writes them, and returns their paths by kind."""
    path = runs / FOLDER / f"report-{scale}.md"
    write_atomically(path, table(read_records(runs, scale)) + "\n")
    return {"report": path}
