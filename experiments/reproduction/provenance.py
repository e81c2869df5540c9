"""The code behind a run: which of our files it rests on, and whether they are still what it was made with."""

from __future__ import annotations

import ast
import inspect
import sys
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType

from experiments.runs.files import inside, read_summary
from experiments.studies.study import digest

ROOT = Path(__file__).parents[2]
"""The folder that our packages lie in."""

LECTURES = "experiments.lectures"
PACKAGES = ("lightning_modules", "datamodules", LECTURES, "experiments.measures")
"""What a run's result may rest on; how a run is made and shown is none of it."""


def sources(modules: list[ModuleType]) -> dict[str, str]:
    """The files of ours that these modules rest on, each with a digest of its text.

    What a module uses is what its names come from, followed as far as it goes; so an ``__init__`` that imports everything
    does not make a run depend on everything. Constants do not know where they come from: of the lectures' files, which share
    many, what they import of each other counts as well.
    """
    found: dict[str, ModuleType] = {}
    waiting = [m for m in modules if _ours(m.__name__)]
    while waiting:
        module = waiting.pop()
        if module.__name__ in found or not getattr(module, "__file__", None):
            continue
        found[module.__name__] = module
        names = {getattr(value, "__module__", None) for value in vars(module).values()}
        names |= {value.__name__ for value in vars(module).values() if inspect.ismodule(value)}
        names |= _imported_lectures(module)
        waiting += [sys.modules[n] for n in names if isinstance(n, str) and _ours(n) and n in sys.modules]
    return {str(Path(m.__file__ or "").relative_to(ROOT)): file_digest(Path(m.__file__ or "")) for m in found.values()}


def _imported_lectures(module: ModuleType) -> set[str]:
    """The modules of the lectures that a module of the lectures imports from."""
    if not module.__name__.startswith(f"{LECTURES}."):
        return set()
    imports = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)]
    names = {resolve_name("." * node.level + (node.module or ""), module.__package__) for node in imports}
    return {name for name in names if name.startswith(f"{LECTURES}.")}


def file_digest(path: Path) -> str:
    """A digest of a file's text; empty where it is gone."""
    return digest(path.read_text(encoding="utf-8")) if path.is_file() else ""


def changed_sources(folder: Path) -> list[str]:
    """The files whose code is not what this run was made with."""
    return [name for name, was in read_summary(folder).get("code", {}).items() if source_digest(name) != was]


def source_digest(name: str) -> str:
    """The digest of a file of ours by its name in a summary or a record, as :func:`sources` gives it; empty for any other."""
    path = ROOT / name
    return file_digest(path) if name.endswith(".py") and inside(ROOT, path) else ""


def _ours(name: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in PACKAGES)
