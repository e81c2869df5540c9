"""The benchmark, at a tiny size."""

from __future__ import annotations

import os
import re

import pytest

from scripts import bench
from scripts.bench import in_a_process, main


def test_a_measurement_has_a_process_of_its_own() -> None:
    assert in_a_process(os.getpid) != os.getpid()


def test_the_tables_have_a_figure_in_each_cell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    monkeypatch.setattr("sys.argv", ["lectern"])
    monkeypatch.setattr(bench, "in_a_process", lambda function, *arguments: function(*arguments))
    assert main(["--repeats", "1", "--steps", "2", "--images", "64"]) == 0
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if re.match(r"\| (FCN|linear|Shapes)", line)]
    assert len(rows) == 6
    assert re.search(r"\| reseeding, .* \| [+-]\d+\.\d+ \| [+-]\d+\.\d+% \|", out)
    for row in rows:
        cells = [float(cell) for cell in row.split("|")[2:-1]]
        assert len(cells) == (3 if row.startswith("| Shapes") else 6)
        assert all(cell > 0 for cell in cells[:5])
