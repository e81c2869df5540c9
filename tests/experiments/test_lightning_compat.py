"""Nobody but experiments/lightning_compat.py uses what Lightning and jsonargparse keep to themselves."""

from __future__ import annotations

import ast
import pkgutil
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPAT = ROOT / "experiments" / "lightning_compat.py"
FOREIGN = ("pytorch_lightning", "lightning_fabric", "lightning_utilities", "jsonargparse")


def files() -> list[Path]:
    folders = ("datamodules", "lightning_modules", "experiments", "scripts")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")) if path != COMPAT]


@cache
def theirs() -> set[str]:
    """All private names that their objects have."""
    found: set[str] = set()
    for package in FOREIGN:
        for path in Path(str(import_module(package).__file__)).parent.rglob("*.py"):
            found.update(re.findall(r"(?:self\.|def )(_[a-zA-Z]\w*)", path.read_text(encoding="utf-8")))
    return found


def private(name: str) -> bool:
    return name in theirs() - {"_replace"}  # of a named tuple, and everybody's


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_other_file_names_a_private_part(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in FOREIGN:
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names if alias.name.split(".")[0] in FOREIGN for part in alias.name.split(".")]
        # Another object's: one's own is at hand as self or cls; super() is what one derives from.
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            names = [node.attr]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr", "delattr"):
            names = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
        elif isinstance(node, ast.Call):
            names = [k.arg for k in node.keywords if k.arg] if ast.unparse(node.func).endswith("parse_args") else []
        else:
            continue
        found += [f"line {node.lineno}: {name}" for name in names if private(name)]
    assert not found


def modules() -> list[str]:
    packages = [import_module(name) for name in ("datamodules", "lightning_modules", "experiments")]
    names = [m.name for package in packages for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    skipped = ("experiments.dashboard", "experiments.lectures", COMPAT.stem)
    return [name for name in names if not name.startswith(skipped) and not name.endswith(COMPAT.stem)]


@pytest.mark.parametrize("name", modules())
def test_no_class_replaces_or_calls_a_private_method_of_lightning(name: str) -> None:
    module = import_module(name)
    for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        bases = [base for base in getattr(module, node.name).__mro__ if base.__module__.split(".")[0] in FOREIGN]
        hidden = {name for base in bases for name in vars(base) if private(name)} - {"_abc_impl"}
        replaced = {part.name for part in node.body if isinstance(part, ast.FunctionDef) and part.name in hidden}
        called = {
            part.attr
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self" and part.attr in hidden
        }
        assert not replaced | called, f"{node.name}: {sorted(replaced | called)}"
