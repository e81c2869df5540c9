"""``--search``: four spaces, read without evaluating anything, and refused in one line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamodules.errors import InputError
from experiments import ROOT
from experiments.command_line.completion import SWEEP, candidates
from experiments.command_line.help_pages import options
from experiments.sweeping.search import Searched, searched
from experiments.sweeping.sweep import parser
from tests.conftest import Lectern


@pytest.mark.parametrize(
    ("text", "space", "values"),
    [
        ("model.optimizer.lr=log(1e-4, 1e-1)", "log", ("1e-4", "1e-1")),
        ("--data.mixup = uniform( 0 ,0.5)", "uniform", ("0", "0.5")),
        ("trainer.max_epochs=int(-1,8)", "int", ("-1", "8")),
        ("a=choice(x, [1,2], {a: (3,4)}, 'b,c')", "choice", ("x", "[1,2]", "{a: (3,4)}", "'b,c'")),
    ],
)
def test_a_space_is_read(text: str, space: str, values: tuple[str, ...]) -> None:
    found = Searched.of_text(text)
    assert (found.space, found.values) == (space, values)
    assert Searched.of_text(str(found)) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr", "NAME=SPACE expected, such as model.optimizer.lr=log"),
        ("lr=0.1", "NAME=SPACE expected"),
        ("lr=lag(1,2)", "no space 'lag'; did you mean log"),
        ("lr=__import__(1,2)", "no space '__import__'"),
        ("lr=log(1,2);x", "NAME=SPACE expected"),
        ("lr=log(0,1)", "a logarithm needs numbers above 0"),
        ("lr=log(1)", "two numbers expected"),
        ("lr=uniform(2,1)", "the least comes first"),
        ("lr=uniform(a,b)", "numbers expected"),
        ("lr=uniform(0,inf)", "finite numbers expected"),
        ("lr=uniform(nan,1)", "finite numbers expected"),
        ("n=int(1,2.5)", "whole numbers expected"),
        ("n=choice(a)", "two or more values"),
        ("n=choice(a,a)", "a value stands there twice"),
        ("n=choice(a,[b)", "is missing"),
        ("n=choice(a,b])", "closes nothing"),
        ("version=choice(a,b)", "says what a run is"),
        ("ckpt_path=choice(a,b)", "says what a run is"),
    ],
)
def test_what_is_no_space_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match="--search") as error:
        Searched.of_text(text)
    assert said in str(error.value)


@given(st.text(max_size=40))
def test_any_text_is_a_space_or_one_line(text: str) -> None:
    try:
        Searched.of_text(f"a={text}")
    except InputError as error:
        assert "--search" in str(error)


def test_nothing_or_a_name_twice_is_refused() -> None:
    with pytest.raises(InputError, match="needs --search NAME=SPACE"):
        searched([])
    with pytest.raises(InputError, match="lr: searched twice"):
        searched(["lr=log(1,2)", "--lr=uniform(1,2)"])


def test_numbers_are_typed_with_six_digits() -> None:
    one = Searched.of_text("lr=log(1e-9,1)")
    assert one.typed(1.23456789e-7) == "1.23457e-07" and float(one.typed(0.1)) == 0.1
    assert Searched.of_text("n=int(1,9)").typed(3) == "3"


def test_what_is_wrong_with_a_sweep_is_said_before_anything_is_loaded(lectern: Lectern) -> None:
    ours = ("sweep", "--config", "classification/small_shapes")
    for arguments, said in (
        ((), "needs --search"),
        (("--search", "lr=log(1e-4,1e-1)"), "--lr: no such option; did you mean --model.optimizer.lr?"),
        (("--search", "modl.optimizer.lr=log(1e-4,1e-1)"), "did you mean --model.optimizer.lr?"),
        (("--search", "model.optimizer.lr=log(1e-4,1e-1)", "--trials", "0"), "--trials 0: 1 or more expected"),
        (("--search", "model.optimizer.lr=log(1e-4,1e-1)", "--version", "x"), "--version: is of one run"),
        (("--search", "model.optimizer.lr=log(1,2)", "--model.optimizer.lr", "1"), "is searched, and given too"),
        (("--search", "model.optimizer.lr=log(1,2)", "--monitor", "val/x"), "belong together"),
        (("--search", "model.optimizer.lr=log(1,2)", "--launcher", "slrm"), "did you mean slurm"),
    ):
        done = lectern(*ours, *arguments)
        assert done.code == 2 and said in done.err and done.err.count("\n") == 1, (arguments, done.err)


def test_a_shell_completes_a_sweep_s_options() -> None:
    own = {option for action in parser()._actions for option in action.option_strings if option.startswith("--")}
    assert own == {*SWEEP, "--help"}
    assert candidates("lectern swe") == ["sweep"]
    assert candidates("lectern sweep --sear") == ["--search", "--search_seed"]
    assert "--seed_everything" in candidates("lectern sweep --")
    assert candidates("lectern sweep --launcher sl") == ["slurm"]


def test_the_page_has_every_option() -> None:
    text = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"--[a-z_]+", text))
    assert {*SWEEP} - {"--runs"} <= documented
    assert documented <= {*SWEEP, *options("fit"), "--project"}
    for example in re.findall(r"'([a-z_.]+=\w+\([^']*\))'", text):
        Searched.of_text(example)
