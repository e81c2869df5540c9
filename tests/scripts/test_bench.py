"""The benchmark, at a tiny size, and its log."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from scripts import bench
from scripts.bench import in_a_process, main
from scripts.bench_rows import Row, append, processor, regressions


def test_a_measurement_has_a_process_of_its_own() -> None:
    assert in_a_process(os.getpid) != os.getpid()


def test_the_table_has_a_figure_in_each_cell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr("sys.argv", ["lectern"])
    monkeypatch.setattr(bench, "in_a_process", lambda function, *arguments: function(*arguments))
    log = tmp_path / "bench.csv"
    assert main(["step", "exact", "shapes", "--repeats", "1", "--steps", "2", "--log", str(log)]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if re.match(r"\| (a step|what makes|an image)", line)]
    assert len(rows) == 9
    for row in rows:
        ours, peer, ratio = (float(cell.split()[0]) for cell in row.split("|")[2:5])
        assert peer > 0
        assert ratio == pytest.approx(ours / peer, rel=0.02)
    assert len(log.read_text().splitlines()) == 10, "a header and a line each"


def test_what_became_slower_on_the_same_processor_is_said(tmp_path: Path) -> None:
    log = tmp_path / "bench.csv"
    assert regressions([Row("a", 5, 1, "ms", "")], log) == [], "there is no log yet"
    append([Row("a", 2.0, 1.0, "ms", ""), Row("b", 3.0, math.nan, "ms", "")], log)
    append([Row("a", 1.0, 1.0, "ms", "")], log)
    assert regressions([Row("a", 2.1, 2.0, "ms", ""), Row("b", 3.2, math.nan, "ms", ""), Row("new", 9, 1, "ms", "")], log) == []
    (said,) = regressions([Row("a", 3.0, 2.0, "ms", ""), Row("b", 1.0, math.nan, "ms", "")], log)
    assert said.startswith("a: 1.50 times what it was on 20"), "the last line counts, and the ratio, not the time"
    (said,) = regressions([Row("b", 4.0, math.nan, "ms", "")], log)
    assert "1.33 times" in said
    log.write_text(log.read_text().replace(processor(), "another processor"))
    assert regressions([Row("a", 30.0, 2.0, "ms", "")], log) == []
