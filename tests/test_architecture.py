"""Which package may import which: data flows in one direction."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("datamodules", "lightning_modules", "experiments")


def imported_modules(path: Path) -> set[str]:
    """The absolute names of all modules that a file imports, of ours and of others."""
    package = path.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names.add(module)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def ours(path: Path) -> set[str]:
    return {name for name in imported_modules(path) if name.split(".")[0] in PACKAGES}


@pytest.mark.parametrize("path", files("datamodules"), ids=lambda p: str(p.relative_to(ROOT)))
def test_datamodules_import_nothing_else_of_ours(path: Path) -> None:
    assert all(name.startswith("datamodules") for name in ours(path))


@pytest.mark.parametrize("path", files("lightning_modules"), ids=lambda p: str(p.relative_to(ROOT)))
def test_lightning_modules_import_only_the_scene_contract(path: Path) -> None:
    foreign = {name for name in ours(path) if not name.startswith("lightning_modules")}
    assert all(name.startswith("datamodules.scene") for name in foreign)


@pytest.mark.parametrize("path", files("lightning_modules/networks"), ids=lambda p: str(p.relative_to(ROOT)))
def test_networks_know_no_lightning(path: Path) -> None:
    assert not any(name.split(".")[0] in ("pytorch_lightning", "lightning", "torchmetrics") for name in imported_modules(path))


def test_albumentations_is_known_to_one_file() -> None:
    users = [
        p for package in PACKAGES for p in files(package) if any(n.startswith("albumentations") for n in imported_modules(p))
    ]
    assert users == [ROOT / "datamodules" / "transforms.py"]


def test_checkpoints_are_only_loaded_weights_only() -> None:
    for package in PACKAGES:
        for path in files(package):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                    assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords), path
                assert not (isinstance(node, ast.Call) and ast.unparse(node.func) == "yaml.load"), path
