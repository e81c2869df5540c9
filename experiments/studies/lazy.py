"""Classes with arguments, as a configuration has them: ``L(CifarNet)(depth=56)`` in place of a dictionary of strings.

The idea is detectron2's ``LazyCall``. What a study names so is found by a rename, and by whoever looks for a class's uses.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, Protocol, overload

P = ParamSpec("P")


class _Complete(Protocol[P]):
    """What can be called without arguments."""

    @overload
    def __call__(self) -> Any: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...


class _Network(Protocol[P]):
    """What needs the number of classes, which the task gives, and nothing else."""

    @overload
    def __call__(self, num_classes: int) -> Any: ...
    @overload
    def __call__(self, num_classes: int, *args: P.args, **kwargs: P.kwargs) -> Any: ...


@overload
def L(cls: _Complete[P]) -> Callable[P, Any]: ...
@overload
def L(cls: _Network[P]) -> Callable[P, Any]: ...
@overload
def L(cls: Callable[..., Any]) -> Callable[..., Any]: ...  # type: ignore[overload-cannot-match]
def L(cls: Any) -> Any:
    """``L(cls)(**arguments)`` is what a YAML has for ``cls`` with these arguments; nothing is built.

    Args:
        cls: a class or a function that can be imported, or a partial of one with keywords. Arguments that its user gives (a
            network's number of classes, an optimizer's parameters) are left out.

    Returns:
        A function of keywords, which may hold classes and what ``L`` gives. It returns ``{"class_path": …}``, with
        ``"init_args"`` where there are arguments.

    Raises:
        TypeError: ``cls`` takes no argument of this name, or cannot be imported.
    """

    def configured(**arguments: Any) -> dict[str, Any]:
        target, given = (cls.func, cls.keywords | arguments) if isinstance(cls, partial) else (cls, arguments)
        if unknown := given.keys() - _parameters(target):
            raise TypeError(f"{target.__name__} has no argument {', '.join(sorted(unknown))}")
        return {"class_path": path_of(target)} | ({"init_args": plain(given)} if given else {})

    return configured


def path_of(cls: Any) -> str:
    """The shortest dotted name that ``cls`` is imported by: of the package that exports it, or of its own module."""
    parts, name = cls.__module__.split("."), cls.__name__
    for end in range(1, len(parts) + 1):
        module = ".".join(parts[:end])
        if getattr(sys.modules.get(module), name, None) is cls:
            return f"{module}.{name}"
    raise TypeError(f"{cls.__module__}.{cls.__qualname__} cannot be imported; a class or function of a module expected")


def plain(value: Any) -> Any:
    """``value`` as a YAML has it: each class or function in it as its path, partials as ``L`` has them, tuples as lists."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, partial):
        return L(value)()
    return path_of(value) if inspect.isclass(value) or inspect.isroutine(value) else value


def _parameters(cls: Any) -> set[str]:
    """The names of a class's arguments, those that it hands on to its base classes by ``**kwargs`` included."""
    names: set[str] = set()
    for base in cls.__mro__ if inspect.isclass(cls) else [cls]:
        own = inspect.signature(base.__init__ if inspect.isclass(base) else base).parameters.values()
        names |= {p.name for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in own):
            break
    return names - {"self"}
