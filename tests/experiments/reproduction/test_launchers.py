"""The processes that runs are given."""

from __future__ import annotations

import os
from multiprocessing import get_start_method
from queue import Queue
from threading import Event
from types import SimpleNamespace

import pytest

from experiments.reproduction import launchers
from experiments.reproduction.launchers import Processes


def method() -> str:
    """Of the process that calls it; the function itself would travel with what the parent has."""
    return get_start_method()


def test_a_run_begins_its_loaders_workers_as_it_would_elsewhere() -> None:
    """Spawned, as the run's own process is, each worker would import torch and all else, for seconds."""
    processes = Processes(1)
    assert processes.submit(method).result() == get_start_method()
    processes.shutdown()


@pytest.mark.parametrize(
    ("said", "gpus", "expected"),
    [
        (None, 2, ["0", "1", "0"]),
        ("2,3", 2, ["2", "3", "2"]),
        (" GPU-1f , MIG-a/0/1 ", 2, ["GPU-1f", "MIG-a/0/1", "GPU-1f"]),
        ("5,-1,6", 1, ["5", "5", "5"]),  # CUDA sees the first alone
    ],
)
def test_each_process_gets_one_of_the_gpus_that_the_command_was_given(
    said: str | None, gpus: int, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launchers, "parent_process", lambda: SimpleNamespace(sentinel=0))
    monkeypatch.setattr(launchers, "_end_with", lambda sentinel: None)
    monkeypatch.setattr(launchers, "_stopping", None)
    devices, got = Queue[int](), []
    for number in range(3):
        devices.put(number)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if said is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
        launchers._begin(devices, gpus, Event(), get_start_method())
        got.append(os.environ["CUDA_VISIBLE_DEVICES"])
    assert got == expected
