"""Which files a run and a verdict rest on, and what of them counts as changed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

import experiments.lectures.cnn.every_stage_of_rcnn_adds
import experiments.lectures.cs231n.skips_refine_segmentation  # noqa: F401  (found by name)
from experiments import PACKAGES, ROOT
from experiments.lectures.cnn import learning_rate_decay_helps as decay
from experiments.lectures.cnn import momentum_speeds_up_descent as momentum
from experiments.reproduction.provenance import sources, study_sources
from experiments.studies import code
from experiments.studies.code import source, source_digest, stale
from lightning_modules.networks import CifarNet


def files(found: dict[str, str]) -> set[str]:
    return {name.partition(":")[0] for name in found}


def rests_on(name: str) -> set[str]:
    """The lectures' files among the sources of a study."""
    found = sources([sys.modules[f"experiments.lectures.{name}"]])
    return {path.removeprefix("experiments/lectures/") for path in files(found) if path.startswith("experiments/lectures/")}


def test_a_study_rests_on_the_files_that_it_takes_constants_from() -> None:
    # Of these it takes strings, dictionaries and a partial, none of which says which file made it.
    assert rests_on("cs231n.skips_refine_segmentation") == {
        "cs231n/skips_refine_segmentation.py",
        "cs231n/_segmentation.py",
        "_amended.py",
        "_augmentations.py",
    }


def test_also_on_those_of_another_lecture_and_not_on_other_studies() -> None:
    found = rests_on("cnn.every_stage_of_rcnn_adds")
    assert {"cs231n/_regions.py", "cs231n/_pretraining.py", "_length.py"} <= found
    assert [path for path in found if not path.rpartition("/")[2].startswith("_")] == ["cnn/every_stage_of_rcnn_adds.py"]


def test_a_verdict_rests_on_what_is_imported_named_and_judges() -> None:
    found = study_sources(decay.study)
    imported = {"experiments/lectures/cnn/_small_net.py", "experiments/measures/training.py", "lightning_modules/schedules.py"}
    named = {  # by the recipe, whose classes are Classification, CifarNet and Shapes
        "experiments/recipes/classification/cuda_convnet_shapes.yaml",
        "lightning_modules/classification.py",
        "lightning_modules/networks/cifar.py",
        "datamodules/shapes.py",
    }
    judges = {f"experiments/studies/{name}.py" for name in ("verdict", "needs", "effects", "statistics", "results", "plan")}
    assert imported | named | judges <= files(found)
    # ``lightning_modules.networks`` imports all networks, and ``datamodules`` all data sets.
    assert not {"lightning_modules/networks/yolo.py", "datamodules/voc.py", "lightning_modules/networks/__init__.py"} & files(
        found
    )
    assert all(found.values()) and stale(found) == []


def test_a_class_that_a_module_of_a_package_is_asked_for_is_found() -> None:
    """``networks.FastRCNN``, where ``networks`` is a package."""
    found = sources([sys.modules["experiments.lectures.cs231n._regions"]])
    assert "lightning_modules/networks/fast_rcnn.py" in files(found)
    assert "lightning_modules/networks/yolo.py" not in files(found)


def test_a_run_rests_on_what_made_it_and_not_on_how_it_is_judged() -> None:
    found = sources([CifarNet, momentum.descend])
    assert "lightning_modules/networks/cifar.py:CifarNet" in found
    assert "experiments/lectures/cnn/momentum_speeds_up_descent.py:descend" in found
    assert not [path for path in found if path.startswith("experiments/studies")]


TEXT = '''"""A module."""

from __future__ import annotations
from math import pi, tau

SIZE = 3
"""Of something."""
OTHER = 4


@staticmethod
def measure(a, /, b: int = 2, *rest, key=None, **more) -> float:
    """What it does."""
    if (n := len(rest)) > SIZE and not key:
        return f"{n:>{b}} {a!r} {{}} {pi=}" "joined"
    match a:
        case [1, *_] | {"k": str()}:
            return [*rest, b"", 1.5e3, 2j, ...]
    return lambda x: x[1:2, ::3] if x else (yield)


def rule(values):
    return measure(values) > OTHER * tau
'''


def digest(folder: Path, text: str, name: str = "") -> str:
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8")
    code._source.cache_clear()
    return source(path).digest_of(name) if name else source(path).digest


