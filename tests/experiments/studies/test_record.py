"""A record says on disk what it says in memory, and a file that is none reads as none."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.studies.readable import readable_json
from experiments.studies.record import EffectRecord, Record, older_records, read_record, read_records
from experiments.studies.recording import effect_record
from experiments.studies.verdict import Effect, Level, Needs
from tests.support.made_up_records import small_record

RECORD = small_record()


def write(root: Path, record: Record = RECORD) -> Path:
    path = root / "lectures" / record.name / f"verdict-{record.scale}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record.as_json(), encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path)


def changed(path: Path, **values: object) -> Record | None:
    """The record, with some of its keys replaced on disk, or some of its first part's."""
    content = json.loads(path.read_text())
    if part := values.pop("part", None):
        content["parts"]["a"] |= part  # type: ignore[operator]
    path.write_text(json.dumps(content | values))
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
    run = record.variants["steps"].runs[0].model_copy(update={"values": {what: value}})
    variant = record.variants["steps"].model_copy(update={"runs": (run,), "tried": {what: value}})
    part = record.headline.model_copy(update={"effects": (effect,), "because": what})
    written = record.model_copy(update={"parts": {what: part}, "variants": {what: variant}})
    other = path.with_name("verdict-gpu.json")
    other.write_text(written.as_json(), encoding="utf-8", newline="")
    assert read(other) == written


def test_a_number_that_is_not_finite_is_a_word_in_standard_json(path: Path) -> None:
    record = changed(path, part={"effects": [{"name": "x", "by_seed": ["NaN", "Infinity", 1.5]}]})
    assert record
    nan, infinite, known = record.effects[0].by_seed
    assert math.isnan(nan) and infinite == math.inf and known == 1.5

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    content = json.loads(record.as_json(), parse_constant=refuse)
    assert content["parts"]["a"]["effects"][0]["by_seed"] == ["NaN", "Infinity", 1.5]


def test_an_identity_s_numbers_keep_their_kind(path: Path) -> None:
    values = [1_600_000_000, 0.5, "True", math.inf]
    checks = [{"what": "w", "computed": v if v != math.inf else "Infinity", "expected": 1, "holds": True} for v in values]
    record = changed(path, part={"checks": checks})
    assert record
    found = [check.computed for check in record.checks]
    assert found == values and list(map(type, found)) == [int, float, str, float]
    path.write_text(record.as_json())
    assert [type(check.computed) for check in read(path).checks] == [int, float, str, float]


def test_a_list_of_numbers_stands_on_one_line(path: Path) -> None:
    text = "[\n 1,\n 2\n]"
    effect = EffectRecord(name=text, by_seed=(1.5, math.nan, -math.inf), interval=(1, 2), bounds=("", ">", "?"))
    record = read(path)
    written = record.model_copy(update={"parts": {"a": record.headline.model_copy(update={"effects": (effect,)})}}).as_json()
    for line in ('"by_seed": [1.5, "NaN", "-Infinity"]', '"interval": [1.0, 2.0]', '"bounds": ["", ">", "?"]'):
        assert line in written
    assert json.loads(written)["parts"]["a"]["effects"][0]["name"] == text


def test_what_is_as_it_would_be_read_without_it_is_not_written(path: Path) -> None:
    content = json.loads(path.read_text())
    assert not {"translation", "erratum", "processor", "changed_code", "seconds"} & content.keys()
    assert "null" not in path.read_text() and "[]" not in path.read_text()


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=8),
)


@given(json_value)
def test_readable_json_is_json(value: object) -> None:
    assert json.loads(readable_json(value)) == value


def test_it_is_as_wide_as_our_code() -> None:
    numbers = [number / 7 for number in range(40)]
    content = {
        "numbers": numbers,
        "names": {f"a/file/{number}.py": "0123456789ab" for number in range(20)},
        "runs": [{"a": 1}] * 9,
    }
    lines = readable_json(content).splitlines()
    assert max(map(len, lines)) <= 128 and len(lines) < 30


def test_what_a_newer_version_added_is_passed_over(path: Path) -> None:
    record = changed(path, format=3, part={"level": "almost", "shape": "round"}, colour="green")
    assert record and record.level == Level.INCONCLUSIVE


@pytest.mark.parametrize(
    "damage",
    [
        {"parts": {}},
        {"part": {"effects": "none"}},
        {"part": {"effects": [{"name": "x", "by_seed": ["many"]}]}},
        {"part": {"effects": [{"name": "x", "by_seed": [1.0, 2.0], "bounds": [">"]}]}},
        {"part": {"effects": [{"name": "x", "by_seed": [1.0], "interval": [1.0]}]}},
        {"variants": [1]},
        {"variants": {"a": {"runs": [{"folder": 3, "seed": 0}]}}},
        {"part": {"level": 5}},
        {"scale": "../../etc"},
        {"date": "yesterday"},
        {"part": {"because": None}},
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


def test_what_an_older_version_made_is_named(path: Path, tmp_path: Path) -> None:
    write(tmp_path, RECORD.model_copy(update={"claim": "B03", "name": "cnn/fully_connected_needs_billions"}))
    assert older_records(tmp_path) == []
    content = json.loads(path.read_text())
    del content["format"], content["parts"]
    path.write_text(json.dumps(content | {"level": "reproduced", "effects": []}))
    assert older_records(tmp_path) == ["cnn/learning_rate_decay_helps"]
    assert older_records(tmp_path, "gpu") == []
    assert [record.claim for record in read_records(tmp_path)] == ["B03"]


def test_records_outside_the_folder_of_runs_are_not_read(tmp_path: Path) -> None:
    outside = write(tmp_path / "elsewhere")
    (tmp_path / "runs" / "lectures" / "cnn").mkdir(parents=True)
    (tmp_path / "runs" / "lectures" / "cnn" / "linked").symlink_to(outside.parent)
    assert read_records(tmp_path / "runs") == [] and older_records(tmp_path / "runs") == []


def test_an_effect_has_a_mean_where_all_seeds_do_and_an_interval_where_there_are_several() -> None:
    three = effect_record(Effect("a", (1.0, 2.0, 3.0), "points", paper=2.5))
    assert three.estimate == pytest.approx(2) and three.paper == 2.5
    assert three.interval == pytest.approx((-0.484, 4.484), abs=1e-3)  # 2 ± 4.303 / √3
    one = effect_record(Effect("a", (2.0,)))
    assert (one.estimate, one.interval) == (2, None)
    for missed in (math.nan, math.inf):
        found = effect_record(Effect("a", (1.0, missed)))
        assert (found.estimate, found.interval) == (None, None)
    assert effect_record(Effect("a", (-1.0, 2.0), "x")).estimate is None  # no geometric mean


def test_a_number_has_six_digits() -> None:
    found = effect_record(Effect("a", (1 / 3, 2e6 / 3, 1e-9 / 3), needs=Needs(low=0)))
    assert found.by_seed == (0.333333, 666667.0, 3.33333e-10)
    numbers = [found.estimate, *(found.interval or ()), found.detectable, found.nearest and found.nearest.shift]
    assert all(len(f"{number:.12g}".replace("-", "").replace(".", "").strip("0")) <= 6 for number in numbers)
