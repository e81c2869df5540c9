"""``--data.root X`` alone: the data module that reads the folder is told from its files, and said."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from datamodules.errors import InputError
from datamodules.guessing import Guess, guesses
from experiments.command_line.early import Early

from .catalog import data_modules, fits, tasks

FORMATS = "YOLO, COCO, VOC, labelme, folders of images and masks, or of classes"


def with_data_guessed(early: Early) -> list[str]:
    """The command line, with the data module of ``--data.root`` where nobody names one that reads it.

    What the command line names as ``--data`` stays; so does a recipe's, where the folder is laid out as it reads it. In both
    cases only what the folder itself says and nobody else does is added (the classes of VOC's XML files).

    Raises:
        InputError: no data module is named, and none, or several, read the folder.
    """
    root, own = _last(early.arguments, "--data.root", "--data.init_args.root"), _last(early.arguments, "--data")
    own = own or _last(early.arguments, "--data.class_path")
    if root is None:
        return early.arguments
    named = own or _of_layers(early, "data")
    if named and _short(named) not in data_modules():
        return early.arguments  # the user's own class
    found = guesses(Path(root))
    same = [guess for guess in found if guess.data == _short(named)]
    if named and (own or same or not found):
        return _added(early, same[0].options) if len(same) == 1 else early.arguments
    task = _last(early.arguments, "--model") or _of_layers(early, "model")
    guess = chosen(found, Path(root), tasks().get(_short(task)) if task else None)
    instead = f" in place of the recipe's {_short(named)}" if named else ""
    print(f"lectern: {guess.root} has {guess.layout}: --data {guess.data}{instead}", file=sys.stderr)
    data = [argument for pair in _of_data(early.arguments) for argument in pair]
    rest = early.arguments[:]
    for pair in _of_data(early.arguments):
        at = next(i for i in range(len(rest)) if rest[i : i + len(pair)] == pair)
        del rest[at : at + len(pair)]
    given = _given(early)
    options = [f"--data.{key}={json.dumps(value)}" for key, value in guess.options.items() if key not in given]
    return [*rest, "--data", guess.data, *options, *data, f"--data.root={guess.root}"]


def chosen(found: list[Guess], root: Path, task: Any = None) -> Guess:
    """The guess that is taken: that of the one format, of its data modules the first that feeds the task.

    Raises:
        InputError: there is none, or the folder is of several formats.
    """
    if not found:
        there = "none of the formats that Lectern knows" if root.is_dir() else "not there"
        raise InputError(f"--data.root {root}: {there} ({FORMATS}): --data NAME says which data module reads it")
    fitting = [guess for guess in found if task is None or fits(task, data_modules()[guess.data])] or found
    likely = [guess for guess in fitting if guess.certain] or fitting
    if len({guess.layout for guess in likely}) > 1:
        listed = " and ".join(f"{guess.layout} (--data {guess.data})" for guess in likely)
        raise InputError(f"--data.root {root} has {listed}: --data says which is meant")
    return likely[0]


def _added(early: Early, options: dict[str, Any]) -> list[str]:
    given = _given(early)
    return [*early.arguments, *(f"--data.{key}={json.dumps(value)}" for key, value in options.items() if key not in given)]


def _given(early: Early) -> set[str]:
    """The arguments of the data module that somebody gives."""
    keys = {
        pair[0].partition("=")[0].removeprefix("--data.").removeprefix("init_args.").split(".")[0]
        for pair in _of_data(early.arguments)
    }
    for layer in early.layers:
        data = layer.content.get("data")
        keys |= set(data.get("init_args") or ()) if isinstance(data, dict) else set()
    return keys


def _of_data(arguments: list[str]) -> list[list[str]]:
    """The options ``--data.…``, each with its value."""
    found = []
    for i, argument in enumerate(arguments):
        if argument.startswith("--data."):
            found.append([argument] if "=" in argument else arguments[i : i + 2])
    return found


def _last(arguments: list[str], *names: str) -> str | None:
    """The last value of an option."""
    value = None
    for i, argument in enumerate(arguments):
        name, equals, text = argument.partition("=")
        if name in names:
            value = text if equals else next(iter(arguments[i + 1 : i + 2]), None)
    return value


def _of_layers(early: Early, part: str) -> str | None:
    """The class that the configuration files name."""
    for layer in reversed(early.layers):
        value = layer.content.get(part)
        name = value.get("class_path") if isinstance(value, dict) else value
        if isinstance(name, str):
            return name
    return None


def _short(name: str | None) -> str:
    return (name or "").rsplit(".", 1)[-1]
