"""The code of an earlier commit on this machine: what a change is compared with where a record is of another processor.

Processors sum in other orders, so a run's last digits, and with them all that follows in a training, are one processor's own.
The same run by the code before a change and by the code after it still has to be the same on any one of them.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

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


class Earlier(NamedTuple):
    """A commit's files, in a folder of their own."""

    commit: str
    """Whatever git knows it by."""
    folder: Path

    def stale(self, record: Record) -> list[str]:
        """The files that were not what the record rests on at this commit either."""
        found: list[str] = json.loads(_ask(self.folder, _STALE, dict(record.code)))
        return found


def check_commit(commit: str) -> None:
    """Raises:
    InputError: git knows no such commit, or this is no checkout.
    """
    done = _git("rev-parse", "--verify", f"{commit}^{{commit}}")
    if done.returncode:
        raise InputError(f"--confirm {commit}: no commit of this checkout ({_last_line(done.stderr) or 'git said nothing'})")


def unpacked(commit: str, folder: Path) -> Earlier:
    """The commit's files in a folder, which is made; git keeps no note of it.

    Raises:
        InputError: git cannot pack them.
    """
    done = _git("archive", "--format=tar", commit)
    if done.returncode:
        raise InputError(f"--confirm {commit}: its files cannot be had ({_last_line(done.stderr)})")
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
        files.extractall(folder, filter="data")
    return Earlier(commit, folder.resolve())


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
        raise InputError(f"the earlier code: {_last_line(done.stderr.encode()) or 'it said nothing'}")
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)


def _last_line(text: bytes) -> str:
    return (text.decode(errors="replace").strip().splitlines() or [""])[-1]
