"""The verdicts that come with Lectern on the first page: there before anything was run, and then beside one's own."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("streamlit")

from experiments.dashboard import launch
from experiments.studies.record import Record, read_record
from tests.conftest import Lectern
from tests.support.made_up_runs import write_exact, write_study
from tests.support.pages import open_study, opened, words

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, empty, that the pages look at."""
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setenv(launch.RUNS, str(place))
    return place


def as_committed(path: Path, **changes: object) -> Record:
    """A verdict as it comes with Lectern: its runs are elsewhere."""
    record = read_record(path)
    assert record
    path.unlink()
    return record.model_copy(update={"processor": "Committed 9000", **changes})


def test_committed_verdicts_are_there_before_anything_was_run(root: Path, committed: list[Record], tmp_path: Path) -> None:
    committed.append(as_committed(write_study(tmp_path / "other", VARIANTS, level="erratum")))
    root.rmdir()  # not even a folder of runs
    at = opened("claims_page")
    assert "committed results, Committed 9000, 2026-11-24" in words(at) and "≠ erratum" in words(at)
    open_study(at)
    assert "committed results, Committed 9000, 2026-11-24" in words(at) and "seed 0: 42" in words(at)


@pytest.mark.parametrize(("level", "said"), [("reproduced", "they agree"), ("not reproduced", "they differ")])
def test_yours_stands_beside_the_committed_one(
    level: str, said: str, root: Path, committed: list[Record], tmp_path: Path
) -> None:
    committed.append(as_committed(write_study(tmp_path / "other", {"plain-56": [0.42, 0.43], "plain-20": [0.2, 0.22]})))
    write_study(root, VARIANTS, level=level)
    at = opened("claims_page")
    shown = words(at)
    assert said in shown and "yours, Made-up 1000, 2026-11-24 · committed results, Committed 9000, 2026-11-24" in shown
    assert "42.3 points (95 % interval 38 to 47" in shown and "21.5 points (95 % interval 21 to 22" in shown
    open_study(at)
    assert "do not overlap" in words(at) and said in words(at).lower()
    at.button[1].click().run()  # the committed one
    assert not at.exception
    assert "committed results, Committed 9000" in words(at)


def test_a_verdict_whose_code_changed_is_marked_as_stale(root: Path, committed: list[Record], tmp_path: Path) -> None:
    path = write_study(tmp_path / "other", VARIANTS, code={"experiments/lectures/cnn/plain_nets_degrade.py": "0" * 12})
    committed.append(as_committed(path))
    at = opened("claims_page")
    assert "stale committed: code that it rests on was changed since" in words(at)
    open_study(at)
    assert "changed since, experiments/lectures/cnn/plain_nets_degrade.py" in words(at)


def test_claims_are_filtered_by_level_and_by_lecture(root: Path, committed: list[Record], tmp_path: Path) -> None:
    committed.append(as_committed(write_study(tmp_path / "other", VARIANTS, level="erratum")))
    write_exact(root)
    at = opened("claims_page")
    at.get("button_group")[0].set_value(["erratum"]).run()
    assert "D09 A deeper plain net" in words(at) and "B03 A fully connected" not in words(at)
    at.get("button_group")[0].set_value([]).run()
    at.get("button_group")[1].set_value("cs231n").run()
    assert "D09 A deeper plain net" not in words(at) and "B03 A fully connected" not in words(at)


def test_it_starts_without_a_folder_of_runs(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    for name in (launch.RUNS, *launch.NO_WAY_OUT):
        monkeypatch.setenv(name, "")  # what it sets ends with the test
    monkeypatch.setattr(os, "execv", lambda path, line: started.append(line))
    monkeypatch.setattr(os, "chdir", lambda path: None)
    monkeypatch.setattr(launch.stopping, "block", lambda: None)
    assert "shows the verdicts that come with Lectern" in lectern("dashboard", "--port", "8613").out
    assert len(started) == 1 and not (workdir / "runs").exists()


def test_it_opens_the_browser_or_says_how_another_machine_s_reaches_it(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    for name in (launch.RUNS, *launch.NO_WAY_OUT):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(os, "execv", lambda path, line: None)
    monkeypatch.setattr(os, "chdir", lambda path: None)
    monkeypatch.setattr(launch.stopping, "block", lambda: None)
    monkeypatch.setattr(launch.subprocess, "Popen", lambda line, **options: opened.append(line[-1]))
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    assert "ssh -L 8614:127.0.0.1:8614 " in lectern("dashboard", "--port", "8614").out
    assert not opened
    monkeypatch.delenv("SSH_CONNECTION")
    monkeypatch.setenv("DISPLAY", ":0")
    assert "ssh -L" not in lectern("dashboard", "--port", "8614").out
    lectern("dashboard", "--port", "8614", "--no-browser")
    assert opened == ["http://127.0.0.1:8614"]


def test_the_page_is_opened_once_its_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.dashboard import opening

    opened: list[str] = []
    monkeypatch.setattr(opening.webbrowser, "open", lambda address: not opened.append(address))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), _Healthy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert opening.open_when_there(address) and opened == [address]
        server.shutdown()
    assert not opening.open_when_there(address, patience=0.3) and opened == [address]


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
