"""The check of a GPU, without one."""

from __future__ import annotations

import re

import pytest
import torch

from scripts.gpu_check import main


def test_without_a_gpu_it_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main([]) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.count("\n") == 1 and "no GPU" in said.err


def test_the_script_runs_on_the_cpu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    recipes = ["segmentation/small_shapes", "classification/cifar10_fast"]
    assert main(["--device", "cpu", "--steps", "2", "--parts", "recipes", "kills", "--recipes", *recipes]) == 0
    out = capsys.readouterr().out
    rows = re.findall(r"^\| segmentation/small_shapes \| (\S+) \| (\d+) \| (\d+) \| ([\d.]+) \| (\d+) \|$", out, re.M)
    assert [precision for precision, *_ in rows] == ["32-true", "bf16-mixed"]
    assert all(float(figure) > 0 for _, *figures in rows for figure in figures)
    assert "cifar10_fast: left out, no CIFAR10 here" in out
    assert re.search(r"small_shapes: killed after step \d of 4: equal weights|ended before it was killed", out)