def test_a_digest_is_the_same_on_every_python(tmp_path: Path) -> None:
    assert digest(tmp_path, TEXT) == "837f51956ce8"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""\n', ""),
        ('    """What it does."""\n', '    """Something else."""\n'),
        ('"""Of something."""\n', "# a comment\n\n\n"),
        ("SIZE = 3", "SIZE = (3)"),
        ("x[1:2, ::3]", "x[1 : 2, : :3]"),
    ],
)
def test_comments_layout_and_docstrings_change_no_digest(tmp_path: Path, old: str, new: str) -> None:
    assert old in TEXT and digest(tmp_path, TEXT.replace(old, new)) == digest(tmp_path, TEXT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SIZE = 3", "SIZE = 3.0"),
        ("> SIZE", ">= SIZE"),
        ('"joined"', '"Joined"'),
        ("@staticmethod\n", ""),
        ("key=None", "key=0"),
    ],
)
def test_what_code_does_changes_it(tmp_path: Path, old: str, new: str) -> None:
    assert old in TEXT and digest(tmp_path, TEXT.replace(old, new)) != digest(tmp_path, TEXT)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("OTHER = 4", "OTHER = 5", False),
        ("return measure(values)", "return -measure(values)", False),
        ("import pi, tau", "import pi, e as tau", False),
        ("SIZE = 3", "SIZE = 4", True),
        ("import pi, tau", "import e as pi, tau", True),
        ("> SIZE", ">= SIZE", True),
        ("SIZE = 3", "SIZE = 3\nprint()", True),
    ],
)
def test_a_function_s_digest_is_of_what_it_uses(tmp_path: Path, old: str, new: str, changes: bool) -> None:
    """A claim's file holds its measurement and its rule: with another rule the runs are still good."""
    assert old in TEXT
    assert (digest(tmp_path, TEXT.replace(old, new), "measure") != digest(tmp_path, TEXT, "measure")) == changes


def test_of_a_library_s_file_what_is_used_counts() -> None:
    """Else one default of one class that all import would make every verdict stale."""
    proposals = {name: names.split(",") for name, _, names in (entry.partition(":") for entry in study_sources(decay.study))}
    assert proposals["datamodules/shapes.py"] == ["Shapes"]
    assert "SlidingWindows" not in proposals["datamodules/proposals.py"]
    assert proposals["experiments/studies/verdict.py"] == [""]  # what judges counts whole


def test_of_several_definitions_those_that_use_the_others_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(TEXT)
    assert list(code.joined(["a.py:measure", "a.py:rule", "a.py:SIZE"])) == ["a.py:rule"]
    assert list(code.joined(["a.py:measure", "a.py:OTHER"])) == ["a.py:OTHER,measure"]
    assert list(code.joined(["a.py:measure", "a.py"])) == ["a.py"]
    (tmp_path / "b.py").write_text("def one():\n    two()\n\ndef two():\n    one()\n")
    assert list(code.joined(["b.py:one", "b.py:two"])) == ["b.py:one"]
    assert code.joined(["a.py:measure", "a.py:gone"])["a.py:gone,measure"] == ""


def test_what_a_recipe_expects_and_says_is_none_of_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "ROOT", tmp_path)
    found = []
    for number, text in enumerate(("a: {b: 1}\nexpect: {c: 2}", "# hello\na:\n  b: 1\nexpect: {c: 3}", "a: {b: 2}")):
        (tmp_path / f"{number}.yaml").write_text(text)
        found.append(source_digest(f"{number}.yaml"))
    assert found[0] == found[1] != found[2] and all(found)


@pytest.mark.parametrize(
    "name", ["../secret.py", "/etc/passwd", "README.md", "gone.py", "experiments/__init__.py:gone", "a\0.py"]
)
def test_what_is_no_code_of_ours_has_no_digest(name: str) -> None:
    assert source_digest(name) == ""


def test_a_file_that_is_changed_is_stale_and_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(TEXT)
    names = ("a.py", "a.py:measure", "a.py:measure,rule")
    was = {name: source_digest(name) for name in names}
    assert stale(was) == []
    (tmp_path / "a.py").write_text(TEXT.replace("SIZE = 3", "SIZE = 30"))
    assert stale(was) == ["a.py"]
    (tmp_path / "a.py").unlink()
    assert stale(was) == ["a.py"]


def test_all_of_our_code_is_read_in_seconds() -> None:
    """So that every page can say which verdicts are stale."""
    names = [p.relative_to(ROOT).as_posix() for package in PACKAGES for p in (ROOT / package).rglob("*.py")]
    code._source.cache_clear()
    began = time.process_time()
    assert all(source_digest(name) for name in names)
    assert time.process_time() - began < 5
