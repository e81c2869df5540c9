"""The code behind a run and behind a verdict: what of our files they rest on, found in their text without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from experiments import ROOT, recipes
from experiments.runs.files import read_summary
from experiments.studies.code import Import, Source, joined, source, source_digest, stale
from experiments.studies.study import Exact, ScaleName, Study, Training

LECTURES = "experiments.lectures"
STUDIES = "experiments.studies"
PACKAGES = ("lightning_modules", "datamodules", LECTURES, "experiments.measures", STUDIES)
"""What a verdict may rest on; how a run is started and shown is none of it."""

JUDGES = tuple(f"{STUDIES}.{name}" for name in ("plan", "reading"))
"""What chooses and reads runs; what judges them is imported by a study's file."""

EXPORTING = ("lightning_modules", "datamodules")
"""Packages whose classes a recipe calls by their last name alone."""


class Place(NamedTuple):
    """A definition of a module of ours, with all that it uses there; the whole module where there is no name."""

    module: str
    name: str = ""


def sources(things: Iterable[Any]) -> dict[str, str]:
    """What of our files a run rests on, ``file.py:definitions``, each with a digest of its code.

    Of a file, the functions and classes that are used count, with all that they use in it: another one beside them may change
    without a new run. What they import counts, as far as it goes; a name that a package's ``__init__`` hands on is looked for
    where it is defined, so that an ``__init__`` that imports everything makes nobody depend on everything. What judges runs is
    no part of one.

    Args:
        things: the classes and functions that made the run, or modules.
    """
    return _digests(_place(thing) for thing in things)


def study_sources(study: Study | Exact, scale: ScaleName = "cpu") -> dict[str, str]:
    """What of our files a verdict rests on, each with a digest: the study's file and what judges whole, the rest as of a run.

    The classes that recipes and variants name by their path count as if they were imported, and so do the recipes.
    """
    function: Any = study.checks if isinstance(study, Exact) else study.parts
    places = [Place(function.__module__)]
    texts: list[str] = []
    if isinstance(study, Study):
        places += map(Place, JUDGES)
        settings = [study.job(scale, variant, None, 0).settings for variant in study.variants]
        places += [place for text in _texts(settings) if (place := _named(text))]
        works = [study.work_of(variant) for variant in study.variants]
        paths = {recipes.path_of(work.recipe) for work in works if isinstance(work, Training)}
        texts = [path.relative_to(ROOT).as_posix() for path in paths]
    return _digests(places, judging=True) | {text: source_digest(text) for text in sorted(texts)}


def changed_sources(folder: Path) -> list[str]:
    """The files whose code is not what this run was made with."""
    return stale(read_summary(folder).get("code", {}))


def _digests(places: Iterable[Place], judging: bool = False) -> dict[str, str]:
    waiting, found = list(places), set[Place]()
    while waiting:
        place = waiting.pop()
        if place in found or not _ours(place.module, judging) or not (path := _file(place.module)):
            continue
        found.add(place)
        waiting += _imported(place, source(path))
    return joined({f"{_relative(place.module)}:{place.name}".rstrip(":") for place in found})


def _place(thing: Any) -> Place:
    if isinstance(thing, ModuleType):
        return Place(thing.__name__)
    name, path = getattr(thing, "__qualname__", "").partition(".")[0], _file(thing.__module__)
    return Place(thing.__module__, name if path and name in source(path).definitions else "")


def _relative(module: str) -> str:
    path = _file(module)
    assert path is not None
    return path.relative_to(ROOT).as_posix()


def _file(module: str) -> Path | None:
    """The file of a module of ours; None of anything else."""
    base = ROOT.joinpath(*module.split("."))
    files = (base.with_suffix(".py"), base / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _ours(module: str, judging: bool = True) -> bool:
    return any(module == p or module.startswith(f"{p}.") for p in PACKAGES if judging or p != STUDIES)


def _imported(place: Place, text: Source) -> Iterator[Place]:
    """What a module, or a function of it, imports of ours."""
    names = text.reached(place.name) if place.name else text.imports.keys()
    statements = text.statements(names) if place.name else text.tree.body
    for name in sorted(names & text.imports.keys()):
        taken = text.imports[name]
        module = _absolute(taken, place.module)
        if _ours(module):
            yield from _taken(module, taken.name, name, statements)
    for star in text.stars:
        yield Place(_absolute(star, place.module))


def _taken(module: str, name: str, local: str, statements: Iterable[ast.stmt]) -> Iterator[Place]:
    """Where a name comes from; of a module, where those of its names come from that are used."""
    whole = f"{module}.{name}" if name and _file(f"{module}.{name}") else "" if name else module
    if not whole:
        yield _definer(module, name)
        return
    nodes = [node for statement in statements for node in ast.walk(statement)]
    bases = [n.value for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == local]
    if bases and len(bases) == sum(isinstance(node, ast.Name) and node.id == local for node in nodes):
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute) and node.value in bases}
        yield from (_definer(whole, attribute) for attribute in sorted(attributes))
    else:
        yield Place(whole)


def _definer(module: str, name: str, asked: tuple[str, ...] = ()) -> Place:
    """What ``module`` has under a name, however often it is handed on; the module where nothing of that name is defined."""
    path = _file(module)
    if path is None or module in asked or not _ours(module):
        return Place(module)
    text, asked = source(path), (*asked, module)
    if name in text.definitions:
        judges = module == STUDIES or module.startswith(f"{STUDIES}.")
        return Place(module, "" if judges else name)  # a judge counts whole: little, and all of it on every verdict
    if taken := {**text.exports, **text.imports}.get(name):
        base = _absolute(taken, module)
        if not taken.name or _file(f"{base}.{taken.name}"):
            return Place(f"{base}.{taken.name}".rstrip("."))
        return _definer(base, taken.name, asked)
    if _file(f"{module}.{name}"):
        return Place(f"{module}.{name}")
    for star in text.stars:
        found = _definer(_absolute(star, module), name, asked)
        if (file := _file(found.module)) and name in source(file).definitions:
            return found
    return Place(module)


def _absolute(taken: Import, module: str) -> str:
    if not taken.level:
        return taken.module
    package = module if _is_package(module) else module.rpartition(".")[0]
    return resolve_name("." * taken.level + taken.module, package)


def _is_package(module: str) -> bool:
    path = _file(module)
    return path is not None and path.name == "__init__.py"


def _named(text: str) -> Place | None:
    """The class that a configuration names, by its path or by its last name alone; None of any other text."""
    if text.isidentifier():
        for package in EXPORTING:
            if (found := _definer(package, text)).module != package:
                return found
        return None
    module, _, name = text.rpartition(".")
    while module and _ours(module):
        if _file(module):
            return _definer(module, name)
        module, _, name = module.rpartition(".")
    return None


def _texts(value: Any) -> set[str]:
    """All texts in plain data."""
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {text for one in inner for text in _texts(one)}
