"""A verdict's record, made from the verdict and the runs that it rests on, and written beside them."""

from __future__ import annotations

import inspect
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datamodules.scene import InputError
from experiments import ROOT
from experiments.runs.files import STUDIES_FOLDER, inside, read_config, read_summary, run_at
from experiments.runs.writing import write_atomically
from experiments.studies.code import joined, source_digest, stale
from experiments.studies.lazy import plain
from experiments.studies.reading import read_run
from experiments.studies.record import FORMAT, AmendmentRecord, Record, RunRecord, VariantRecord
from experiments.studies.recording import part_record, rounded
from experiments.studies.results import Run, Runs
from experiments.studies.study import TUNING_SEED, Exact, ScaleName, Study, digest
from experiments.studies.verdict import Verdict

from .claims import Claim, claims
from .provenance import study_sources

LIBRARIES = ("torch", "torchvision", "numpy", "scipy")
"""That compute identities; what computed a run is in its summary."""


def study_folder(runs: Path, claim: Claim) -> Path:
    return runs / STUDIES_FOLDER / claim.name


def record_path(runs: Path, claim: Claim, scale: ScaleName) -> Path:
    return study_folder(runs, claim) / f"verdict-{scale}.json"


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
    specific = _of_identity(study) if isinstance(study, Exact) else _of_runs(study, scale, runs)
    return Record(
        format=FORMAT,
        claim=study.claim,
        name=claim.name,
        scale=scale,
        parts={letter: part_record(part) for letter, part in verdict.parts.items()},
        date=datetime.now().astimezone().replace(microsecond=0),
        seconds=round(seconds, 1),
        **said(claim, scale),
        **specific,
    )


def said(claim: Claim, scale: ScaleName) -> dict[str, Any]:
    """What a record has from the study's file alone: the sentence, the rule in words, and what was changed."""
    study = claim.study
    function = study.checks if isinstance(study, Exact) else study.parts
    texts: dict[str, Any] = {
        "title": claim.title,
        "says": study.says,
        "translation": study.translation,
        "slide": study.slide,
        "paper": study.paper,
        "rule": " ".join((inspect.getdoc(function) or "").split()),
        "erratum": study.erratum,
        "amendments": tuple(AmendmentRecord(date=a.date, what=a.what) for a in study.amendments),
        "deviations": tuple(study.deviations),
    }
    if isinstance(study, Study):
        texts["deviations"] += tuple(study.scales[scale].deviations)
        texts |= {"controlled": study.controlled, "figure": study.figure}
        texts |= {"figure_axes": study.figure_axes, "figure_x": study.figure_x}
    return texts


def _of_identity(study: Exact) -> dict[str, Any]:
    from experiments.training.callbacks import commit

    versions = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    return {"device": "any", "commit": commit(), "code": study_sources(study), "versions": versions}


def _of_runs(study: Study, scale: ScaleName, runs: Runs | None) -> dict[str, Any]:
    assert runs is not None
    variants = {variant: _variant(study, variant, runs) for variant in runs.variants}
    summaries = [read_summary(run.folder) for run in runs.all if run.folder]
    used = sorted({run.seed for variant in variants.values() for run in variant.runs})
    code = [summary.get("code", {}) for summary in summaries]
    return {
        "data": _data([run for variant in runs.variants for run in runs.of(variant)]),
        "seeds": len(used),
        "first_seed": min(used, default=0),
        "variants": variants,
        "device": _one(s.get("device", "") for s in summaries),
        "processor": _one(str(s.get("processor") or "") for s in summaries),
        "commit": _one(s.get("commit", "") for s in summaries),
        "versions": _versions([s.get("versions") for s in summaries]),
        "cpu_seconds": round(sum(s.get("cpu_seconds") or 0 for s in summaries), 1),
        "code": code_of_runs(study, scale, code),
        "changed_code": tuple(stale(_code_of(code))),
    }


def code_of_runs(study: Study, scale: ScaleName, of_runs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What a study's verdict rests on, with its runs' own code, as their summaries have it: one digest a file.

    Of what is not as it was, the digest of then.
    """
    code = study_sources(study, scale) | _code_of(of_runs)
    old = {name: was for name, was in code.items() if source_digest(name) != was}
    return dict(sorted((joined(code.keys() - old.keys()) | old).items()))


def _code_of(summaries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The code of all runs; of a file that is not the same in all of them, or not today's, the digest that is not today's."""
    found: dict[str, str] = {}
    for code in summaries:
        for name, was in code.items():
            if name not in found or found[name] == source_digest(name):
                found[name] = _of_today(name, was)
    return found


def _of_today(name: str, was: str) -> str:
    """Versions of before wrote a digest of a file's text: where the text is still the same, so is its code."""
    path = ROOT / name
    is_text = name.endswith(".py") and inside(ROOT, path) and path.is_file()
    return source_digest(name) if is_text and was == digest(path.read_text(encoding="utf-8")) else was


def _versions(of_runs: Iterable[object]) -> dict[str, str]:
    """Of each library, the version; the versions, where runs were made with several."""
    found: dict[str, set[str]] = {}
    for versions in of_runs:
        for name, value in versions.items() if isinstance(versions, dict) else ():
            found.setdefault(str(name), set()).add(str(value))
    return {name: _one(values) for name, values in sorted(found.items())}


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
        tried=tried(study, own),
        runs=tuple(map(_run, judged)),
        others=tuple(_run(run) for run in own if run not in judged),
    )


