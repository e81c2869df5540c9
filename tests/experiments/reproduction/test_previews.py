"""Fewer seeds give a preview, more a verdict; fresh seeds say whether a verdict holds, and touch no record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from experiments.reproduction import agreement
from experiments.reproduction.agreement import agreement_summary
from experiments.reproduction.nearness import nearest_line
from experiments.reproduction.reproduction import Reproduction
from experiments.studies.levels import Level
from experiments.studies.record import Record, read_record
from experiments.studies.recording import part_record
from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Effect, Needs, Part, ValidityCheck
from tests.support import made_up_study
from tests.support.reduced import Here

RECORD = Path("runs/lectures/cnn/made_up/verdict-cpu.json")


@pytest.fixture
def study(workdir: Path) -> Study:
    (workdir / "marks").mkdir()
    return made_up_study.study(workdir / "marks")


def go(study: Study, **how: Any) -> Reproduction:
    reproduction = Reproduction([made_up_study.claim(study)], "cpu", Path("runs"), Here(), **how)
    reproduction.run()
    return reproduction


def test_fewer_seeds_than_the_studys_are_a_preview_and_leave_the_record(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    preview = go(study, seeds=2)
    assert preview.records == [] and [record.level for record in preview.previews] == ["reproduced"]
    assert "(preview, 2 of 3 seeds) tall − short: 1 m" in capsys.readouterr().out
    assert not RECORD.exists()
    go(study)
    before = RECORD.read_bytes()
    assert go(study, seeds=2).records == [] and RECORD.read_bytes() == before


def test_more_seeds_are_a_verdict(study: Study) -> None:
    assert len(go(study, seeds=4).records) == 1
    record = read_record(RECORD)
    assert record and record.seeds == 4


# Fresh seeds ----------------------------------------------------------------------------------------------------------


def flipping(*, seed: int, folder: Path, height: float, marks: str) -> Measured:
    """A difference that only the first seeds have."""
    return Measured({"height": height if seed < 100 else (height * (-1) ** seed)})


def test_fresh_seeds_say_whether_the_verdict_holds_and_touch_no_record(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    go(study)
    before = RECORD.read_bytes()
    capsys.readouterr()
    fresh = go(study, first_seed=100)
    assert fresh.made == 6 and fresh.records == [] and RECORD.read_bytes() == before
    assert {run.seed for run in fresh.agreements[0].now.variants["tall"].runs} == {100, 101, 102}
    out = capsys.readouterr().out
    assert "your verdict of" in out and "reproduced, now reproduced: holds" in out
    assert agreement_summary(fresh.agreements) == "1 of 1 levels held"


def test_a_verdict_that_does_not_hold_is_told_and_fails_nothing(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    study = replace(study, work=Measurement(flipping))
    go(study)
    fresh = go(study, first_seed=100)
    assert fresh.failed == {} and fresh.agreements[0].held is False
    out = capsys.readouterr().out
    assert "reproduced, now inconclusive: does not hold" in out
    assert "by its own account it would be " in out
    assert agreement_summary(fresh.agreements) == "0 of 1 levels held"


def test_the_committed_verdict_is_what_fresh_seeds_are_held_against(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    (mine,) = go(study).records
    part = mine.headline.model_copy(update={"level": Level.DIRECTION_ONLY})
    committed = mine.model_copy(update={"parts": {"a": part}})
    monkeypatch.setattr(agreement, "committed_record", lambda name, scale: committed)
    (found,) = go(study, first_seed=100).agreements
    assert found.source == "committed" and found.held is False


def test_without_a_verdict_there_is_nothing_to_hold(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    fresh = go(study, first_seed=100)
    assert "no verdict to compare with" in capsys.readouterr().out
    assert agreement_summary(fresh.agreements) == "0 of 0 levels held; 1 with nothing to compare, or too few seeds"


# What would change its mind -------------------------------------------------------------------------------------------


def record_of(*effects: Effect, **part: Any) -> Record:
    fields = {"claim": "D12", "name": "cnn/made_up", "title": "", "says": "", "slide": "", "paper": "", "device": ""}
    parts = {"a": part_record(Part(says="a", effects=effects, **part))}
    return Record(format=3, scale="cpu", date="2026-11-26T10:00:00+00:00", parts=parts, **fields)  # type: ignore[arg-type]


def test_the_line_names_the_level_the_effect_and_how_far() -> None:
    effect = Effect("a − b", (3.0, 4.0, 5.0, 4.0, 4.0), "points", Needs(low=2))
    line = nearest_line(record_of(effect))
    low = effect.interval[0]
    assert line.startswith(f"would be direction only if a − b were {low - 2:.3g} points less (its interval reaches ")
    ratio = Effect("a ÷ b", (3.0, 3.2, 3.4, 3.1, 3.3), "x", Needs(low=2))
    assert nearest_line(record_of(ratio)).startswith("would be direction only if a ÷ b were 0.6")


def test_an_effect_that_does_not_decide_changes_nobodys_mind() -> None:
    """The level is direction only because of the first: that the second stays direction only changes nothing."""
    first = Effect("first", (1.0, 1.1, 0.9, 1.0), "points", Needs(low=10))
    second = Effect("second", (10.2, 10.1, 10.3, 10.2), "points", Needs(low=10))
    assert "if first were" in nearest_line(record_of(first, second))


def test_a_condition_that_was_not_met_is_what_would_change_it() -> None:
    effect = Effect("a − b", (3.0, 4.0, 5.0), "points", Needs(low=2))
    check = ValidityCheck("the control learns", False)
    assert nearest_line(record_of(effect, validity_checks=(check,))) == "would be judged if it held that the control learns"


def test_a_verdict_is_followed_by_what_would_change_it(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    go(replace(study, parts=a_metre_and_a_half))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("D12  direction only ")
    assert lines[1].startswith("     would be reproduced if tall − short were 0.5 m greater")


def a_metre_and_a_half(runs: Runs) -> Part:
    needs = Needs(low=1.5)
    effect = runs.difference("tall − short", "tall", "short", "height", scale=1, unit="m", needs=needs)
    return Part(says="One is taller.", effects=(effect,))
