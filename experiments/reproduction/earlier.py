"""The code of an earlier commit on this machine: what a change is compared with where a record is of another processor.

Processors sum in other orders, so a run's last digits, and with them all that follows in a training, are one processor's own.
The same run by the code before a change and by the code after it still has to be the same on any one of them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from datamodules.scene import InputError
from experiments import ROOT, python
from experiments.studies.record import Record

_RUN = """
import json, sys
from pathlib import Path
from experiments.reproduction.claims import claims
from experiments.reproduction.execution import execute
asked = json.load(sys.stdin)
job = claims()[asked["name"]].study.job(asked["scale"], asked["variant"], asked["lr"], asked["seed"])
execute(job, Path(asked["folder"]), asked["label"])
"""
_STALE = """
import json, sys
from experiments.studies.code import stale
print(json.dumps(stale(json.load(sys.stdin))))
"""


class Earlier:
    """A commit's files in a folder of their own, which is removed in the end.

    Args:
        commit: whatever git knows it by.
        folder: to be made.
    """

    def __init__(self, commit: str, folder: Path) -> None:
        self.commit, self.folder = commit, folder.resolve()

    def __enter__(self) -> Earlier:
        """Raises:
        InputError: git knows no such commit, or this is no checkout.
        """
        done = _git("worktree", "add", "--detach", "--force", str(self.folder), self.commit)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["git said nothing"])[-1]
            raise InputError(f"--confirm {self.commit}: no commit of this checkout ({why})")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _git("worktree", "remove", "--force", str(self.folder))

    def stale(self, record: Record) -> list[str]:
        """The files that were not what the record rests on at this commit either."""
        found: list[str] = json.loads(_ask(self.folder, _STALE, dict(record.code)))
        return found


def run_by(tree: Path, asked: dict[str, Any]) -> None:
    """Makes one run by the code in ``tree``: its study, scale, variant, learning rate, seed, folder and label.

    Raises:
        InputError: it fails, with the last line that it wrote.
    """
    _ask(tree, _RUN, asked)


def _ask(tree: Path, script: str, asked: Any) -> str:
    done = subprocess.run(
        python("-c", script),
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError(f"the earlier code: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
