"""The report of all studies on disk: as Markdown, and as one HTML file that opens with no network."""

from __future__ import annotations

from pathlib import Path

from experiments.runs.files import STUDIES_FOLDER
from experiments.runs.writing import write_atomically
from experiments.studies.study import ScaleName

from .html import html
from .markdown import markdown
from .report import read_report


def write_reports(runs: Path, scale: ScaleName) -> dict[str, Path]:
    """Writes them, and returns their paths by kind."""
    report = read_report(runs, scale)
    paths = {kind: runs / STUDIES_FOLDER / f"report-{scale}.{end}" for kind, end in (("report", "md"), ("page", "html"))}
    write_atomically(paths["report"], markdown(report))
    write_atomically(paths["page"], html(report))
    return paths
