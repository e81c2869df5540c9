"""Tasks and data modules of the user's own, so that ``lectern list`` can show them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments import PACKAGES
from experiments.command_line.own_files import derives_from_ours


def own_modules(class_paths: Iterable[str]) -> list[ModuleType]:
    """The modules that have a user's own classes: those that class paths name, and those of the current folder.

    Of the current folder's files only those are imported that derive a class from one of ours: another may be a script, which
    an import would run. One that cannot be imported is said on stderr, and passed over.
    """
    beside = [path.stem for path in sorted(Path.cwd().glob("*.py")) if derives_from_ours(path)]
    named = [path.rpartition(".")[0] for path in class_paths]
    names = [name for name in dict.fromkeys([*beside, *named]) if name and name.split(".")[0] not in PACKAGES]
    return [module for name in names if (module := _imported(name, name in beside))]


def own_classes(base: type, modules: Iterable[ModuleType]) -> dict[str, Any]:
    """The concrete subclasses of a base class that these modules define, by class path."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value.__module__ == module.__name__
        if not inspect.isabstract(value)
    }


def _imported(name: str, beside: bool) -> ModuleType | None:
    try:
        spec = find_spec(name)
        if beside and spec and spec.origin and Path(spec.origin).resolve().parent != Path.cwd():
            print(f"lectern: {name}.py: {spec.origin} is found before it; give it another name", file=sys.stderr)
            return None
        return import_module(name)
    except Exception as error:  # whatever a user's module may raise
        print(f"lectern: {name}: cannot be imported ({type(error).__name__}: {error})", file=sys.stderr)
        return None
