"""A sweep's trials: proposed, counted, failed without an end to the rest, interrupted and made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from datamodules.scene import InputError
from experiments.runs.lock import LOCK, RunLock
from experiments.sweeping import trials
from experiments.sweeping.definition import (
    JOURNAL,
    PLACE,
    REASON,
    SWEEP,
    Sweep,
    best_of,
    ended,
    give_up,
    mend,
    next_trial,
    open_trials,
)
from experiments.sweeping.trial import Pruning, best_value

optuna = pytest.importorskip("optuna")
RUNNING, PRUNED, FAIL = (optuna.trial.TrialState[name] for name in ("RUNNING", "PRUNED", "FAIL"))


def sweep_in(folder: Path, **changes: Any) -> Sweep:
    values: dict[str, Any] = {
        "folder": folder / "runs" / "s" / "x",
        "runs": folder / "runs",
        "arguments": ["--config", "small"],
        "search": ["lr=log(0.001,1)", "n=choice(a,b)"],
        "monitor": "val/x",
        "mode": "max",
    }
    sweep = Sweep(**(values | changes))
    sweep.folder.mkdir(parents=True, exist_ok=True)
    return sweep


class Here:
    """An executor that makes a trial at once, in this process: ``made`` says what becomes of it."""

    def __init__(self, study: Any, made: Callable[[Any], float | None]) -> None:
        self.study, self.made, self.stopped = study, made, False

    def submit(self, function: Any, folder: Path, number: int) -> Any:
        error = None
        trial = self.study.get_trials()[number]
        try:
            value = self.made(trial)
            self.study.tell(number, value, state=FAIL if value is None else None)
        except RuntimeError as raised:  # as a process that was killed
            error = raised
        return SimpleNamespace(done=lambda: True, exception=lambda: error, result=lambda: None)

    def stop(self) -> None:
        self.stopped = True

    def shutdown(self) -> None: ...


def near(trial: Any) -> float:
    return -abs(float(trial.params["lr"]) - 0.1)


def parameters(study: Any) -> list[dict[str, Any]]:
    return [trial.params for trial in sorted(ended(study), key=lambda trial: trial.user_attrs[PLACE])]


def test_a_sweep_says_its_best_and_the_command_that_makes_it_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    assert trials.Trials(sweep, study, 6).run([Here(study, near)]) == 0  # type: ignore[list-item]
    out = capsys.readouterr().out
    best = best_of(study, "max")
    assert best is not None and best.value == max(near(trial) for trial in ended(study))
    lr = f"{best.params['lr']:.6g}"
    assert f"again     lectern fit --config small --lr={lr} --n={best.params['n']} --runs {tmp_path / 'runs'}\n" in out
    assert "6 complete" in out and len([line for line in out.splitlines() if line.startswith("trial ")]) == 6


def test_a_sweep_that_was_interrupted_goes_on_as_it_would_have(tmp_path: Path) -> None:
    """Whatever it is interrupted at: what has ended stays, the open one is made again, and the proposals are the same."""
    whole = sweep_in(tmp_path / "whole")
    study = open_trials(whole)
    trials.Trials(whole, study, 7).run([Here(study, near)])  # type: ignore[list-item]
    broken = sweep_in(tmp_path / "broken")
    for stop_at in (2, 4):
        study = open_trials(broken)

        def stopping(trial: Any, stop_at: int = stop_at) -> float:
            if trial.user_attrs[PLACE] == stop_at:
                raise KeyboardInterrupt
            return near(trial)

        executor = Here(study, stopping)
        with pytest.raises(KeyboardInterrupt) as stopped:
            trials.Trials(broken, study, 7).run([executor])  # type: ignore[list-item]
        assert executor.stopped and f"{7 - stop_at} of 7 trials are left" in stopped.value.says  # type: ignore[attr-defined]
    resumed = open_trials(broken)
    trials.Trials(broken, resumed, 7).run([Here(resumed, near)])  # type: ignore[list-item]
    assert parameters(resumed) == parameters(open_trials(whole))
    assert sorted(trial.user_attrs[PLACE] for trial in ended(resumed)) == list(range(7))


def test_a_broken_trial_is_said_and_the_others_are_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)

    def made(trial: Any) -> float | None:
        if trial.user_attrs[PLACE] == 1:
            raise type("BrokenProcessPool", (RuntimeError,), {})
        return None if trial.user_attrs[PLACE] == 2 else near(trial)

    assert trials.Trials(sweep, study, 4).run([Here(study, made)]) == 0  # type: ignore[list-item]
    out = capsys.readouterr().out
    assert "failed: its process was killed" in out and "2 complete, 2 failed" in out


def test_a_job_that_a_scheduler_has_stopped_is_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    first = list[int]()

    def made(trial: Any) -> float:
        if trial.user_attrs[PLACE] == 1 and not first:
            first.append(trial.number)
            raise Stopped("SIGTERM")
        return near(trial)

    assert trials.Trials(sweep, study, 3).run([Here(study, made)]) == 0  # type: ignore[list-item]
    assert "3 complete" in capsys.readouterr().out and len(first) == 1


def test_a_trial_that_is_stopped_each_time_fails_in_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    made = list[int]()

    def stopped(trial: Any) -> float:
        made.append(trial.user_attrs[PLACE])
        assert len(made) < 20, "made for ever"
        if trial.user_attrs[PLACE] == 1:
            raise Stopped(143)
        return near(trial)

    assert trials.Trials(sweep, study, 3).run([Here(study, stopped)]) == 0  # type: ignore[list-item]
    out = capsys.readouterr().out
    assert "failed: its process was stopped 3 times (exit code 143)" in out and "2 complete, 1 failed" in out
    assert made.count(1) == 3


class Stopped(SystemExit, RuntimeError):
    """As Lightning answers SIGTERM, in the process that makes a trial."""


def test_a_sweep_without_a_whole_trial_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    assert trials.Trials(sweep, study, 2).run([Here(study, lambda trial: None)]) == 1  # type: ignore[list-item]
    assert "no trial came to its end" in capsys.readouterr().err


def test_a_trial_whose_job_still_trains_is_waited_for(tmp_path: Path) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    trial, place = next_trial(sweep, study)
    sweep.run_of(place).mkdir()
    with RunLock(sweep.run_of(place) / LOCK):
        under_way = trials.Trials(sweep, study, 1)
        under_way._take_up()
        assert list(under_way._open) == [trial.number]
        study.tell(trial.number, 0.5)
    assert under_way.run([Here(study, near)]) == 0  # type: ignore[list-item]
    assert [t.value for t in ended(study)] == [0.5]


def test_the_folder_says_what_is_searched_and_takes_no_other_search(tmp_path: Path) -> None:
    sweep = sweep_in(tmp_path)
    sweep.write()
    said = json.loads((sweep.folder / SWEEP).read_text())
    assert said["name"] == "s/x" and said["search"] == ["lr=log(0.001,1)", "n=choice(a,b)"] and said["version"] == 1
    assert Sweep.read(sweep.folder) == sweep
    sweep.write()
    with pytest.raises(InputError, match="is a sweep with other search; --name NAME makes another"):
        sweep_in(tmp_path, search=["lr=log(0.1,1)"]).write()
    for damage in ("", "[]", '{"version": 1}', json.dumps(said | {"search": [1]}), json.dumps(said | {"mode": "best"})):
        (sweep.folder / SWEEP).write_text(damage)
        with pytest.raises(InputError, match=SWEEP):
            Sweep.read(sweep.folder)


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_a_line_that_a_killed_process_has_not_ended_is_cut_off(tmp_path: Path, cut: int) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    trials.Trials(sweep, study, 3).run([Here(study, near)])  # type: ignore[list-item]
    path = sweep.folder / JOURNAL
    path.write_bytes(path.read_bytes()[:-cut])
    mend(sweep)
    resumed = open_trials(sweep)
    trials.Trials(sweep, resumed, 4).run([Here(resumed, near)])  # type: ignore[list-item]
    assert sorted(trial.user_attrs[PLACE] for trial in ended(resumed)) == [0, 1, 2, 3]


def test_a_hopeless_training_is_ended_and_its_metric_told(tmp_path: Path) -> None:
    """By the callback, on Lightning's hook: the median of five trials at the same validation decides."""
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)

    def trained(values: list[float]) -> tuple[Pruning, Any]:
        trial, _ = next_trial(sweep, study)
        pruning = Pruning(trial, "val/x")
        trainer: Any = SimpleNamespace(sanity_checking=True, callback_metrics={"val/x": 99.0}, should_stop=False)
        module: Any = None
        pruning.on_validation_end(trainer, module)  # the sanity check's is none
        trainer.sanity_checking = False
        for value in values:
            trainer.callback_metrics = {"val/x": value}
            pruning.on_validation_end(trainer, module)
            if trainer.should_stop:
                break
        study.tell(trial, state=PRUNED) if trainer.should_stop else study.tell(trial, max(values))
        return pruning, study.get_trials()[trial.number]

    for i in range(5):
        pruning, _ = trained([0.5 + i / 100, 0.6 + i / 100, 0.7])
        assert pruning.pruned_after is None
    pruning, trial = trained([0.1, 0.1, 0.9])
    assert pruning.pruned_after == 2 and trial.state == PRUNED and trial.intermediate_values == {1: 0.1, 2: 0.1}
    assert trained([0.9, float("nan"), 0.95])[0].pruned_after is None


def test_a_trial_s_value_is_the_best_that_it_reached(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,epoch,val/x,val/loss\n0,0,0.5,2\n1,1,0.7,1\n2,2,0.6,3\n3,3,nan,nan\n")
    assert best_value(tmp_path, "val/x", "max") == (0.7, "")
    assert best_value(tmp_path, "val/loss", "min") == (1.0, "")
    assert best_value(tmp_path, "val/y", "max") == (None, "val/y was never measured")


def test_a_reason_is_kept(tmp_path: Path) -> None:
    sweep = sweep_in(tmp_path)
    study = open_trials(sweep)
    trial, _ = next_trial(sweep, study)
    give_up(study, trial.number, "out of memory")
    give_up(study, trial.number, "twice")  # does nothing
    (failed,) = ended(study)
    assert failed.state == FAIL and failed.user_attrs[REASON] == "out of memory"
