"""Which tasks, data modules and recipes there are, and which fits which."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import yaml

from datamodules.scene import COMPUTED, InputError
from experiments import recipes


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
    """Whether the data module provides what the task needs."""
    return bool(task.needs <= data.provides | COMPUTED)


def pairs() -> list[tuple[str, str]]:
    """Each task with each data module that can feed it."""
    return [(t, d) for t, task in tasks().items() for d, data in data_modules().items() if fits(task, data)]


def check_fit(task_path: str, data_path: str) -> None:
    """Raises InputError where the data module lacks what the task needs, before anything is built or downloaded."""
    task, data = _class(task_path), _class(data_path)
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


def _class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _words(fields: frozenset[str]) -> str:
    return " and ".join(sorted(fields)) or "nothing"


def run() -> int:
    """Prints the catalogue."""
    all_tasks, all_data = tasks(), data_modules()
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
    print("\nRECIPES (lectern fit --config NAME)")
    for recipe in recipes.names():
        path = recipes.path_of(recipe)
        first = path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        fed_by = [d for d, data in all_data.items() if fits(all_tasks[_name(content["model"])], data)]
        print(f"  {recipe:34} {first}\n{'':37}{_name(content['model'])} on {_name(content['data'])}; fits {', '.join(fed_by)}")
    return 0


def _name(config: dict[str, Any]) -> str:
    return str(config["class_path"]).rsplit(".", 1)[-1]


def _first_line(value: Any) -> str:
    return (inspect.getdoc(value) or "").splitlines()[0]
