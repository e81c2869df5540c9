"""A record says on disk what it says in memory, and a file that is none reads as none."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.studies.record import EffectRecord, Record, effect_record, older_records, read_record, read_records
from experiments.studies.verdict import Effect, Level
from tests.support.made_up_runs import write_exact, write_study

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_study(tmp_path, VARIANTS)


def changed(path: Path, **values: object) -> Record | None:
    """The record, with some of its keys replaced on disk."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return read_record(path)


def read(path: Path) -> Record:
    record = read_record(path)
    assert record
    return record


def test_a_record_survives_the_disk(path: Path) -> None:
    record = read(path)
    path.write_text(record.as_json())
    assert read(path) == record


number = st.floats(allow_nan=False) | st.sampled_from([math.inf, -math.inf])


@given(by_seed=st.lists(number, max_size=6), value=number, what=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_every_number_and_text_survives_the_disk(path: Path, by_seed: list[float], value: float, what: str) -> None:
    record = read(path)
    effect = EffectRecord(name=what, by_seed=tuple(by_seed), estimate=value, interval=(value, value))
    run = record.variants["plain-56"].runs[0].model_copy(update={"values": {what: value}})
    variant = record.variants["plain-56"].model_copy(update={"runs": (run,), "tried": {what: value}})
    written = record.model_copy(update={"effects": (effect,), "because": what, "variants": {what: variant}})
    other = path.with_name("verdict-gpu.json")
    other.write_text(written.as_json(), encoding="utf-8", newline="")
    assert read(other) == written


def test_a_number_that_is_not_finite_is_a_word_in_standard_json(path: Path) -> None:
    record = changed(path, effects=[{"name": "x", "by_seed": ["NaN", "Infinity", 1.5]}])
    assert record
    nan, infinite, known = record.effects[0].by_seed
    assert math.isnan(nan) and infinite == math.inf and known == 1.5

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    content = json.loads(record.as_json(), parse_constant=refuse)
    assert content["effects"][0]["by_seed"] == ["NaN", "Infinity", 1.5]


def test_an_identity_s_numbers_keep_their_kind(tmp_path: Path) -> None:
    values = [1_600_000_000, 0.5, "True", math.inf]
    checks = [{"what": "w", "computed": v if v != math.inf else "Infinity", "expected": 1, "holds": True} for v in values]
    record = read(write_exact(tmp_path, checks=checks))
    found = [check.computed for check in record.checks]
    assert found == values and list(map(type, found)) == [int, float, str, float]


def test_a_list_of_numbers_stands_on_one_line(path: Path) -> None:
    text = "[\n 1,\n 2\n]"
    effect = EffectRecord(name=text, by_seed=(1.5, math.nan, -math.inf), interval=(1, 2), bounds=("", ">", "?"))
    written = read(path).model_copy(update={"effects": (effect,)}).as_json()
    for line in ('"by_seed": [1.5, "NaN", "-Infinity"]', '"interval": [1.0, 2.0]', '"bounds": ["", ">", "?"]'):
        assert line in written
    assert json.loads(written)["effects"][0]["name"] == text


def test_what_a_newer_version_added_is_passed_over(path: Path) -> None:
    record = changed(path, format=3, level="almost", colour="green")
    assert record and record.level == Level.INCONCLUSIVE


@pytest.mark.parametrize(
    "damage",
    [
        {"effects": "none"},
        {"effects": [{"name": "x", "by_seed": ["many"]}]},
        {"effects": [{"name": "x", "by_seed": [1.0, 2.0], "bounds": [">"]}]},
        {"effects": [{"name": "x", "by_seed": [1.0], "interval": [1.0]}]},
        {"variants": [1]},
        {"variants": {"a": {"runs": [{"folder": 3, "seed": 0}]}}},
        {"level": 5},
        {"scale": "../../etc"},
        {"date": "yesterday"},
        {"because": None},
        {"format": "new"},
    ],
)
def test_a_file_that_is_not_of_this_form_is_no_record(path: Path, damage: dict[str, object]) -> None:
    assert changed(path, **damage) is None
    assert older_records(path.parents[3]) == []


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "[" * 100_000, '{"level": "exact"', "\ud800".encode(errors="surrogatepass")]
)
def test_a_damaged_file_is_no_record(path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert read_record(path) is None
    assert read_records(path.parents[3]) == []


def test_what_an_older_version_made_is_named(tmp_path: Path) -> None:
    path = write_study(tmp_path, VARIANTS)
    write_exact(tmp_path)
    assert older_records(tmp_path) == []
    content = json.loads(path.read_text())
    old = {
        "variants": content.pop("variants"),
        "validity_checks": content.pop("validity_checks"),
        "shared_lr": content.pop("shared_lr"),
    }
    del content["format"]
    path.write_text(json.dumps(content | old))
    assert older_records(tmp_path) == ["cnn/plain_nets_degrade"]
    assert older_records(tmp_path, "gpu") == []
    assert [record.claim for record in read_records(tmp_path)] == ["B03"]


def test_records_outside_the_folder_of_runs_are_not_read(tmp_path: Path) -> None:
    outside = write_study(tmp_path / "elsewhere", VARIANTS)
    (tmp_path / "runs" / "lectures" / "cnn").mkdir(parents=True)
    (tmp_path / "runs" / "lectures" / "cnn" / "linked").symlink_to(outside.parent)
    assert read_records(tmp_path / "runs") == [] and older_records(tmp_path / "runs") == []


def test_an_effect_has_a_mean_where_all_seeds_do_and_an_interval_where_there_are_several() -> None:
    three = effect_record(Effect("a", (1.0, 2.0, 3.0), "points", paper=2.5))
    assert three.estimate == pytest.approx(2) and three.interval == (1, 3) and three.paper == 2.5
    one = effect_record(Effect("a", (2.0,)))
    assert (one.estimate, one.interval) == (2, None)
    for missed in (math.nan, math.inf):
        found = effect_record(Effect("a", (1.0, missed)))
        assert (found.estimate, found.interval) == (None, None)
    assert effect_record(Effect("a", (-1.0, 2.0), "x")).estimate is None  # no geometric mean
