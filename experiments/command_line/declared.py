"""What tasks and data modules say of themselves, read from their source: nothing is imported, so that a list comes at once.

Only what is exported counts, and of a class the first line of its docstring and the frozenset that it declares (``needs``,
``provides``): a set of names, or what other classes and constants declare, joined by ``|``.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from experiments import ROOT


class Known(NamedTuple):
    """A task or a data module, as a list shows it."""

    says: str
    fields: frozenset[str]
    """What a task needs of a scene, or a data module provides."""


def tasks() -> dict[str, Known]:
    """Lectern's tasks, by name."""
    return _exported(ROOT / "lightning_modules" / "__init__.py", "Task", "needs")


class Monitor(NamedTuple):
    """What a task is judged by while it trains."""

    metric: str
    mode: str
    """Whether its best value is the least (``min``) or the greatest (``max``)."""


@cache
def monitors() -> dict[str, Monitor]:
    """Of Lectern's tasks, by name."""
    path = ROOT / "lightning_modules" / "__init__.py"
    lines = {name: _line_of(name, path) for name in _file(path).exports}
    found = {name: Monitor(_text(line, "monitor"), _text(line, "mode")) for name, line in lines.items()}
    return {name: monitor for name, monitor in found.items() if monitor.metric}


def data_modules() -> dict[str, Known]:
    """Lectern's data modules, by name."""
    return _exported(ROOT / "datamodules" / "exports.py", "DataModule", "provides")


def computed() -> frozenset[str]:
    """The fields that every data module computes where they are asked for."""
    return _value(_file(ROOT / "datamodules" / "scene.py").constants["COMPUTED"], ROOT / "datamodules" / "scene.py")


def plain(text: str) -> str:
    """A docstring's line as text: without the marks of reStructuredText."""
    return re.sub(r":\w+:`~?([^`]+)`", r"\1", text).replace("``", "")


class _File(NamedTuple):
    classes: dict[str, ast.ClassDef]
    constants: dict[str, ast.expr]
    imports: dict[str, Path]
    """The files of ours that names come from."""
    exports: list[str]


@cache
def _file(path: Path) -> _File:
    found = _File({}, {}, {}, [])
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found.classes[node.name] = node
        elif isinstance(node, ast.ImportFrom):
            if (source := _source(path, node)) is not None:
                found.imports.update(dict.fromkeys((alias.asname or alias.name for alias in node.names), source))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.constants[node.targets[0].id] = node.value
    if isinstance(names := found.constants.get("__all__"), ast.List):
        found.exports.extend(ast.literal_eval(names))
    return found


def _source(path: Path, node: ast.ImportFrom) -> Path | None:
    base = path.parents[node.level - 1] if node.level else ROOT
    below = base.joinpath(*(node.module or "").split("."))
    return next((p for p in (below.with_suffix(".py"), below / "__init__.py") if p.is_file()), None)


def _exported(path: Path, base: str, field: str) -> dict[str, Known]:
    found = {}
    for name in _file(path).exports:
        line = _line_of(name, path)
        if any(node.name == base for _, node in line):
            says = next((text for _, node in line if (text := ast.get_docstring(node))), "")
            found[name] = Known(plain(says.partition("\n")[0]), _declared(line, field))
    return found


def _line_of(name: str, path: Path) -> list[tuple[Path, ast.ClassDef]]:
    """A class and those that it is derived from, with their files; those of libraries are passed over."""
    file = _file(path)
    if name in file.classes:
        node = file.classes[name]
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
        return [(path, node), *(one for b in bases if isinstance(b, ast.Name) for one in _line_of(b.id, path))]
    return _line_of(name, file.imports[name]) if name in file.imports else []


def _declared(line: list[tuple[Path, ast.ClassDef]], field: str) -> frozenset[str]:
    for path, node in line:
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            value = getattr(statement, "value", None)
            if isinstance(target, ast.Name) and target.id == field and value is not None:
                return _value(value, path)
    return frozenset()


def _text(line: list[tuple[Path, ast.ClassDef]], field: str) -> str:
    """A text that a class declares; empty where it does not."""
    for _, node in line:
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            value = getattr(statement, "value", None)
            if isinstance(target, ast.Name) and target.id == field and isinstance(value, ast.Constant):
                return str(value.value)
    return ""


def _value(node: ast.expr, path: Path) -> frozenset[str]:
    """A declared set of names.

    Raises:
        ValueError: it is declared in another way.
    """
    match node:
        case ast.Call(func=ast.Name(id="frozenset"), args=[]):
            return frozenset()
        case ast.Call(func=ast.Name(id="frozenset"), args=[inner]):
            return _value(inner, path)
        case ast.Set():
            return frozenset(ast.literal_eval(node))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _value(left, path) | _value(right, path)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left, path) - _value(right, path)
        case ast.Name(id=name):
            file = _file(path)
            return _value(file.constants[name], path) if name in file.constants else _value(node, file.imports[name])
        case ast.Attribute(value=ast.Name(id=name), attr=field):
            return _declared(_line_of(name, path), field)
    raise ValueError(f"{path}: {ast.unparse(node)}: a set of names expected")
