"""A verdict's page is the same wherever it is shown, and an effect is said in one way."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.reports.report import read_report
from experiments.reports.section import Facts, FigureChoice, Gallery, Heading, Prose, Quote, Section, Table
from experiments.reports.sections import sections
from experiments.reports.wording import headline, number, one_line
from experiments.reports.write import write_reports
from experiments.runs.markup import code, plain
from experiments.studies.levels import Level
from experiments.studies.record import EffectRecord, Record, read_record
from tests.support.html_words import read
from tests.support.made_up_runs import write_exact, write_run, write_study

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}
FAILED = [{"name": "it trains", "passed": False, "detail": "it does not"}]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    found = read_record(write_study(tmp_path, VARIANTS, pictures=["filters"], erratum="Two axes.", validity_checks=FAILED))
    assert found
    return found


def said(section: Section) -> Iterator[str]:
    """All that a section says, in order."""
    yield section.heading
    match section:
        case Prose():
            yield section.text
        case Quote():
            yield from (section.text, section.translation, section.place)
        case Heading():
            yield from (section.level, section.text)
        case Facts():
            yield from (*section.facts, *(line for lines in section.facts.values() for line in lines))
        case Table():
            yield from (*section.columns, *(text for row in section.rows for cell in row for text in (cell.text, cell.note)))


def test_all_that_sections_say_stands_in_markdown_html_and_dashboard(
    tmp_path: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("streamlit")
    from tests.support.pages import open_study, opened, words

    monkeypatch.setenv("LECTERN_DASHBOARD_RUNS", str(tmp_path))
    paths = write_reports(tmp_path, "cpu")
    at = opened("claims_page")
    open_study(at)
    shown = {
        "markdown": paths["report"].read_text(encoding="utf-8"),
        "html": " ".join(read(paths["page"]).words),
        "dashboard": words(at).replace('""', '"'),
    }
    for section in sections(record, tmp_path):
        for text in filter(None, said(section)):
            assert plain(text) in shown["markdown"], text
            assert text in shown["html"], text
            assert text in shown["dashboard"], text


def test_what_failed_is_marked(tmp_path: Path, record: Record) -> None:
    cells = [cell for s in sections(record, tmp_path) if isinstance(s, Table) for row in s.rows for cell in row]
    assert [cell.text for cell in cells if cell.is_strong] == ["✗ FAILED"]
    assert "**✗ FAILED**" in write_reports(tmp_path, "cpu")["report"].read_text()
    assert "<b>✗ FAILED</b>" in write_reports(tmp_path, "cpu")["page"].read_text()


def in_parts(path: Path, **changes: object) -> Record:
    """The verdict with a second part that the lecture states, and a third that it does not."""
    content = json.loads(path.read_text()) | changes
    part = content["parts"]["a"]
    open_effect = part["effects"][0] | {"level": "inconclusive", "detectable": 4.5, "seeds_needed": 12}
    second = {
        "says": "It also tests worse.",
        "level": "inconclusive",
        "effects": [open_effect],
        "conditions": part["effects"][1:],
    }
    third = {"says": "Wider nets do not.", "level": "not reproduced", "shown": part["effects"][:1], "beyond": True}
    content["parts"] = {"a": part, "b": {"because": "b!", **second}, "c": {"because": "c!", **third}}
    path.write_text(json.dumps(content))
    found = read_record(path)
    assert found
    return found


def test_each_part_stands_by_itself_and_what_the_lecture_does_not_say_stands_last(tmp_path: Path) -> None:
    record = in_parts(write_study(tmp_path, VARIANTS))
    found = sections(record, tmp_path)
    standing = [(s.text, str(s.level)) for s in found if isinstance(s, Heading)]
    assert standing[1:] == [("b: It also tests worse.", "inconclusive"), ("c: Wider nets do not.", "not reproduced")]
    beyond = next(i for i, section in enumerate(found) if section.heading == "Beyond the lecture")
    places = {s.text[0]: i for i, s in enumerate(found) if isinstance(s, Heading)}
    assert places["b"] < beyond < places["c"]
    text = "\n".join(part for section in found for part in said(section))
    for words in (
        "4.5 points from a bound is the least that these seeds tell; 12 seeds would decide it",
        "needed besides; without it the direction is the most there is",
        "shown beside, decides nothing",
    ):
        assert words in text, words


def test_a_korean_sentence_is_marked_as_such_and_translated(tmp_path: Path) -> None:
    in_parts(write_study(tmp_path, VARIANTS), says="층이 깊을수록 오차가 크다", translation="The deeper, the larger the error.")
    paths = write_reports(tmp_path, "cpu")
    page = paths["page"].read_text(encoding="utf-8")
    assert '<blockquote lang="ko">“층이 깊을수록 오차가 크다”</blockquote>' in page
    for shown in (page, paths["report"].read_text(encoding="utf-8")):
        assert shown.index("층이 깊을수록") < shown.index("The deeper, the larger the error.")


def test_a_report_compares_with_the_committed_verdict(tmp_path: Path, record: Record, committed: list[Record]) -> None:
    other = record.model_copy(update={"parts": {"a": record.headline.model_copy(update={"level": Level.ERRATUM})}})
    committed.append(other)
    for path in write_reports(tmp_path, "cpu").values():
        assert "THEY DIFFER: reproduced here, erratum there, and the intervals of" in path.read_text(encoding="utf-8")


def test_a_power_law_is_drawn_on_its_own_scale(tmp_path: Path) -> None:
    record = read_record(write_study(tmp_path, VARIANTS, figure_axes="log-log"))
    assert record
    (curves,) = [s for s in sections(record, tmp_path) if isinstance(s, FigureChoice) and s.key == "curves"]
    figure = curves.drawn["error, on fixed training images"]()
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert figure.layout.xaxis.title.text == "optimizer steps"


def test_figures_come_with_what_they_show(tmp_path: Path, record: Record) -> None:
    found = [section for section in sections(record, tmp_path) if isinstance(section, FigureChoice)]
    assert [section.key for section in found] == ["effects-a", "curves", "values", "speed"]
    for section in found:
        assert set(section.shown) <= set(section.drawn)
        assert all(draw().data for draw in section.drawn.values())
    assert len([s for s in sections(record, tmp_path) if isinstance(s, Gallery)]) == 1


def test_curves_that_the_study_does_not_name_are_for_a_choice_alone(tmp_path: Path) -> None:
    record = read_record(write_study(tmp_path, VARIANTS, figure=""))
    assert record
    (curves,) = [s for s in sections(record, tmp_path) if isinstance(s, FigureChoice) and s.key == "curves"]
    assert curves.shown == () and "error, on fixed training images" in curves.drawn
    paths = write_reports(tmp_path, "cpu")
    assert "Curves" not in paths["report"].read_text() and "Curves" not in paths["page"].read_text()


def test_variants_whose_configurations_differ_say_in_what(tmp_path: Path, record: Record) -> None:
    for run in record.variants["plain-20"].runs:
        write_run(tmp_path / run.folder, network="ResNet")
    (table,) = [s for s in sections(record, tmp_path) if s.heading == "Where their configurations differ"]
    assert isinstance(table, Table) and table.columns == ("setting", "plain-56", "plain-20")
    assert any(row[2].text == "lightning_modules.networks.ResNet" for row in table.rows)
    for run in record.variants["plain-20"].runs:
        (tmp_path / run.folder / "config.yaml").unlink()  # as of a measurement, which has no setting to differ in
    assert not [s for s in sections(record, tmp_path) if s.heading == "Where their configurations differ"]


def test_an_identity_has_no_empty_section(tmp_path: Path) -> None:
    exact = read_record(write_exact(tmp_path))
    assert exact
    kinds = [type(section).__name__ for section in sections(exact, tmp_path)]
    assert kinds == ["Quote", "SlidePicture", "Prose", "Table", "Facts", "Command"]


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (
            {
                "by_seed": (31, 34, 38),
                "estimate": 34.3,
                "interval": (31, 38),
                "unit": "points",
                "needs": {"low": 0, "words": "> 0"},
            },
            "gap: 34.3 points (95 % interval 31 to 38; needed > 0)",
        ),
        ({"by_seed": (6.0,), "estimate": 6.0, "unit": "x"}, "gap: 6 × (one seed, no interval)"),
        (
            {"by_seed": (6.0, 7.0), "estimate": 6.5, "interval": (6, 7), "unit": "x", "bounds": ("", ">")},
            "gap: ≥ 6.5 × (95 % interval 6 to 7)",
        ),
        ({"by_seed": (1.0, math.nan)}, "gap: – (95 % interval –)"),
    ],
)
def test_an_effect_is_said_in_one_way(effect: dict[str, object], expected: str) -> None:
    assert one_line(EffectRecord.model_validate({"name": "gap"} | effect)) == expected


def test_the_first_effects_that_were_measured_decide(record: Record) -> None:
    blind = EffectRecord(name="blind", by_seed=(math.nan,))
    part = record.headline
    seen = record.model_copy(update={"parts": {"a": part.model_copy(update={"effects": (blind, *part.effects)})}})
    assert headline(seen) == one_line(record.effects[0])
    assert headline(seen, effects=2) == f"{one_line(record.effects[0])}; {one_line(record.effects[1])}"
    assert headline(record.model_copy(update={"parts": {"a": part.model_copy(update={"effects": (blind,)})}})) == ""


def test_numbers_are_read_as_they_are() -> None:
    found = [number(v) for v in (1234567, 0.12345, -3.0, math.nan, math.inf, -math.inf, "many", None, True)]
    assert found == ["1\u202f234\u202f567", "0.123", "−3", "–", "∞", "−∞", "many", "–", "–"]


def test_a_claim_whose_verdict_is_older_says_how_to_make_it_again(tmp_path: Path) -> None:
    path = write_study(tmp_path, VARIANTS)
    content = json.loads(path.read_text()) | {"level": "reproduced"}
    del content["format"]
    path.write_text(json.dumps(content))
    older = [entry for chapter in read_report(tmp_path, "cpu").chapters for entry in chapter.not_run if entry.is_older]
    assert [entry.row.id for entry in older] == ["D09"]
    for path in write_reports(tmp_path, "cpu").values():
        assert "made by an older version, run again:" in path.read_text()


def test_text_in_markdown_stays_text() -> None:
    assert code("a`<b>`\nc") == "`a <b> c`"
    assert plain("*a*\n| <b> [c](d) `e` #f") == r"\*a\* \| \<b\> \[c\](d) \`e\` \#f"
