"""``lectern present``: every claim has a screen, in the slides' order, with its picture, its verdict and its command."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from datamodules.errors import InputError
from experiments.lectures import rows
from experiments.reports.moving.every import MOVING
from experiments.reports.slides.every import SLIDES
from experiments.showing import present
from experiments.showing.claims import claim, records
from experiments.showing.page import present_page
from experiments.showing.present import claims, picture, run
from tests.support.html_page import check_page


def test_all_claims_of_both_lectures_from_the_first_slide_to_the_last() -> None:
    both = [shown.id for shown in claims("both")]
    assert sorted(both) == sorted(rows())
    assert len(both) == len(rows()) == 121
    for lecture in ("cnn", "cs231n"):
        own = [shown.id for shown in claims(lecture)]
        assert set(own) == {row.id for row in rows().values() if lecture in row.lecture.split()}
    with pytest.raises(InputError, match="invalid choice"):
        run(["cnm"])


def test_a_screen_says_what_the_record_says() -> None:
    for id_, record in records().items():
        shown = claim(id_)
        assert (shown.level, shown.says, shown.title) == (record.level, record.says, record.title)
        assert shown.judge == f"lectern reproduce {record.name.rpartition('/')[2]}"


def test_a_claim_that_was_not_run_has_its_study_s_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from the study's file, without importing it."""
    monkeypatch.setattr("experiments.showing.claims.records", dict)  # as if none was run
    found = [shown for shown in claims("both") if shown.judge]
    assert len(found) > 100
    for shown in found:
        assert shown.slide, shown.id
        assert shown.says, shown.id
        assert shown.level == "not run"


def test_a_page_that_asks_for_its_pictures_comes_at_once() -> None:
    began = time.process_time()
    page = check_page(present_page("both", claims("both"), None))
    assert time.process_time() - began < 5
    screens = [own for tag, own in page.tags if own.get("class") == "screen"]
    assert len(screens) == 121
    assert sum("hidden" in own for own in screens) == 120
    assert "lectern reproduce relu_is_six_times_faster" in page.words


def test_pictures_are_the_slide_s_then_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """B08 has both; F08 has steps alone; E03 what was measured, or that nothing was."""
    both = picture("B08")
    assert both[0].words == SLIDES["B08"].says
    assert len(both) == 1 + len(list(MOVING["B08"].steps()))
    assert [s.words for s in picture("F08")] == [s.words for s in MOVING["F08"].steps()]
    (measured,) = picture("E03")
    assert "measured" in measured.svg
    assert picture("F08") is picture("F08"), "drawn twice"
    monkeypatch.setattr(present, "records", dict)  # as if none was run
    nothing = present._measured("E03")
    assert "not run yet" in nothing.svg
    assert "lectern reproduce" in nothing.svg


def test_one_file_with_everything_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [claim(id_) for id_ in ("B08", "F08", "H04")]
    monkeypatch.setattr(present, "claims", lambda lecture: few)
    place = tmp_path / "lecture.html"
    assert run(["cnn", "--page", str(place)]) == 0
    text = place.read_text(encoding="utf-8")
    page = check_page(text)
    assert "connect-src 'none'" in page.policy
    assert sum(tag == "svg" for tag, _ in page.tags) == sum(len(picture(shown.id)) for shown in few)
    assert sys.getsizeof(text) < 1_000_000
