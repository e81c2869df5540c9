"""Notes and tags of a run: nobody loses one, whoever writes at the same time, and whatever lies in the folder."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from datamodules.errors import InputError
from experiments.runs.folder import RunFolder
from experiments.runs.notes import LOCK, LONGEST, Notes, add_note, change_tags, read_notes, remove_note


def write_some(place: tuple[Path, int]) -> None:
    folder, writer = place
    for i in range(5):
        add_note(folder, f"writer {writer}, note {i}")
        change_tags(folder, add=(f"{writer}-{i}",))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == Notes()
    add_note(tmp_path, "  two\nlines ")
    found = add_note(tmp_path, "<b>bold</b>")
    assert [note.text for note in found.notes] == ["two\nlines", "<b>bold</b>"]
    assert read_notes(tmp_path) == found
    assert [note.text for note in remove_note(tmp_path, found.notes[0].id).notes] == ["<b>bold</b>"]
    assert change_tags(tmp_path, add=("a", "b"), remove=("a",)).tags == ("b",)


def test_nobody_loses_a_note_to_another_writer(tmp_path: Path) -> None:
    """Threads of one server, and processes: two dashboards over one folder."""
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(write_some, [(tmp_path, i) for i in range(3)]))
    with get_context("fork").Pool(2) as processes:
        processes.map(write_some, [(tmp_path, i) for i in (3, 4)])
    found = read_notes(tmp_path)
    assert {note.text for note in found.notes} == {f"writer {w}, note {i}" for w in range(5) for i in range(5)}
    assert set(found.tags) == {f"{w}-{i}" for w in range(5) for i in range(5)}
    assert {path.name for path in tmp_path.iterdir()} == {"notes.json", LOCK}


def test_a_run_under_way_is_written_about_and_stays_its_writer_s(tmp_path: Path) -> None:
    held = RunFolder.open(tmp_path)
    before = (tmp_path / ".lock").read_bytes()
    add_note(tmp_path, "looks good")
    assert (tmp_path / ".lock").read_bytes() == before
    with pytest.raises(InputError, match="another process"):
        RunFolder.open(tmp_path)
    held.release()


def test_damaged_notes_are_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    note = '{"id": "a", "written": "", "text": "x"}'
    for content in ("{", "[]", '{"notes": 3}', '{"notes": [{"id": 1}]}', '{"tags": [1]}', f'{{"notes": [{note}, {note}]}}'):
        path.write_text(content)
        assert read_notes(tmp_path) == Notes()
        with pytest.raises(InputError, match="damaged"):
            add_note(tmp_path, "x")
        assert path.read_text() == content


def test_a_link_out_of_the_folder_is_neither_read_nor_written(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps({"notes": [], "tags": ["secret"]}))
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.json").symlink_to(outside)
    assert read_notes(folder) == Notes()
    with pytest.raises(InputError, match="damaged"):
        change_tags(folder, add=("mine",))
    assert "mine" not in outside.read_text()


def test_what_cannot_be_a_note_or_a_tag_is_said(tmp_path: Path) -> None:
    for text in ("", "  ", "x" * (LONGEST + 1)):
        with pytest.raises(InputError, match="note: 1 to"):
            add_note(tmp_path, text)
    for tag in ("", "a,b", "a\nb", "x" * 41):
        with pytest.raises(InputError, match="tag"):
            change_tags(tmp_path, add=(tag,))
    with pytest.raises(InputError, match="cannot be written"):
        add_note(tmp_path / "gone", "x")
    assert not list(tmp_path.iterdir())
