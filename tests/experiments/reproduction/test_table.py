"""The README's table and the page of all verdicts say what the records say, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from datamodules.scene import InputError
from experiments.reproduction.page import page
from experiments.reproduction.table import BEGIN, END, PAGE, document, front, table, write_tables
from experiments.studies.levels import Level
from experiments.studies.record import AmendmentRecord, PartRecord, Record
from tests.support.hostile import PAYLOADS
from tests.support.made_up_records import small_record


@pytest.fixture(scope="module")
def record() -> Record:
    return small_record(processor="Some CPU")


def rows(text: str) -> dict[str, str]:
    return {line.split()[1]: line for line in text.splitlines() if line.startswith("| ") and len(line.split()[1]) == 3}


def part(level: Level, **values: object) -> PartRecord:
    return PartRecord(says="another sentence", level=level, because="since it is so", **values)


def test_a_row_has_level_and_effects_and_a_claim_without_a_record_is_not_run(record: Record) -> None:
    found = rows(table([record]))
    assert found["B17"] == (
        "| B17 | Letting the learning rate decay leads to a lower error than keeping it. | **reproduced** | training error, "
        "steps − constant −5.92 points \\[−6.02, −5.82\\]; training error, cosine − constant −5.92 points \\[−6.02, −5.82\\] |"
    )
    assert found["D09"].endswith("| **not run** |  |")
    assert "121 claims: 1 reproduced, 120 not run." in table([record])
    assert f"Committed results of {record.day} on Some CPU, with" in table([record])


def test_a_verdict_is_counted_by_its_first_part_and_never_by_what_lies_beyond_the_lecture(record: Record) -> None:
    parts = record.parts | {"b": part(Level.NOT_REPRODUCED), "c": part(Level.EXACT, beyond=True)}
    several = record.model_copy(update={"parts": parts})
    shown = table([several])
    assert "121 claims: 1 reproduced, 120 not run." in shown and "1 have several parts" in shown
    assert rows(shown)["B17"] == rows(table([record]))["B17"]
    before, _, beyond = page([several]).partition("#### Beyond the lecture")
    assert "**b · not reproduced**: another sentence" in before and "**c · exact**: another sentence" in beyond


def test_what_is_inconclusive_says_why(record: Record) -> None:
    row = rows(table([record.model_copy(update={"parts": {"a": part(Level.INCONCLUSIVE)}})]))["B17"]
    assert row.endswith("| **inconclusive** | since it is so |")


def test_a_stale_verdict_is_marked_in_both(record: Record) -> None:
    assert "| **reproduced** (stale) |" in rows(table([record], {record.name}))["B17"]
    assert "\n**reproduced** (stale) · scale cpu" in page([record], {record.name})
    assert "**reproduced** · scale cpu" in page([record])


def test_the_page_has_rule_needs_seeds_rates_and_amendments(record: Record) -> None:
    changed = record.model_copy(
        update={"amendments": (AmendmentRecord(date="2026-11-26", what="was so, is so"),), "cpu_seconds": 600.0}
    )
    shown = page([changed]).replace("\\", "")
    for words in (
        "### B17 · Letting the learning rate decay",
        "Rule: Reproduced: with each schedule the training error is lower",
        "seeds 0 to 4 · Some CPU · 10 CPU-minutes",
        "| decides | training error, steps − constant | < 0 | −5.92 points | −6.02 to −5.82 | reproduced |",
        "- constant: 0.0316 of 0.00999 → 1.27, 0.0316 → 0.97, 0.0999 → 1.27",
        "- 2026-11-26: was so, is so",
        "- met: constant beats the trivial baseline",
    ):
        assert words in shown, words
    assert "B17" not in shown.partition("## Not run")[2] and "D09" in shown.partition("## Not run")[2]


def test_the_readme_shows_where_measurement_and_lecture_part_the_farthest_first(record: Record) -> None:
    def stands(claim: str, name: str, level: Level) -> Record:
        return record.model_copy(update={"claim": claim, "name": f"cnn/{name}", "parts": {"a": part(level)}})

    records = [
        stands("A14", "sigmoid_nets_do_not_train_deep", Level.DIRECTION_ONLY),
        stands("B02", "zero_is_black", Level.ERRATUM),
        stands("B17", "learning_rate_decay_helps", Level.REPRODUCED),
        stands("D09", "plain_nets_degrade", Level.NOT_REPRODUCED),
    ]
    assert list(rows(front(records, {"cnn/zero_is_black"}))) == ["D09", "B02", "A14"]
    assert list(rows(front(records, most=2))) == ["D09", "B02"]
    assert "| differs from the lecture | the lecture says |" in front(records)
    assert "**erratum** (stale)" in front(records, {"cnn/zero_is_black"}) and "(stale)" not in front(records)
    assert "1 reproduced, 1 direction only, 1 not reproduced, 1 erratum, 117 not run." in front(records)
    assert "| the lecture says |" not in front([record])  # there is nothing to show


def test_both_are_written_and_what_stands_around_the_table_stays(record: Record, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before {BEGIN}\nold\n{END} after", encoding="utf-8")
    for _ in range(2):
        assert write_tables(readme, [record]) == [readme, tmp_path / PAGE]
    assert readme.read_text(encoding="utf-8") == f"before {BEGIN}\n{front([record])}\n{END} after"
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == document([record])
    assert table([record]) in document([record])


def test_a_verdict_of_another_scale_stands_on_the_page_alone(record: Record, tmp_path: Path) -> None:
    (readme := tmp_path / "README.md").write_text(f"{BEGIN}\n{END}", encoding="utf-8")
    write_tables(readme, [record.model_copy(update={"scale": "gpu"})])
    assert "121 not run" in readme.read_text(encoding="utf-8")
    assert "scale gpu" in (tmp_path / PAGE).read_text(encoding="utf-8")


def test_a_file_without_markers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# A\n")
    with pytest.raises(InputError, match="no markers"):
        write_tables(tmp_path / "README.md", [])
    with pytest.raises(InputError, match="no such file"):
        write_tables(tmp_path / "MISSING.md", [])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_of_a_verdict_is_markup(payload: str, record: Record) -> None:
    text = f"a {payload.encode(errors='replace').decode()} {END}"
    texts = dict.fromkeys(("says", "slide", "paper", "rule", "translation", "controlled", "commit", "processor"), text)
    parts = {"a": PartRecord(says=text, level=Level.INCONCLUSIVE, because=text, also=(text,), erratum=text)}
    hostile = record.model_copy(update={**texts, "parts": parts, "deviations": (text,)})
    for shown in (table([hostile]), page([hostile]), front([hostile])):
        assert END not in shown and "<script" not in shown.replace("\\<", "") and "\x1b" not in shown
    row = rows(table([hostile]))["B17"]
    assert row.replace("\\|", "").count("|") == 5
