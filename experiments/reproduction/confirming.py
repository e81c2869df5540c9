"""``lectern reproduce NAME --confirm``: whether code that was changed since a verdict still gives the numbers that decided.

A change to what many studies rest on makes them all stale, though most changes alter no number. So of each variant the first
judged seed is run again: where every value is the recorded one to the last digit, and the data are the same, the record's
digests are renewed, and it says that it was confirmed, and when. One that judges time is never the same, and is judged again.

Where the record is of another processor, the last digits are that one's. ``--confirm COMMIT`` compares with what that commit's
code gives here in their place; the record must not have been stale there.

What chooses and judges runs (``JUDGING``) makes none. Where nothing else was changed, no run is needed: from the numbers in the
record the rates are chosen and the verdict is judged again, and both have to come out as they are recorded.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from experiments.runs.files import read_summary
from experiments.studies.code import stale
from experiments.studies.committed import committed_records
from experiments.studies.record import ConfirmationRecord, Record, RunRecord
from experiments.studies.study import Exact, Job, ScaleName, Study

from .check import differences
from .claims import Claim
from .committing import write_committed
from .earlier import Earlier, check_commit, run_by, unpacked
from .evidence import processor
from .execution import execute
from .launchers import Handle, Processes, Submitit
from .lines import say
from .provenance import study_sources
from .records import code_of_runs, contradictions, said, said_by, study_folder
from .validity import needed_data

EARLIER = "earlier"
"""Of the folder of runs, those by the code of an earlier commit."""
JUDGING = tuple(f"experiments/studies/{name}.py" for name in ("effects", "levels", "needs", "plan", "statistics", "verdict"))
"""What of our code is run again, whole, on the numbers of a record (:func:`differences`)."""


def confirm(
    chosen: Sequence[Claim], scale: ScaleName, runs: Path, executor: Processes | Submitit, commit: str | None = None
) -> int:
    """Confirms the committed verdicts of these studies that are stale, each in a line.

    Args:
        chosen: the studies.
        scale: whose verdicts.
        runs: where a folder of runs is made, and removed.
        executor: makes the runs.
        commit: its code's runs on this machine are what today's are compared with; None for the recorded numbers.

    Returns:
        1 where one could not be confirmed, else 0.

    Raises:
        InputError: git knows no such commit.
    """
    if commit:
        check_commit(commit)
    records = {record.name: record for record in committed_records() if record.scale == scale or record.is_at_any_scale}
    old = [(claim, records[claim.name]) for claim in chosen if claim.name in records and _is_old(claim, records[claim.name])]
    if not old:
        say("no committed verdict of these studies is stale")
        return 0
    runs.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix=".confirm-", dir=runs))
    try:
        earlier = unpacked(commit, root / EARLIER / "code") if commit else None
        waiting = [(claim, record, _submit(claim, record, root, executor, earlier)) for claim, record in old]
        return int(sum(_end(*each, root, earlier) for each in waiting) < len(waiting))
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _is_old(claim: Claim, record: Record) -> bool:
    return bool(stale(record.code)) or any(getattr(record, name) != text for name, text in said(claim, record.scale).items())


def _only_judging(record: Record) -> bool:
    """Whether what was changed is done again on the record's numbers."""
    return set(stale(record.code)) <= {*JUDGING}


def _jobs(claim: Claim, record: Record) -> Iterator[tuple[str, RunRecord, Job]]:
    """By variant, the first judged run, and what makes it again."""
    assert isinstance(claim.study, Study)
    for name, variant in record.variants.items():
        for run in variant.runs[:1]:
            yield name, run, claim.study.job(record.scale, name, run.lr, run.seed)


def _submit(claim: Claim, record: Record, root: Path, executor: Processes | Submitit, earlier: Earlier | None) -> list[Handle]:
    if isinstance(claim.study, Exact) or _only_judging(record) or needed_data(claim.study.scales[record.scale]):
        return []
    if gone := record.variants.keys() - claim.study.variants.keys():
        raise ValueError(f"{claim.name}: its record has variants that the study has not: {', '.join(sorted(gone))}")
    if earlier and earlier.stale(record):
        return []
    label = {"claim": claim.id, "name": claim.name, "scale": record.scale}
    jobs = {job.hash: job for _, _, job in _jobs(claim, record)}  # two variants may be one run
    handles = [executor.submit(execute, job, study_folder(root, claim) / job.version, label) for job in jobs.values()]
    if earlier:
        for job in jobs.values():
            asked = {"name": claim.name, "scale": record.scale, "variant": job.variant, "lr": job.lr, "seed": job.seed}
            folder = (study_folder(root / EARLIER, claim) / job.version).resolve()
            handles.append(executor.submit(run_by, earlier.folder, asked | {"folder": str(folder), "label": label}))
    return handles


def _end(claim: Claim, record: Record, handles: Sequence[Handle], root: Path, earlier: Earlier | None) -> bool:
    """Waits for a study's runs, and renews its record where they say the same; whether they do."""
    while not all(handle.done() for handle in handles):
        time.sleep(0.05)
    if error := next((error for handle in handles if (error := handle.exception())), None):
        why, *_ = f"{type(error).__name__}: {error}".splitlines()
        return _refused(claim, f"a run failed ({why})")
    if isinstance(claim.study, Study) and _only_judging(record):
        what, now = "rates chosen and verdict judged again", study_sources(claim.study, record.scale)
        code = {path: now.get(path, digest) if path in JUDGING else digest for path, digest in record.code.items()}
    elif isinstance(claim.study, Study):
        if lacking := needed_data(claim.study.scales[record.scale]):
            return _refused(claim, f"needs {lacking}")
        if earlier and (files := earlier.stale(record)):
            return _refused(claim, f"it was stale at {earlier.commit} too ({', '.join(files[:3])})")
        again = {name: (run, study_folder(root, claim) / job.version) for name, run, job in _jobs(claim, record)}
        if earlier:
            before = {name: study_folder(root / EARLIER, claim) / job.version for name, _, job in _jobs(claim, record)}
            again = {name: (said_by(before[name], name, run), folder) for name, (run, folder) in again.items()}
        variants = {
            name: record.variants[name].model_copy(
                update={"runs": (run.model_copy(update={"folder": "/".join(folder.parts[-4:])}),), "others": ()}
            )
            for name, (run, folder) in again.items()
        }
        if wrong := contradictions(record.model_copy(update={"variants": variants}), root):
            return _refused(claim, f"{len(wrong)} values are others now: {wrong[0]}")
        values = sum(len(run.values) for run, _ in again.values())
        what = f"the first seed of {len(again)} variants run again: {values} values equal"
        if earlier:
            what += f" to those of the code before, on {processor()}"
        summaries = [read_summary(folder).get("code", {}) for _, folder in again.values()]
        code = code_of_runs(claim.study, record.scale, summaries)
    else:
        what, code = "computed again", study_sources(claim.study)
    seen = record.model_copy(update=said(claim, record.scale))
    if other := differences(claim, seen):
        return _refused(claim, f"judged again, {other[0][0]} is another")
    note = ConfirmationRecord(date=date.today().isoformat(), what=what, changed=tuple(stale(record.code)))
    update = {"code": code, "changed_code": (), "confirmed": (*record.confirmed, note)}
    write_committed(seen.model_copy(update=update))
    say(f"{claim.id:4} confirmed        {claim.name}: {what}")
    return True


def _refused(claim: Claim, why: str) -> bool:
    say(f"{claim.id:4} not confirmed    {claim.name}: {why}; `lectern reproduce {claim.id} --record` judges it again")
    return False
