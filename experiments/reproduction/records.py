"""A verdict on disk: one JSON beside a study's runs, with all that a reader needs to trust it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments import recipes
from experiments.runs.files import LECTURES as FOLDER
from experiments.runs.files import read_summary
from experiments.runs.folder import write_atomically
from experiments.studies.lazy import plain
from experiments.studies.results import Run, Runs
from experiments.studies.study import Exact, ScaleName, Study, Training, digest
from experiments.studies.verdict import Verdict

from .claims import Claim
from .provenance import changed_sources, file_digest, sources


def study_folder(runs: Path, claim: Claim) -> Path:
    return runs / FOLDER / claim.name


def record_path(runs: Path, claim: Claim, scale: ScaleName) -> Path:
    return study_folder(runs, claim) / f"verdict-{scale}.json"


def study_digest(claim: Claim) -> str:
    """Stands for what a study says and does: its file, what it takes from its lecture's shared files, and its recipe."""
    parts = {name: value for name, value in study_sources(claim).items() if "lectures" in name}
    if isinstance(claim.study, Study):
        works = [claim.study.work, *(claim.study.work_of(arm) for arm in claim.study.arms)]
        for name in {work.recipe for work in works if isinstance(work, Training)}:
            parts[f"recipe {name}"] = digest(recipes.path_of(name).read_text(encoding="utf-8"))
    return digest(parts)


def study_sources(claim: Claim) -> dict[str, str]:
    """The files that a study's own code rests on, each with a digest."""
    function: Any = claim.study.checks if isinstance(claim.study, Exact) else claim.study.verdict
    return sources([sys.modules[function.__module__]])


def make_record(claim: Claim, scale: ScaleName, verdict: Verdict, runs: Runs | None, seconds: float) -> dict[str, Any]:
    """All of a verdict as plain data."""
    study = claim.study
    record: dict[str, Any] = {
        "claim": study.claim,
        "name": claim.name,
        "title": claim.title,
        "says": study.says,
        "slide": study.slide,
        "paper": study.paper,
        "erratum": study.erratum,
        "scale": scale,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "study_digest": study_digest(claim),
        "seconds": round(seconds, 1),
        **verdict.as_dict(),
    }
    if isinstance(study, Exact):
        from experiments.training.callbacks import commit

        return record | {
            "departures": list(study.departures),
            "seeds": 0,
            "arms": {},
            "held": "",
            "figure": "",
            "device": "any",
            "commit": commit(),
            "code": study_sources(claim),
        }
    assert runs is not None
    summaries = [read_summary(run.folder) for run in runs.all if run.folder]
    used = [run for arm in runs.arms for run in runs.of(arm)]
    return record | {
        "departures": [*study.departures, *study.scales[scale].departures],
        "held": study.held,
        "figure": study.figure,
        "seeds": len({run.seed for run in used}),
        "arms": {arm: _arm(study, arm, runs) for arm in runs.arms},
        "device": _one({s.get("device", "") for s in summaries}),
        "commit": _one({s.get("commit", "") for s in summaries}),
        "cpu_seconds": round(sum(s.get("cpu_seconds") or 0 for s in summaries), 1),
        "changed_code": sorted({name for run in used if run.folder for name in changed_sources(run.folder)}),
    }


def _arm(study: Study, arm: str, runs: Runs) -> dict[str, Any]:
    tried = {run.rate: study.tune.score(run) for run in runs.all if study.tune and run.arm == arm and run.seed == 0}
    return {
        "changes": plain(dict(study.arm(arm).changes)),
        "rate": runs.rates[arm],
        "tried": {f"{rate:g}": score if math.isfinite(score) else None for rate, score in tried.items() if rate is not None},
        "runs": [_run(run) for run in runs.of(arm)],
    }


def _run(run: Run) -> dict[str, Any]:
    parts = run.folder.parts[-4:] if run.folder else ()
    return {
        "folder": "/".join(parts),
        "seed": run.seed,
        "values": {name: value if math.isfinite(value) else None for name, value in run.values.items()},
    }


def _one(values: Iterable[str]) -> str:
    return ", ".join(sorted(v for v in values if v))


def write_record(runs: Path, claim: Claim, record: Mapping[str, Any]) -> Path:
    path = record_path(runs, claim, record["scale"])
    write_atomically(path, json.dumps(record, indent=1, default=str, ensure_ascii=False) + "\n")
    return path


def is_current(record: Mapping[str, Any] | None) -> bool:
    """Whether an exact study's record was computed with the code that is there now."""
    if not record or not record.get("code"):
        return False
    root = Path(__file__).parents[1]
    return all(file_digest(root / name) == was for name, was in record["code"].items())


class Index:
    """The runs of all studies, found by the hash at the end of their folder's name."""

    def __init__(self, runs: Path) -> None:
        folders = (runs / FOLDER).glob("*/*/*-seed*-*")
        self._known = {folder.name.rsplit("-", 1)[1]: folder for folder in folders}

    def folder(self, job_hash: str) -> Path | None:
        return self._known.get(job_hash)

    def add(self, job_hash: str, folder: Path) -> None:
        self._known[job_hash] = folder
