"""A run's ``report.md``: what was expected, what was measured, and the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .expectations import OPERATORS, parse_expectations
from .files import CONFIG, PICTURES, read_metrics, read_summary
from .folder import write_atomically

REPORT = "report.md"


def write_report(folder: Path, coming: dict[str, Any] | None = None) -> Path:
    """Writes the report from the run's own files, and returns its path; ``coming`` is what its summary will have as well."""
    summary, config = read_summary(folder) | (coming or {}), _config(folder)
    lines = [f"# {summary.get('name', folder.name)}", "", *_facts(summary), "", *_expectations(config, summary)]
    lines += _metrics("Test", summary.get("test", {})) + _metrics(
        "Last values of training and validation", summary.get("metrics", {})
    )
    lines += _curve(folder) + _pictures(folder)
    path = folder / REPORT
    write_atomically(path, "\n".join(lines) + "\n")
    return path


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    content = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    return content if isinstance(content, dict) else {}


def _facts(summary: dict[str, Any]) -> list[str]:
    keys = {
        "state": "state",
        "reason": "because",
        "diverged_at": "not finite from step",
        "started": "started",
        "seconds": "seconds",
        "steps": "optimizer steps",
        "epochs": "epochs",
        "images_per_second": "images/s",
        "peak_memory_mib": "peak memory, MiB",
        "parameters": "parameters",
        "device": "device",
        "commit": "commit",
    }
    rows = [f"| {text} | {summary[key]} |" for key, text in keys.items() if summary.get(key) not in (None, "")]
    return ["| | |", "|---|---|", *rows]


def _expectations(config: dict[str, Any], summary: dict[str, Any]) -> list[str]:
    rows = []
    for name, (sign, bound) in parse_expectations(config.get("expect") or {}).items():
        value = summary.get("test", {}).get(name)
        judged = "not measured yet" if value is None else "ok" if OPERATORS[sign](value, bound) else "missed"
        rows.append(f"| {name} | {sign} {bound:g} | {'' if value is None else f'{value:.4f}'} | {judged} |")
    return ["## Expected", "", "| metric | expected | measured | |", "|---|---|---|---|", *rows, ""] if rows else []


def _metrics(title: str, values: dict[str, Any]) -> list[str]:
    rows = [f"| {name} | {'' if value is None else f'{value:.4f}'} |" for name, value in values.items()]
    return [f"## {title}", "", "| metric | value |", "|---|---|", *rows, ""] if rows else []


def _curve(folder: Path) -> list[str]:
    """The validation metrics after each epoch that had one."""
    rows = [row for row in read_metrics(folder) if any(key.startswith("val/") for key in row)]
    names = [key for key in (rows[0] if rows else {}) if key.startswith("val/") and key.count("/") == 1][:6]
    if not names:
        return []
    table = [f"| {int(r.get('epoch', 0))} | " + " | ".join(f"{r[n]:.4f}" if n in r else "" for n in names) + " |" for r in rows]
    return ["## By epoch", "", "| epoch | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|", *table, ""]


def _pictures(folder: Path) -> list[str]:
    pictures = sorted((folder / PICTURES).glob("*.png"))
    if not pictures:
        return []
    shown = dict.fromkeys([pictures[0], pictures[-1]])
    return [
        "## Pictures",
        "",
        "Truth on the left, prediction on the right.",
        "",
        *(f"![{p.stem}]({PICTURES}/{p.name})" for p in shown),
    ]
