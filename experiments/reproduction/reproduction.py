"""The studies that a call is about: which runs are made for them, and what becomes of each."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from datamodules.scene import InputError
from experiments.runs.files import read_summary
from experiments.runs.lock import is_locked
from experiments.studies.plan import collect, expected_jobs, judged_seeds, next_jobs
from experiments.studies.record import Record, read_record
from experiments.studies.results import Run, Runs
from experiments.studies.study import Exact, Job, ScaleName, Study
from experiments.studies.verdict import Verdict, judge_checks
from experiments.training.wandb_logging import WandbMode

from .agreement import Agreement, compared
from .claims import Claim, claims
from .committing import commit_record
from .execution import execute, job_lock
from .finding import Finder, Look
from .launchers import Handle, Processes, Submitit
from .lines import agreement_lines, reason_line, say, verdict_lines
from .publishing import publish_verdict
from .records import is_current, make_record, record_path, study_folder, write_record
from .validity import data_differs, needed_data


class Reproduction:
    """The studies that were asked for, and what has become of them so far.

    Args:
        chosen: the studies, in the order in which they are run.
        scale: cpu, gpu or paper.
        runs: the folder of all runs.
        executor: where runs take place.
        seeds: of every variant, in place of what the studies say; fewer give previews, which are not recorded.
        wandb: the mode of the runs' W&B logger.
        first_seed: judges on the seeds from here on, to compare with the verdict that there is; no record is written.
        record: whether verdicts become those that come with Lectern.
    """

    def __init__(
        self,
        chosen: Sequence[Claim],
        scale: ScaleName,
        runs: Path,
        executor: Processes | Submitit,
        seeds: int | None = None,
        wandb: WandbMode = "disabled",
        first_seed: int | None = None,
        record: bool = False,
    ) -> None:
        self.scale, self.runs, self.executor, self.seeds, self.wandb = scale, runs, executor, seeds, wandb
        self.first_seed, self.record = first_seed, record
        self.finder = Finder(runs, say)
        self.open = {claim.name: claim for claim in chosen}
        self.pending: dict[str, Handle] = {}
        self.failed: dict[str, str] = {}
        """By a study's name, or a run's hash, what went wrong."""
        self.not_run: dict[str, str] = {}
        """By a study's name, which data it lacks."""
        self.records: list[Record] = []
        """The verdicts, which are written."""
        self.previews: list[Record] = []
        """What fewer seeds than the studies' say."""
        self.agreements: list[Agreement] = []
        """What fresh seeds say of the verdicts that there are."""
        self.made = 0
        """Runs that this call has made."""
        self._began: dict[str, float] = {}
        self._left: dict[str, int] = {}
        self._bars: dict[str, tqdm[Any]] = {}

    def find(self, job: Job) -> Run | None:
        """The finished run of a job, whichever study made it."""
        return None if job.hash in self.pending else self.finder.find(job)

    @property
    def left(self) -> int:
        """About how many runs the studies that are still open lack."""
        return sum(self._left.get(name, self._expected(claim.study)) for name, claim in self.open.items())

    def _expected(self, study: Study | Exact) -> int:
        return expected_jobs(study, self.scale, self.seeds) if isinstance(study, Study) and self.scale in study.scales else 0

    def run(self) -> None:
        """Until every study has its verdict, or has failed."""
        try:
            while self.open:
                self._submit()
                self._settle()
                if self.open:
                    time.sleep(0.05)
        finally:
            self.close()

    def _submit(self) -> None:
        room = 2 * self.executor.jobs if isinstance(self.executor, Processes) else sys.maxsize
        for claim in list(self.open.values()):
            if len(self.pending) >= room:
                return
            if isinstance(claim.study, Exact):
                self._submit_exact(claim)
            else:
                self._submit_runs(claim, claim.study, room)

    def _submit_exact(self, claim: Claim) -> None:
        record = read_record(record_path(self.runs, claim, "cpu"))
        if claim.name in self.failed:
            self._fail(claim, self.failed[claim.name])
        elif claim.name in self.pending:
            return
        elif record and (claim.name in self._began or is_current(record)):
            self._close(claim, record)
        else:
            self._began[claim.name] = time.monotonic()
            self.pending[claim.name] = self.executor.submit(compute, claim.name, self.runs)

    def _submit_runs(self, claim: Claim, study: Study, room: int) -> None:
        if self.scale not in study.scales:
            self._fail(claim, f"has no scale {self.scale}; it has {', '.join(study.scales)}")
            return
        if lacking := needed_data(study.scales[self.scale]):
            self.not_run[claim.name] = lacking
            self._leave(claim, f"needs {lacking}")
            return
        self._began.setdefault(claim.name, time.monotonic())
        look = Look(self.find)
        jobs = next_jobs(study, self.scale, look, self.seeds, self.first_seed or 0)
        if self._give_up(look.lost()):
            return  # the next look finds them missing
        if not jobs:
            self._judge(claim, study)
            return
        if broken := next((why for job in jobs if (why := self._why_not(job))), ""):
            self._fail(claim, broken)
            return
        self._progress(claim, study, len(jobs), len(list(look.runs)))
        for job in jobs:
            if job.hash not in self.pending and len(self.pending) < room:
                folder = self.finder.index.folder(job.hash) or study_folder(self.runs, claim) / job.version
                self.finder.index.add(job.hash, folder)
                if is_locked(job_lock(folder)):  # another call makes it; when it has, this one finds it
                    continue
                label = {"claim": claim.id, "name": claim.name, "scale": self.scale}
                self.pending[job.hash] = self.executor.submit(execute, job, folder, label, self.wandb)

    def _why_not(self, job: Job) -> str:
        """Why a run cannot be had; empty where it can."""
        return self.failed.get(job.hash) or self.finder.broken.get(job.hash) or ""

    def _give_up(self, lost: dict[str, str]) -> bool:
        """Has runs made again of which something is lost; whether there are any."""
        for key, wrong in lost.items():
            self.finder.give_up(key, wrong)
        return bool(lost)

    def _settle(self) -> None:
        for key, handle in [(k, h) for k, h in self.pending.items() if h.done()]:
            del self.pending[key]
            error = handle.exception()
            self.made += bool(error) or handle.result() is not False
            if error:
                folder = self.finder.index.folder(key)
                reason = read_summary(folder).get("reason") if folder else None
                where = f" (see {folder / 'log.txt'})" if folder else ""
                self.failed[key] = f"{reason or f'{type(error).__name__}: {error}'}{where}"

    def _judge(self, claim: Claim, study: Study) -> None:
        look = Look(self.find)
        runs = collect(study, self.scale, look, self.seeds, self.first_seed or 0)
        if different := data_differs(look.runs):
            self._fail(claim, different)
            return
        try:
            verdict = Verdict.of(study.parts(runs))
            record = make_record(claim, self.scale, verdict, runs, time.monotonic() - self._began[claim.name])
        except Exception as error:
            if not self._give_up(look.lost()):  # it may be what was lost that it stumbled over
                self._fail(claim, f"cannot be judged: {type(error).__name__}: {error}")
            return
        if not self._give_up(look.lost()):
            self._take(claim, record, judged_seeds(study, self.scale), runs)

    def _take(self, claim: Claim, record: Record, wanted: int, runs: Runs) -> None:
        """Puts a verdict where it belongs, by the seeds that it was judged on."""
        there = min(len(runs.of(variant)) for variant in runs.variants)
        preview = f"preview, {there} of {wanted} seeds" if there < wanted else ""
        if self.first_seed is not None:
            agreement = compared(record, self.runs, preview)
            self.agreements.append(agreement)
            self._end(claim, agreement_lines(claim, agreement))
        elif preview:
            self.previews.append(record)
            self._end(claim, verdict_lines(claim, record, preview))
        else:
            self._close(claim, record)

    def _close(self, claim: Claim, record: Record) -> None:
        if not isinstance(claim.study, Exact):
            write_record(self.runs, claim, record)
            if self.wandb != "disabled":
                publish_verdict(record, self.runs, self.wandb)
        if self.record:
            try:
                commit_record(claim, record, self.runs)
            except InputError as error:
                self._fail(claim, str(error))
                return
        self.records.append(record)
        self._end(claim, verdict_lines(claim, record))

    def _fail(self, claim: Claim, reason: str) -> None:
        self.failed[claim.name] = reason
        self._leave(claim, reason)

    def _leave(self, claim: Claim, reason: str) -> None:
        self._end(claim, [reason_line(claim, reason)])

    def _end(self, claim: Claim, lines: Sequence[str]) -> None:
        del self.open[claim.name]
        if bar := self._bars.pop(claim.name, None):
            bar.close()
        for line in lines:
            say(line)

    def close(self) -> None:
        """Takes the bars off the terminal."""
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()

    def _progress(self, claim: Claim, study: Study, missing: int, there: int) -> None:
        """One line for a study that is under way, on a terminal."""
        expected = max(expected_jobs(study, self.scale, self.seeds), there + missing)
        self._left[claim.name] = expected - there
        if claim.name not in self._bars:
            self._bars[claim.name] = tqdm(
                total=expected,
                desc=f"{claim.id} {claim.name}",
                bar_format="{desc}: {n_fmt} of about {total_fmt} runs, {remaining} left",
                leave=False,
                disable=not sys.stdout.isatty(),
            )
        bar = self._bars[claim.name]
        bar.total = expected
        if there > bar.n:
            bar.update(there - bar.n)


def compute(name: str, runs: Path) -> None:
    """Computes an exact study and writes its verdict."""
    claim = claims()[name]
    assert isinstance(claim.study, Exact)
    began = time.monotonic()
    verdict = judge_checks(claim.study.says, claim.study.checks(), claim.study.erratum)
    write_record(runs, claim, make_record(claim, "cpu", verdict, None, time.monotonic() - began))
