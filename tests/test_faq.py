"""Every message that docs/faq.md quotes is one that the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from experiments import PACKAGES, ROOT

TEXT = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^\*\*`([^`\n]+)`\*\*$", TEXT, re.MULTILINE)


def said(path: Path) -> Iterator[str]:
    """The texts of a file; what is filled in when they are said is one character that no text has."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)


@cache
def everything() -> str:
    return "\n".join(text for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")) for text in said(path))


def test_there_are_messages_and_each_has_its_answer() -> None:
    assert len(MESSAGES) >= 30
    answered = re.findall(r"^\*\*`[^`\n]+`\*\*\n\n[A-Z`]", TEXT, re.MULTILINE)
    assert len(answered) == len(MESSAGES) == len(set(MESSAGES))


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_says_it(message: str) -> None:
    words = [part for part in message.split("…") if part.strip()]
    assert max(map(len, words)) >= 8, "too little to be told from other texts"
    # In one text, in this order, with something filled in between.
    assert re.search(r"[^\n]*".join(map(re.escape, words)), everything()), message


def test_a_message_that_nobody_says_is_found_out() -> None:
    assert not re.search(re.escape("the split is quite empty"), everything())
