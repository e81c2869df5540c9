"""Ctrl-C and SIGTERM stop ``lectern reproduce`` within seconds: nothing fails, reports are written, what is left is said."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.reproduction import claims as claims_module
from experiments.reproduction import reproduce, reproduction
from experiments.reproduction.claims import Claim
from experiments.runs.files import read_metrics, read_summary, state_of
from experiments.studies.record import read_record
from tests.support import made_up_study
from tests.support.waiting import wait_for

ROOT = str(Path(__file__).parents[3])


def studies() -> dict[str, Claim]:
    """One that is soon done; one with a measurement that takes for ever; one whose trainings do."""
    place = Path("marks")
    quick, slow = made_up_study.study(place / "quick"), replace(made_up_study.study(place / "slow"), seeds=1)
    long = made_up_study.trained_study(epochs=100_000)
    return {
        name: made_up_study.claim(study, name)
        for name, study in {"cnn/quick": quick, "cnn/slow": slow, "cnn/long": long}.items()
    }


def main(arguments: list[str]) -> int:
    """``lectern reproduce`` over these studies, in a process of its own."""
    from experiments.command_line.answer import Signals, answer

    def run(signals: Signals) -> int:
        signals.importing = False
        return reproduce.run(arguments)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started the tests may have it ignored
    for module in (claims_module, reproduction):
        module.claims = studies  # type: ignore[attr-defined]
    return answer(run)


@contextmanager
def started(*arguments: str, **how: object) -> Iterator[subprocess.Popen[str]]:
    """That process, with a session of its own; nothing of it is left behind."""
    code = "import sys; from tests.experiments.reproduction.test_stopping import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments]
    environment = os.environ | {"PYTHONPATH": ROOT}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    process = subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_stops_within_five_seconds_and_says_what_is_left(number: int, workdir: Path) -> None:
    for name in ("quick", "slow"):
        (workdir / "marks" / name).mkdir(parents=True)
    (workdir / "marks" / "slow" / "endless").touch()
    runs = workdir / "runs" / "lectures" / "cnn"
    with started("quick", "slow", "long", "--jobs", "2") as process:
        wait_for(lambda: (runs / "quick" / "verdict-cpu.json").is_file(), process)
        wait_for(lambda: list((workdir / "marks" / "slow").glob("began-*")), process)
        wait_for(lambda: any(len(read_metrics(folder)) > 2 for folder in runs.glob("long/*")), process)
        began = time.monotonic()
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        out, err = process.communicate(timeout=60)
        busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # other processes want the same cores
        assert time.monotonic() - began < 5 * busy
    assert process.returncode == 128 + number
    assert re.search(
        r"^lectern: stopped: 2 of 3 studies have no verdict yet, about \d+ runs are left; the same command goes on with them$",
        err,
        re.MULTILINE,
    )
    assert "Traceback" not in err
    assert read_record(runs / "quick" / "verdict-cpu.json")
    assert (workdir / "runs" / "lectures" / "report-cpu.md").is_file() and "report-cpu.md" in out
    for folder in [*runs.glob("slow/*-seed*"), *runs.glob("long/*-seed*")]:
        assert read_summary(folder).get("state") != "failed" and not read_summary(folder).get("reason"), folder
        assert state_of(folder) in ("unfinished", "finished")
    assert "not run" not in out
    assert list(runs.glob("long/*/checkpoints/last.ckpt")), "the training did not keep where it was"


def test_bars_of_progress_overwrite_no_line(workdir: Path) -> None:
    """On a terminal: whatever a bar draws is off the line when a verdict is printed."""
    (workdir / "marks" / "quick").mkdir(parents=True)
    (workdir / "marks" / "slow").mkdir(parents=True)
    for name in ("quick", "slow"):
        (workdir / "marks" / name / "slow").touch()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 160))
    text = ""
    with started("quick", "slow", "--jobs", "1", stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        with suppress(OSError):  # Linux's end of a terminal
            while chunk := os.read(ours, 4096):
                text += chunk.decode(errors="replace")
        assert process.wait() == 0
    assert "runs, " in text  # there was a bar
    lines = screen(text)
    verdicts = [line for line in lines if "cnn/quick " in line or "cnn/slow " in line]
    assert len(verdicts) == 2 and all(re.match("D12  (reproduced|inconclusive) ", line) for line in verdicts), lines
    assert not any("runs, " in line for line in lines), lines


def screen(text: str) -> list[str]:
    """What stands on a terminal in the end."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[A|\r|\n|[^\x1b\r\n]+", text):
        if part == "\x1b[A":
            row = max(0, row - 1)
        elif part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            lines[row] = lines[row].ljust(column)[:column] + part + lines[row][column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]
