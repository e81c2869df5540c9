"""What a checkpoint says of its experiment is data, which may come from a stranger: what of it may be built, and what not.

jsonargparse imports each module that a class path names, and calls a function that stands where a class is expected. So the
settings are looked through before the parser sees them; they are parsed once where nothing can be imported but from the
allowed packages (:func:`lightning_compat.importing_only`); and what they were parsed to is looked through again, as the parser
knows short names, files and text that stand for more than they are.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import jsonargparse
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from datamodules.base import DataModule
from datamodules.scene import InputError
from experiments.command_line.trusting import NEVER
from experiments.lightning_compat import importing_only
from lightning_modules.base import Task

from .class_names import below, defaults, imported, is_class, loaded
from .errors import readable
from .plain_data import SCALAR, check_plain, names

PACKAGES = (
    *("datamodules", "lightning_modules", "torch.nn", "albumentations"),
    *("torchvision.models", "torchvision.ops", "torchvision.transforms"),
)
"""Where the classes of a checkpoint's model and data may be defined; optimizers are not built from a checkpoint at all."""

BASES: Mapping[str, type] = {"model": Task, "data": DataModule}
"""The parts of an experiment that are built, and what each is."""

UNBUILT: Mapping[str, tuple[type, ...]] = {"optimizer": (Optimizer,), "scheduler": (LRScheduler, ReduceLROnPlateau)}
"""Arguments of a task that only a training needs, and what they are."""


def looked_at(settings: Any, path: Path) -> dict[str, Any]:
    """The settings, where they are plain data that name no function; nothing is imported.

    Raises:
        InputError: they are not what ``lectern fit`` writes, or name what no checkpoint may name.
    """
    if not isinstance(settings, dict):
        raise InputError(f"{path}: its experiment is no settings by name")
    check_plain(settings, path)
    for part in BASES.keys() & settings.keys():
        if settings[part] is None:
            continue
        if not isinstance(settings[part], dict) or "class_path" not in settings[part]:
            raise InputError(f"{path}: {part} is no class_path with init_args")
        for key, name in names(settings[part], part, bare=UNBUILT):
            _check_loaded(name, key, path)
    if not isinstance(settings.get("name") or "", str):
        raise InputError(f"{path}: name is no text")
    expect = settings.get("expect") or {}
    if not isinstance(expect, dict) or not all(isinstance(value, SCALAR) for value in expect.values()):
        raise InputError(f"{path}: expect is no bounds by metric, such as test/miou: '>= 0.8'")
    return settings


def buildable(part: str, value: dict[str, Any], path: Path, own: Collection[str]) -> dict[str, Any]:
    """The settings of a part of the experiment as an evaluation builds it: of allowed classes alone.

    Args:
        part: ``model`` or ``data``.
        value: its settings, which were :func:`looked_at`.
        path: of the checkpoint.
        own: packages that the user trusts.

    Raises:
        InputError: it names something else; the line says which key, which name, and what would be right.
    """
    value, packages = without_side_effects(value), (*PACKAGES, *own)
    for key, name in names(value, part):
        if "." in name:  # what a name alone stands for is the parser's to find
            _check_class(name, key, path, packages)
    value = _without_defaults(value)
    arguments = {**(value.get("init_args") or {}), **({"metadata": {}} if part == "model" else {})}
    parser = parser_of(part)
    with importing_only(packages):
        try:
            parsed = parser.parse_object({part: {**value, "init_args": arguments}})[part]
        except Exception as error:  # whatever a parser is led to by what is no configuration
            if denied := re.search(r"Importing '([^']+)' is not allowed", str(error)):
                raise _refused(denied[1], part, path) from None
            said = readable(str(error)).split(". Got value: Namespace")[0][:300]
            raise InputError(f"{path}: {part} cannot be built by this Lectern: {said}") from None
    _check_parsed(value, parsed, part, path, packages)
    return value


def parser_of(*parts: str) -> jsonargparse.ArgumentParser:
    """A parser of parts of an experiment alone, which takes them as the command line does."""
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    for part in parts:
        parser.add_subclass_arguments(BASES[part], part, fail_untyped=False)
    return parser


