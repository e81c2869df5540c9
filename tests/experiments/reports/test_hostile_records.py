"""Verdicts that a stranger wrote: shown or named and left out, and no other verdict goes with them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.reports import report as reports
from experiments.reports.overview import records_at
from experiments.reports.wording import command, headline, number
from experiments.reports.write import write_reports
from experiments.reproduction.table import BEGIN, END, PAGE, table, write_tables
from experiments.studies.record import broken_records, older_records, read_record
from tests.conftest import Lectern
from tests.support.hostile import PAYLOADS, examples, nothing_written, replaced
from tests.support.html_words import read
from tests.support.made_up_runs import write_exact, write_study

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}
DAMAGE = {
    "half": b'{"format": 2, "claim": "D09',
    "deep": b"[" * 100_000,
    "none": b"",
    "bytes": b"\xff\xfe\0",
    "a list": b"[1, 2]",
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_a_broken_verdict_is_named_and_the_others_are_shown(content: bytes, tmp_path: Path) -> None:
    write_exact(tmp_path)
    path = write_study(tmp_path, VARIANTS)
    path.write_bytes(content)
    name = "lectures/cnn/plain_nets_degrade/verdict-cpu.json"
    assert broken_records(tmp_path) == [name] and broken_records(tmp_path, "gpu") == [] and older_records(tmp_path) == []
    paths = write_reports(tmp_path, "cpu")
    for shown in (paths["report"].read_text().replace("\\", ""), " ".join(read(paths["page"]).words)):
        assert "1.6 billion weights" in shown and f"{name}: damaged, or no verdict at all" in shown


def test_a_verdict_that_cannot_be_shown_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_exact(tmp_path)
    write_study(tmp_path, VARIANTS)
    sound = reports.sections

    def sections(record: Any, runs: Path, beside: Any) -> Any:
        return 1 / 0 if record.claim == "D09" else sound(record, runs, beside=beside)

    monkeypatch.setattr(reports, "sections", sections)
    paths = write_reports(tmp_path, "cpu")
    for shown in (paths["report"].read_text().replace("\\", ""), " ".join(read(paths["page"]).words)):
        assert "1.6 billion weights" in shown
        assert "cnn/plain_nets_degrade, scale cpu: cannot be shown (ZeroDivisionError)" in shown


def test_reproduce_names_a_broken_verdict(lectern: Lectern, workdir: Path) -> None:
    write_exact(workdir / "runs")
    write_study(workdir / "runs", VARIANTS).write_text("{")
    (workdir / "README.md").write_text(f"{BEGIN}\n{END}\n")
    result = lectern("reproduce", "--runs", str(workdir / "runs"), "--table", "README.md")
    assert result.code == 0
    assert result.err == "lectures/cnn/plain_nets_degrade/verdict-cpu.json: damaged, or no verdict at all, and left out\n"


def test_a_pipe_and_a_huge_file_are_broken_verdicts(tmp_path: Path) -> None:
    first, second = write_study(tmp_path, VARIANTS), write_exact(tmp_path)
    first.unlink()
    os.mkfifo(first)
    with second.open("ab") as file:
        file.truncate(100 * 2**20)
    assert len(broken_records(tmp_path)) == 2 and records_at(tmp_path, "cpu") == []


@given(data=st.data(), exact=st.booleans())
@examples(40)
def test_any_verdict_is_shown_or_named(data: st.DataObject, exact: bool, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    path = write_exact(root) if exact else write_study(root, {"a": [0.5, 0.4], "b": [0.2, 0.1]}, claim="D10")
    content = json.loads(path.read_text())
    path.write_text(json.dumps(replaced(content, data.draw)))
    with nothing_written(tmp_path, within=root / "lectures"):
        paths = write_reports(root, "cpu")
    page, lines = read(paths["page"]), paths["report"].read_text(encoding="utf-8")
    assert page.tags.count("script") == 3 and "<script" not in lines.replace("\\<", "") and "\x1b" not in lines
    record = read_record(path)
    if record is None and path.read_text() != json.dumps(content):
        assert broken_records(root) or older_records(root)
    elif record:
        headline(record)
        table([record])


def test_a_level_that_nobody_knows_counts_as_inconclusive(tmp_path: Path) -> None:
    write_study(tmp_path, VARIANTS, level="proved</script>", erratum="x")
    paths = write_reports(tmp_path, "cpu")
    for shown in (paths["report"].read_text(), " ".join(read(paths["page"]).words)):
        assert "inconclusive" in shown and "proved" not in shown


@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "NaN", 10**300, -1e308, 0])
def test_numbers_of_any_size_are_drawn_and_named(value: Any, tmp_path: Path) -> None:
    path = write_study(tmp_path, VARIANTS)
    content = json.loads(path.read_text())
    for unit, effect in zip(("x", "points"), content["parts"]["a"]["effects"], strict=True):
        effect |= {"unit": unit, "by_seed": [value, 1, 2], "estimate": value, "interval": [value, 3], "paper": value}
        effect |= {"needs": {"low": value, "null": value, "margin": value}, "detectable": value}
        effect["nearest"] = {"level": "reproduced", "shift": value}
    path.write_text(json.dumps(content))
    paths = write_reports(tmp_path, "cpu")
    assert "D09" in paths["report"].read_text() and "cannot be shown" not in paths["report"].read_text()


def test_a_record_of_a_million_seeds_is_shown_in_part(tmp_path: Path) -> None:
    path = write_study(tmp_path, VARIANTS)
    content = json.loads(path.read_text())
    content["parts"]["a"]["effects"][0]["by_seed"] = [1] * 10**6
    path.write_text(json.dumps(content))
    paths = write_reports(tmp_path, "cpu")
    assert "999\u202f900 more" in paths["report"].read_text() and paths["page"].stat().st_size < 3_000_000


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_of_a_verdict_is_markup_in_the_readme(payload: str, tmp_path: Path) -> None:
    payload = payload.encode(errors="replace").decode()
    texts = dict.fromkeys(("title", "because", "commit", "device"), f"a {payload} {END} <!-- studies: {{}} -->")
    write_study(tmp_path, VARIANTS, **texts)
    (readme := tmp_path / "README.md").write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    for _ in range(2):  # what was written is read again
        write_tables(readme, records_at(tmp_path, "cpu"))
    shown = readme.read_text(encoding="utf-8")
    assert shown.startswith(f"before\n{BEGIN}\n") and shown.endswith(f"{END}\nafter\n") and shown.count(END) == 1
    row = next(line for line in (tmp_path / PAGE).read_text(encoding="utf-8").splitlines() if line.startswith("| D09 |"))
    assert row.replace("\\|", "").count("|") == 5 and "<" not in row.replace("\\<", "") and "\x1b" not in row


def test_what_is_to_be_typed_is_one_word_for_the_shell() -> None:
    assert command("cnn/x; rm -rf ~", "cpu") == "lectern reproduce 'x; rm -rf ~'"
    assert command("cnn/plain_nets_degrade", "gpu") == "lectern reproduce plain_nets_degrade --scale gpu"


def test_numbers_of_any_length_are_shown() -> None:
    assert number(10**400) == "10^400 or more" and number(-(10**400)) == "−10^400 or more"
