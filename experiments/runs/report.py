"""A run's ``report.md``: what was expected, what was measured, and the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .expectations import OPERATORS, parse_expectations
from .files import PICTURES, read_config, read_metrics, read_summary
from .folder import write_atomically
from .markup import picture, plain

REPORT = "report.md"


def write_report(folder: Path) -> Path:
    """Writes the report from the run's own files, and returns its path."""
    summary, config = read_summary(folder), read_config(folder)
    lines = [f"# {plain(summary.get('name', folder.name))}", "", *_facts(summary), "", *_expectations(config, summary)]
    lines += _metrics("Test", summary.get("test", {})) + _metrics(
        "Last values of training and validation", summary.get("metrics", {})
    )
    lines += _curve(folder) + _pictures(folder)
    path = folder / REPORT
    write_atomically(path, "\n".join(lines) + "\n")
    return path


def _facts(summary: dict[str, Any]) -> list[str]:
    keys = {
        "state": "state",
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
    rows = [f"| {text} | {plain(summary[key])} |" for key, text in keys.items() if key in summary]
    return ["| | |", "|---|---|", *rows]


def _expectations(config: dict[str, Any], summary: dict[str, Any]) -> list[str]:
    rows = []
    expect = config.get("expect")
    for name, (sign, bound) in parse_expectations(expect if isinstance(expect, dict) else {}).items():
        value = summary.get("test", {}).get(name)
        judged = "not measured yet" if value is None else "ok" if OPERATORS[sign](float(value), bound) else "missed"
        rows.append(f"| {plain(name)} | {sign} {bound:g} | {_number(value)} | {judged} |")
    return ["## Expected", "", "| metric | expected | measured | |", "|---|---|---|---|", *rows, ""] if rows else []


def _metrics(title: str, values: dict[str, Any]) -> list[str]:
    rows = [f"| {plain(name)} | {_number(value)} |" for name, value in values.items()]
    return [f"## {title}", "", "| metric | value |", "|---|---|", *rows, ""] if rows else []


def _number(value: Any) -> str:
    return "" if value is None else f"{float(value):.4f}"


def _curve(folder: Path) -> list[str]:
    """The validation metrics after each epoch that had one."""
    rows = [row for row in read_metrics(folder) if any(key.startswith("val/") for key in row)]
    names = [key for key in (rows[0] if rows else {}) if key.startswith("val/") and key.count("/") == 1][:6]
    if not names:
        return []
    table = [f"| {r.get('epoch', 0):.0f} | " + " | ".join(f"{r[n]:.4f}" if n in r else "" for n in names) + " |" for r in rows]
    return ["## By epoch", "", "| epoch | " + " | ".join(map(plain, names)) + " |", "|---" * (len(names) + 1) + "|", *table, ""]


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
        *(picture(p.stem, f"{PICTURES}/{p.name}") for p in shown),
    ]
