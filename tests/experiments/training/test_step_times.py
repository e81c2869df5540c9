"""``lectern doctor`` measures what precision and memory format would give, and changes nothing."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from experiments.training.doctor import Doctor
from experiments.training.step_times import ALL, Gain, StepOptions, gains, seconds
from tests.support.uneven import batch_of, data, task_on

PLAIN, LAST = StepOptions("32-true", False), StepOptions("32-true", True)


def test_each_of_the_options_has_a_turn_a_round_and_the_first_round_does_not_count() -> None:
    scenes = data()
    task = task_on("classification", scenes)
    batch: Any = {name: value.float() if name == "image" else value for name, value in batch_of(scenes, range(4)).items()}
    seen: list[bool] = []
    task.network.register_forward_pre_hook(lambda _, inputs: seen.append(not inputs[0].is_contiguous()))
    clock = count()
    times = seconds(task, batch, [PLAIN, LAST], pairs=3, clock=lambda: float(next(clock)))
    assert times == {PLAIN: [1.0] * 3, LAST: [1.0] * 3}
    assert seen == [False, True, True, False, False, True, True, False]
    assert task.channels_last  # as it was


def test_a_gain_is_the_median_of_pairs_and_pays_where_every_pair_was_faster() -> None:
    (gain,) = gains({PLAIN: [4.0, 9.0, 8.0], LAST: [2.0, 3.0, 2.0]}, PLAIN)
    assert gain == Gain(LAST, 3.0, 2.0, 4.0) and gain.pays
    assert not Gain(LAST, 1.2, 0.9, 1.3).pays and not Gain(LAST, 1.04, 1.01, 1.1).pays


def test_what_to_type_is_what_differs() -> None:
    assert [each.typed(PLAIN) for each in ALL] == [
        "",
        "--model.channels_last true",
        "--trainer.precision bf16-mixed",
        "--trainer.precision bf16-mixed --model.channels_last true",
    ]


@pytest.mark.parametrize("options", [[], ["--trainer.precision=bf16-mixed", "--model.channels_last=false"]])
def test_the_doctor_says_what_each_would_give_and_how_to_ask_for_it(options: list[str], capsys: Any) -> None:
    small = ["--data.train=8", "--data.val=4", "--data.test=4", "--data.batch_size=4", "--data.workers=0"]
    Doctor(["--config", "segmentation/small_shapes", *small, *options])
    said = capsys.readouterr().out
    assert "ms a step (bf16-mixed, channels first)" in said if options else "ms a step (32-true, channels_last)" in said
    assert f"--trainer.precision {'32-true' if options else 'bf16-mixed'} " in said
    assert f"--model.channels_last {'true' if options else 'false'} " in said
    assert said.count("x as fast [") == 3


def test_regions_are_not_searched_for_in_passing(capsys: Any) -> None:
    Doctor(["--config", "detection/rcnn_shapes", "--data.train=16", "--data.val=4", "--data.test=4", "--data.workers=0"])
    assert "not measured: the images' proposals have to be searched first; --run measures it" in capsys.readouterr().out
