"""Trained studies from the first run to the report, through the real ``main``, at a reduced size."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.reports.write import write_reports
from experiments.runs.folder import is_finished
from experiments.studies.verdict import Level
from tests.support.reduced import reproduced


@pytest.mark.slow
@pytest.mark.parametrize("name", ["D09", "E03"])
def test_a_trained_study_comes_to_a_verdict_and_repeats_nothing(name: str, workdir: Path) -> None:
    runs = workdir / "runs"
    first = reproduced([name], runs)
    assert first.failed == {}
    (record,) = first.records
    assert record.level in set(Level) - {Level.EXACT, Level.NOT_RUN}
    assert record.effects and record.because
    folders = list((runs / "lectures").glob("*/*/*-seed*"))
    assert len(folders) == first.made >= 3 * len(record.variants) - 2
    assert all(is_finished(folder) for folder in folders)
    again = reproduced([name], runs)
    assert again.made == 0
    assert again.records[0].effects == record.effects
    page = write_reports(runs, "cpu")["page"].read_text()
    assert record.because[:40] in page
