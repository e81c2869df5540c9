"""The check of a GPU, without one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest
import torch

from scripts import gpu_check, gpu_check_runs
from scripts.gpu_check import main


def test_without_a_gpu_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([]) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1 and "no GPU" in said.err


def test_the_script_runs_on_the_cpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr(gpu_check, "PRECISIONS", ("bf16-mixed",))
    monkeypatch.setattr(gpu_check_runs, "speeds", in_this_process)
    recipes = ["segmentation/small_shapes", "classification/cifar10_fast"]
    assert main(["--device", "cpu", "--steps", "2", "--parts", "recipes", "cifar10", "--recipes", *recipes]) == 0
    out = capsys.readouterr().out
    (row,) = re.findall(r"^\| segmentation/small_shapes \| bf16-mixed \| (\d+) \| (\d+) \| ([\d.]+) \| (\d+) \|$", out, re.M)
    assert all(float(figure) > 0 for figure in row)
    assert "cifar10_fast: left out, no CIFAR10 here" in out


def in_this_process(
    cases: Sequence[tuple[gpu_check_runs.Recipe, str]], device: str, steps: int, roots: dict[str, str]
) -> Iterator[gpu_check_runs.Speed]:
    return (gpu_check_runs._speed(*case, device, steps, roots) for case in cases)


@pytest.mark.slow
def test_a_killed_run_of_it_ends_as_a_whole_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert main(["--device", "cpu", "--steps", "4", "--parts", "kills", "--recipes", "segmentation/small_shapes"]) == 0
    assert re.search(
        r"small_shapes: (killed after step \d of 4: equal weights|ended before it was killed)", capsys.readouterr().out
    )
