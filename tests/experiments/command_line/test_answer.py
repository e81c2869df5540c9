"""How a command ends: its exit code, its one line, and no process left."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from datamodules.errors import InputError
from experiments import command
from experiments.command_line.answer import Interrupted, Signals, answer
from tests.support.interrupted import start, wait, wait_for
from tests.support.small_runs import SMALL


def fails(error: BaseException) -> Callable[[Signals], int]:
    def run(signals: Signals) -> int:
        signals.importing = False
        raise error

    return run


def signalled(number: int) -> Callable[[Signals], int]:
    def run(signals: Signals) -> int:
        signals.importing = False
        os.kill(os.getpid(), number)
        time.sleep(10)
        return 0

    return run


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_one_line_and_its_code(number: int, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler
    signal.signal(number, before)  # what another test's run may have changed
    assert answer(signalled(number), "stopped; go on") == code
    assert capsys.readouterr().err.split("\n") == ["", "lectern: stopped; go on", ""]
    assert signal.getsignal(number) is before


def test_a_forked_process_leaves_its_siblings_alone() -> None:
    """A fork of a process with loader's workers has them in its list of children; they are not its own to end."""
    sibling = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    sibling.start()
    try:
        if (pid := os.fork()) == 0:
            code = 70
            try:
                code = answer(interrupted)
            finally:
                os._exit(code)
        assert wait(pid) == 128 + signal.SIGTERM
        sibling.join(0.5)
        assert sibling.is_alive()
    finally:
        sibling.kill()
        sibling.join()


def interrupted(signals: Signals) -> int:
    raise Interrupted(128 + signal.SIGTERM)


def test_lightnings_own_answer_to_ctrl_c_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    from pytorch_lightning.utilities.exceptions import SIGTERMException

    def as_lightning_does(signals: Signals) -> int:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            sys.exit(1)

    assert answer(as_lightning_does) == 130
    assert answer(fails(KeyboardInterrupt())) == 130
    assert answer(fails(SIGTERMException())) == 143, "Lightning's has no code"
    assert answer(fails(Interrupted(130))) == 130
    assert "Traceback" not in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        answer(fails(SystemExit(0)))


def test_a_mistake_is_a_line_and_a_fault_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(fails(InputError("x: wrong"))) == 2
    assert capsys.readouterr().err == "lectern: x: wrong\n"
    with pytest.raises(ZeroDivisionError):
        answer(fails(ZeroDivisionError()))
    monkeypatch.setenv("LECTERN_TRACEBACK", "1")
    with pytest.raises(InputError):
        answer(fails(InputError("x: wrong")))


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in `lectern fit … &` of a script
    try:
        assert answer(lambda signals: int(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)) == 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("arguments", [["list", "--help"], ["fit", "--config", "pose/shapes"], ["reproduce", "all"]])
def test_ctrl_c_while_libraries_are_loaded(arguments: list[str], workdir: Path) -> None:
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    maps = Path(f"/proc/{process.pid}/maps")
    deadline = time.monotonic() + 60
    while "_multiarray_umath" not in maps.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)  # numpy is there, torch on its way
    try:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()  # where the signal was not answered
    assert (process.returncode, out, err) == (130, "", "\nlectern: stopped\n")
    assert not list(workdir.iterdir())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("verb", ["test", "predict", "validate"])
def test_stopped_in_an_evaluation(number: int, code: int, verb: str, checkpoint: Path, workdir: Path) -> None:
    log, marked = workdir / "log", workdir / "begun"
    (workdir / "slowly.py").write_text(
        "import time, pathlib, pytorch_lightning as pl\n"
        "class Slowly(pl.Callback):\n"
        "    def begun(self, *args, **options):\n"
        f"        pathlib.Path({str(marked)!r}).touch(); time.sleep(60)\n"
        "    on_test_batch_start = on_predict_batch_start = on_validation_batch_start = begun\n"
    )
    pid = start([verb, "--ckpt_path", str(checkpoint), "--trainer.callbacks+=slowly.Slowly", "--data.workers=1"], log)
    wait_for("begun", workdir, pid)
    os.kill(pid, number)
    assert wait(pid) == code
    said = log.read_text()
    assert "Traceback" not in said and said.strip().splitlines()[-1] == "lectern: stopped"
    assert not alive(pid), "its loader's worker is gone as well"


def alive(group: int) -> list[str]:
    """The processes of a group that run, without those that are dead and not yet collected."""
    time.sleep(0.5)
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(path.parent.name)
    return found


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    options = ["--runs", str(folder), "--name", "r", "--version", "v", "--wandb", "disabled", "--trainer.max_epochs", "1"]
    assert wait(start(["fit", "--config", "segmentation/fcn_transpose", *SMALL, *options], folder / "log")) == 0
    return folder / "r" / "v" / "checkpoints" / "best.ckpt"


def test_nobody_reads_any_more(workdir: Path) -> None:
    for arguments in (["list"], ["reproduce", "--list"]):
        process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout and process.stderr
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(), err) == (0, b"")
