"""Each claim of lecture 1 has its slide's own picture, with its verdict's numbers on it, and no text of it is markup."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from experiments.lectures import rows
from experiments.reports.html import html
from experiments.reports.report import Chapter, Page, Report
from experiments.reports.section import SlidePicture
from experiments.reports.sections import sections, slide_picture
from experiments.reports.slides.every import ROOMS, SLIDES
from experiments.reports.slides.numbers import Measurements
from experiments.reports.slides.sheet import Sheet, settings
from experiments.reports.wording import estimate, number
from experiments.studies.committed import committed_records
from experiments.studies.record import Record
from tests.support.made_up_records import small_record

RECORDS = {record.claim: record for record in committed_records() if record.scale == "cpu"}
CLAIMS = [row.id for row in rows().values() if "cnn" in row.lecture.split()]
OF_LECTURE_2 = ("G01", "G24")
"""Claims of lecture 2 alone that have a picture; test_trade_off.py tries them."""


def words(svg: str) -> str:
    """All text of a picture, which has to be sound XML."""
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())


@cache
def made_up() -> Record:
    """A verdict that says 12.3456 points and a share of 0.4567 of its variants."""
    record = small_record()
    part = record.headline
    effect = part.effects[0].model_copy(update={"estimate": 12.3456, "interval": (11.1111, 13.3333)})
    part = part.model_copy(update={"effects": (effect,)})
    variants = {
        name: variant.model_copy(
            update={"runs": tuple(r.model_copy(update={"values": {"test/error": 0.4567}}) for r in variant.runs)}
        )
        for name, variant in record.variants.items()
    }
    return record.model_copy(update={"parts": {"a": part}, "variants": variants, "figure": "test/error"})


def test_every_claim_of_the_first_lecture_has_one() -> None:
    assert set(SLIDES) - set(OF_LECTURE_2) == set(CLAIMS)
    assert set(OF_LECTURE_2) <= set(SLIDES)
    assert sum(len(room.SLIDES) for room in ROOMS) == len(SLIDES), "a claim has two pictures"


@pytest.mark.parametrize("claim", CLAIMS)
def test_it_is_drawn_with_and_without_a_verdict(claim: str) -> None:
    """With the numbers of the verdict that comes with Lectern, or of one that is made up; with none where there is none."""
    slide, record = SLIDES[claim], RECORDS.get(claim) or made_up().model_copy(update={"claim": claim})
    with settings():
        bare = Sheet(slide.height)
        slide.draw(bare, Measurements(None))
    assert bare.canvas.texts or bare.figure.axes[1:]
    assert not [text for text in bare.canvas.texts if "95 %" in text.get_text()], "a number that nobody measured"
    full = slide.svg(claim, record)
    head = ElementTree.fromstring(full)
    assert head.get("role") == "img"
    assert head.get("aria-label") == slide.says
    assert "currentColor" in full
    assert "<style" not in full, "a style of its own would be the whole page's"
    assert len(full) < 120_000
    text, part = words(full), record.headline
    assert record.level in text
    expected = [estimate(effect) for effect in part.effects if effect.estimate is not None][:2]
    for number_ in expected or [number(check.computed) for check in part.checks[:1]] or [part.because[:60]]:
        assert words(f"<a>{number_}</a>") in text
    if slide.has_panel and claim not in RECORDS:
        assert "45.7 %" in text


def test_a_text_of_a_stranger_is_text() -> None:
    evil = "<script>alert(1)</script> $\\frac{x$ ]]> & \x00\x07\u202e"
    record = made_up()
    effect = record.headline.effects[0].model_copy(update={"name": evil})
    part = record.headline.model_copy(update={"effects": (effect,)})
    variants = {evil: next(iter(record.variants.values()))}
    svg = SLIDES["B17"].svg("B17", record.model_copy(update={"parts": {"a": part}, "variants": variants, "name": evil}))
    assert "<script" not in svg
    assert "<script>alert(1)</script> $\\frac{x$ ]]> &" in words(svg)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -3.0, 0.0])
def test_a_number_that_is_none_takes_the_picture_from_nobody(value: float) -> None:
    record = made_up()
    variants = {
        name: v.model_copy(update={"runs": tuple(r.model_copy(update={"values": {"test/error": value}}) for r in v.runs)})
        for name, v in record.variants.items()
    }
    assert words(SLIDES["C01"].svg("C01", record.model_copy(update={"variants": variants})))


def test_a_mean_is_over_all_seeds_or_none() -> None:
    record = made_up()
    name, variant = next(iter(record.variants.items()))
    values = [0.1, 0.2, 0.6, 0.3, 0.3][: len(variant.runs)]
    runs = tuple(r.model_copy(update={"values": {"test/error": v}}) for r, v in zip(variant.runs, values, strict=True))
    changed = record.model_copy(update={"variants": {name: variant.model_copy(update={"runs": runs})}})
    assert Measurements(changed).mean(name) == pytest.approx(np.mean(values))
    missing = (*runs[:-1], runs[-1].model_copy(update={"values": {}}))
    changed = record.model_copy(update={"variants": {name: variant.model_copy(update={"runs": missing})}})
    assert Measurements(changed).mean(name) is None
    assert Measurements(None).mean(name) is None


def test_it_stands_in_the_page_below_the_lecture_s_sentence() -> None:
    record = made_up()
    found = sections(record, None)
    assert isinstance(found[1], SlidePicture)
    page = html(Report(Path(), "cpu", [record], [Chapter("cnn", [Page(record, found)], [])]))
    assert f"<figcaption>{SLIDES['B17'].says}</figcaption>" in page
    assert page.index('<figure class="slide">') < page.index("data-figure")
    assert not slide_picture(record.model_copy(update={"claim": "E01"}))


def test_without_a_verdict_no_number_is_measured() -> None:
    text = words(SLIDES["C01"].svg("C01"))
    assert "measured" not in text
    assert "95 %" not in text


def test_the_real_modules_stand_on_the_diagrams() -> None:
    expected: dict[str, tuple[Any, ...]] = {
        "D01": ("60 850", "28 × 28", "10 × 10", "120", "84"),
        "D02": ("61 100 840", "55 × 55", "13 × 13", "4 096"),
        "D03": ("110 × 110", "AlexNet's 11 × 11 by 4 give 55 × 55"),
        "D05": ("6 624 904", "1024×7²"),
        "D06": ("60 192 808", "1 + 3 × (3 + 8 + 36 + 3) + 1 = 152"),
    }
    for claim, parts in expected.items():
        text = words(SLIDES[claim].svg(claim)).replace("\u202f", " ")
        assert not [part for part in parts if part not in text], claim


@pytest.mark.parametrize("most", [3, 8])
def test_where_not_all_bars_fit_those_that_the_verdict_compares_are_there(most: int) -> None:
    """As C02's, which has fourteen variants and compares three."""
    tried = 0
    for record in RECORDS.values():
        numbers = Measurements(record)
        compared = {name for part in record.parts.values() for effect in part.effects for name in effect.variants}
        compared &= set(numbers.variants)
        shown = numbers.means(most)
        assert len(shown) == min(most, len(numbers.variants)) and list(shown) == [v for v in numbers.variants if v in shown]
        if len(compared) <= most:
            assert compared <= shown.keys(), record.claim
            tried += len(numbers.variants) > most
    assert tried
