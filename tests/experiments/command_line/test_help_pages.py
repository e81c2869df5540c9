"""Help on one screen, its parts, what a shell completes, and a word while libraries are imported."""

from __future__ import annotations

import inspect
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datamodules.base import DataModule
from datamodules.errors import InputError
from experiments import ROOT, recipes
from experiments.command_line.completion import BASH, candidates
from experiments.command_line.early import check
from experiments.command_line.guesses import COMMANDS, GROUPS, misspelt
from experiments.command_line.help_pages import PAGES, asked, options, page, part_of
from experiments.command_line.waiting import SAID, waiting
from experiments.explaining.explain import Explain
from experiments.explaining.methods import METHODS
from experiments.lightning_compat import keys_of
from experiments.reproduction.reproduce import parser
from experiments.training.cli import LecternCLI
from experiments.training.doctor import Doctor
from tests.conftest import Lectern

ONE_SCREEN = 48
OTHERS: dict[str, tuple[Callable[[], object], str]] = {
    "doctor": (lambda: Doctor([]), "fit"),
    "explain": (lambda: Explain([]), "predict"),
}
"""The commands with a class of their own, and whose parser each of them takes."""


@pytest.mark.parametrize("command", PAGES)
def test_a_page_is_one_screen(command: str) -> None:
    lines = page(command).splitlines()
    assert len(lines) <= ONE_SCREEN and max(map(len, lines)) <= 100
    assert lines[0].startswith(f"usage: lectern {command} ")


