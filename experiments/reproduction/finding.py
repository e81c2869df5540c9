"""The finished runs of studies, found by what they are; one that is damaged is set aside, and made again once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from experiments.runs.lock import RunLock
from experiments.studies.reading import read_run
from experiments.studies.results import Run
from experiments.studies.study import Job

from .damage import damage, set_aside
from .execution import is_complete, job_lock
from .records import Index


class Finder:
    """Finds the runs of all studies in a folder.

    Args:
        runs: the folder of all runs.
        say: prints a line.
    """

    def __init__(self, runs: Path, say: Callable[[str], None]) -> None:
        self.index = Index(runs)
        self.say = say
        self.broken: dict[str, str] = {}
        """By a job's hash, what is wrong with a run that was damaged again after it had been made again."""
        self._sound: dict[str, Run] = {}
        self._again: set[str] = set()

    def find(self, job: Job) -> Run | None:
        """The finished run of a job, whichever study made it; None where there is none, or a damaged one was set aside."""
        if (run := self._sound.get(job.hash)) is None:
            folder = self.index.folder(job.hash)
            if folder is None or not folder.is_dir() or job.hash in self.broken:
                return None
            if wrong := damage(folder):
                self.give_up(job.hash, wrong)
                return None
            if not is_complete(folder):
                return None
            run = self._sound[job.hash] = read_run(folder, job.variant, job.seed, job.lr)
        # Another study may call the same run by another variant's name, and asks it for other values.
        return replace(run, variant=job.variant, seed=job.seed, lr=job.lr, read={})

    def give_up(self, job_hash: str, wrong: str) -> None:
        """Sets a run aside, says why, and lets it be made again; the second time it stays, and is :attr:`broken`."""
        folder = self.index.folder(job_hash)
        assert folder is not None
        lock = RunLock(job_lock(folder))
        lock.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not lock.acquire():  # another process is making it
                return
            self._sound.pop(job_hash, None)
            if job_hash in self._again:
                self.broken[job_hash] = f"{folder}: {wrong}, and so again after it was made again"
                return
            self._again.add(job_hash)
            self.say(f"{folder}: {wrong}; kept as {set_aside(folder).name}, and made again")
        finally:
            lock.release()


class Look:
    """One look of a study at its runs: of each job there is one run, which keeps what is asked of it.

    Args:
        find: gives the finished run of a job.
    """

    def __init__(self, find: Callable[[Job], Run | None]) -> None:
        self._find = find
        self._found: dict[tuple[str, str], tuple[Job, Run | None]] = {}

    def __call__(self, job: Job) -> Run | None:
        key = job.hash, job.version
        if key not in self._found:
            self._found[key] = job, self._find(job)
        return self._found[key][1]

    @property
    def runs(self) -> Iterable[tuple[Job, Run]]:
        """The jobs that were found, each with its run."""
        return [(job, run) for job, run in self._found.values() if run is not None]

    def lost(self) -> dict[str, str]:
        """By the hash of a job, what was asked of its run and is not there."""
        return {job.hash: f"has no {', '.join(run.missing)}" for job, run in self.runs if run.missing}
