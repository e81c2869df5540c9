"""The check of a GPU, without one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from experiments.training.cli import LecternCLI
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
    (row,) = re.findall(
        r"^\| segmentation/small_shapes \| bf16-mixed \| (\d+) \| (\d+) \| ([\d.]+) \| (\d+) \| \d+ \|$", out, re.M
    )
    assert all(float(figure) > 0 for figure in row)
    assert "cifar10_fast: left out, no CIFAR10 here" in out


def in_this_process(
    cases: Sequence[tuple[gpu_check_runs.Recipe, str]], device: str, steps: int, roots: dict[str, str]
) -> Iterator[gpu_check_runs.Speed]:
    return (gpu_check_runs.speed(*case, device, steps, roots) for case in cases)


def test_the_second_epoch_has_the_scenes_of_the_first_and_is_the_one_that_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[LecternCLI] = []
    seen: list[tuple[int, list[str]]] = []
    plain = gpu_check_runs.plain_images

    class Seen(gpu_check_runs.Clock):
        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
            seen.append((trainer.current_epoch, batch["name"]))
            assert (self.seconds > 0) == (trainer.current_epoch == 1 and trainer.is_last_batch)

    monkeypatch.setattr(gpu_check_runs, "Clock", Seen)
    monkeypatch.setattr(gpu_check_runs, "plain_images", lambda cli, precision: made.append(cli) or plain(cli, precision))
    got = gpu_check_runs.speed(gpu_check_runs.recipe("segmentation/small_shapes"), "32-true", "cpu", 3, {})
    assert not got.error and got.images > 0 and got.plain > 0
    first, second = ({name for epoch, names in seen if epoch == number for name in names} for number in (0, 1))
    assert first == second and len(first) == 3 * made[0].datamodule.batch_size


def test_a_test_that_fails_is_no_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        def __init__(self, arguments: list[str], log: Path) -> None:
            self.code = int(arguments[0] == "test")
            if arguments[0] == "fit":
                (log.parent / "runs" / "a" / "b").mkdir(parents=True)
            log.write_text("some lines\nlectern: what went wrong\n")

        def wait(self) -> int:
            return self.code

    monkeypatch.setattr(gpu_check_runs, "started", Ended)
    said = gpu_check_runs.cifar10_fast(gpu_check_runs.recipe("classification/cifar10_fast"), "cpu", {})
    assert said == "failed in its test: lectern: what went wrong"


@pytest.mark.slow
def test_a_killed_run_of_it_ends_as_a_whole_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert main(["--device", "cpu", "--steps", "4", "--parts", "kills", "--recipes", "segmentation/small_shapes"]) == 0
    assert re.search(
        r"small_shapes: (killed after step \d of 4: equal weights|ended before it was killed)", capsys.readouterr().out
    )
