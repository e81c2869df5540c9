"""``lectern show``: a page that is whole by itself, served to this machine alone while it grows."""

from __future__ import annotations

import http.client
import json
import re
import time
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from datamodules.errors import InputError
from experiments.reports.moving.drawing import Drawing
from experiments.reports.moving.frame import Frame, frame
from experiments.showing import server as serving
from experiments.showing import show as showing
from experiments.showing.catalogue import named
from experiments.showing.page import HERE, show_page
from experiments.showing.server import ADDRESS, PageServer, announce
from experiments.showing.show import Show, run
from tests.support.html_page import check_page


def made_up(count: int) -> list[Frame]:
    found = []
    for i in range(count):
        sheet = Drawing()
        sheet.text(100, 100, f"step {i} <b>")
        found.append(frame(sheet, f"This is step {i} & no more."))
    return found


def test_a_page_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Written by the command, with every step, the mark, the verdict, and the command that judges."""
    place = tmp_path / "momentum.html"
    assert run(["momentum", "--page", str(place)]) == 0
    page = check_page(place.read_text(encoding="utf-8"))
    said = capsys.readouterr().out
    assert "lectern reproduce momentum_speeds_up_descent" in said.splitlines()[-1]
    steps = [own for tag, own in page.tags if own.get("class") == "step"]
    assert len(steps) == 30
    assert sum("hidden" in own for own in steps) == 29
    for words in (
        "Demonstration, no verdict",
        "Committed verdict",
        "reproduced",
        "lectern reproduce momentum_speeds_up_descent",
    ):
        assert words in page.words
    assert "connect-src 'none'" in page.policy


def test_a_study_s_picture_is_not_called_a_demonstration() -> None:
    page = check_page(show_page(named("F12"), made_up(3), is_live=False))
    assert "Step by step" in page.words
    assert "no verdict" not in page.words
    assert "step 1 <b>" in page.words


def test_it_is_served_while_it_grows() -> None:
    """The page comes at once and asks for steps; those that are there already are not sent again."""
    show = Show(named("momentum"))
    waits: list[float] = []

    def steps(effort: float) -> object:
        for each in made_up(3):
            waits.append(effort)
            yield each
            time.sleep(0.05)

    object.__setattr__(show.shown, "steps", steps)
    try:
        Thread(target=show.follow, args=(0.5,)).start()
        deadline = time.monotonic() + 20
        while not show.since(0)[1] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [s.words for s in show.since(1)[0]] == ["This is step 1 & no more.", "This is step 2 & no more."]
        assert show.ended.startswith("All 3 steps")
        assert waits == [0.5] * 3
    finally:
        object.__delattr__(show.shown, "steps")


def test_it_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is too slow a demonstration stops, and says so; a study's picture has all of its steps."""
    monkeypatch.setattr(showing, "SECONDS", 0.0)
    show = Show(named("momentum"))
    show.follow(1)
    assert len(show.since(0)[0]) == 1
    assert "busy or slow" in show.ended
    whole = Show(named("F08"))
    whole.follow(1)
    assert len(whole.since(0)[0]) == 4


def test_a_last_step_that_ends_late_is_the_last_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "SECONDS", 0.0)
    show = Show(named("momentum"))
    object.__setattr__(show.shown, "steps", lambda effort: iter(made_up(1)))
    try:
        show.follow(1)
    finally:
        object.__delattr__(show.shown, "steps")
    assert len(show.since(0)[0]) == 1 and show.ended.startswith("All 1 steps")


def test_a_folder_that_cannot_be_written_ends_no_page_that_is_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a screen the page is also written; where that cannot be, people still look at the one that is served."""

    def refused(self: Path, *given: object, **options: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refused)
    monkeypatch.setattr("experiments.command_line.screens.is_headless", lambda: True)
    waited: list[bool] = []
    monkeypatch.setattr(showing, "Event", lambda: SimpleNamespace(wait=lambda: waited.append(True)))
    monkeypatch.setattr(Show, "follow", lambda self, effort: None)
    monkeypatch.setattr(serving.webbrowser, "open", lambda address: True)
    assert showing._serve(named("momentum"), 1.0, 0) == 0
    assert waited and "lectern-momentum.html: cannot be written (Permission denied)" in capsys.readouterr().err


def answer(server: PageServer, path: str, host: str = ADDRESS) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(ADDRESS, server.server_port, timeout=20)
    connection.request("GET", path, headers={"Host": f"{host}:{server.server_port}"})
    response = connection.getresponse()
    return response.status, response.read()


def test_the_server_is_this_machine_s_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    server = PageServer(
        0, {"/": lambda q: ("text/html", b"page"), "/steps": lambda q: ("application/json", q["from"].encode())}
    )
    server.begin()
    try:
        assert server.server_address[0] == "127.0.0.1"
        assert answer(server, "/") == (200, b"page")
        assert answer(server, "/", "localhost") == (200, b"page")
        assert answer(server, "/steps?from=2") == (200, b"2")
        assert answer(server, "/", "evil.example")[0] == 421, "a foreign page has its name lead here"
        assert answer(server, "/etc/passwd")[0] == 404
        with pytest.raises(InputError, match="--port"):
            PageServer(server.server_port, {})
        opened: list[str] = []
        monkeypatch.setattr(serving.webbrowser, "open", opened.append)
        monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
        announce(server)
        port = server.server_port
        assert f"ssh -L {port}:127.0.0.1:{port} " in capsys.readouterr().out
        assert not opened
        monkeypatch.delenv("SSH_CONNECTION")
        monkeypatch.setenv("DISPLAY", ":0")
        announce(server)
        assert opened == [server.address]
    finally:
        server.shutdown()
        server.server_close()


def test_steps_travel_as_json() -> None:
    from experiments.showing.page import as_json

    found = json.loads(as_json(made_up(2), is_over=True, ended="over"))
    assert [s["words"] for s in found["steps"]] == ["This is step 0 & no more.", "This is step 1 & no more."]
    assert found["over"] is True


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="--effort"):
        run(["relu", "--effort", "0"])
    with pytest.raises(InputError, match="did you mean"):
        run(["momentun"])
    with pytest.raises(InputError, match="cannot be written"):
        run(["F08", "--page", str(tmp_path / "no" / "where.html")])
    with pytest.raises(InputError, match=r"cannot be written \(it is a folder"):
        run(["F08", "--page", str(tmp_path)])
    assert capsys.readouterr().out == "", "before anything is drawn"
    assert list(tmp_path.iterdir()) == []


def contrast(a: str, b: str) -> float:
    """WCAG 2's, of two colours ``#rrggbb``."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(a), light(b)))
    return (high + 0.05) / (low + 0.05)


def test_what_is_read_from_the_last_row() -> None:
    """Contrast of at least 4.5 : 1 by day and by night, and letters of 24 pixels and more."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    themes = [dict(re.findall(r"--(\w+): (#\w{6})", line)) for line in style.splitlines() if "--ink:" in line]
    assert len(themes) == 2
    for colours in themes:
        for front in ("ink", "faint", "link"):
            assert min(contrast(colours[front], colours[back]) for back in ("paper", "card")) >= 4.5
    chips = re.findall(r"\.[\w-]+ \{ background: (#\w{6}); \}", style)
    assert len(chips) == 6
    assert min(contrast("#ffffff", chip) for chip in chips) >= 4.5
    sizes = [int(size) for size in re.findall(r"(?:font-size:|font:) ?(\d+)px", style)]
    assert sizes and min(sizes) >= 24
