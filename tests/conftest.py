"""What tests share: a folder of their own, the real command, and the real data where they are."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import torch

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# A command tells glibc to keep freed memory for its next step (experiments/training/memory.py). A process of a thousand
# commands would keep what the greatest of them took; where the environment configures the allocator, it is left alone.
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(128 * 1024))
hypothesis.settings.register_profile("lectern", deadline=None)  # on a busy machine an example may take any time
hypothesis.settings.load_profile("lectern")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a suite in the background (pytest … &), and all that it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)  # two workers run side by side, and small tensors gain nothing from more


@dataclass
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


Lectern = Callable[..., Result]


@pytest.fixture(autouse=True)
def signals_stay() -> Iterator[None]:
    """No test leaves handlers behind: a process that a later one forks would not end at SIGTERM."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    left = {number: signal.getsignal(number) for number in before}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert left == before, "a test has left its own"


LEFT = [Path(__file__).parents[1] / name for name in ("checkpoints", "lightning_logs", "runs", "wandb")]


@pytest.fixture(autouse=True)
def nothing_is_left_in_the_checkout() -> Iterator[None]:
    """A trainer without a folder of its own writes into the current one, which is the checkout unless a test has moved."""
    before = {path for path in LEFT if path.exists()}
    yield
    left = [path.name for path in LEFT if path not in before and path.exists()]
    assert left == [], "a test has left these folders"


@pytest.fixture
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with W&B off, a cache of its own and no seed left over from another test.

    A run is not tested at its end, which would double the time of hundreds; ``test_both_ends.py`` asks for it.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LECTERN_FIT__TEST_AT_END", "false")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setenv("PL_GLOBAL_SEED", "0")
    monkeypatch.setenv("LECTERN_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def lectern(workdir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lectern:
    """Runs ``lectern`` with the given arguments through its real ``main()``, in an empty directory."""
    from experiments.__main__ import main

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["lectern", *arguments])
        monkeypatch.setattr(sys, "path", list(sys.path))  # to which it appends the folder
        capfd.readouterr()
        code = main()
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def real_data() -> Path:
    """The folder of real data named by LECTERN_DATA; the test is skipped where there is none."""
    folder = os.environ.get("LECTERN_DATA")
    if not folder:
        pytest.skip("LECTERN_DATA names no folder of real data")
    return Path(folder)
