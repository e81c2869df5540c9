"""The processes that runs are given."""

from __future__ import annotations

from multiprocessing import get_start_method

from experiments.reproduction.launchers import Processes


def method() -> str:
    """Of the process that calls it; the function itself would travel with what the parent has."""
    return get_start_method()


def test_a_run_begins_its_loaders_workers_as_it_would_elsewhere() -> None:
    """Spawned, as the run's own process is, each worker would import torch and all else, for seconds."""
    processes = Processes(1)
    assert processes.submit(method).result() == get_start_method()
    processes.shutdown()
