"""``lectern reproduce``: runs what is missing of the lectures' claims, and says how each one stands."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from datamodules.scene import InputError, printable
from experiments.command_line.options import Options
from experiments.reports.wording import command
from experiments.reports.write import write_reports
from experiments.studies.levels import Level
from experiments.studies.record import Record, broken_records, older_records
from experiments.studies.study import SCALES, TUNING_SEED, Exact, ScaleName
from experiments.training.wandb_logging import wandb_mode

from .agreement import agreement_summary
from .check import check
from .claims import Claim, named, select
from .committing import results_folder
from .confirming import confirm
from .launchers import Launcher, Processes, Submitit, launcher, scheduler_options
from .lines import say
from .listing import filtered, level_of, list_claims
from .overview import overview
from .reproduction import Reproduction
from .table import write_tables


def parser() -> Options:
    parser = Options(
        "lectern reproduce",
        "Runs what is missing of the lectures' claims, and gives each its verdict. Run again, it repeats nothing.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="studies (plain_nets_degrade, D09), lectures (cnn), or all")
    parser.add_argument(
        "--scale",
        choices=SCALES,
        default="cpu",
        help="cpu: what every study has, small nets and mostly drawn data; gpu: some studies, larger ones on real data; "
        "paper: the original set-up, which no study has yet",
    )
    parser.add_argument("--jobs", type=int, help="runs side by side; one a GPU by default, one a core without")
    parser.add_argument(
        "--launcher", choices=get_args(Launcher), default="processes", help="slurm and local go through submitit"
    )
    parser.add_argument(
        "--slurm", nargs="*", default=[], metavar="KEY=VALUE", help="for submitit: slurm_partition=gpu timeout_min=60"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="the folder of all runs")
    parser.add_argument(
        "--seeds", type=int, help="of every variant, in place of what the studies say; fewer give a preview and no verdict"
    )
    parser.add_argument(
        "--first-seed", type=int, metavar="N", help="judges on the seeds from N on, and says whether the verdict holds"
    )
    parser.add_argument("--wandb", choices=("disabled", "auto", "online", "offline"), default="disabled", help="of the runs")
    parser.add_argument("--list", action="store_true", help="the claims, their verdicts, and what each study takes")
    parser.add_argument(
        "--level", type=level_of, action="append", default=[], help=f"only studies that stand there: {', '.join(Level)}"
    )
    parser.add_argument("--max-minutes", type=float, metavar="N", help="only studies that take no more CPU-minutes than this")
    parser.add_argument(
        "--record", action="store_true", help="keeps the verdicts among those that come with Lectern; for its maintainers"
    )
    parser.add_argument(
        "--confirm",
        nargs="?",
        const="",
        metavar="COMMIT",
        help="runs one seed of stale verdicts again, and renews those whose numbers are the same, as recorded or as COMMIT's "
        "code gives them here; for its maintainers",
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
    if options.check:
        return check(options.check)
    if options.list:
        return _list(options)
    if not options.names and not options.table:
        raise InputError("lectern reproduce NAME…: which studies? `lectern reproduce --list` shows them; `all` runs them all")
    _check_numbers(options)
    failed = _reproduce(options) if options.names else False
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
    return int(failed)


def _check_numbers(options: Any) -> None:
    if options.jobs is not None and options.jobs < 1:
        raise InputError(f"--jobs {options.jobs}: 1 or more expected")
    if options.seeds is not None and options.seeds < 1:
        raise InputError(f"--seeds {options.seeds}: 1 or more expected")
    last = TUNING_SEED - (options.seeds or 100)
    if options.first_seed is not None and not 0 <= options.first_seed <= last:
        raise InputError(
            f"--first-seed {options.first_seed}: 0 to {last} expected; learning rates are chosen with {TUNING_SEED}"
        )


def _reproduce(options: Any) -> bool:
    """Runs the studies that are asked for; returns whether one of them failed."""
    chosen, left_out = filtered(select(options.names), options.level, options.max_minutes, options.runs, options.scale)
    if options.first_seed is not None:
        chosen = [claim for claim in chosen if not isinstance(claim.study, Exact)]  # an identity has no seeds
    if left_out:
        print(left_out)
    if not chosen:
        print("no study is asked for: none fits all that was said")
        return False
    wandb_mode(options.wandb)  # what cannot be is said before the first run
    if options.record or options.confirm is not None:
        results_folder()
    executor = launcher(options.launcher, options.jobs, options.runs / "submitit", scheduler_options(options.slurm))
    if options.confirm is not None:
        return _confirm(chosen, options, executor)
    reproduction = Reproduction(
        chosen, options.scale, options.runs, executor, options.seeds, options.wandb, options.first_seed, options.record
    )
    began = time.monotonic()
    try:
        reproduction.run()
    except (KeyboardInterrupt, SystemExit) as stop:
        _stop(stop, reproduction, executor, len(chosen))
        raise
    finally:
        executor.shutdown()
    print(f"\n{_summary(reproduction)}; {reproduction.made} runs made in {time.monotonic() - began:.0f} s")
    if options.first_seed is None:
        _write_reports(options.runs, options.scale)
    lacking = {claim.name for claim in named(options.names)} & reproduction.not_run.keys()
    return bool(lacking) or any(claim.name in reproduction.failed for claim in chosen)


def _confirm(chosen: Sequence[Claim], options: Any, executor: Processes | Submitit) -> bool:
    try:
        return bool(confirm(chosen, options.scale, options.runs, executor, options.confirm or None))
    except (KeyboardInterrupt, SystemExit):
        executor.stop()
        raise
    finally:
        executor.shutdown()


def _stop(stop: BaseException, reproduction: Reproduction, executor: Processes | Submitit, chosen: int) -> None:
    """Ends what is under way, writes the reports meanwhile, and notes what is left, for the command's last line."""
    executor.stop()
    left = len(reproduction.open)
    stop.says = (  # type: ignore[attr-defined]
        f"stopped: {left} of {chosen} studies have no verdict yet, about {reproduction.left} runs are left; the same command "
        "goes on with them"
    )
    if reproduction.first_seed is None:
        _write_reports(reproduction.runs, reproduction.scale)


def _write_reports(runs: Path, scale: ScaleName) -> None:
    for kind, path in write_reports(runs, scale).items():
        print(f"{kind:9} {path}")


def summary(records: Sequence[Record]) -> str:
    """How many claims stand where."""
    counts = {level: sum(record.level == level for record in records) for level in Level}
    return ", ".join(f"{count} {level}" for level, count in counts.items() if count) or "nothing was run"


def _summary(reproduction: Reproduction) -> str:
    """What has become of the studies, in one line."""
    said = [agreement_summary(reproduction.agreements)] if reproduction.agreements else []
    said += [summary(reproduction.records)] if reproduction.records else []
    said += [f"{len(reproduction.previews)} previews, which are not recorded"] if reproduction.previews else []
    said += [f"{len(reproduction.not_run)} without their data"] if reproduction.not_run else []
    return "; ".join(said) or "nothing was run"


def _list(options: Any) -> int:
    if not (options.names or options.level or options.max_minutes) and options.scale == "cpu":
        for line in overview(options.runs):
            say(line)
        return 0
    chosen = select(options.names or ["all"])
    everything = options.names in ([], ["all"]) and options.max_minutes is None and set(options.level) <= {Level.NOT_RUN}
    chosen, left_out = filtered(chosen, options.level, options.max_minutes, options.runs, options.scale)
    for line in list_claims(chosen, everything, options.runs, options.scale):
        say(line)
    if left_out:
        say(left_out)
    return 0
