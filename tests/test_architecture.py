"""Which package may import which, for data flow in one direction; and what a name may be."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
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
    # and how loops are compiled, which knows nothing of data
    assert all(name.startswith(("datamodules.scene", "datamodules.compiled")) for name in foreign)


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


ROOMS: dict[str, set[str]] = {
    "recipes": set(),
    "runs": set(),
    "findings": {"runs"},
    "command_line": {"recipes", "runs"},
    "training": {"runs", "recipes", "command_line", "findings"},
    "explaining": {"training", "runs", "command_line"},
    "inspecting": {"training", "runs", "recipes", "command_line"},
    "measures": {"training", "runs"},
    "studies": {"runs", "recipes"},
    "lectures": {"studies", "measures"},
    "reports": {"lectures", "studies", "runs"},
    "reproduction": {"reports", "lectures", "studies", "training", "command_line", "runs", "recipes"},
    "sweeping": {"reproduction", "training", "command_line", "runs", "recipes"},
    "dashboard": {"reports", "lectures", "studies", "command_line", "runs"},
    "showing": {"reports", "lectures", "measures", "studies", "command_line"},
}
"""The rooms of experiments/, from the ground up, and which lower ones each may import."""


def room_of(name: str) -> str:
    """The room of a module of experiments; empty for what lies above them all."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "experiments" and parts[1] in ROOMS else ""


def test_no_arrow_between_rooms_runs_up() -> None:
    above = [room for room, lower in ROOMS.items() if any(list(ROOMS).index(low) > list(ROOMS).index(room) for low in lower)]
    assert not above


@pytest.mark.parametrize("path", files("experiments"), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_what_lies_below_them(path: Path) -> None:
    room = path.relative_to(ROOT / "experiments").parts[0]
    if room not in ROOMS:
        return
    imported = {room_of(name) for name in ours(path)} - {"", room}
    assert imported <= ROOMS[room], f"{room} imports {sorted(imported - ROOMS[room])}"


def test_experiments_holds_rooms_and_an_entrance() -> None:
    assert {path.name for path in (ROOT / "experiments").glob("*.py")} <= {"__init__.py", "__main__.py", "lightning_compat.py"}
    assert {p.name for p in (ROOT / "experiments").iterdir() if p.is_dir() and p.name != "__pycache__"} <= {*ROOMS, "results"}


TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_tests_lie_where_what_they_test_lies(path: Path) -> None:
    folder = path.parent.relative_to(ROOT / "tests")
    if folder.parts[:1] == ("support",):
        assert not path.name.startswith("test_"), f"{path.name}: tests lie beside what they test, helpers in tests/support"
        return
    assert path.name.startswith("test_") or path.name in ("__init__.py", "conftest.py"), (
        f"{path.name}: a helper of tests/support"
    )
    assert (ROOT / folder).is_dir(), f"{path.relative_to(ROOT)}: there is no folder {folder} that it could test"


@pytest.mark.parametrize("path", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_tests_share_lies_in_support(path: Path) -> None:
    others = {name for name in imported_modules(path) if name.startswith("tests.") and ".test_" in name}
    assert not others, f"{path.relative_to(ROOT)} imports {sorted(others)}: what both need belongs in tests/support"


EVERY_FILE = [path for folder in (*PACKAGES, "scripts", "tests") for path in files(folder)]


def variables(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Name and line of what a file binds or reads by a plain name: variables, parameters, aliases; no attribute or method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.alias | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            yield (node.asname if isinstance(node, ast.alias) else node.name) or "", node.lineno


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_variable_is_called_of_or_it(path: Path) -> None:
    found = [f"{name}, line {line}" for name, line in variables(ast.parse(path.read_text("utf-8"))) if name in ("of", "it")]
    assert not found, f"{path.relative_to(ROOT)}: {found}: a name says what it holds"


def types(tree: ast.Module) -> Iterator[str]:
    """The public classes and type aliases at the top of a module: of what is assigned there, what is written as they are."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def test_no_two_public_classes_have_one_name() -> None:
    places = defaultdict(list)
    for path in (path for package in PACKAGES for path in files(package)):
        for name in types(ast.parse(path.read_text("utf-8"))):
            places[name].append(str(path.relative_to(ROOT)))
    assert not {name: where for name, where in places.items() if len(where) > 1}
