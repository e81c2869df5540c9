"""``lectern list``: tasks, data modules and recipes, and which fits which, in lines of at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import ascii_letters
from textwrap import wrap
from typing import NamedTuple

from datamodules.errors import InputError
from experiments import recipes
from experiments.runs.bounded import read_yaml

from .declared import Known, computed, data_modules, tasks

WIDTH = 100


class ListedRecipe(NamedTuple):
    """A recipe as the catalogue shows it; a user's own may leave the task or the data to the command line."""

    name: str
    folder: Path
    says: str
    model: str
    data: str


def run_static() -> int:
    """The catalogue of what comes with Lectern; returns the exit code."""
    for line in lines(tasks(), data_modules(), [shipped(name) for name in recipes.names()], None):
        print(line)
    return 0


def fits(task: Known, data: Known) -> bool:
    """Whether the data module provides what the task needs; one without any annotation is there to be predicted on."""
    return bool(data.fields) and task.fields <= data.fields | computed()


def shipped(name: str) -> ListedRecipe:
    """One that comes with Lectern: its lines are looked at, since reading thirty of them as YAML takes a second.

    Its first ``class_path`` below ``model`` and below ``data`` is what is shown.
    """
    text = (recipes.FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    named, part = {"model": "", "data": ""}, ""
    for line in text:
        key, _, value = line.partition("#")[0].partition(":")
        if key[:1].strip():
            part = key
            if part in named and "class_path" not in value:
                named[part] = value.strip()
        if part in named and not named[part] and key.strip(" {") == "class_path":
            named[part] = value.split(",")[0].strip(" }")
        elif part in named and not named[part] and "{class_path:" in line:
            named[part] = line.partition("{class_path:")[2].split(",")[0].strip(" }")
    return ListedRecipe(name, recipes.FOLDER, _first(text), named["model"], named["data"])


def read(name: str, folder: Path) -> ListedRecipe:
    """One of a folder.

    Raises:
        InputError: it cannot be read.
    """
    path = folder / f"{name}.yaml"
    try:
        content = read_yaml(path)
        text = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    parts = [content.get(part) if isinstance(content, dict) else None for part in ("model", "data")]
    model, data = (str(p.get("class_path", "")) if isinstance(p, dict) else str(p or "") for p in parts)
    return ListedRecipe(name, folder, _first(text), model, data)


def _first(text: list[str]) -> str:
    first = (text or [""])[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def lines(
    all_tasks: Mapping[str, Known], all_data: Mapping[str, Known], listed: Sequence[ListedRecipe], own: Path | None
) -> Iterator[str]:
    """The catalogue's lines.

    Args:
        all_tasks: by name, the user's own first.
        all_data: by name, the user's own first.
        listed: recipes.
        own: the folder of the user's own recipes, which are shown first.
    """
    letters = dict(zip(all_tasks, ascii_letters, strict=False))
    width = max(map(len, all_data)) + 2
    yield "TASKS x DATA MODULES (each column is a task, by its letter below)"
    yield (" " * width + "".join(f"{letters.get(name, '?'):^4}" for name in all_tasks)).rstrip()
    for name, data in all_data.items():
        marks = ("yes" if fits(task, data) else "-" for task in all_tasks.values())
        yield (name.ljust(width) + "".join(f"{mark:^4}" for mark in marks)).rstrip()
    yield "\nTASKS"
    for name, task in all_tasks.items():
        yield f"  {letters.get(name, '?')}  {name:26} needs {words(task.fields)}"
        yield from _wrapped(task.says, 5)
    yield f"\nDATA MODULES (each computes {words(computed())} of its images too)"
    for name, data in all_data.items():
        yield f"  {name:26} provides {', '.join(sorted(data.fields)) or 'images only'}"
        yield from _wrapped(data.says, 5)
    for folder in (own, recipes.FOLDER):
        if folder:
            yield f"\nRECIPES{f' in {folder}' if folder == own else ''} (lectern fit --config NAME)"
        for recipe in listed:
            if recipe.folder == folder:
                yield f"  {recipe.name}"
                yield from _wrapped(recipe.says, 5)
                yield from _wrapped(_fitting(recipe, all_tasks, all_data), 5)


def words(fields: frozenset[str]) -> str:
    """``boxes and labels``."""
    return " and ".join(sorted(fields)) or "nothing"


def _wrapped(text: str, indent: int) -> list[str]:
    space = " " * indent
    return wrap(text, WIDTH, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)


def _fitting(recipe: ListedRecipe, all_tasks: Mapping[str, Known], all_data: Mapping[str, Known]) -> str:
    """Its task and data, and what else could feed the task."""
    task = all_tasks.get(recipe.model) or all_tasks.get(_short(recipe.model))
    fed_by = [name for name, data in all_data.items() if fits(task, data)] if task else []
    text = f"{_shown(recipe.model, all_tasks) or 'no task'} on {_shown(recipe.data, all_data) or 'no data'}"
    return f"{text}; fits {', '.join(fed_by)}" if fed_by else text


def _short(class_path: str) -> str:
    return class_path.rsplit(".", 1)[-1]


def _shown(class_path: str, known: Mapping[str, Known]) -> str:
    """A class by the name that the catalogue has for it."""
    return class_path if class_path in known else _short(class_path)
