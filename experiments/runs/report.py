"""A run's ``report.md``, and an evaluation's: what was expected, what was measured, and the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .ends import ENDS, ends_report
from .expectations import OPERATORS, parse_expectations
from .files import (
    EVALUATIONS,
    PICTURES,
    read_config,
    read_evaluations,
    read_metrics,
    read_summary,
    state_of,
    test_metrics,
    tested_folder,
)
from .findings_report import findings_lines
from .markup import link, picture, plain
from .writing import write_atomically

REPORT = "report.md"
FILTERS = "filters.png"
"""Among a run's pictures, that of its first layer."""


def write_report(folder: Path, coming: Mapping[str, Any] | None = None) -> Path:
    """Writes the report of a run from its own files, and returns its path; ``coming`` is what its summary will have as well.

    Its test is the last one on the data of the run itself; evaluations on other data are listed, and have reports of their own.
    """
    summary, config = read_summary(folder) | dict(coming or {}), read_config(folder)
    tested = test_metrics(folder, summary)
    lines = [f"# {plain(summary.get('name', folder.name))}", "", *_facts(summary), "", *_remarks(summary)]
    lines += _expectations(config.get("expect"), tested) + _metrics("Test", tested) + ends_report(summary.get(ENDS))
    lines += _metrics("Last values of training and validation", summary.get("metrics", {}))
    test = tested_folder(folder, summary)
    lines += findings_lines(test, folder) + _left_out(summary) + _evaluations(folder) + _curve(folder)
    lines += _pictures(folder, test) + _filters(folder)
    return _written(folder, lines)


def write_evaluation_report(folder: Path) -> Path:
    """Writes the report of an evaluation into its folder, and anew that of its run where it is of the run's own data.

    A run that another process is writing keeps its report: it gets a new one at its end.

    Returns:
        The evaluation's report.
    """
    run, found = folder.parents[1], read_evaluations(folder.parents[1]).get(folder.name, {})
    limited, own = found.get("limited") is True, found.get("own_data") is True
    facts = {
        **found,
        "own_data": "" if limited else "the run's own" if own else "others than the run's own",
        "limited": "a part of the split alone (trainer.limit_…_batches)" if limited else "",
    }
    lines = [
        f"# {plain(found.get('command', 'evaluation'))} of {plain(found.get('checkpoint', ''))}",
        "",
        *_table(EVALUATION_FACTS, facts),
        "",
        *_remarks(found),
    ]
    lines += _expectations(found.get("expect"), found.get("metrics", {})) + _metrics("Measured", found.get("metrics", {}))
    path = _written(folder, lines + findings_lines(folder) + _left_out(found) + _pictures(folder, folder))
    if found.get("own_data") is True and found.get("command") == "test" and state_of(run) != "running":
        write_report(run)
    return path


EVALUATION_FACTS = {
    "data": "data",
    "own_data": "these data are",
    "root": "root",
    "split": "split",
    "limited": "limited to",
    "scenes": "scenes",
    "left_out": "left out",
    "date": "date",
    "device": "device",
    "commit": "commit",
}


def _evaluations(folder: Path) -> list[str]:
    rows = []
    for name, found in read_evaluations(folder).items():
        facts = [plain(found.get(key, "")) for key in ("command", "checkpoint", "data", "root", "split", "scenes", "left_out")]
        rows.append(f"| {link(name, f'{EVALUATIONS}/{name}/{REPORT}')} | " + " | ".join(facts) + " |")
    if not rows:
        return []
    head = "| evaluation | command | checkpoint | data | root | split | scenes | left out |"
    return ["## Evaluations", "", head, "|---" * 8 + "|", *rows, ""]


def _written(folder: Path, lines: list[str]) -> Path:
    write_atomically(folder / REPORT, "\n".join(lines) + "\n")
    return folder / REPORT


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
    return _table(keys | ({"left_out": "left out"} if summary.get("left_out") else {}), summary)


def _left_out(found: Mapping[str, Any]) -> list[str]:
    """What ``data.invalid: skip`` passed over, and why."""
    texts = found.get("left_out_because")
    if not isinstance(texts, list) or not texts:
        return []
    more = [f"- and {found['left_out'] - len(texts)} more"] if isinstance(found.get("left_out"), int) else []
    return ["## Left out", "", *(f"- {plain(text)}" for text in texts), *(more if found["left_out"] > len(texts) else []), ""]


def _remarks(values: Mapping[str, Any]) -> list[str]:
    """What was made of the data's files without being asked."""
    found = values.get("remarks")
    lines = [f"- {plain(remark)}" for remark in found if isinstance(remark, str)] if isinstance(found, list) else []
    return ["## Data", "", *lines, ""] if lines else []


def _table(keys: dict[str, str], values: dict[str, Any]) -> list[str]:
    rows = [f"| {text} | {plain(values[key])} |" for key, text in keys.items() if values.get(key) not in (None, "")]
    return ["| | |", "|---|---|", *rows]


def _expectations(expect: Any, tested: dict[str, Any]) -> list[str]:
    rows = []
    for name, (sign, bound) in parse_expectations(expect if isinstance(expect, dict) else {}).items():
        value = tested.get(name)
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


def _pictures(folder: Path, test: Path) -> list[str]:
    """The first and the last of a run or an evaluation, and those of the run's test where that has a folder of its own."""
    pictures = sorted(path for path in (folder / PICTURES).glob("*.png") if path.name != FILTERS)
    tested = sorted((test / PICTURES).glob("*.png")) if test != folder else []
    if not pictures and not tested:
        return []
    shown = dict.fromkeys([*pictures[:1], *pictures[-1:], *tested])
    return [
        "## Pictures",
        "",
        "Scenes from all over the set, each with what is true, what was predicted, and what of it is right.",
        "",
        *(picture(p.stem, p.relative_to(folder).as_posix()) for p in shown),
    ]


def _filters(folder: Path) -> list[str]:
    if not (folder / PICTURES / FILTERS).is_file():
        return []
    return ["## First-layer filters", "", "Grey is 0.", "", picture("filters", f"{PICTURES}/{FILTERS}")]
