"""Which tasks, data modules and recipes there are, and which fits which."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from datamodules.base import DataModule
from datamodules.scene import COMPUTED, InputError
from experiments import recipes
from experiments.command_line.options import Options
from experiments.runs.bounded import read_yaml
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
        f"{task.__name__} needs {_words(needs)}; {data.__name__} provides {_words(data.provides)}. "
        f"Data modules that provide {them}: {', '.join(fitting) or 'none'}"
    )


def class_of(path: str) -> Any:
    """The class of a full class path."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _words(fields: frozenset[str]) -> str:
    return " and ".join(sorted(fields)) or "nothing"


def run(arguments: list[str]) -> int:
    """Prints the catalogue: Lectern's own, and before it in each part the user's; returns the exit code."""
    parser = Options("lectern list", "Tasks, data modules and recipes, and which fits which.")
    parser.add_argument("--recipes", help="the folder of your own recipes; ./recipes by default")
    own = recipes.own_folder(parser.parse_args(arguments).recipes)
    listed = [_Recipe.read(name, folder) for folder in (own, recipes.FOLDER) if folder for name in recipes.names(folder)]
    modules = own_modules(path for recipe in listed for path in (recipe.model, recipe.data))
    all_tasks = own_classes(Task, modules) | tasks()
    all_data = own_classes(DataModule, modules) | data_modules()
    width = max(map(len, all_data)) + 2
    print("TASKS x DATA MODULES\n" + " " * width + "  ".join(all_tasks))
    for name, data in all_data.items():
        marks = ["yes".center(len(t)) if fits(task, data) else "-".center(len(t)) for t, task in all_tasks.items()]
        print(name.ljust(width) + "  ".join(marks))
    print("\nTASKS")
    for name, task in all_tasks.items():
        print(f"  {name:26} needs {_words(task.needs):18} {_first_line(task)}")
    print(f"\nDATA MODULES (each computes {_words(COMPUTED)} of its images too)")
    for name, data in all_data.items():
        print(f"  {name:26} {_first_line(data)}\n{'':28} provides {', '.join(sorted(data.provides)) or 'images only'}")
    for folder in (own, recipes.FOLDER):
        if folder:
            print(f"\nRECIPES{f' in {folder}' if folder == own else ''} (lectern fit --config NAME)")
        for recipe in listed:
            if recipe.folder == folder:
                print(f"  {recipe.name:34} {recipe.says}\n{'':37}{recipe.fitting(all_tasks, all_data)}")
    return 0


class _Recipe(NamedTuple):
    """A recipe as the catalogue shows it; a user's own may leave the task or the data to the command line."""

    name: str
    folder: Path
    says: str
    model: str
    data: str

    @classmethod
    def read(cls, name: str, folder: Path) -> _Recipe:
        path = folder / f"{name}.yaml"
        try:
            content = read_yaml(path)
            first = (path.read_text(encoding="utf-8").splitlines() or [""])[0]
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: {error}") from None
        parts = [content.get(part) if isinstance(content, dict) else None for part in ("model", "data")]
        model, data = (str(p.get("class_path", "")) if isinstance(p, dict) else str(p or "") for p in parts)
        return cls(name, folder, first.lstrip("# ") if first.startswith("#") else "", model, data)

    def fitting(self, all_tasks: Mapping[str, Any], all_data: Mapping[str, Any]) -> str:
        """Its task and data, and what else could feed the task."""
        task = all_tasks.get(self.model) or all_tasks.get(_short(self.model))
        fed_by = [name for name, data in all_data.items() if fits(task, data)] if task else []
        text = f"{_shown(self.model, all_tasks) or 'no task'} on {_shown(self.data, all_data) or 'no data'}"
        return f"{text}; fits {', '.join(fed_by)}" if fed_by else text


def _short(class_path: str) -> str:
    return class_path.rsplit(".", 1)[-1]


def _shown(class_path: str, known: Mapping[str, Any]) -> str:
    """A class by the name that the catalogue has for it."""
    return class_path if class_path in known else _short(class_path)


def _first_line(value: Any) -> str:
    return (inspect.getdoc(value) or " ").splitlines()[0]