@pytest.mark.parametrize("command", PAGES)
def test_every_option_of_a_page_is_one(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of classes (data.root) and those that are read before the parser are known elsewhere."""
    found = list[Any]()
    build, parsed_by = OTHERS.get(command, (lambda: LecternCLI([command]), command))

    def stop(self: LecternCLI, parser: Any, args: Any) -> None:
        found.append(self.parser_of(parsed_by))
        raise InterruptedError

    monkeypatch.setattr(LecternCLI, "parse_arguments", stop)
    with pytest.raises(InterruptedError):
        build()
    own = {option.lstrip("-").partition(".")[0] for option in options(command)}
    keys = {key.partition(".")[0] for key in keys_of(found[0])}
    assert keys <= {*GROUPS, *own}, "or it would be taken for a misspelt one"
    known = {f"--{key}" for key in keys_of(found[0])} | {"--config", "-c", "--recipes", "--trust", "--print_config"}
    known |= {"--model.help", "--data.help", "--data.root", "--data.batch_size", "--data.image_size", "--data.workers"}
    known |= {"--pictures", "--model", "--data", *(["--run"] if command == "doctor" else [])}
    assert set(options(command)) <= known and ("--ckpt_path" in options(command) or command == "doctor")


def test_the_page_of_explain_names_every_method() -> None:
    assert set(re.findall(r"[a-z_]+", page("explain").partition("by default all: ")[2].partition("--layer")[0])) == set(METHODS)


def test_an_option_of_explain_is_no_misspelt_one() -> None:
    check_of = [misspelt(f"--{name}", options("explain")) for name in ("target", "limit", "search", "limt")]
    assert check_of == ["", "", "", "--limit"]
    assert misspelt("--limt") == "", "of another command"


@pytest.mark.parametrize("command", ["doctor", "explain"])
def test_the_page_comes_without_the_parser(command: str, workdir: Path) -> None:
    code = f"import sys; sys.argv = ['lectern', '{command}', '--help']; from experiments.__main__ import main; main()"
    code += "; sys.exit('torch' in sys.modules or 'jsonargparse' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, page(command)), done.stderr


def test_the_page_of_further_options_names_those_that_there_are() -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8").partition("## Further options")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `(--[^`]+)` \| ([^|]+) \|", text)
    named = [(option, command) for typed, command in rows for option in re.findall(r"--[\w.]+", typed)]
    assert len(named) > 8
    reproduced = {option for action in parser()._actions for option in action.option_strings}
    of_data = {f"--data.{name}" for name in inspect.signature(DataModule).parameters}
    assert {option for option, command in named if "reproduce" in command} <= reproduced
    assert {option for option, command in named if "reproduce" not in command} <= {*options("fit"), *of_data}


def test_what_is_asked_for() -> None:
    assert (asked("fit", ["-c", "x", "--help"]), asked("fit", ["--help.trainer"]), asked("fit", ["-c", "x"])) == (
        "",
        "trainer",
        None,
    )
    assert asked("reproduce", ["--help"]) is None, "it has a page of its own"
    with pytest.raises(InputError, match=r"--help\.trainre: no such part of the help; did you mean trainer\?"):
        asked("fit", ["--help.trainre"])


FULL = """\
usage: lectern [options] fit [-c CONFIG]

options:
  ARG:   -h, --help     Show this help message and exit.
  ARG:   --name NAME
  ENV:   LECTERN_FIT__NAME
                        of the run

Customize every aspect of training via flags:
  ARG:   --trainer CONFIG
  ENV:   LECTERN_FIT__TRAINER
                        Path to a configuration file.
  ARG:   --trainer.max_epochs MAX_EPOCHS
  ENV:   LECTERN_FIT__TRAINER__MAX_EPOCHS
                        Stop training

After validation, a sheet of scenes:
  ARG:   --pictures.count COUNT
"""


def test_a_part_of_the_parser_s_page() -> None:
    assert part_of(FULL, "trainer").splitlines() == [
        "Customize every aspect of training via flags:",
        "  --trainer CONFIG",
        "                        Path to a configuration file.",
        "  --trainer.max_epochs MAX_EPOCHS",
        "                        Stop training",
    ]
    assert part_of(FULL, "pictures").splitlines()[0] == "After validation, a sheet of scenes:"
    assert "--name NAME" in part_of(FULL, "all") and "ENV" not in part_of(FULL, "all")


def test_the_trainer_s_part_is_the_parser_s(lectern: Lectern) -> None:
    result = lectern("fit", "--help.trainer")
    assert result.code == 0 and result.out.startswith("Customize every aspect of training")
    assert "--trainer.max_epochs" in result.out and "--init_from" not in result.out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--confg", "--config"),
        ("--chekpoint.minutes=3", "--checkpoint.minutes"),
        ("--trianer.max_epochs", "--trainer.max_epochs"),
        ("--verbose", ""),
        ("--trainer.callbacks+=X", ""),
        ("--wholly-other", ""),
        ("-1", ""),
    ],
)
def test_a_misspelt_option_is_said_before_torch_is_loaded(typed: str, meant: str, workdir: Path) -> None:
    assert misspelt(typed) == meant
    if meant:
        with pytest.raises(InputError, match=f"{typed.partition('=')[0]}: no such option; did you mean {meant}"):
            check("fit", [typed, "segmentation/fcn_transpose"])


# Completion ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("lectern ", set(COMMANDS)),
        ("lectern re", {"reproduce"}),
        ("lectern fit --config seg", {"segmentation/fcn_transpose", "segmentation/camvid"}),
        ("lectern fit --data Cam", {"CamVid"}),
        ("lectern fit --model Seg", {"Segmentation"}),
        ("lectern fit --trainer.max", {"--trainer.max_epochs", "--trainer.max_steps", "--trainer.max_time"}),
        ("lectern fit --help.t", {"--help.trainer"}),
        ("lectern reproduce plain", {"plain_nets_degrade"}),
        ("lectern reproduce ", {"all", "cnn", "cs231n"}),
        ("lectern test --ckpt", {"--ckpt_path"}),
        ("lectern doctor --", {"--run", "--config", "--init_from", "--help.trainer"}),
        ("lectern explain --me", {"--methods"}),
    ],
)
def test_what_may_follow(line: str, some: set[str], workdir: Path) -> None:
    found = candidates(line)
    assert some <= set(found) and all(word.startswith(line.rpartition(" ")[2]) for word in found)


def test_own_recipes_are_completed_too(workdir: Path) -> None:
    (workdir / "recipes" / "mine").mkdir(parents=True)
    (workdir / "recipes" / "mine" / "first.yaml").touch()
    assert candidates("lectern fit -c mi") == ["mine/first"]
    assert candidates("lectern fit -c ")[0] == "mine/first" and set(recipes.names()) <= set(candidates("lectern fit -c "))
    assert candidates("lectern predict --ckpt_path ru") == [], "files are the shell's"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes(workdir: Path) -> None:
    stub = f'lectern() {{ {sys.executable} -P {ROOT}/experiments/__main__.py "$@"; }}\n'
    ask = 'COMP_LINE="lectern fit --config segmentation/fcn"; COMP_POINT=${#COMP_LINE}; _lectern; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", stub + BASH + ask], capture_output=True, text=True)
    assert done.stdout.split() == ["segmentation/fcn_transpose"], done.stderr


# Waiting ------------------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_terminal_is_told_what_takes_time(stream: Callable[[], io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", said := stream())
    with waiting():
        meanwhile = said.getvalue()
    is_terminal = stream is Terminal
    assert meanwhile == (SAID if is_terminal else "") and said.getvalue().endswith("\r" if is_terminal else "")
