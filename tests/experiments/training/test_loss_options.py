"""Numbers of a loss that would train, and only badly, are refused; and null is null however deep it is given."""

from __future__ import annotations

from typing import Any

import pytest

from datamodules.scene import InputError
from experiments.training.cli import LecternCLI, run_cli
from experiments.training.loss_options import check
from tests.conftest import Lectern


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"focal_gamma": -2.0}, "model.focal_gamma: -2: 0 or more expected"),
        ({"focal_gamma": float("nan")}, "model.focal_gamma: nan"),
        ({"focal_gamma": float("inf")}, "model.focal_gamma: inf"),
        ({"label_smoothing": 1.5}, "model.label_smoothing: 1.5: 0 to 1 expected"),
        ({"class_weights": {"a": 1.0, "b": -1.0}}, "model.class_weights: b has -1; a number above 0"),
        ({"class_weights": {"a": float("nan")}}, "a has nan"),
        ({"class_weights": {"a": 0}}, "a has 0"),
    ],
)
def test_a_number_out_of_its_range_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        check(arguments)
    assert said in str(error.value)


def test_sound_numbers_pass() -> None:
    check({"focal_gamma": 2.0, "label_smoothing": 0.1, "class_weights": {"a": 0.5}})
    check({})


class Enough(Exception):
    """Nothing is to be built."""


def test_a_negative_gamma_is_refused_on_the_command_line(lectern: Lectern) -> None:
    done = lectern("fit", "--config", "classification/small_shapes", "--model.focal_gamma", "-2")
    assert done.code == 2 and "model.focal_gamma: -2: 0 or more expected" in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize("option", ["--model.network.weights=null", "--model.init_args.network.init_args.weights=null"])
def test_null_stays_null_two_classes_down(option: str, lectern: Lectern) -> None:
    settings: list[Any] = []

    class Parsed(LecternCLI):
        def instantiate_classes(self) -> None:
            settings.append(self.config["fit"])
            raise Enough

    with pytest.raises(Enough):
        run_cli(lambda: Parsed(["fit", "--config", "classification/resnet18_folder", option]))
    assert settings[0].model.init_args.network.init_args.weights is None
