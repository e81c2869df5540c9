"""``lectern data``: what a folder holds, which tasks and recipes fit, and all that is wrong with it."""

from __future__ import annotations

import argparse
import re
import warnings
from pathlib import Path
from typing import Any

from pytorch_lightning.cli import LightningArgumentParser

from datamodules.base import DataModule
from datamodules.errors import InputError
from datamodules.guessing import guesses
from experiments.command_line.early import Early
from experiments.command_line.options import Options
from experiments.training.catalog import data_modules
from experiments.training.guessed_data import with_data_guessed

from .findings import command, findings, fitting
from .page import FACTS, write_report
from .reading import SPLITS, fields_to_read, lacking_fields, read_all

HELP = """\
--data.root FOLDER is all that is needed. --data NAME names the data module where it cannot be told, and --data.KEY VALUE
gives any of its arguments: --data.image_size 320 is the network's input, at which the sizes of objects are told."""


def run(arguments: list[str]) -> int:
    """The command; returns its exit code, 1 where something is broken."""
    options = Options("lectern data", "Reads every file of a data set and reports what is in it and what is wrong with it.")
    options.epilog = HELP
    options.add_argument("--output", help="the report's folder; data_reports/<name of the data set> by default")
    options.add_argument("--workers", type=int, help="processes that read; as many as there are cores by default")
    known, rest = _split(options, arguments)
    data, layouts = data_of(rest)
    layout = layouts.get(type(data).__name__, "")
    lacking = lacking_fields(data)
    fields = fields_to_read(data, lacking)
    data.require(fields)
    print(f"data       {type(data).__name__}{f', {layout}' if layout else ''}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        reading = read_all(data, known.workers)
    if not reading.facts:
        raise InputError(next(iter(reading.refused.values()), f"{getattr(data, 'root', 'the folder')}: no scene in any split"))
    found = findings(reading, data, fields)
    provided = {name: data_modules()[name].provides for name in layouts} or {type(data).__name__: data.provides}
    root = Path(str(getattr(data, "root", "")))
    fits = fitting({name: frozenset(has - lacking) for name, has in provided.items()})
    found["fits"] = {task: one | {"command": command(task, root, one)} for task, one in fits.items()}
    found["layout"] = layout
    folder = Path(known.output) if known.output else Path("data_reports") / _file_name(found["name"])
    page = write_report(folder, found, data, reading)
    _say(found)
    print(f"report     {page}\nfigures    {folder / FACTS}")
    return int(bool(found["broken"] or found["refused"]))


def data_of(arguments: list[str]) -> tuple[DataModule, dict[str, str]]:
    """The data module that the arguments mean, and what reads the folder: the layout by the name of each such data module.

    Raises:
        InputError: there is no ``--data.root``, none or several read it, or an argument is wrong.
    """
    if words := [word for word in arguments[:1] if not word.startswith("-")]:
        raise InputError(f"{words[0]}: the folder is given as --data.root {words[0]}")
    early = Early(arguments, None, None, [])
    given = with_data_guessed(early)
    if not any(argument.partition("=")[0] in ("--data", "--data.class_path") for argument in given):
        raise InputError("--data.root needed: lectern data --data.root FOLDER")
    parser = LightningArgumentParser(prog="lectern data", exit_on_error=False)
    parser.add_lightning_class_args(DataModule, "data", subclass_mode=True)
    try:
        data: DataModule = parser.instantiate(parser.parse_args(given)).data
    except (argparse.ArgumentError, ValueError, TypeError) as error:
        text = " ".join(str(error).split())
        raise error if isinstance(error, InputError) else InputError(f"lectern data: {text[:500]}") from None
    found = [guess for guess in guesses(Path(str(getattr(data, "root", "")))) if guess.certain]
    layout = next((guess.layout for guess in found if guess.data == type(data).__name__), None)
    return data, {guess.data: guess.layout for guess in found if guess.layout == layout}


def _split(options: Options, arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """This command's own options, and the data module's."""
    known, rest = options.parse_known_args(arguments)
    for argument in rest:
        if argument.startswith("--") and argument != "--data" and not argument.startswith(("--data.", "--data=")):
            options.error(f"unrecognized arguments: {argument}")
    return known, rest


def _say(found: dict[str, Any]) -> None:
    for split in SPLITS:
        one = found["splits"][split]
        print(f"{split:10} {one['scenes']} scenes, {one['objects']} objects, {one['with_faults']} with faults")
    for task, one in found["fits"].items():
        print(f"fits       {task}: {one['command']}")
    for note in found["notes"]:
        print(f"note       {note}")
    for one in found["broken"][:20]:
        print(f"broken     {one['split']}: {one['what']}")
    if (more := len(found["broken"]) - 20) > 0:
        print(f"broken     … and {more} more in the report")


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "data"
