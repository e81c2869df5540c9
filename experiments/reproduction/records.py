"""A verdict's record, made from the verdict and the runs that it rests on, and written beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments import recipes
from experiments.runs.files import STUDIES_FOLDER, read_config, read_summary
from experiments.runs.writing import write_atomically
from experiments.studies.lazy import plain
from experiments.studies.record import (
    FORMAT,
    AmendmentRecord,
    Record,
    RunRecord,
    VariantRecord,
    part_record,
)
from experiments.studies.results import Run, Runs
from experiments.studies.study import TUNING_SEED, Exact, ScaleName, Study, Training, digest
from experiments.studies.verdict import Verdict

from .claims import Claim
from .provenance import changed_sources, source_digest, sources


def study_folder(runs: Path, claim: Claim) -> Path:
    return runs / STUDIES_FOLDER / claim.name


def record_path(runs: Path, claim: Claim, scale: ScaleName) -> Path:
    return study_folder(runs, claim) / f"verdict-{scale}.json"


def study_digest(claim: Claim) -> str:
    """Stands for what a study says and does: its file, what it takes from its lecture's shared files, and its recipe."""
    parts = {name: value for name, value in study_sources(claim).items() if "lectures" in name}
    if isinstance(claim.study, Study):
        works = [claim.study.work, *(claim.study.work_of(variant) for variant in claim.study.variants)]
        for name in {work.recipe for work in works if isinstance(work, Training)}:
            parts[f"recipe {name}"] = digest(recipes.path_of(name).read_text(encoding="utf-8"))
    return digest(parts)


def study_sources(claim: Claim) -> dict[str, str]:
    """The files that a study's own code rests on, each with a digest."""
    function: Any = claim.study.checks if isinstance(claim.study, Exact) else claim.study.verdict
    return sources([sys.modules[function.__module__]])


def make_record(claim: Claim, scale: ScaleName, verdict: Verdict, runs: Runs | None, seconds: float) -> Record:
    """All of a verdict.

    Args:
        claim: what was judged.
        scale: at which scale; an identity holds at any.
        verdict: where the claim stands.
        runs: the runs of a study; None for an identity, which has none.
        seconds: wall time of the call that judged.
    """
    study = claim.study
    specific = _of_identity(claim) if isinstance(study, Exact) else _of_runs(study, scale, runs)
    return Record(
        format=FORMAT,
        claim=study.claim,
        name=claim.name,
        scale=scale,
        title=claim.title,
        says=study.says,
        translation=study.translation,
        slide=study.slide,
        paper=study.paper,
        erratum=study.erratum,
        parts={letter: part_record(part) for letter, part in verdict.parts.items()},
        amendments=tuple(AmendmentRecord(date=a.date, what=a.what) for a in study.amendments),
        date=datetime.now().astimezone().replace(microsecond=0),
        seconds=round(seconds, 1),
        **specific,
    )


def _of_identity(claim: Claim) -> dict[str, Any]:
    from experiments.training.callbacks import commit

    return {"deviations": claim.study.deviations, "device": "any", "commit": commit(), "code": study_sources(claim)}


def _of_runs(study: Study, scale: ScaleName, runs: Runs | None) -> dict[str, Any]:
    assert runs is not None
    summaries = [read_summary(run.folder) for run in runs.all if run.folder]
    used = [run for variant in runs.variants for run in runs.of(variant)]
    return {
        "deviations": (*study.deviations, *study.scales[scale].deviations),
        "controlled": study.controlled,
        "figure": study.figure,
        "figure_axes": study.figure_axes,
        "figure_x": study.figure_x,
        "data": _data(used),
        "seeds": len({run.seed for run in used}),
        "variants": {variant: _variant(study, variant, runs) for variant in runs.variants},
        "device": _one({s.get("device", "") for s in summaries}),
        "commit": _one({s.get("commit", "") for s in summaries}),
        "cpu_seconds": round(sum(s.get("cpu_seconds") or 0 for s in summaries), 1),
        "changed_code": tuple(sorted({name for run in used if run.folder for name in changed_sources(run.folder)})),
    }


def _data(runs: Sequence[Run]) -> dict[str, Any]:
    """What the first training among them was trained on: its class, and the settings that are numbers."""
    found = (read_config(run.folder).get("data") for run in runs if run.folder)
    data = next((data for data in found if isinstance(data, dict)), {})
    sizes = {name: value for name, value in (data.get("init_args") or {}).items() if type(value) in (int, float)}
    return {"class": str(data["class_path"]).rpartition(".")[2], **sizes} if "class_path" in data else {}


def _variant(study: Study, variant: str, runs: Runs) -> VariantRecord:
    own = [run for run in runs.all if run.variant == variant]
    judged = runs.of(variant)
    return VariantRecord(
        changes=plain(dict(study.variant(variant).changes)),
        lr=runs.lrs[variant],
        inside=runs.inside.get(variant),
        tried=_tried(study, [run for run in own if run.seed >= TUNING_SEED]),
        runs=tuple(map(_run, judged)),
        others=tuple(_run(run) for run in own if run not in judged),
    )


def _tried(study: Study, runs: Sequence[Run]) -> dict[str, float]:
    scores: dict[float, list[float]] = {}
    for run in runs:
        if run.lr is not None and study.tune:
            scores.setdefault(run.lr, []).append(study.tune.score(run))
    return {f"{lr:g}": sum(found) / len(found) for lr, found in sorted(scores.items())}


def _run(run: Run) -> RunRecord:
    folder = "/".join(run.folder.parts[-4:]) if run.folder else ""
    data = str(read_summary(run.folder).get("data_digest", "")) if run.folder else ""
    return RunRecord(folder=folder, seed=run.seed, lr=run.lr, values=dict(run.read), data=data)


def runs_of(record: Record) -> Runs:
    """The runs that a record was judged on, with the values that decided: what it can be judged again from."""
    runs = [
        Run(name, run.seed, run.lr, run.values)
        for name, variant in record.variants.items()
        for run in (*variant.runs, *variant.others)
    ]
    lrs = {name: variant.lr for name, variant in record.variants.items()}
    inside = {name: variant.inside for name, variant in record.variants.items() if variant.inside is not None}
    return Runs(runs, lrs, inside, TUNING_SEED)


def _one(values: Iterable[str]) -> str:
    return ", ".join(sorted(v for v in values if v))


def write_record(runs: Path, claim: Claim, record: Record) -> Path:
    path = record_path(runs, claim, record.scale)
    write_atomically(path, record.as_json())
    return path


def is_current(record: Record) -> bool:
    """Whether an exact study's record was computed with the code that is there now."""
    return bool(record.code) and all(source_digest(name) == was for name, was in record.code.items())


class Index:
    """The runs of all studies, found by the hash at the end of their folder's name."""

    def __init__(self, runs: Path) -> None:
        folders = (runs / STUDIES_FOLDER).glob("*/*/*-seed*-*")
        self._known = {folder.name.rsplit("-", 1)[1]: folder for folder in folders}

    def folder(self, job_hash: str) -> Path | None:
        return self._known.get(job_hash)

    def add(self, job_hash: str, folder: Path) -> None:
        self._known[job_hash] = folder
