"""What a stranger may have left in the folder of runs, and who may ask for the pages."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import yaml
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from experiments.dashboard import launch, library
from experiments.dashboard.quantities import varying
from experiments.runs.files import read_curves
from experiments.runs.lock import LOCK, RunLock
from tests.support import pages
from tests.support.hostile import anything, examples, replaced
from tests.support.made_up_runs import write_exact, write_run, write_study
from tests.support.pages import cards, open_study, opened, words

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}
HOSTILE = "<script>alert(1)</script>"
PAGES = ("claims_page", "runs_page", "pictures_page", "live_page")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, empty, that the pages look at."""
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setenv(launch.RUNS, str(place))
    return place


def test_hostile_names_and_texts_are_only_text(root: Path) -> None:
    image = "![x](http:evil.example)"
    write_run(root / HOSTILE.replace("/", "") / image, name=HOSTILE, state=HOSTILE, device=image, pictures=[image])
    write_run(root / ("n" * 200) / ("m" * 200), lr=0.2, pictures=["a"])
    hostile = {HOSTILE: [0.6, 0.5], image: [0.2, 0.1]}
    texts = dict.fromkeys(("title", "says", "slide", "paper", "erratum", "because", "commit"), f"{HOSTILE} {image} :red[x] $x$")
    write_study(root, hostile, pictures=[image], deviations=[image], **texts)
    for page in ("claims_page", "runs_page", "pictures_page", "live_page"):
        at = opened(page)
        if page == "claims_page":
            assert not {"script", "img"} & set(cards(at).tags)
            assert all(one.startswith("?study=") for one in cards(at).addresses)
            open_study(at)
        for kind in ("title", "header", "subheader", "markdown", "caption"):
            for element in at.get(kind):
                bare = str(element.value).replace("\\<", "").replace("\\[", "").replace("\\$", "").replace("\\!", "")
                assert "<script" not in bare and "![" not in bare and "$x" not in bare and "red[" not in bare
                assert not getattr(element.proto, "allow_html", False)
        for chart in at.get("plotly_chart"):
            assert "<script" not in chart.proto.spec


def test_nothing_outside_the_run_folder_is_read(root: Path, tmp_path: Path) -> None:
    secret = write_run(tmp_path / "secret", device="secret device", pictures=["secret"])
    (root / "linked").symlink_to(secret)
    inside = write_run(root / "inside")
    for name in ("summary.json", "metrics.csv", "config.yaml"):
        (inside / name).unlink()
        (inside / name).symlink_to(secret / name)
    (inside / "pictures").symlink_to(secret / "pictures")
    verdict = write_study(root, VARIANTS)
    outside = write_study(tmp_path / "elsewhere", VARIANTS, title="secret title")
    (root / "lectures" / "cnn" / "other").symlink_to(outside.parent)
    text = verdict.read_text()
    verdict.write_text(text.replace("lectures/cnn/plain_nets_degrade/", "../elsewhere/lectures/cnn/plain_nets_degrade/"))
    assert "linked" not in [run.name for run in library.runs(root)]
    run = next(run for run in library.runs(root) if run.name == "inside")
    assert (run.state, run.summary, run.settings, run.metrics) == ("unfinished", {}, {}, {})
    for page in ("claims_page", "runs_page", "pictures_page", "live_page"):
        assert "secret" not in words(opened(page))
    at = opened("claims_page")
    open_study(at)
    assert "are gone from the folder" in words(at)


