"""``lectern reproduce``: runs what is missing of the lectures' claims, and says how each one stands."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from datamodules.scene import InputError, printable
from experiments.command_line.options import Options
from experiments.lectures import LECTURES, rows
from experiments.reports.wording import command, headline
from experiments.runs.files import read_summary
from experiments.runs.lock import is_locked
from experiments.studies.levels import Level
from experiments.studies.plan import collect, expected_jobs, next_jobs
from experiments.studies.reading import read_run
from experiments.studies.record import Record, broken_records, older_records, read_record
from experiments.studies.results import Run
from experiments.studies.study import SCALES, Exact, Job, ScaleName, Study
from experiments.studies.verdict import Verdict, judge_checks
from experiments.training.wandb_logging import WandbMode, wandb_mode

from .check import check
from .claims import Claim, claims, select
from .committing import commit_record, results_folder
from .execution import execute, is_complete, job_lock
from .launchers import Handle, Launcher, Processes, Submitit, launcher
from .publishing import publish_verdict
from .records import Index, is_current, make_record, record_path, study_folder, write_record
from .table import write_tables


class Reproduction:
    """The studies that were asked for, and what has become of them so far.

    Args:
        chosen: the studies, in the order in which they are run.
        scale: cpu, gpu or paper.
        runs: the folder of all runs.
        executor: where runs take place.
        seeds: of every variant, in place of what the studies say.
        wandb: the mode of the runs' W&B logger.
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
        record: bool = False,
    ) -> None:
        self.record = record
        self.scale, self.runs, self.executor, self.seeds, self.wandb = scale, runs, executor, seeds, wandb
        self.index = Index(runs)
        self.open = {claim.name: claim for claim in chosen}
        self.pending: dict[str, Handle] = {}
        self.failed: dict[str, str] = {}
        self.records: list[Record] = []
        self.made = 0
        """Runs that this call has made."""
        self._cache: dict[str, Run] = {}
        self._began: dict[str, float] = {}
        self._bars: dict[str, tqdm[Any]] = {}

    def find(self, job: Job) -> Run | None:
        """The finished run of a job, whichever study made it."""
        if (run := self._cache.get(job.hash)) is None:
            folder = self.index.folder(job.hash)
            if job.hash in self.pending or folder is None or not is_complete(folder):
                return None
            run = self._cache[job.hash] = read_run(folder, job.variant, job.seed, job.lr)
        # Another study may call the same run by another variant's name.
        return Run(job.variant, job.seed, job.lr, run.values, run.curves, run.folder, run.seconds)

    def run(self) -> None:
        """Until every study has its verdict, or has failed."""
        while self.open:
            self._submit()
            self._settle()
            if self.open:
                time.sleep(0.05)

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
        self._began.setdefault(claim.name, time.monotonic())
        jobs = next_jobs(study, self.scale, self.find, self.seeds)
        if not jobs:
            self._judge(claim, study)
            return
        self._progress(claim, study, len(jobs))
        if broken := next((self.failed[job.hash] for job in jobs if job.hash in self.failed), ""):
            self._fail(claim, broken)
            return
        for job in jobs:
            if job.hash not in self.pending and len(self.pending) < room:
                folder = self.index.folder(job.hash) or study_folder(self.runs, claim) / job.version
                self.index.add(job.hash, folder)
                if is_locked(job_lock(folder)):  # another call makes it; when it has, this one finds it
                    continue
                label = {"claim": claim.id, "name": claim.name, "scale": self.scale}
                self.pending[job.hash] = self.executor.submit(execute, job, folder, label, self.wandb)

    def _settle(self) -> None:
        for key, handle in [(k, h) for k, h in self.pending.items() if h.done()]:
            del self.pending[key]
            error = handle.exception()
            self.made += bool(error) or handle.result() is not False
            if error:
                folder = self.index.folder(key)
                reason = read_summary(folder).get("reason") if folder else None
                where = f" (see {folder / 'log.txt'})" if folder else ""
                self.failed[key] = f"{reason or f'{type(error).__name__}: {error}'}{where}"

    def _judge(self, claim: Claim, study: Study) -> None:
        runs = collect(study, self.scale, self.find, self.seeds)
        verdict = Verdict.of(study.parts(runs))
        self._close(claim, make_record(claim, self.scale, verdict, runs, time.monotonic() - self._began[claim.name]))

    def _close(self, claim: Claim, record: Record) -> None:
        if not isinstance(claim.study, Exact):
            write_record(self.runs, claim, record)
            if self.wandb != "disabled":
                publish_verdict(record, self.runs, self.wandb)
        if self.record:
            commit_record(claim, record, self.runs)
        self.records.append(record)
        self._end(claim)
        print(f"{claim.id}  {record.level:16} {claim.name:44} {printable(headline(record))}", flush=True)
        if record.changed_code:
            print(f"     made before changes in {printable(', '.join(record.changed_code))}; delete its runs to measure again")

    def _fail(self, claim: Claim, reason: str) -> None:
        self.failed[claim.name] = reason
        self._end(claim)
        print(f"{claim.id}  {Level.NOT_RUN:16} {claim.name:44} {printable(reason)}", flush=True)

    def _end(self, claim: Claim) -> None:
        del self.open[claim.name]
        if bar := self._bars.pop(claim.name, None):
            bar.close()

    def _progress(self, claim: Claim, study: Study, missing: int) -> None:
        """One line for a study that is under way, on a terminal."""
        if claim.name not in self._bars:
            self._bars[claim.name] = tqdm(
                total=expected_jobs(study, self.scale, self.seeds),
                desc=f"{claim.id} {claim.name}",
                bar_format="{desc}: {n_fmt} of about {total_fmt} runs, {remaining} left",
                leave=False,
                disable=not sys.stdout.isatty(),
            )
        bar = self._bars[claim.name]
        done = max(0, bar.total - missing) if bar.total else 0
        if done > bar.n:
            bar.update(done - bar.n)


