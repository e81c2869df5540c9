"""What an evaluation found is read back as it was written, and nothing else is read at all."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from experiments.runs.findings import (
    DOCUMENT,
    FINDINGS,
    LARGEST,
    BaselineFinding,
    CurveSeries,
    CurvesFinding,
    Findings,
    GalleryFinding,
    GalleryItem,
    MatrixFinding,
    TableFinding,
    finding_picture,
    read_findings,
)

EVERY_KIND = Findings(
    split="test",
    checkpoint="best",
    scenes=3,
    sections=(
        TableFinding(title="By class", columns=("class", "AP"), rows=(("cat", 0.5), ("<b>dog</b>", None))),
        MatrixFinding(title="Confusion", names=("cat", "background"), rows=((1, 2), (3, 0))),
        CurvesFinding(title="PR", x="recall", y="precision", series=(CurveSeries(name="cat", x=(0.0, 1.0), y=(1.0, 0.5)),)),
        GalleryFinding(title="Worst", items=(GalleryItem(file="worst_00.png", caption="a/../b.jpg"),)),
        BaselineFinding(title="Baseline", metric="test/mAP", value=0.5, baseline=0.1, name="a constant box"),
    ),
)


def written(folder: Path, content: Any) -> Path:
    (folder / FINDINGS).mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / FINDINGS / DOCUMENT).write_text(text, encoding="utf-8")
    return folder


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    assert read_findings(written(tmp_path, EVERY_KIND.as_json())) == EVERY_KIND


def test_what_is_not_finite_is_not_measured(tmp_path: Path) -> None:
    table = TableFinding(title="t", columns=("a", "b"), rows=((math.nan, math.inf),))
    assert table.rows == ((None, None),)
    found = read_findings(written(tmp_path, Findings(split="val", checkpoint="", sections=(table,)).as_json()))
    assert found is not None and found.sections == (table,)


def test_numbers_that_no_float_holds_are_not_measured_and_counts_are_counts(tmp_path: Path) -> None:
    huge = 10**400
    content = json.loads(EVERY_KIND.as_json())
    content["sections"][0]["rows"] = [["cat", huge], ["dog", -huge]]
    content["sections"][2]["series"][0]["y"] = [huge, 0.5]
    content["sections"][4]["value"] = huge
    found = read_findings(written(tmp_path, content))
    assert found is not None
    table, _, curves, _, baseline = found.sections
    assert table.rows == (("cat", None), ("dog", None))  # type: ignore[union-attr]
    assert curves.series[0].y == (None, 0.5) and baseline.value is None  # type: ignore[union-attr]
    for count in (huge, -1, 2**53 + 1):
        wrong = json.loads(EVERY_KIND.as_json())
        wrong["sections"][1]["rows"][0][0] = count
        assert read_findings(written(tmp_path, wrong)) is None
        assert read_findings(written(tmp_path, json.loads(EVERY_KIND.as_json()) | {"scenes": count})) is None


def test_a_text_is_cut_and_holds_no_half_characters(tmp_path: Path) -> None:
    table = TableFinding(title="x" * 10_000, columns=("\ud800",), rows=(("a\udc80b",), (1,)))
    assert (len(table.title), table.columns, table.rows) == (2_000, ("?",), (("a?b",), (1,)))
    found = read_findings(written(tmp_path, '{"version": 1, "split": "test", "checkpoint": "\\ud800", "sections": []}'))
    assert found is not None and found.checkpoint == "?"


def test_a_section_that_a_newer_version_added_is_passed_over(tmp_path: Path) -> None:
    content = json.loads(EVERY_KIND.as_json())
    content["sections"].insert(1, {"kind": "hologram", "title": "new"})
    content["more"] = {"also": "new"}
    assert read_findings(written(tmp_path, content)) == EVERY_KIND


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"version": 2, "split": "test", "checkpoint": "best", "sections": []}',
        '{"version": 1, "split": "train", "checkpoint": "best", "sections": []}',
        '{"version": 1, "split": "test", "checkpoint": "best", "sections": {}}',
        '{"version": 1, "split": "test", "checkpoint": "best", "sections": ["table"]}',
        '{"version": 1, "split": "test", "checkpoint": "best", "sections": [{"kind": "table", "title": "t"}]}',
        " " * (LARGEST + 1),
    ],
)
def test_what_is_no_document_reads_as_none(tmp_path: Path, content: str) -> None:
    assert read_findings(written(tmp_path, content)) is None


def test_a_run_without_findings_has_none(tmp_path: Path) -> None:
    assert read_findings(tmp_path) is None


def test_a_document_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    run.mkdir()
    written(outside, EVERY_KIND.as_json())
    (run / FINDINGS).symlink_to(outside / FINDINGS)
    assert read_findings(run) is None


@pytest.mark.parametrize("file", ["../x.png", "/etc/x.png", "a/b.png", "x.svg", ".x.png", "x.png\n", "", "a" * 100 + ".png"])
def test_a_picture_is_a_name_and_never_a_path(file: str) -> None:
    with pytest.raises(ValidationError):
        GalleryItem(file=file, caption="")


def test_a_picture_lies_beside_the_document(tmp_path: Path) -> None:
    written(tmp_path, EVERY_KIND.as_json())
    item = GalleryItem(file="worst_00.png", caption="")
    assert finding_picture(tmp_path, item) is None
    (tmp_path / FINDINGS / "worst_00.png").write_bytes(b"PNG")
    assert finding_picture(tmp_path, item) == tmp_path / FINDINGS / "worst_00.png"


@pytest.mark.parametrize(
    "make",
    [
        lambda: TableFinding(title="t", columns=("a", "b"), rows=((1,),)),
        lambda: MatrixFinding(title="t", names=("a", "b"), rows=((1, 2),)),
        lambda: MatrixFinding(title="t", names=("a",), rows=((1, 2),)),
        lambda: CurveSeries(name="a", x=(1.0,), y=()),
    ],
)
def test_tables_are_whole(make: Any) -> None:
    with pytest.raises(ValidationError):
        make()
