"""The list of claims: verdicts with their age, what a study takes, and the filters, which also choose what is run."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from datamodules.scene import InputError
from experiments import ROOT
from experiments.command_line.answer import answer
from experiments.lectures import rows
from experiments.reproduction import listing
from experiments.reproduction.claims import claims, select
from experiments.reproduction.listing import Standing, filtered, level_of, standings
from experiments.reproduction.reproduce import parser, run
from experiments.studies.committed import committed_records
from experiments.studies.levels import Level
from experiments.studies.record import PartRecord, Record
from experiments.studies.study import Exact
from tests.support.reduced import Here

NAMES = {"B17": "cnn/learning_rate_decay_helps", "D09": "cnn/plain_nets_degrade", "B03": "cnn/fully_connected_needs_billions"}


def record(claim: str, level: str, minutes: float, **how: Any) -> Record:
    part = PartRecord(says="", level=Level(level), because="")
    texts = dict.fromkeys(("title", "says", "slide", "paper"), "")
    values = {"device": "1 x cpu", "processor": "Old Processor", "seeds": 5, "cpu_seconds": 60 * minutes, **texts, **how}
    return Record(
        format=3, claim=claim, name=NAMES[claim], scale="cpu", parts={"a": part}, date="2026-11-24T10:00:00+00:00", **values
    )  # type: ignore[arg-type]


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [record("B17", "inconclusive", 3), record("D09", "reproduced", 40)]
    monkeypatch.setattr(listing, "committed_records", lambda: found)


def mine(claim: str, level: str, minutes: float) -> None:
    path = Path("runs/lectures", NAMES[claim], "verdict-cpu.json")
    path.parent.mkdir(parents=True)
    path.write_text(record(claim, level, minutes).as_json())


def lectern(*arguments: str) -> int:
    return answer(lambda signals: run(list(arguments)))


def chosen(names: list[str], levels: list[Level], most: float | None = None) -> list[str]:
    return [claim.id for claim in filtered(select(names), levels, most, Path("runs"), "cpu")[0]]


def facts(out: str, id_: str) -> str:
    """What the list says of a study in one line, as far as the CPU-minutes: it is as many lines as it takes."""
    lines = out.splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(f"  {id_}"))
    end = next(i for i, line in enumerate(lines) if i >= begin and "CPU-min" in line)
    return "".join(lines[begin : end + 1])


def test_the_list_has_verdict_age_cost_and_processor(
    committed: None, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lectern("--list", "all") == 0
    out = capsys.readouterr().out
    line = facts(out, "B17")
    assert "cnn/learning_rate_decay_helps" in line and "inconclusive, 2026-11-24 (" in line and "yours" not in line
    assert line.endswith("3.0 CPU-min on Old Processor")
    assert max(map(len, out.splitlines())) <= 100
    assert "committed verdict (Old Processor; 2026-11-24 to 2026-11-24)" in out
    assert f"{len(claims())} of {len(rows())} claims have a study." in out
    assert ("(no study yet)" in out) == (len(claims()) < len(rows()))


def test_yours_stands_beside_it_and_says_how_fast_this_machine_is(
    committed: None, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine("B17", "reproduced", 6)
    assert lectern("--list", "B17", "D09") == 0
    out = capsys.readouterr().out
    first, second = facts(out, "B17"), facts(out, "D09")
    assert "inconclusive, 2026-11-24" in first and "yours: reproduced, 2026-11-24" in first and first.endswith(" 6.0 CPU-min")
    assert second.endswith(" 80.0 CPU-min")  # twice the committed time, as of B17


def test_the_age_is_in_days() -> None:
    (claim,) = select(["B17"])
    standing = Standing(claim, record("B17", "reproduced", 1))
    texts = ["".join(standing.lines(date(2026, 11, day))) for day in (24, 25, 30)]
    assert [text.partition("(")[2].partition(")")[0] for text in texts] == ["today", "a day old", "6 days old"]


def test_filters_combine(committed: None, workdir: Path) -> None:
    assert chosen(["all"], [Level.INCONCLUSIVE]) == ["B17"]
    assert chosen(["all"], [Level.INCONCLUSIVE, Level.REPRODUCED]) == ["B17", "D09"]
    assert chosen(["D09", "B17"], [Level.INCONCLUSIVE, Level.REPRODUCED], 5) == ["B17"]
    assert chosen(["D09"], [Level.INCONCLUSIVE]) == []
    assert {"B17", "D09"}.isdisjoint(chosen(["cnn"], [Level.NOT_RUN]))
    mine("B17", "reproduced", 3)
    assert chosen(["all"], [Level.INCONCLUSIVE]) == []  # yours is what stands here


def test_what_nobody_has_measured_is_left_out_of_a_choice_by_minutes_and_named(committed: None, workdir: Path) -> None:
    found, left_out = filtered(select(["B17", "D10", "B03"]), [], 5, Path("runs"), "cpu")
    assert [claim.id for claim in found] == ["B03", "B17"]
    assert left_out.startswith("1 studies are left out") and left_out.endswith(": D10")
    with pytest.raises(InputError, match="more than 0 expected"):
        filtered(select(["B17"]), [], 0, Path("runs"), "cpu")


def test_a_filter_chooses_what_is_run(
    committed: None, workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("experiments.reproduction.reproduce.launcher", lambda *args: Here())
    assert lectern("B03", "D10", "--max-minutes", "1") == 0
    assert "left out" in capsys.readouterr().out
    assert [path.parent.name for path in Path("runs").glob("**/verdict-cpu.json")] == ["fully_connected_needs_billions"]
    assert lectern("B03", "--level", "inconclusive") == 0
    assert "none fits" in capsys.readouterr().out
    assert lectern("B03", "--level", "exactly") == 2


def test_a_list_of_what_is_not_run_says_of_no_study_that_it_is_missing(
    committed: None, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine("B17", "reproduced", 3)
    assert lectern("--list", "--level", "not run") == 0
    out = capsys.readouterr().out
    assert "\n  D02 " in out and "B17" not in out and "no study yet" not in out


def test_a_level_is_said_with_a_space_or_without() -> None:
    assert level_of("direction-only") is level_of("Direction only") is Level.DIRECTION_ONLY
    with pytest.raises(ArgumentTypeError, match=r"'certain' is no level; exact, .* expected"):
        level_of("certain")


def test_a_list_of_no_verdicts_is_one_all_the_same(workdir: Path) -> None:
    shipped = {record.name: record.level for record in committed_records("cpu")}
    for name, standing in standings(Path("runs"), "cpu").items():
        assert standing.level is shipped.get(name, Level.NOT_RUN)


def test_the_help_says_which_scales_there_are() -> None:
    """Where a study gets another scale, it and docs/claims.md have to say so."""
    trained = [claim.study for claim in claims().values() if not isinstance(claim.study, Exact)]
    assert all("cpu" in study.scales for study in trained)
    with_gpu = sum("gpu" in study.scales for study in trained)
    assert 0.4 < with_gpu / len(trained) < 0.6 and not any("paper" in study.scales for study in trained)
    (says,) = [action.help for action in parser()._actions if action.dest == "scale"]
    assert "cpu: what every study has" in says and "gpu: some studies" in says and "which no study has yet" in says
    text = " ".join((ROOT / "docs" / "claims.md").read_text(encoding="utf-8").split())
    assert "Every study has the scale `cpu`. About half of those that train have the scale `gpu` too" in text
    assert "No study has the scale `paper` yet." in text
