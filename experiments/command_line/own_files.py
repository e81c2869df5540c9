"""Files of the current folder that have classes of the user's own; they are read, and not imported."""

from __future__ import annotations

import ast
from pathlib import Path

from experiments import PACKAGES


def any_derives_from_ours() -> bool:
    """Whether the current folder has a module with a class derived from one of Lectern's."""
    return any(map(derives_from_ours, Path.cwd().glob("*.py")))


def derives_from_ours(path: Path) -> bool:
    """Whether a module derives a class from one of Lectern's; another may be a script, which an import would run."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return False
    ours = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in PACKAGES:
            ours |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            ours |= {a.asname or a.name.split(".")[0] for a in node.names if a.name.split(".")[0] in PACKAGES}
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return any(ast.unparse(base).split(".")[0] in ours for node in classes for base in node.bases)
