"""Which tasks, data modules and recipes there are, and which fits which."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from datamodules.base import DataModule
from datamodules.scene import COMPUTED, InputError
from experiments import recipes
from experiments.command_line.catalogue import lines, read, words
from experiments.command_line.declared import Known, plain
from experiments.command_line.options import Options
from lightning_modules.base import Task

from .own_classes import own_classes, own_modules


def _public(package: str, base: str) -> dict[str, Any]:
    """The concrete subclasses that a package exports, by name."""
    module = import_module(package)
    base_class = getattr(import_module(f"{package}.base"), base)
    found = {name: getattr(module, name) for name in module.__all__}
    return {n: c for n, c in found.items() if inspect.isclass(c) and issubclass(c, base_class) and not inspect.isabstract(c)}


def tasks() -> dict[str, Any]:
    return _public("lightning_modules", "Task")


def data_modules() -> dict[str, Any]:
    return _public("datamodules", "DataModule")


def fits(task: Any, data: Any) -> bool:
    """Whether the data module provides what the task needs; one without any annotation is there to be predicted on."""
    return bool(data.provides) and bool(task.needs <= data.provides | COMPUTED)


def pairs() -> list[tuple[str, str]]:
    """Each task with each data module that can feed it."""
    return [(t, d) for t, task in tasks().items() for d, data in data_modules().items() if fits(task, data)]


def check_fit(task_path: str, data_path: str) -> None:
    """Raises InputError where the data module lacks what the task needs, before anything is built or downloaded."""
    task, data = class_of(task_path), class_of(data_path)
    # Data without annotation of its own is there to be predicted on.
    if not data.provides or fits(task, data):
        return
    fitting = [name for name, other in data_modules().items() if fits(task, other)]
    needs = task.needs - COMPUTED
    them = {1: "it", 2: "both"}.get(len(needs), "them all")
    raise InputError(
        f"{task.__name__} needs {words(needs)}; {data.__name__} provides {words(data.provides)}. "
        f"Data modules that provide {them}: {', '.join(fitting) or 'none'}"
    )


def class_of(path: str) -> Any:
    """The class of a full class path."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def run(arguments: list[str]) -> int:
    """Prints the catalogue: Lectern's own, and before it in each part the user's; returns the exit code."""
    parser = Options("lectern list", "Tasks, data modules and recipes, and which fits which.")
    parser.add_argument("--recipes", help="the folder of your own recipes; ./recipes by default")
    own = recipes.own_folder(parser.parse_args(arguments).recipes)
    listed = [read(name, folder) for folder in (own, recipes.FOLDER) if folder for name in recipes.names(folder)]
    modules = own_modules(path for recipe in listed for path in (recipe.model, recipe.data))
    all_tasks = {name: Known(_first_line(t), t.needs) for name, t in (own_classes(Task, modules) | tasks()).items()}
    all_data = {
        name: Known(_first_line(d), d.provides) for name, d in (own_classes(DataModule, modules) | data_modules()).items()
    }
    for line in lines(all_tasks, all_data, listed, own):
        print(line)
    return 0


def _first_line(value: Any) -> str:
    return plain((inspect.getdoc(value) or " ").splitlines()[0])
