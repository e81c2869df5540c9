"""What can be said of a command line before torch is loaded: what is missing, what is not there, what the rest depends on."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from datamodules.errors import InputError
from experiments import recipes
from experiments.runs.bounded import read_yaml

from .guesses import misspelt, option_meant, words_without_option
from .help_pages import PAGES
from .help_pages import options as options_of
from .trusting import trusted

TRAINING = ("fit", "doctor")
EVALUATIONS = ("validate", "test", "predict", "explain", "export")
BEST, LAST = "best.ckpt", "last.ckpt"


class Layer(NamedTuple):
    """One of the places from which settings come, in the order in which they are given; a later one wins."""

    source: str
    """The configuration file, as it was given, or the option."""
    content: dict[str, Any]


class Early(NamedTuple):
    """What of a command line must be known before it is parsed, since the rest depends on it."""

    arguments: list[str]
    """The command line without ``--recipes`` and ``--trust``, which are no settings of an experiment."""
    own_recipes: Path | None
    checkpoint: str | None
    """``ckpt_path``, from the command line, its configuration files or the environment; of a run's folder the file in it."""
    layers: list[Layer]
    trusted: tuple[str, ...] = ()
    """The packages of the user's own whose classes a checkpoint may name; never from a configuration file."""


def read_early(arguments: list[str]) -> Early:
    """Reads ``--recipes`` and ``--ckpt_path``, spelled as argparse allows, also where a configuration file has the latter.

    Raises:
        InputError: there is no such folder, recipe or configuration file, or the file cannot be read.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--recipes")
    parser.add_argument("--trust", action="append", default=[])
    known, rest = _parse(parser, arguments)
    own = recipes.own_folder(known.recipes)
    # In the order in which they are given: a later one wins, whether it is an option or a file that has it.
    parser.add_argument("--config", "-c", dest="layers", action="append", type=lambda name: ("config", name))
    parser.add_argument("--ckpt_path", dest="layers", action="append", type=lambda path: ("ckpt_path", path))
    options = _parse(parser, arguments)[0].layers or []
    layers = [Layer(value, content_of(value, own)) if key == "config" else Layer("", {key: value}) for key, value in options]
    given = [layer.content["ckpt_path"] for layer in layers if "ckpt_path" in layer.content]
    command = arguments[0] if arguments else ""
    path = given[-1] if given else os.environ.get(f"LECTERN_{command.upper()}__CKPT_PATH")
    checkpoint = None if path in (None, "null") else str(path)
    if checkpoint and command in EVALUATIONS:
        checkpoint = str(checkpoint_in(Path(checkpoint)))
    packages = trusted(known.trust or [os.environ.get(f"LECTERN_{command.upper()}__TRUST", "")])
    return Early(rest, own, checkpoint, layers, packages)


def content_of(name: str, own: Path | None) -> dict[str, Any]:
    """A configuration file's keys.

    Raises:
        InputError: there is no such file or recipe, or it is not YAML; the message says line and column.
    """
    path = recipes.path_of(name, own)
    try:
        content = read_yaml(path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        place = _place(error.__cause__) if isinstance(error.__cause__, yaml.YAMLError) else f": {error}"
        raise InputError(f"{path}{place}") from None
    return content if isinstance(content, dict) else {}


def checkpoint_in(path: Path) -> Path:
    """The checkpoint that is meant: a file itself, and of a run's folder, or its ``checkpoints``, the best one."""
    if not path.is_dir():
        return path
    return next((p for folder in (path / "checkpoints", path) if (p := folder / BEST).is_file()), path)


def check(command: str, arguments: list[str]) -> None:
    """Says what is wrong with a command line as far as that is known without torch.

    Args:
        command: the first word.
        arguments: what follows it.

    Raises:
        InputError: too little is given; or something that is not there, or an option of another program.
    """
    if command not in (*TRAINING, *EVALUATIONS) or asks_for_help(arguments):
        return
    for argument, following in zip(arguments, [*arguments, ""][1:], strict=True):
        other = option_meant(argument, following) if argument.startswith("-") else ""
        if meant := other or (misspelt(argument, options_of(command)) if command in PAGES else ""):
            raise InputError(f"{argument.partition('=')[0]}: no such option; did you mean {meant}?")
    if command == "export":
        given, own = _option(arguments, "--ckpt_path"), None
        path = given and str(checkpoint_in(Path(given)))
    else:
        early = read_early(["fit" if command == "doctor" else command, *arguments])
        path, own = early.checkpoint, early.own_recipes
    if words := words_without_option(arguments):
        raise InputError(_said_of(words[0], command, own, path is not None))
    if command in TRAINING:
        _check_experiment(command, arguments)
    elif path is None:
        why = ", or it would score random weights" if command in ("validate", "test") else ""
        best = newest_best(arguments) or f"runs/…/checkpoints/{BEST}"
        raise InputError(f"--ckpt_path needed{why}: lectern {command} --ckpt_path {best}")
    if path is not None and not (command in TRAINING and path == "last"):
        _check_checkpoint(command, path)


