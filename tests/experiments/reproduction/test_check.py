"""``lectern reproduce --check`` judges the committed verdicts again, and notices whatever was typed over or changed since."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from experiments import PACKAGES, ROOT
from experiments.reproduction import check as checking
from experiments.reproduction import table as tables
from experiments.reproduction.check import check, found_in
from experiments.reproduction.claims import claims
from experiments.reproduction.committing import committed
from experiments.reproduction.table import BEGIN, END, write_tables
from experiments.studies import committed as shipped
from experiments.studies.record import Record
from tests.support import fresh_checks, made_up_study
from tests.support.made_up_records import invented_record, small_record

STUDY = "cnn/learning_rate_decay_helps"
RECORD = f"experiments/results/cpu/{STUDY}.json"


@pytest.fixture(scope="module")
def sound() -> Record:
    return committed(small_record())


class Tree:
    """A folder with a README, its page, and one committed record."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.readme, self.page, self.record = folder / "README.md", folder / "docs" / "verdicts.md", folder / RECORD
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(record.as_json(), encoding="utf-8")
        self.readme.write_text(f"# A\n{BEGIN}\n{END}\n", encoding="utf-8")
        shipped.forget()
        write_tables(self.readme)

    def edit(self, file: Path, old: str, new: str) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        shipped.forget()

    def change(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Edits the record's content."""
        content = json.loads(self.record.read_text(encoding="utf-8"))
        change(content)
        self.record.write_text(json.dumps(content), encoding="utf-8")
        shipped.forget()

    def problems(self) -> list[str]:
        return [str(problem) for problem in found_in(self.readme)]


@pytest.fixture
def tree(tmp_path: Path, sound: Record, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path / package)
    yield Tree(tmp_path, sound)
    shipped.forget()


def test_a_sound_tree_has_no_problem(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tree.readme) == 0
    said = capsys.readouterr()
    assert said.err == "" and "1 verdicts judged again" in said.out


def test_a_table_typed_over_is_named_by_its_claim(tree: Tree) -> None:
    tree.edit(tree.page, "−5.92 points", "−15.92 points")
    (problem,) = tree.problems()
    assert problem.startswith(str(tree.page)) and "B17" in problem


def test_so_are_the_readme_s_counts(tree: Tree) -> None:
    tree.edit(tree.readme, "1 reproduced", "2 reproduced")
    (problem,) = tree.problems()
    assert problem.startswith(str(tree.readme))


def test_so_is_the_page(tree: Tree) -> None:
    tree.edit(tree.page, "**reproduced**", "**exact**")
    (problem,) = tree.problems()
    assert problem.startswith(str(tree.page))
    tree.page.unlink()
    assert len(tree.problems()) == 1


def test_a_level_that_the_values_do_not_give_is_named_with_both(tree: Tree) -> None:
    tree.change(lambda record: record["parts"]["a"].update(level="not reproduced"))
    write_tables(tree.readme)  # whoever forges a record makes the tables of it too
    (problem,) = tree.problems()
    assert "B17" in problem and "level: the record has not reproduced, and judged again it is reproduced" in problem


@pytest.mark.parametrize(
    "forge",
    [
        lambda record: record["parts"]["a"]["effects"][0].update(estimate=-9.0),
        lambda record: record["parts"]["a"]["effects"][0].update(interval=[-9.5, -8.5]),
        lambda record: record["parts"]["a"]["effects"][1]["by_seed"].__setitem__(2, -12.0),
        lambda record: record["parts"]["a"]["effects"][0]["needs"].update(high=-5.0),
        lambda record: record["parts"]["a"]["shown"][0].update(estimate=-9.0),
        lambda record: record["parts"]["a"]["validity_checks"][1].update(passed=False),
        lambda record: record["variants"]["steps"]["runs"][3]["values"].update({"trainset/error": 0.2}),
        lambda record: record["variants"]["steps"]["others"][0]["values"].update({"trainset/loss": 0.1}),
        lambda record: record["variants"]["steps"]["tried"].update({"0.0316": 0.5}),
        lambda record: record["variants"]["steps"].update(lr=0.00999),
        lambda record: record["variants"]["steps"].update(inside=False),
        lambda record: record["variants"]["steps"]["runs"].pop(),
        lambda record: record["parts"].update(b=record["parts"]["a"]),
    ],
)
def test_a_number_that_the_values_do_not_give_is_found(tree: Tree, forge: Callable[[dict[str, Any]], None]) -> None:
    tree.change(forge)
    write_tables(tree.readme)
    assert check(tree.readme, staleness=False) == 1
    assert all(problem.startswith(f"B17 {STUDY}: ") for problem in tree.problems())


def test_a_rule_that_was_changed_is_found(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["experiments.lectures.cnn.learning_rate_decay_helps"]
    monkeypatch.setattr(module, "LOWER", type(module.LOWER)(high=-8))
    problems = "\n".join(tree.problems())
    assert "needs, high: the record has 0, and judged again it is -8" in problems
    assert "level: the record has reproduced, and judged again it is direction only" in problems


def test_what_is_stale_is_said_and_fails_unless_it_is_not_asked_for(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    file = "lightning_modules/networks/cifar.py"
    tree.change(lambda record: record["code"].update({file: "0" * 12}))
    assert check(tree.readme) == 1
    assert f"B17 {STUDY}: stale: {file}" in capsys.readouterr().err
    assert check(tree.readme, staleness=False) == 0
    assert f"stale: {file}" in capsys.readouterr().err
    write_tables(tree.readme)
    assert tree.page.read_text().count("**reproduced** (stale)") == 2  # in the table, and where all of it stands
    assert check(tree.readme) == 1 and check(tree.readme, staleness=False) == 0


def test_a_study_that_cannot_be_judged_is_named(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise NotImplementedError("this study's rule is to be written")

    monkeypatch.setattr(sys.modules["experiments.lectures.cnn.learning_rate_decay_helps"].Part, "__post_init__", broken)
    (problem,) = tree.problems()
    assert problem == f"B17 {STUDY}: cannot be judged (NotImplementedError: this study's rule is to be written)"


def test_a_damaged_record_and_one_without_a_study_are_named(tree: Tree, sound: Record) -> None:
    for name, text in (("broken", "{"), ("gone", sound.model_copy(update={"name": "cnn/gone"}).as_json())):
        tree.record.with_name(f"{name}.json").write_text(text, encoding="utf-8")
    shipped.forget()
    problems = "\n".join(tree.problems())
    assert "experiments/results/cpu/cnn/broken.json: damaged" in problems
    assert "cnn/gone: has a record, but no study any more" in problems


def test_an_identity_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = made_up_study.claim(made_up_study.Exact("D12", "a", "b", "c", made_up_study.checks))
    record = invented_record(exact, dict)
    assert not list(checking._again(exact, record))
    monkeypatch.setattr(made_up_study.Check, "holds", False)
    assert any(name == "part a, level" for name, _, _ in checking._again(exact, record))


@pytest.mark.slow
def test_the_committed_verdicts_are_what_judging_again_gives() -> None:
    """Those of this repository: level, numbers and both tables; what is stale is only said."""
    assert check(ROOT / "README.md", staleness=False) == 0


EDITS = {
    "README number": ("README.md", "1 reproduced", "2 reproduced"),
    "page number": ("docs/verdicts.md", "−5.92 points", "−6.92 points"),
    "level": (RECORD, '"level": "reproduced"', '"level": "exact"'),
    "verdict.py": (
        "experiments/studies/verdict.py",
        "if self.failed:\n            return Level",
        "if False:\n            return Level",
    ),
    "results.py": ("experiments/studies/results.py", "scale * (a - b)", "scale * (a - 2 * b)"),
    "plan.py": ("experiments/studies/plan.py", "LONGEST_GRID = 7", "LONGEST_GRID = 5"),
    "network": ("lightning_modules/networks/cifar.py", "pooling(3, 2)", "pooling(2, 2)"),
    "measure": ("experiments/measures/training.py", "return ", "return 1 * "),
    "study": (f"experiments/lectures/{STUDY}.py", "Needs(high=0, margin=1)", "Needs(high=0, margin=2)"),
    "record": (RECORD, '"estimate": -5', '"estimate": -6'),
}
"""By what is edited: the file, and what is put in place of what."""


@pytest.mark.slow
def test_every_edit_is_noticed_by_the_command(tmp_path: Path, sound: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in PACKAGES:
        unwanted = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=unwanted)
    for study in (tmp_path / "experiments" / "lectures").glob("*/[!_]*.py"):  # a check imports all studies that there are
        if study.stem != Path(STUDY).name:
            study.unlink()
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path / package)
    monkeypatch.setattr(tables, "claims", lambda: {STUDY: claims()[STUDY]})
    Tree(tmp_path, sound)
    shipped.forget()
    command = [sys.executable, "-P", fresh_checks.__file__]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    noticed = {}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout

        def checked() -> tuple[int, str]:
            print(tmp_path / "said.txt", file=process.stdin, flush=True)
            return int(process.stdout.readline()), (tmp_path / "said.txt").read_text()  # type: ignore[union-attr]

        assert checked()[0] == 0, (tmp_path / "said.txt").read_text()
        for name, (file, old, new) in EDITS.items():
            text = (tmp_path / file).read_text(encoding="utf-8")
            assert old in text, name
            (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
            code, said = checked()
            named = Path(file).name if file.endswith((".py", ".md")) else STUDY
            noticed[name] = code == 1 and named in said
            (tmp_path / file).write_text(text, encoding="utf-8")
        assert checked()[0] == 0
        process.stdin.close()
    assert noticed == dict.fromkeys(EDITS, True)


def test_the_records_are_found_as_data_of_the_package() -> None:
    folder = resources.files("experiments") / shipped.RESULTS
    assert {record.name for record in shipped.committed_records()}
    assert all((folder / record.scale / f"{record.name}.json").is_file() for record in shipped.committed_records())
