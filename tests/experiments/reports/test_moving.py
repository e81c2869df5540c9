"""Each exact study has a picture that moves, drawn from what its own functions compute."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from experiments.reports.moving.drawing import WIDTH, Drawing
from experiments.reports.moving.every import MOVING, ROOMS
from experiments.reports.moving.frame import Frame
from experiments.reports.section import SlidePicture
from experiments.reports.sections import sections
from experiments.studies.committed import committed_records
from experiments.studies.levels import Level

SVG = "{http://www.w3.org/2000/svg}"
RECORDS = {record.claim: record for record in committed_records()}


def words(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def drawn(claim: str) -> list[Frame]:
    return list(MOVING[claim].steps())


def test_every_exact_study_has_one() -> None:
    """Also what the lecture has wrong, which is computed too; and those that the issue of moving pictures names."""
    exact = {claim for claim, record in RECORDS.items() if record.level in (Level.EXACT, Level.ERRATUM)}
    assert exact <= set(MOVING)
    assert {"F03", "F14", "G03", "G05", "G08", "G15", "G21"} <= set(MOVING)
    assert sum(len(room.MOVING) for room in ROOMS) == len(MOVING), "a claim has two"


@pytest.mark.parametrize("claim", MOVING)
def test_each_step_is_a_picture_that_says_what_it_shows(claim: str) -> None:
    steps = drawn(claim)
    assert len(steps) > 2, "nothing moves"
    assert len({step.svg for step in steps}) == len(steps), "two steps look alike"
    for step in steps:
        head = ElementTree.fromstring(step.svg)
        assert head.get("role") == "img"
        assert head.get("aria-label") == step.words
        assert step.words.endswith(".")
        assert len(step.svg) < 150_000
        height = float((head.get("viewBox") or "").split()[-1])
        for text in head.iter(f"{SVG}text"):
            assert text.get("fill") is None, "text has the page's own colour, which is read on it"
            assert 0 < float(text.get("x", 0)) < WIDTH
            assert 0 < float(text.get("y", 0)) < height
        for box in head.iter(f"{SVG}image"):
            assert (box.get("href") or "").startswith("data:image/png;base64,"), "something is fetched"


def test_copies_sum_to_the_transpose_convolution() -> None:
    """F12's last step shows what torch computes, number by number."""
    import torch
    import torch.nn.functional as F

    values = np.random.default_rng(0).integers(1, 4, (1, 1, 3, 3)).astype(np.float32)
    kernel = torch.tensor([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]])
    out = F.conv_transpose2d(torch.from_numpy(values), kernel, stride=2).flatten()
    shown = [text for text in words(drawn("F12")[-1].svg) if text.isdigit()]
    assert shown[-49:] == [f"{v:g}" for v in out.tolist()]


def test_overlaps_are_counted_as_the_study_counts_them() -> None:
    said = [step.words for step in drawn("F14")]
    assert "Stride 2 does not divide kernel 3: inner places sum 1, 2, 4 copies." in said
    assert "Stride 2 divides kernel 4: inner places sum 4 copies." in said


def test_a_still_stands_in_the_verdict_s_page() -> None:
    """In lecture 2, whose slides have no picture of their own; in both the page says how to see the steps."""
    found = sections(RECORDS["F12"], None)
    (picture,) = [section for section in found if isinstance(section, SlidePicture)]
    assert picture.svg() == drawn("F12")[-1].svg
    assert picture.says.endswith("lectern show F12")
    for claim in ("B08", "A06"):
        (own,) = [section for section in sections(RECORDS[claim], None) if isinstance(section, SlidePicture)]
        assert own.says.endswith(f"lectern show {claim}") == (claim in MOVING)


def test_no_text_is_markup() -> None:
    sheet = Drawing()
    sheet.text(10, 10, "<script>a & b</script>")
    assert words(sheet.svg('says "<b>"')) == ["<script>a & b</script>"]