def compute(name: str, runs: Path) -> None:
    """Computes an exact study and writes its verdict."""
    claim = claims()[name]
    assert isinstance(claim.study, Exact)
    began = time.monotonic()
    verdict = judge_checks(claim.study.says, claim.study.checks(), claim.study.erratum)
    write_record(runs, claim, make_record(claim, "cpu", verdict, None, time.monotonic() - began))


def parser() -> Options:
    parser = Options(
        "lectern reproduce",
        "Runs what is missing of the lectures' claims, and gives each its verdict. Run again, it repeats nothing.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="studies (plain_nets_degrade, D09), lectures (cnn), or all")
    parser.add_argument(
        "--scale", choices=SCALES, default="cpu", help="cpu: drawn data, minutes; gpu: real data; paper: the original"
    )
    parser.add_argument("--jobs", type=int, help="runs side by side; one a GPU by default, one a core without")
    parser.add_argument(
        "--launcher", choices=get_args(Launcher), default="processes", help="slurm and local go through submitit"
    )
    parser.add_argument(
        "--slurm", nargs="*", default=[], metavar="KEY=VALUE", help="for submitit: slurm_partition=gpu timeout_min=60"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of all runs")
    parser.add_argument("--seeds", type=int, help="of every variant, in place of what the studies say")
    parser.add_argument("--wandb", choices=("disabled", "auto", "online", "offline"), default="disabled", help="of the runs")
    parser.add_argument("--list", action="store_true", help="the studies and the claims that have none yet")
    parser.add_argument(
        "--record", action="store_true", help="keeps the verdicts among those that come with Lectern; for its maintainers"
    )
    parser.add_argument(
        "--table",
        type=Path,
        nargs="?",
        const=Path("README.md"),
        metavar="FILE",
        help="writes the verdicts that come with Lectern into this Markdown file, between its markers, and docs/verdicts.md",
    )
    parser.add_argument(
        "--check",
        type=Path,
        nargs="?",
        const=Path("README.md"),
        metavar="FILE",
        help="judges these verdicts again: do level, numbers, code and both tables agree?",
    )
    return parser


def run(arguments: list[str]) -> int:
    """The command; returns its exit code: 1 where a run failed or a table is out of date."""
    return _run(parser().parse_args(arguments))


def _run(options: Any) -> int:
    if options.list:
        return _list()
    if options.check:
        return check(options.check)
    if not options.names and not options.table:
        raise InputError("lectern reproduce NAME…: which studies? `lectern reproduce --list` shows them; `all` runs them all")
    if options.jobs is not None and options.jobs < 1:
        raise InputError(f"--jobs {options.jobs}: 1 or more expected")
    failed = 0
    if options.names:
        chosen = select(options.names)
        wandb_mode(options.wandb)  # what cannot be is said before the first run
        if options.record:
            results_folder()
        executor = launcher(options.launcher, options.jobs, options.runs / "submitit", _pairs(options.slurm))
        reproduction = Reproduction(chosen, options.scale, options.runs, executor, options.seeds, options.wandb, options.record)
        began = time.monotonic()
        try:
            reproduction.run()
        finally:
            executor.shutdown()
        failed = len(chosen) - len(reproduction.records)
        print(f"\n{summary(reproduction.records)}; {reproduction.made} runs made in {time.monotonic() - began:.0f} s")
        _write_reports(options.runs, options.scale)
    for name in older_records(options.runs, options.scale):
        again = command(name, options.scale)
        print(
            f"{printable(name)}: its verdict was made by an older version and is left out, run `{printable(again)}` again",
            file=sys.stderr,
        )
    for path in broken_records(options.runs, options.scale):
        print(f"{printable(path)}: damaged, or no verdict at all, and left out", file=sys.stderr)
    if options.table:
        for written in write_tables(options.table):
            print(f"table     {written}")
    return int(failed > 0)


def _write_reports(runs: Path, scale: ScaleName) -> None:
    from experiments.reports.write import write_reports

    for kind, path in write_reports(runs, scale).items():
        print(f"{kind:9} {path}")


def summary(records: Sequence[Record]) -> str:
    """How many claims stand where."""
    counts = {level: sum(record.level == level for record in records) for level in Level}
    return ", ".join(f"{count} {level}" for level, count in counts.items() if count) or "nothing was run"


def _list() -> int:
    by_id = {claim.id: claim for claim in claims().values()}
    for lecture, title in LECTURES.items():
        print(title)
        for row in rows().values():
            if lecture in row.lecture.split()[:1]:
                claim = by_id.get(row.id)
                print(f"  {row.id}  {claim.name if claim else '(no study yet)':46} {claim.title if claim else row.says}"[:160])
    print(f"\n{len(by_id)} of {len(rows())} claims have a study.")
    return 0


def _pairs(words: Sequence[str]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InputError(f"--slurm {word}: KEY=VALUE expected, such as slurm_partition=gpu")
        pairs[key] = int(value) if value.isdigit() else value
    return pairs
