"""One run's page: what it found, what it was evaluated on, what people wrote about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from experiments.dashboard import launch
from experiments.runs.folder import RunFolder
from experiments.runs.notes import add_note, change_tags, read_notes
from tests.support.made_up_findings import write_evaluation, write_findings
from tests.support.made_up_runs import write_run
from tests.support.pages import PAGES, opened, words

HOSTILE = "<script>alert(1)</script> ![x](http:evil.example) :red[x]"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, empty, that the pages look at."""
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setenv(launch.RUNS, str(place))
    return place


def page_of(name: str) -> AppTest:
    at = AppTest.from_file(str(PAGES / "runs_page.py"), default_timeout=60)
    at.query_params["run"] = name
    at.run()
    assert not at.exception
    return at


def test_each_kind_of_finding_is_shown_with_words_for_who_does_not_see_it(root: Path) -> None:
    folder = write_findings(write_run(root / "fcn" / "a", peak_memory_mib=812), names=["cat", HOSTILE])
    write_findings(write_evaluation(folder), names=["cat", "dog"])
    at = page_of("fcn/a")
    shown = words(at)
    for said in (
        "80 scenes of the split test of the checkpoint best",
        "taken for cat: 4 of 44",
        "test/accuracy: **0.9**; the most frequent class: 0.4 (better)",
        "gone: the picture is gone",
        "300 images per second",
        "812 MiB of memory",
        "0.625",  # of the evaluation on other data
    ):
        assert said in shown, said
    alts = [chart.proto.alt for chart in at.get("plotly_chart")]
    assert any("most frequent mistakes" in alt for alt in alts) and all(alts)
    assert all(frame.proto.alt for frame in at.dataframe)
    for element in [*at.markdown, *at.caption]:
        bare = str(element.value).replace("\\<", "").replace("\\[", "").replace("\\!", "")
        assert "<script" not in bare and "![" not in bare and "red[" not in bare
    assert not any("<script" in chart.proto.spec for chart in at.get("plotly_chart"))


def test_findings_are_those_of_the_test_whose_metrics_are_shown(root: Path) -> None:
    folder = write_findings(write_run(root / "fcn" / "a"), scenes=77)
    test = write_findings(write_evaluation(folder), scenes=33)
    said = json.loads((test / "evaluation.json").read_text())
    (test / "evaluation.json").write_text(json.dumps(said | {"own_data": True, "date": "2036-11-25T10:00:00+00:00"}))
    shown = words(page_of("fcn/a"))
    assert "0.625" in shown and "33 scenes of the split test" in shown and "77 scenes" not in shown


def test_notes_and_tags_are_written_beside_what_others_wrote_meanwhile(root: Path) -> None:
    folder = write_run(root / "fcn" / "a")
    at = page_of("fcn/a")
    add_note(folder, "theirs")
    change_tags(folder, add=("theirs",))
    at.text_area(key="note on fcn/a").input("mine")
    next(button for button in at.button if button.label == "Add note").click().run()
    assert not at.exception
    assert [note.text for note in read_notes(folder).notes] == ["theirs", "mine"]
    assert read_notes(folder).tags == ("theirs",)
    assert "theirs" in words(at) and "mine" in words(at)
    next(button for button in at.button if button.label == "Remove").click().run()
    assert [note.text for note in read_notes(folder).notes] == ["mine"]
    assert "mine" in words(opened("runs_page"))


def test_a_note_that_cannot_be_written_stays_in_its_box(root: Path) -> None:
    folder = write_run(root / "fcn" / "a")
    at = page_of("fcn/a")
    (folder / "notes.json").write_text("{")
    at.text_area(key="note on fcn/a").input("a long thought")
    next(button for button in at.button if button.label == "Add note").click().run()
    assert "damaged" in at.error[0].value
    assert at.text_area(key="note on fcn/a").value == "a long thought"


def test_a_run_whose_process_is_gone_is_dead_on_every_page(root: Path) -> None:
    write_run(root / "fcn" / "killed", state="running")
    (root / "fcn" / "killed" / "checkpoints").mkdir()
    (root / "fcn" / "killed" / "checkpoints" / "last.ckpt").touch()
    held = RunFolder.open(write_run(root / "fcn" / "alive", state="running"))
    assert "killed, or its machine stopped" in words(page_of("fcn/killed"))
    assert "died" in words(opened("runs_page"))
    shown = words(opened("live_page"))
    assert "1 under way" in shown and "Ended without a word" in shown
    assert "lectern fit --ckpt_path" in shown and "killed/checkpoints/last.ckpt" in shown
    held.release()


def test_a_run_that_is_gone_is_said(root: Path) -> None:
    write_run(root / "fcn" / "a")
    assert "There is no run" in words(page_of("../../etc"))


def test_runs_are_grouped_and_coloured_by_a_setting(root: Path) -> None:
    for i, lr in enumerate((0.1, 0.1, 0.01, 0.001)):
        write_run(root / "fcn" / f"run-{i}", lr=lr, seed=i)
    at = opened("runs_page")
    at.selectbox(key="group").select("model.optimizer.lr").run()
    assert not at.exception
    groups = next(frame.value for frame in at.dataframe if "runs" in frame.value.columns)
    assert sorted(groups["runs"]) == [1, 1, 2]
    next(button for button in at.button if button.label.startswith("Take all")).click().run()
    assert all("colorbar" in chart.proto.spec for chart in at.get("plotly_chart"))
    at.selectbox(key="colour model.optimizer.lr").select("").run()
    assert not at.exception and not any("colorbar" in chart.proto.spec for chart in at.get("plotly_chart"))
