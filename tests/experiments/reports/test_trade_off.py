"""The pictures of detectors: the trade-off with its Pareto front, the ladder, and the times of all of them in one chart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.lectures.cs231n import _ladder
from experiments.reports.sections import slide_picture
from experiments.reports.slides import ladder
from experiments.reports.slides.detection import SYSTEMS, seconds_an_image
from experiments.reports.slides.every import SLIDES
from experiments.reports.slides.numbers import Measurements
from experiments.reports.slides.trade_off import GridPoint, grid, undominated
from experiments.reproduction.claims import select
from experiments.studies.committed import committed_records
from experiments.studies.record import Record, RunRecord, VariantRecord
from experiments.studies.study import Job
from tests.support.made_up_records import invented_record, small_record

RECORDS = {record.claim: record for record in committed_records("cpu")}
ACCURACY = {"YOLO": 0.3, "SSD": 0.5, "Faster R-CNN": 0.6}


def words(svg: str) -> str:
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())


def record_of(claim: str, invented: Callable[[Job], Mapping[str, float]]) -> Record:
    (study,) = select([claim])
    return invented_record(study, invented)


def a_detector(job: Job) -> dict[str, float]:
    """Of the grid: wide and large cost more and are better; rates have an optimum inside."""
    family, width, size = job.variant.split(", ")
    more = 0.1 * (width == "wide") + 0.05 * (size == "96 px")
    ap = ACCURACY[family] + more
    tuning = 0.001 < (job.lr or 0) < 0.004
    cost = (1 + 9 * (family == "Faster R-CNN")) * (1 + more)
    return {
        "val/mAP": ap - 0.1 * (not tuning),
        "test/mAP": ap,
        "image/gflop": cost,
        "image/cpu_seconds": 0.001 * cost,
        "proposals5/mAP": 0.95 * ap,
        "proposals30/mAP": ap,
    }


@pytest.fixture(scope="module")
def traded() -> Record:
    return record_of("G24", a_detector)


def test_every_point_of_the_grid_is_named_with_what_it_costs(traded: Record) -> None:
    text = words(SLIDES["G24"].svg("G24", traded))
    for i, name in enumerate(traded.variants, 1):
        assert f"{i} {name}" in text
    assert "75.0 %, 11.5 GFLOP, 11.5 ms" in text, "Faster R-CNN, wide, 96 px"
    assert "not recorded" not in text


def test_a_variant_without_a_number_is_left_out_and_named(traded: Record) -> None:
    name = "SSD, wide, 48 px"
    kept = traded.variants[name]
    runs = tuple(r.model_copy(update={"values": {k: v for k, v in r.values.items() if k != "image/gflop"}}) for r in kept.runs)
    variants = {**traded.variants, name: kept.model_copy(update={"runs": runs})}
    points, missing = grid(Measurements(traded.model_copy(update={"variants": variants})))
    assert missing == [name] and len(points) == 11 and name not in {point.name for point in points}
    text = words(SLIDES["G24"].svg("G24", traded.model_copy(update={"variants": variants})))
    assert f"not recorded: {name}" in text and text.count(name) == 1


def test_without_a_verdict_it_says_how_to_come_by_one() -> None:
    assert "lectern reproduce G24" in words(SLIDES["G24"].svg("G24"))
    assert grid(Measurements(None)) == ([], [])


def test_the_front_of_the_grid(traded: Record) -> None:
    front = [point.name for point in undominated(grid(Measurements(traded))[0], 0)]
    assert front[0] == "SSD, narrow, 48 px", "as cheap as YOLO, and better"
    assert front[-1] == "Faster R-CNN, wide, 96 px" and not [name for name in front if name.startswith("YOLO")]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=12))
def test_the_front_is_what_a_plain_loop_finds(values: list[tuple[int, int]]) -> None:
    points = [GridPoint(i, f"{i}", float(ap), (float(cost),)) for i, (ap, cost) in enumerate(values)]
    expected = set()
    for point in points:
        for other in points:
            as_good = other.accuracy >= point.accuracy and other.costs[0] <= point.costs[0]
            if as_good and (other.accuracy > point.accuracy or other.costs[0] < point.costs[0]):
                break
        else:
            expected.add(point.number)
    front = undominated(points, 0)
    assert {point.number for point in front} == expected and expected
    pairs = [(point.costs[0], point.accuracy) for point in front]
    assert pairs == sorted(pairs), "a dearer point of the front is a better one"


# The ladder ---------------------------------------------------------------------------------------------------------------


def a_rung(job: Job) -> dict[str, float]:
    if job.variant == _ladder.TIMED:
        return {_ladder.seconds_of(name): 0.1 * (i + 1) for i, name in enumerate(_ladder.SYSTEMS)}
    ap = 0.4 + 0.1 * _ladder.LADDER.index(job.variant) + 0.001 * (job.seed % 3)
    start = 6.32e-3 if job.variant == _ladder.FAST else 2e-3
    near = job.lr is None or math.isclose(job.lr, start, rel_tol=0.01)
    return {"val/mAP_voc07": ap - 0.1 * (not near), "test/mAP_voc07": ap}


@pytest.fixture(scope="module")
def laddered() -> Record:
    return record_of("G01", a_rung)


def test_the_ladder_stands_beside_what_was_published(laddered: Record) -> None:
    text = words(SLIDES["G01"].svg("G01", laddered))
    assert "33.7 %, VOC 2007, published" in text and "40.1 %, drawn scenes, measured" in text
    assert "not recorded" not in text and laddered.level in text
    bare = words(SLIDES["G01"].svg("G01"))
    assert "measured" not in bare and "lectern reproduce G01" in bare
    less = {name: variant for name, variant in laddered.variants.items() if name != "R-CNN"}
    assert "not recorded: R-CNN" in words(SLIDES["G01"].svg("G01", laddered.model_copy(update={"variants": less})))


def test_picture_and_study_have_the_same_published_figures() -> None:
    chart = [(point.year, point.mAP) for point in _ladder.CHART]
    assert [*ladder.WINNERS, *((year, value) for year, value, _ in ladder.DEEP)] == chart
    assert ladder.VOC_2007 == _ladder.VOC_2007 and ladder.MEASURE == _ladder.AP
    assert set(SYSTEMS) == set(_ladder.SYSTEMS)


# All times in one chart ---------------------------------------------------------------------------------------------------


def of_four() -> Record:
    """G19's, which comes with Lectern."""
    return RECORDS["G19"]


