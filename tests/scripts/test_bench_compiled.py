"""The bench of what is compiled compares what is equal, and has a figure in each row."""

from __future__ import annotations

import pytest

from scripts import bench_compiled


def test_each_row_has_both_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_compiled, "IMAGES", 20)
    monkeypatch.setattr(bench_compiled, "SIDE", 48)
    rows = list(bench_compiled.rows(1))
    assert [row.what.split(",")[0] for row in rows] == ["selective search", "COCO AP and VOC AP"]
    assert all(row.ours > 0 and row.peer > 0 and row.unit == "s" for row in rows)
