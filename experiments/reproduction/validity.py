"""What a study must have before it is judged: its data on disk, and the same data for all that is compared."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiments.runs.files import read_summary
from experiments.studies.results import Run
from experiments.studies.study import Job, Scale, digest


def needed_data(scale: Scale) -> str:
    """The first of the data that a scale requires and that is not there, and where it is to be had; empty where all is."""
    missing = {path: where for path, where in scale.requires.items() if not Path(path).exists()}
    return next((f"{path}: {where}" for path, where in missing.items()), "")


def data_differs(runs: Iterable[tuple[Job, Run]]) -> str:
    """What is wrong where trainings that were meant to see the same data saw different data; empty where nothing is.

    Meant to see the same have trainings whose configurations agree in all of ``data``, which holds the seed of the data.
    Tasks that use different fields of a scene are not compared.
    """
    seen: dict[str, tuple[Run, str]] = {}
    for job, run in runs:
        summary = read_summary(run.folder) if job.function is None and run.folder else {}
        if not (said := summary.get("data_digest")):
            continue
        alike = digest({"data": job.settings["data"], "fields": summary.get("data_fields")})
        first, was = seen.setdefault(alike, (run, str(said)))
        if said != was:
            return (
                f"«{first.variant}» (seed {first.seed}) and «{run.variant}» (seed {run.seed}) saw different data, digests "
                f"{was} and {said}: one of {first.folder} and {run.folder} is of other data; remove it to make it again"
            )
    return ""