def test_one_chart_has_all_detectors_that_are_recorded(laddered: Record) -> None:
    text = words(SLIDES["G19"].svg("G19", of_four(), {"G01": laddered}))
    assert all(f"{name}" in text for name in SYSTEMS) and "0.7" in text and "not recorded" not in text
    found, source = seconds_an_image(Measurements(of_four(), {"G01": laddered}))
    assert found == pytest.approx({name: 0.1 * (_ladder.SYSTEMS.index(name) + 1) for name in SYSTEMS})
    assert source == "G01" and "measured for G01" in text


def test_what_is_not_recorded_is_left_out_and_named() -> None:
    text = words(SLIDES["G19"].svg("G19", of_four()))
    assert "not recorded: DPM, SSD, YOLO (lectern reproduce G01)" in text
    found, source = seconds_an_image(Measurements(of_four()))
    assert set(found) == {"R-CNN", "SPP-net", "Fast R-CNN", "Faster R-CNN"} and not source and "measured for" not in text
    assert "measured" not in words(SLIDES["G19"].svg("G19"))


def test_the_page_finds_the_other_verdict(laddered: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the folder of runs comes before that of Lectern."""
    slow = {name: VariantRecord(runs=tuple(slower(r, 10) for r in v.runs)) for name, v in laddered.variants.items()}
    theirs = laddered.model_copy(update={"variants": slow})
    monkeypatch.setattr("experiments.reports.sections.committed_records", lambda scale: [theirs, small_record()])
    (picture,) = slide_picture(of_four())
    assert "DPM" in words(picture.svg()) and "not recorded" not in words(picture.svg())
    monkeypatch.setattr("experiments.reports.sections.read_records", lambda runs, scale: [laddered])
    (own,) = slide_picture(of_four(), tmp_path)
    assert own.svg() != picture.svg()


def slower(run: RunRecord, times: float) -> RunRecord:
    """The run, in so many times the seconds."""

    return run.model_copy(update={"values": {name: times * value for name, value in run.values.items()}})