def tried(study: Study, runs: Sequence[Run]) -> dict[str, float]:
    """The mean score of each learning rate over the tuning seeds; what scores any of the runs is then kept with it."""
    scores: dict[float, list[float]] = {}
    for run in runs:
        if study.tune and run.lr is not None and run.variant in study.tuned_variants:
            score = study.tune.score(run)
            if run.seed >= TUNING_SEED:
                scores.setdefault(run.lr, []).append(score)
    return {f"{lr:g}": rounded(sum(found) / len(found)) for lr, found in sorted(scores.items())}


def _run(run: Run) -> RunRecord:
    folder = "/".join(run.folder.parts[-4:]) if run.folder else ""
    data = str(read_summary(run.folder).get("data_digest") or "") if run.folder else ""
    return RunRecord(folder=folder, hash=folder.rpartition("-")[2], seed=run.seed, lr=run.lr, values=dict(run.read), data=data)


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


def contradictions(record: Record, runs: Path) -> list[str]:
    """What a record says of its runs and their folders do not, as far as they are there."""
    found = []
    for name, variant in record.variants.items():
        for kept in (*variant.runs, *variant.others):
            folder = run_at(runs, kept.folder) if kept.folder else None
            if folder is None:
                continue
            run, where = read_run(folder, name, kept.seed, kept.lr), folder.name
            for what, value in kept.values.items():
                there = _read_again(run, what)
                if there != value and not (math.isnan(there) and math.isnan(value)):
                    found.append(f"{where}: {what} is {there:g}, and not {value:g}")
            data = str(read_summary(folder).get("data_digest") or "")
            if data != kept.data:
                found.append(f"{where}: its data are {data or 'not known'}, and not {kept.data or 'unknown'}")
    return found


def said_by(folder: Path, variant: str, kept: RunRecord) -> RunRecord:
    """A run as it is recorded, with the values and the data of the run in another folder."""
    run = read_run(folder, variant, kept.seed, kept.lr)
    values = {what: _read_again(run, what) for what in kept.values}
    return kept.model_copy(update={"values": values, "data": str(read_summary(folder).get("data_digest") or "")})


def _read_again(run: Run, name: str) -> float:
    """A value by the name that it was read under."""
    if name not in run.values and name.startswith("steps to "):
        metric, _, threshold = name.removeprefix("steps to ").rpartition(" ")
        return run.steps_to(metric, float(threshold))
    if name not in run.values and name.startswith("last step of "):
        return run.last_step(name.removeprefix("last step of "))
    return run.value(name)


def _one(values: Iterable[str]) -> str:
    return ", ".join(sorted({value for value in values if value}))


def write_record(runs: Path, claim: Claim, record: Record) -> Path:
    """Writes a verdict beside its runs.

    Raises:
        InputError: its numbers are not those of its runs.
    """
    if wrong := contradictions(record, runs):
        raise InputError(
            f"{claim.name}: its record contradicts {len(wrong)} values of its runs, and is not written: {wrong[0]}"
        )
    path = record_path(runs, claim, record.scale)
    write_atomically(path, record.as_json())
    return path


def is_current(record: Record) -> bool:
    """Whether an identity's record was computed with the code that is there now, and says what its study's file says."""
    claim = claims().get(record.name)
    texts = said(claim, record.scale) if claim else {}
    return bool(record.code) and not stale(record.code) and all(getattr(record, name) == text for name, text in texts.items())


class Index:
    """The runs of all studies, found by the hash at the end of their folder's name."""

    def __init__(self, runs: Path) -> None:
        folders = (runs / STUDIES_FOLDER).glob("*/*/*-seed*-*")
        self._known = {folder.name.rsplit("-", 1)[1]: folder for folder in folders}

    def folder(self, job_hash: str) -> Path | None:
        return self._known.get(job_hash)

    def add(self, job_hash: str, folder: Path) -> None:
        self._known[job_hash] = folder
