"""The command line as it is parsed: recipes by name, mistakes in one line, and what must be known before the rest."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from jsonargparse import ActionConfigFile
from pytorch_lightning.cli import LightningArgumentParser

from datamodules.scene import InputError
from experiments import recipes
from experiments.runs.bounded import read_yaml

from .errors import readable


class Parser(LightningArgumentParser):
    """Says what is wrong in one line, without the page of usage before it; ``--config`` takes a recipe's name too."""

    own_recipes: Path | None = None
    """The folder of the user's own recipes."""

    def error(self, message: str, ex: Exception | None = None) -> Any:
        raise InputError(readable(message))

    def add_argument(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("action") is ActionConfigFile:
            kwargs |= {"action": Recipe, "help": "A recipe's name (lectern list shows them), or a YAML file; may be repeated."}
        return super().add_argument(*args, **kwargs)


class Recipe(ActionConfigFile):  # type: ignore[misc]
    """A configuration file, by path or by a recipe's name, in each spelling that argparse has for an option."""

    def __call__(self, parser: Any, cfg: Any, values: Any, option_string: str | None = None) -> None:
        path = recipes.path_of(values, parser.own_recipes)
        _content(path)  # before the parser writes out what its aliases stand for
        super().__call__(parser, cfg, str(path), option_string)


class Early(NamedTuple):
    """What of a command line must be known before it is parsed, since the rest depends on it."""

    arguments: list[str]
    """The command line without ``--recipes``, which is no setting of an experiment."""
    own_recipes: Path | None
    checkpoint: str | None
    """``ckpt_path``, from the command line, its configuration files or the environment."""


def read_early(arguments: list[str]) -> Early:
    """Reads ``--recipes`` and ``--ckpt_path``, spelled as argparse allows, also where a configuration file has the latter.

    Raises:
        InputError: there is no such folder or recipe.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--recipes")
    known, rest = _parse(parser, arguments)
    own = recipes.own_folder(known.recipes)
    # In the order in which they are given: a later one wins, whether it is an option or a file that has it.
    parser.add_argument("--config", "-c", dest="layers", action="append", type=lambda name: ("config", name))
    parser.add_argument("--ckpt_path", dest="layers", action="append", type=lambda path: ("ckpt_path", path))
    options = _parse(parser, arguments)[0].layers or []
    layers = [_content(recipes.path_of(value, own)) if option == "config" else {option: value} for option, value in options]
    given = [layer["ckpt_path"] for layer in layers if "ckpt_path" in layer]
    command = arguments[0].upper() if arguments else ""
    path = given[-1] if given else os.environ.get(f"LECTERN_{command}__CKPT_PATH")
    return Early(rest, own, None if path in (None, "null") else str(path))


def say_what_is_hidden(files: list[Path], own: Path | None) -> None:
    """One line where a recipe of the user's own stands in front of Lectern's of the same name."""
    for path in files:
        if name := recipes.hides(path, own):
            print(f"lectern: --config {name} is {path}, and not Lectern's own recipe of that name", file=sys.stderr)


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    try:
        return parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise InputError(str(error)) from None


def _content(path: Path) -> dict[str, Any]:
    """A configuration file's keys; none where it is no mapping, which the parser says better.

    Raises:
        InputError: it cannot be read, is no YAML, or would be endless.
    """
    try:
        content = read_yaml(path)
    except OSError as error:
        raise InputError(f"--config {path}: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        raise InputError(f"--config {path}: {error}") from None
    return content if isinstance(content, dict) else {}
