"""What a dotted name stands for: a class, and in which package, or something else."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection
from typing import Any


def loaded(name: str) -> Any:
    """What a dotted name stands for in modules that are imported already; None where that is not known."""
    parts = name.split(".")
    for n in range(len(parts) - 1, 0, -1):
        if (found := sys.modules.get(".".join(parts[:n]))) is not None:
            for part in parts[n:]:
                found = getattr(found, "__dict__", {}).get(part)
            return found
    return None


def imported(name: str) -> Any:
    """What a dotted name stands for, as jsonargparse finds it: in a module, or in a class of a module."""
    module, _, last = name.rpartition(".")
    try:
        return getattr(__import__(module, fromlist=[last]), last)
    except ModuleNotFoundError:
        module, _, outer = module.rpartition(".")
        if not module:
            raise
        return getattr(getattr(__import__(module, fromlist=[outer]), outer), last)


def below(name: str, packages: Collection[str]) -> bool:
    """Whether a dotted name lies in one of the packages."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def defaults(found: Any) -> dict[str, Any]:
    """The defaults of a class's arguments, those of its base classes included."""
    classes = reversed(inspect.getmro(found)) if inspect.isclass(found) else ()
    signatures = [inspect.signature(make) for c in classes if inspect.isfunction(make := vars(c).get("__init__"))]
    return {name: parameter.default for signature in signatures for name, parameter in signature.parameters.items()}


def is_class(found: Any, expected: tuple[type, ...]) -> bool:
    """Whether it is a class, and one of those expected; ``object`` stands for one that is not known."""
    return inspect.isclass(found) and (found is object or issubclass(found, expected))