def test_files_that_would_hang_or_swell_are_passed_over(root: Path) -> None:
    folder = write_run(root / "a")
    (folder / "metrics.csv").unlink()
    os.mkfifo(folder / "metrics.csv")
    bomb = "\n".join(["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)])
    (folder / "config.yaml").write_text(f"{bomb}\nself: &s {{s: *s}}\n")
    (folder / "summary.json").write_text("[" * 100_000)
    began = time.monotonic()
    opened("runs_page")
    assert time.monotonic() - began < 30


def test_a_broken_verdict_is_named_and_takes_no_other_from_the_page(root: Path) -> None:
    write_exact(root)
    path = write_study(root, VARIANTS)
    path.write_text("[" * 100_000)
    shown = words(opened("claims_page"))
    assert "lectures/cnn/plain_nets_degrade/verdict-cpu.json" in shown and "1 of 1 identities hold" in shown


def test_a_verdict_that_cannot_be_shown_takes_no_other_from_the_page(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.dashboard import cards as drawn

    write_exact(root)
    write_study(root, VARIANTS, because="cannot")
    sound = drawn.headline
    monkeypatch.setattr(drawn, "headline", lambda record: 1 / 0 if record.because == "cannot" else sound(record))
    shown = words(opened("claims_page"))
    assert "cnn/plain_nets_degrade at scale cpu cannot be shown" in shown and "1 of 1 identities hold" in shown


def test_a_folder_whose_name_is_no_text_is_left_out(root: Path) -> None:
    write_run(root / "sound")
    os.rename(write_run(root / "odd"), os.fsencode(root) + b"/\xff\xfe")  # noqa: PTH104
    assert [run.name for run in library.runs(root)] == ["sound"]
    opened("runs_page")


@pytest.mark.parametrize("bomb", ["merge", "deep"])
def test_yaml_that_would_end_the_process_is_passed_over(root: Path, bomb: str) -> None:
    lines = ["a0: &a0 {x: 1, y: 2}"] + [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 10)]
    (write_run(root / "a") / "config.yaml").write_text("\n".join(lines) if bomb == "merge" else "- " * 100_000)
    write_run(root / "b", lr=0.2)
    began = time.monotonic()
    assert "a" in words(opened("runs_page"))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("state", ["finished", "running"])
@pytest.mark.parametrize("points", ["[]", "[[NaN, 1]]", "[[0, 1], [NaN, 2], [Infinity, 0]]"])
def test_curves_without_a_place_and_pictures_of_no_number_are_passed_over(points: str, state: str, root: Path) -> None:
    folder = write_run(root / "a" / "one", state=state, pictures=["epoch_\u00b2", "epoch_0001"])
    (folder / "curves.json").write_text(f'{{"val/loss": {points}, "trainset/error": {points}, "val/accuracy": {points}}}')
    assert len(read_curves(folder)) == (3 if points.startswith("[[0") else 0)
    for page in PAGES if state == "finished" else ("live_page",):
        with nullcontext() if state == "finished" else RunLock(folder / LOCK):
            opened(page)
    at = AppTest.from_file(str(pages.PAGES / "runs_page.py"), default_timeout=60)
    at.query_params["run"] = "a/one"
    at.run()
    assert not at.exception


def test_a_folder_of_too_many_runs_says_that_some_are_left_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(4):
        write_run(root / "a" / f"{i}", pictures=["epoch_0001"])
    said = "more than 3 folders"
    for page in ("runs_page", "pictures_page", "live_page"):
        assert said not in words(opened(page))
    monkeypatch.setattr(library, "MOST", 3)
    for page in ("runs_page", "pictures_page", "live_page"):
        assert said in words(opened(page)), page


@given(data=st.data(), state=st.sampled_from(["finished", "running"]))
@examples(5)
def test_every_page_opens_on_any_run(data: st.DataObject, state: str, root: Path) -> None:
    folder = write_run(root / "a" / "one", steps=40, state=state)
    write_run(root / "a" / "two", steps=40, lr=0.01, seed=1)
    summary, config = json.loads((folder / "summary.json").read_text()), yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "summary.json").write_text(json.dumps(replaced(summary, data.draw)))
    (folder / "config.yaml").write_text(json.dumps(replaced(config, data.draw)))
    cells = st.sampled_from(["nan", "inf", "-inf", "1e400", "", "1", "0.5", "-3", "x", "1" * 400])
    rows = data.draw(st.lists(st.lists(cells, min_size=4, max_size=4).map(",".join), max_size=4))
    (folder / "metrics.csv").write_text("\n".join(["step,epoch,seconds,train/loss", *rows]))
    (folder / "curves.json").write_text(json.dumps(data.draw(anything)))
    for page in PAGES:
        opened(page)
    at = opened("runs_page")
    for name in varying(library.runs(root))[:4]:
        at.multiselect(key="by").set_value([name]).run()
        assert not at.exception


# Who may ask ---------------------------------------------------------------------------------------------------------


def _answer(port: int, host: str, path: str, headers: str = "") -> bytes:
    """The status line of what the server answers to a request that calls it ``host``."""
    with socket.create_connection((launch.ADDRESS, port), 30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers or 'Connection: close'}\r\n\r\n".encode())
        return connection.recv(200).split(b"\r\n")[0]


def test_the_server_answers_to_no_other_name(root: Path) -> None:
    """A foreign page whose name leads to this machine (DNS rebinding) gets neither the page nor a connection."""
    with socket.socket() as place:
        place.bind((launch.ADDRESS, 0))
        port = place.getsockname()[1]
    command = [sys.executable, "-m", "experiments", "dashboard", "--runs", str(root), "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    connect = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    )
    stream = "/_stcore/stream"
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                _answer(port, "localhost", "/_stcore/health")
                break
            except OSError:
                time.sleep(0.2)
        for host in ("127.0.0.1", "localhost", f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
            assert b" 200 " in _answer(port, host, "/")
            assert b" 101 " in _answer(port, host, stream, connect)
        for host in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1.evil.example",
            "evil.example/localhost",
            "",
            "127.0.0.2",
        ):
            assert b" 400 " in _answer(port, host, "/")
            assert b" 400 " in _answer(port, host, "/_stcore/health")
            for origin in ("", f"\r\nOrigin: http://{host}"):
                assert b" 101 " not in _answer(port, host, stream, connect + origin)
        assert b" 403 " in _answer(port, f"localhost:{port}", stream, f"{connect}\r\nOrigin: http://evil.example")
    finally:
        server.terminate()
        server.wait(60)
