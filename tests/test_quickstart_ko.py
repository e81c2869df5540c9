"""The Korean quick start has the README's commands, in its order, and each of them is one that Lectern knows."""

from __future__ import annotations

import re

from experiments import ROOT
from experiments.command_line.guesses import COMMANDS
from experiments.studies.levels import Level

KOREAN = (ROOT / "docs" / "quickstart_ko.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """The lines of a page's blocks of commands, without what is said of them."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_its_commands_are_the_readme_s() -> None:
    assert commands(KOREAN) == commands(README)


def test_each_command_says_in_korean_what_it_does() -> None:
    blocks = re.findall(r"```bash\n(.*?)```", KOREAN, re.DOTALL)
    said = [line.partition("#")[2] for block in blocks for line in block.splitlines() if "#" in line]
    assert said and all(re.search("[가-힣]", text) for text in said)


def test_what_it_names_is_there() -> None:
    named = {words.split()[1] for words in re.findall(r"`(lectern [^`]+)`", KOREAN)}
    assert named and named <= set(COMMANDS)
    files = re.findall(r"\]\((\w+\.md)\)", KOREAN)
    assert files and all((ROOT / "docs" / name).is_file() for name in files)


def test_it_names_every_level() -> None:
    assert re.findall(r"^\| ([a-z ]+) \|", KOREAN, re.MULTILINE) == [str(level) for level in Level]


def test_the_readme_leads_to_it() -> None:
    assert "(docs/quickstart_ko.md)" in README