def asks_for_help(arguments: list[str]) -> bool:
    """Whether the options are to be shown, in which case nothing else must be there."""
    words = [argument.partition("=")[0] for argument in arguments]
    return any(w in ("-h", "--help", "--print_config") or (w.startswith("--") and w.endswith(".help")) for w in words)


def say_which_checkpoint(early: Early) -> None:
    """One line where a folder was given as a checkpoint."""
    given = [str(layer.content["ckpt_path"]) for layer in early.layers if "ckpt_path" in layer.content]
    if given and early.checkpoint and Path(given[-1]) != Path(early.checkpoint):
        print(f"lectern: --ckpt_path {given[-1]} is a folder: {early.checkpoint} is taken", file=sys.stderr)


def newest_best(arguments: list[str]) -> Path | None:
    """The newest ``best.ckpt`` below the folder of all runs."""
    runs = Path(_option(arguments, "--runs") or "runs")
    found = [path for path in runs.glob(f"**/checkpoints/{BEST}") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _check_experiment(command: str, arguments: list[str]) -> None:
    given = {argument.lstrip("-").partition("=")[0].partition(".")[0] for argument in arguments if argument.startswith("-")}
    given |= {name.split("__")[1].lower() for name in os.environ if name.startswith("LECTERN_FIT__")}
    if given & {"config", "c"} or {"model", "data"} <= given:
        return
    if given & {"model", "data"}:
        missing, what = ("data", "data module") if "model" in given else ("model", "task")
        raise InputError(
            f"no {what} given: `lectern {command} --config NAME` has one, or add --{missing} CLASS; `lectern list` shows both"
        )
    raise InputError(f"no recipe given: `lectern {command} --config NAME`, `lectern list` shows them")


def _check_checkpoint(command: str, path: str) -> None:
    if Path(path).is_dir():
        names = (LAST, BEST) if command in TRAINING else (BEST, LAST)
        known = [p for name in names for p in (Path(path) / "checkpoints" / name, Path(path) / name) if p.is_file()]
        hint = f"; did you mean {known[0]}?" if known else f", and without checkpoints/{BEST}"
        raise InputError(f"--ckpt_path {path}: a folder{hint}")
    if not Path(path).exists():
        newest = newest_best([]) if command in EVALUATIONS else None
        raise InputError(f"{path}: no such checkpoint" + (f"; the newest is {newest}" if newest else ""))


def _said_of(word: str, command: str, own: Path | None, has_checkpoint: bool) -> str:
    """What a word that belongs to no option may be meant as."""
    path = Path(word)
    if path.suffix in (".ckpt", ".pt", ".pth") and not has_checkpoint:
        return f"{word}: a checkpoint is given as --ckpt_path {word}"
    if path.suffix in (".yaml", ".yml") or word in recipes.names() or (own and word in recipes.names(own)):
        return f"{word}: a recipe is given as --config {word}"
    if command == "predict" and (path.exists() or path.suffix or word.endswith("/")):
        root = f"{path.parent}/" if path.is_file() else word
        return f"{word}: images are given as --data ImageFiles --data.root {root}"
    if path.is_dir() and not has_checkpoint and command in EVALUATIONS:
        return f"{word}: a checkpoint is given as --ckpt_path {checkpoint_in(path)}"
    return f"{word}: which option is it for? lectern {command} --help shows them"


def _option(arguments: list[str], name: str) -> str | None:
    """The last value of an option; None where it is not given."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument(name, dest="value")
    value: str | None = _parse(parser, arguments)[0].value
    return value


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    try:
        return parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise InputError(str(error)) from None


def _place(error: yaml.YAMLError) -> str:
    """Where in a file, and what there: ``, line 3, column 5: …``."""
    mark = getattr(error, "problem_mark", None)
    problem = " ".join(str(getattr(error, "problem", None) or error).split())
    return f", line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else f": not YAML ({problem})"
