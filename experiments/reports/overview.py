"""All claims of the lectures beside the verdicts that there are: what a reader is shown first."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from experiments import lectures
from experiments.lectures import LECTURES, Row, rows
from experiments.runs.files import read_records
from experiments.studies.verdict import Level

MEANING = {
    Level.EXACT: "an identity, computed on both sides, holds",
    Level.REPRODUCED: "measured as the lecture says, in every seed",
    Level.DIRECTION_ONLY: "the direction holds, the size or a part of the claim does not",
    Level.NOT_REPRODUCED: "the measurement contradicts the claim at this scale",
    Level.INCONCLUSIVE: "a condition of the experiment failed, or the numbers decide neither way",
    Level.NOT_RUN: "nobody has run it here",
}
SIGNS = {
    Level.EXACT: "=",
    Level.REPRODUCED: "✓",
    Level.DIRECTION_ONLY: "½",
    Level.NOT_REPRODUCED: "✗",
    Level.INCONCLUSIVE: "?",
    Level.NOT_RUN: "–",
}
"""Beside the word, so that a verdict is not told by its colour alone."""
SCALES = {
    "cpu": "drawn or small data, minutes on two processor cores",
    "gpu": "the real data set on one GPU",
    "paper": "the original set-up",
}

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A claim of a lecture, and the verdicts on it; none where it was not run."""

    row: Row
    lecture: str
    records: list[Record] = field(default_factory=list)
    study: str = ""
    """The name of its study, ``cnn/plain_nets_degrade``; empty where it has none yet."""


def records_at(runs: Path, scale: str) -> list[dict[str, Any]]:
    """The verdicts of a scale, and the exact ones, which hold at any."""
    found = read_records(runs, scale)
    if scale != "cpu":
        found += [record for record in read_records(runs, "cpu") if record.get("device") == "any"]
    return sorted(found, key=lambda record: str(record.get("claim")))


def entries(records: Iterable[Record]) -> dict[str, list[Entry]]:
    """Every claim, by the lecture that it stands in first."""
    by_claim: dict[str, list[Record]] = {}
    for record in records:
        by_claim.setdefault(str(record.get("claim")), []).append(record)
    studies = study_names()
    found: dict[str, list[Entry]] = {lecture: [] for lecture in LECTURES}
    for row in rows().values():
        lecture = row.lecture.split()[0]
        found.setdefault(lecture, []).append(Entry(row, lecture, by_claim.get(row.id, []), studies.get(row.id, "")))
    return found


def level(record: Record) -> Level:
    """The verdict's place on the ladder; one that a later version wrote counts as inconclusive."""
    try:
        return Level(str(record.get("level")))
    except ValueError:
        return Level.INCONCLUSIVE


def counts(records: Sequence[Record]) -> dict[Level, int]:
    """How many verdicts stand where, and how many claims have none."""
    found = {place: sum(level(record) == place for record in records) for place in Level}
    found[Level.NOT_RUN] = len(rows().keys() - {str(record.get("claim")) for record in records})
    return found


def command(study: str, scale: str) -> str:
    """What makes this verdict again."""
    return f"lectern reproduce {study.rpartition('/')[2]}" + (f" --scale {scale}" if scale != "cpu" else "")


@cache
def study_names() -> dict[str, str]:
    """The studies' names by claim, as their files say: importing them would import torch, which takes seconds."""
    found = {}
    for path in sorted(Path(lectures.__file__).parent.glob("*/[!_]*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "claim" and isinstance(node.value, ast.Constant):
                found[str(node.value.value)] = f"{path.parent.name}/{path.stem}"
    return found


# Numbers in words ---------------------------------------------------------------------------------------------------------


def number(value: Any) -> str:
    """A number as one reads it; thousands are set apart, and what is no number is a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value) if isinstance(value, str) else "–"
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if isinstance(value, int) or abs(value) >= 1_000:
        return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def with_unit(value: Any, unit: str) -> str:
    """``34 points``, ``6.1 ×``."""
    return f"{number(value)} {'×' if unit == 'x' else unit}".strip()


def interval(effect: Record) -> str:
    """``31 to 38``; a dash where it is not known."""
    if len(effect.get("by_seed") or ()) == 1:
        return "one seed, no interval"
    ends = effect.get("interval")
    return f"{number(ends[0])} to {number(ends[1])}" if ends else "–"


def seeds(effect: Record) -> str:
    """Each seed's number, with the sign of a bound before it."""
    values = effect.get("by_seed") or []
    bounds = effect.get("bounds") or [""] * len(values)
    return ", ".join(f"{bound} {number(value)}".strip() for value, bound in zip(values, bounds, strict=False))


def deciding(record: Record) -> list[Record]:
    """The effects that a figure shows: the first, those of which the claim needs something, and the naive one."""
    effects = list(record.get("effects") or [])
    shown = effects[:1] + [effect for effect in effects[1:] if effect.get("needs")]
    return shown + ([record["naive"]] if record.get("naive") else [])


def headline(record: Record) -> str:
    """What decided, in one line."""
    for effect in record.get("effects") or []:
        if effect.get("estimate") is not None:
            needs = f"; needed {effect['needs']}" if effect.get("needs") else ""
            measured = with_unit(effect["estimate"], str(effect.get("unit") or ""))
            return f"{effect.get('name')}: {measured} (95 % interval {interval(effect)}{needs})"
    checks = record.get("checks") or []
    return f"{sum(bool(check.get('holds')) for check in checks)} of {len(checks)} identities hold" if checks else ""


def setting(key: str) -> str:
    """The last words of a dotted setting: ``model.init_args.network`` is “network”."""
    parts = [part for part in key.split(".") if part not in ("init_args", "class_path")]
    return parts[-1] if parts else key


def short(value: Any, length: int = 90) -> str:
    """A setting's value on one line: a class by its name, with its arguments."""
    if isinstance(value, Mapping) and "class_path" in value:
        arguments = value.get("init_args") or {}
        inner = ", ".join(f"{k}={short(v, 40)}" for k, v in arguments.items()) if isinstance(arguments, Mapping) else ""
        text = f"{str(value['class_path']).rpartition('.')[2]}({inner})"
    elif isinstance(value, Mapping):
        text = ", ".join(f"{k}={short(v, 40)}" for k, v in value.items())
    elif isinstance(value, list | tuple):
        text = "[" + ", ".join(short(v, 40) for v in value) + "]"
    else:
        text = number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def changes(arm: Record) -> str:
    """What an arm changes, in words."""
    found = arm.get("changes")
    return "; ".join(f"{setting(str(k))}: {short(v)}" for k, v in found.items()) if isinstance(found, Mapping) else ""
