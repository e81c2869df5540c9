"""Every study's rule tests its needs, and nothing else; and exchanging what it compares turns it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from experiments import lectures
from experiments.reproduction.claims import Claim, claims
from experiments.studies.study import Exact, Study

NUMBERS = {"estimate", "interval", "by_seed", "spread", "level", "bounds", "detectable", "seeds_needed", "nearest"}
"""What an effect knows of itself. A rule may print it; what it compares is in the effect's need."""

FILES = sorted(Path(lectures.__file__).parent.rglob("*.py"))
STUDIES = [claim for claim in claims().values() if isinstance(claim.study, Study)]


def deciding_lines(tree: ast.AST) -> list[int]:
    """The lines on which an effect's own numbers decide something: a comparison, a condition, min, max, any or all.

    What is printed decides nothing, and a validity check is a condition of the experiment and not of the claim.
    """
    if isinstance(tree, ast.JoinedStr) or _calls(tree, "ValidityCheck"):
        return []
    found = [line for node in ast.iter_child_nodes(tree) for line in deciding_lines(node)]
    decided: list[ast.AST] = []
    if isinstance(tree, ast.Compare):
        decided = [tree.left, *tree.comparators]
    elif isinstance(tree, ast.If | ast.IfExp | ast.While | ast.Assert):
        decided = [tree.test]
    elif isinstance(tree, ast.Call) and any(_calls(tree, name) for name in ("min", "max", "any", "all")):
        decided = list(tree.args)
    reads = {n.attr for part in decided for n in ast.walk(part) if isinstance(n, ast.Attribute)}
    return [*found, *([getattr(tree, "lineno", 0)] if reads & NUMBERS else [])]


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_no_rule_tests_anything_but_needs(file: Path) -> None:
    assert not deciding_lines(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "rule",
    ["effect.estimate > 3", "1 if gain.level == R else 2", "min(e.by_seed)", "all(e.interval[0] > 0 for e in effects)"],
)
def test_a_rule_that_did_would_be_found(rule: str) -> None:
    assert deciding_lines(ast.parse(rule))


def test_a_reason_may_print_what_it_likes() -> None:
    assert not deciding_lines(ast.parse('f"It is {gain.estimate:.1f}, {max(e.by_seed)}"'))


def test_a_validity_check_may_ask_for_a_mean() -> None:
    assert not deciding_lines(ast.parse('ValidityCheck("it learns", error.estimate < 0.5)'))


@pytest.mark.parametrize("claim", STUDIES, ids=lambda claim: claim.name)
def test_every_rule_stands_in_words(claim: Claim) -> None:
    assert isinstance(claim.study, Study)
    words = inspect.getdoc(claim.study.parts) or ""
    assert len(words) > 40, "what decides, in words, is the docstring of the study's parts"


@pytest.mark.parametrize("claim", claims().values(), ids=lambda claim: claim.name)
def test_every_claim_has_the_lectures_sentence_and_its_place(claim: Claim) -> None:
    study = claim.study
    assert isinstance(study, Study | Exact) and study.says and study.slide
    korean = any("\uac00" <= letter <= "\ud7a3" for letter in study.says)
    assert korean == bool(study.translation), "a Korean sentence is translated, and no other is"
