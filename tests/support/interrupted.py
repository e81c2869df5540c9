"""Runs ``lectern`` in a process of its own that can be killed, without paying for the imports again."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import process
from pathlib import Path
from typing import Any

import torch
from torch.utils.data._utils import signal_handling

import experiments.training.cli  # noqa: F401  (what each child would import again)
from experiments.runs.files import read_config, read_metrics, read_summary


def repeats(least: int) -> int:
    """How often a test of a kill at a random moment is repeated; LECTERN_KILLS=20 measures what docs/log.md says."""
    return int(os.environ.get("LECTERN_KILLS", least))


def start(arguments: list[str], log: Path, prepare: Callable[[], None] = lambda: None, **environment: str) -> int:
    """Forks a process group that runs ``lectern`` with the arguments; returns its pid. ``prepare`` is called in it first."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        os.environ.update(environment)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = (os.fdopen(fd, "w", buffering=1, closefd=False) for fd in (1, 2))  # in place of pytest's
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a run in this process that ended in an error may have left its own
        # Where a run in this process ended in an error, Lightning has taken torch's handler away, which torch sets only once.
        signal_handling._SIGCHLD_handler_set = False
        process._children.clear()  # type: ignore[attr-defined]  # loaders' workers are the parent's: not to be joined or ended here
        if wandb := sys.modules.get("wandb"):  # W&B's process, where a test has one, is not this process's to end
            wandb.sdk.wandb_setup._singleton = None
        sys.argv = ["lectern", *arguments]
        prepare()
        from experiments.__main__ import main

        code = main()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # whatever comes, a signal too: two processes that go on as the same test would end the whole suite
            os._exit(code)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_ranks(arguments: list[str], ranks: int, log: Path, strategy: str = "ddp") -> list[int]:
    """As torchrun would: one process a rank, which meet at a free port of this machine."""
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(ranks)}
    common["TORCHELASTIC_RUN_ID"] = "test"
    arguments = [*arguments, f"--trainer.strategy={strategy}", f"--trainer.devices={ranks}", "--trainer.accelerator=cpu"]
    return [
        start(arguments, log.with_name(f"{log.name}{rank}"), **common, RANK=str(rank), LOCAL_RANK=str(rank))
        for rank in range(ranks)
    ]


def wait(pid: int) -> int:
    """The exit code of a process, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wait_for(path_pattern: str, folder: Path, pid: int, seconds: float = 300) -> Path:
    """The first file below ``folder`` that matches, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := sorted(folder.glob(path_pattern)):
            return found[0]
        if os.waitpid(pid, os.WNOHANG)[0]:
            raise AssertionError(f"the run ended before there was {path_pattern} in {folder}")
        time.sleep(0.01)
    raise AssertionError(f"no {path_pattern} in {folder} after {seconds} s")


def weights(run: Path) -> torch.Tensor:
    """All weights, buffers and optimizer states of a run's last checkpoint, as one vector."""
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    values = [v.flatten().double() for v in checkpoint["state_dict"].values()]
    for state in checkpoint["optimizer_states"][0]["state"].values():
        values += [v.flatten().double() for v in state.values() if isinstance(v, torch.Tensor)]
    return torch.cat(values)


def curves(run: Path) -> list[dict[str, str]]:
    """The run's metrics without the timings, to the last digit; as text, since NaN is not equal to itself."""
    return [{k: repr(v) for k, v in row.items() if k != "seconds"} for row in read_metrics(run)]


TIMES = ("started", "resumed", "finished", "seconds", "images_per_second", "peak_memory_mib", "wall_seconds", "cpu_seconds")
"""Of a summary, what no two runs have alike."""


def _settled(values: dict[str, Any]) -> dict[str, str]:
    """What of a summary or of its metrics does not depend on the clock, to the last digit."""
    return {
        key: repr(_settled(value) if isinstance(value, dict) else value)
        for key, value in values.items()
        if key not in TIMES and not key.endswith("_seconds")
    }


def _report(run: Path) -> list[str]:
    times = ("| started", "| seconds", "| images/s", "| peak memory")
    return [
        line for line in (run / "report.md").read_text().splitlines() if not line.startswith(times) and "_seconds" not in line
    ]


def _files(run: Path) -> set[str]:
    return {str(path.relative_to(run)) for path in run.rglob("*")}


def _settings(run: Path) -> dict[str, Any]:
    return {key: value for key, value in read_config(run).items() if key not in ("runs", "ckpt_path")}


def assert_same_run(resumed: Path, whole: Path) -> None:
    """Asserts that a run that was interrupted ended as the one that was not, but for the clock: every file of it."""
    assert torch.equal(weights(resumed), weights(whole))
    assert [{k: v for k, v in row.items() if not k.endswith("_seconds")} for row in curves(resumed)] == [
        {k: v for k, v in row.items() if not k.endswith("_seconds")} for row in curves(whole)
    ]
    assert _settled(read_summary(resumed)) == _settled(read_summary(whole))
    assert _report(resumed) == _report(whole)
    assert _settings(resumed) == _settings(whole)
    assert _files(resumed) == _files(whole), "a file is left over or missing"


def kill(pid: int, signal_number: int = signal.SIGKILL) -> int:
    """Sends a signal to the process and, where it is deadly, to its children; returns how the process ended."""
    if signal_number == signal.SIGKILL:
        os.killpg(pid, signal_number)
    else:
        os.kill(pid, signal_number)
    return wait(pid)