def without_side_effects(value: Any) -> Any:
    """Settings without what only a training needs, and without what is got from elsewhere or written elsewhere.

    Left out are a task's optimizer and schedule, and its metadata (which are the data's); pre-trained ``weights``, which the
    checkpoint's replace; a data set's ``download``; and folders that are written: of proposals (``cache``) and of features.
    """
    if isinstance(value, list):
        return [without_side_effects(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, inner in value.items():
        if key == "init_args" and isinstance(inner, dict) and "network" in inner:
            inner = {name: argument for name, argument in inner.items() if name not in (*UNBUILT, "metadata")}
        if isinstance(inner, str) and key in ("weights", "features"):
            inner = None
        elif isinstance(inner, str) and key == "cache":
            inner = True
        elif inner is True and key == "download":
            inner = False
        kept[key] = without_side_effects(inner)
    return kept


def _check_loaded(name: str, key: str, path: Path) -> None:
    """Raises InputError where a name is known without an import, and is no class, or not one of what is asked for."""
    found = loaded(name)
    expected = UNBUILT.get(key.removeprefix("model."), (object,)) if key.startswith("model.") else (object,)
    if name.split(".")[0] in sys.stdlib_module_names or not is_class(object if found is None else found, expected):
        raise _refused(name, key, path)


def _check_class(name: str, key: str, path: Path, packages: Collection[str]) -> None:
    """Raises InputError where a name is not that of a class which one of the packages defines; only they are imported."""
    if not below(name, packages):
        raise _refused(name, key, path)
    try:
        found = imported(name)
    except Exception as error:  # a user's own module may raise anything
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(f"{path}: {key} names {name}, which cannot be imported ({said})") from None
    if not inspect.isclass(found):
        raise _refused(name, key, path)
    if not below(found.__module__, packages):
        raise _refused(f"{found.__module__}.{found.__qualname__}", key, path)


def _check_parsed(plain: Any, parsed: Any, key: str, path: Path, packages: Collection[str]) -> None:
    """Raises InputError where the parser took text for more than text, or a class for one that is not allowed."""
    if isinstance(parsed, jsonargparse.Namespace | dict):
        inner = dict(vars(parsed)) if isinstance(parsed, jsonargparse.Namespace) else parsed
        if isinstance(name := inner.get("class_path"), str):
            _check_class(name, key, path, packages)
        for part, value in inner.items():
            given = plain.get(part) if isinstance(plain, dict) else None
            _check_parsed(given, value, key if part == "init_args" else f"{key}.{part}", path, packages)
    elif isinstance(parsed, list | tuple):
        listed = plain if isinstance(plain, list | tuple) and len(plain) == len(parsed) else [None] * len(parsed)
        for i, (given, value) in enumerate(zip(listed, parsed, strict=True)):
            _check_parsed(given, value, f"{key}.{i}", path, packages)
    if isinstance(plain, str) and not isinstance(parsed, SCALAR):
        raise _refused(plain, key, path)


def _without_defaults(value: Any) -> Any:
    """Settings without functions that are a class's own default: its code, which is trusted, says the same."""
    if isinstance(value, list):
        return [_without_defaults(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_defaults(inner) for key, inner in value.items()}
    if "class_path" in value and isinstance(arguments := kept.get("init_args"), dict):
        own = defaults(loaded(value["class_path"]))
        kept["init_args"] = {
            name: inner
            for name, inner in arguments.items()
            if not (isinstance(inner, str) and inspect.isroutine(own.get(name)) and loaded(inner) is own[name])
        }
    return kept


def _refused(name: str, key: str, path: Path) -> InputError:
    """The refusal of a name; a package is offered to ``--trust`` where it may be a class of the user's own."""
    package, _, last = name.partition(".")
    found = loaded(name)
    own = bool(last) and package not in NEVER and not below(name, PACKAGES) and last.rpartition(".")[2][:1].isupper()
    if own and (found is None or inspect.isclass(found)):
        return InputError(
            f"{path}: {key} names {name[:200]}, which is none of Lectern's classes; if you trust it: --trust {package}"
        )
    kind = "a function" if inspect.isroutine(found) else "not a class that a checkpoint may name"
    return InputError(
        f"{path}: {key} names {name[:200]!r}, which is {kind}; only classes of networks and data are built from it"
    )
