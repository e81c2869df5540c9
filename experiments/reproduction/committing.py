"""What ``--record`` does: a verdict becomes one of those that come with Lectern, and nothing else is touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from datamodules.scene import InputError
from experiments import ROOT
from experiments.runs.writing import write_atomically
from experiments.studies.committed import RESULTS, forget
from experiments.studies.record import Record
from experiments.studies.study import Study

from .claims import Claim
from .records import contradictions


def results_folder() -> Path:
    """Where the committed records lie in this checkout.

    Raises:
        InputError: this is no checkout of Lectern, or its folder cannot be written.
    """
    package = ROOT / "experiments"
    try:
        asked = subprocess.run(
            ["git", "ls-files", "--error-unmatch", "__init__.py"], cwd=package, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        asked = None
    if asked is None or asked.returncode or not os.access(package, os.W_OK):
        raise InputError(f"--record: {package} is not in a git checkout that can be written; a verdict of yours lies in --runs")
    return package / RESULTS


def commit_record(claim: Claim, record: Record, runs: Path) -> Path:
    """Writes a verdict's committed record; returns its file.

    Raises:
        InputError: as :func:`results_folder`; or it is a preview, or contradicts its runs.
    """
    if isinstance(claim.study, Study):
        wanted = claim.study.scales[record.scale].seeds or claim.study.seeds
        if record.seeds != wanted or record.first_seed:
            raise InputError(f"--record {claim.name}: seeds 0 to {wanted - 1} are what it is judged on, and others a preview")
    if wrong := contradictions(record, runs):
        raise InputError(f"--record {claim.name}: contradicts {len(wrong)} values of its runs, and is not written: {wrong[0]}")
    return write_committed(record)


def write_committed(record: Record) -> Path:
    """Puts a record among those that come with Lectern; returns its file.

    Raises:
        InputError: as :func:`results_folder`.
    """
    path = results_folder() / record.scale / f"{record.name}.json"
    write_atomically(path, committed(record).as_json())
    forget()
    return path


def committed(record: Record) -> Record:
    """A record without what is of one machine's folders, and of no meaning elsewhere."""
    variants = {
        name: variant.model_copy(
            update={
                "runs": tuple(run.model_copy(update={"folder": ""}) for run in variant.runs),
                "others": tuple(run.model_copy(update={"folder": ""}) for run in variant.others),
            }
        )
        for name, variant in record.variants.items()
    }
    return record.model_copy(update={"variants": variants, "seconds": 0.0})
