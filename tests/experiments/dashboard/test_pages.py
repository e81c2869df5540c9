"""The dashboard's pages, each run by Streamlit's own harness: what a student sees, whatever lies in the run folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from experiments.dashboard import launch, library
from experiments.lectures import rows
from experiments.runs.folder import RunFolder
from tests.conftest import Lectern
from tests.support.made_up_runs import write_exact, write_run, write_study
from tests.support.pages import PAGES, opened, traces, words

VARIANTS = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, empty, that the pages look at."""
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setenv(launch.RUNS, str(place))
    return place


# Claims -------------------------------------------------------------------------------------------------------------------


def test_every_claim_is_counted_and_each_verdict_says_what_it_rests_on(root: Path) -> None:
    write_study(root, VARIANTS)
    write_exact(root)
    at = opened("claims_page")
    shown = words(at)
    for said in (
        "reproduced",
        "Plain net: simply stacking layers",
        "42.3 points (95 % interval 38 to 47; needed > 0)",
        "3 seeds · scale cpu · 1 x x86_64 (cpu) · 2026-11-24",
        "lectern reproduce plain_nets_degrade",
        "1 of 1 identities hold",
    ):
        assert said in shown, said
    missing = [frame.value for frame in at.dataframe]
    assert sum(map(len, missing)) == len(rows()) - 2
    assert f"not run: {len(rows()) - 2}" in str(at.get("button_group")[0].proto)


def test_one_click_opens_the_study_and_one_goes_back(root: Path) -> None:
    write_study(root, VARIANTS, pictures=["filters"], erratum="The slide swaps two axes.")
    at = opened("claims_page")
    at.button[0].click().run()
    assert not at.exception
    shown = words(at)
    for said in (
        "42 points higher",  # the reason,
        "42, 38, 47",  # every seed,
        "shared-lr baseline: one learning rate for all",
        "width 8 in place of 16",  # the deviations,
        "The slide swaps two axes.",
        "lies inside its grid",  # the validity checks,
        "0.0316: 0.4",  # the tuning,
        "lectern reproduce plain_nets_degrade",
    ):
        assert said in shown, said
    assert len(at.get("plotly_chart")) == 4  # effects, curves, variants, speed against accuracy
    assert {trace.get("name") for trace in traces(at, 1)} >= {"plain-56", "plain-20"}
    assert len(at.get("image")) == 2  # the same picture of both variants, side by side
    at.button[0].click().run()
    assert "What the lectures claim" in words(at)


def test_a_study_shows_in_which_settings_its_variants_differ(root: Path) -> None:
    verdict = write_study(root, VARIANTS)
    for folder in verdict.parent.glob("plain-20-*seed0*"):
        write_run(folder, network="ResNet", study=library.read_summary(folder)["study"])
    at = opened("claims_page")
    at.button[0].click().run()
    assert "lightning_modules.networks.ResNet" in words(at)


def test_an_address_that_names_no_study_shows_all_claims(root: Path) -> None:
    write_exact(root)
    at = AppTest.from_file(str(PAGES / "claims_page.py"), default_timeout=60)
    at.query_params["study"] = "../../etc/passwd"
    at.run()
    assert not at.exception
    assert "What the lectures claim" in words(at)


# Runs ---------------------------------------------------------------------------------------------------------------------


def test_runs_are_laid_over_each_other_and_what_differs_is_said(root: Path) -> None:
    for i, lr in enumerate((0.1, 0.01)):
        write_run(root / "fcn" / f"run-{i}", lr=lr, seed=i, final=0.1 + 0.1 * i)
    at = opened("runs_page")
    assert set(at.multiselect(key="compare").value) == {"fcn/run-0", "fcn/run-1"}
    drawn = traces(at)
    assert {trace["name"] for trace in drawn} == {"fcn/run-0", "fcn/run-1"}
    differing = next(frame.value for frame in at.dataframe if "setting" in frame.value.columns)
    assert set(differing["setting"]) == {"model.optimizer.lr", "seed_everything"}
    at.selectbox(key="axis").select("seconds").run()
    assert max(traces(at)[0]["x"]) == pytest.approx(42.9)  # type: ignore[call-overload]
    at.slider(key="smoothing").set_value(0.9).run()
    assert len(traces(at)) == 4  # what was logged lies faint behind
    at.multiselect(key="compare").unselect("fcn/run-0").run()
    assert not at.exception
    assert "Choose a second run" in words(at)


def test_runs_are_filtered_by_name_state_and_setting(root: Path) -> None:
    write_run(root / "a" / "one", lr=0.1)
    write_run(root / "a" / "two", lr=0.01, state="failed")
    write_run(root / "b" / "three", lr=0.001, network="ResNet")
    at = opened("runs_page")

    def left() -> list[str]:
        return sorted(next(frame.value for frame in at.dataframe if "run" in frame.value.columns)["run"])

    at.text_input(key="word").set_value("a/").run()
    assert left() == ["a/one", "a/two"]
    at.multiselect(key="states").select("failed").run()
    assert left() == ["a/two"]
    at.text_input(key="word").set_value("").run()
    at.multiselect(key="states").unselect("failed").run()
    at.multiselect(key="by").select("model.optimizer.lr").run()
    at.slider(key="range model.optimizer.lr").set_range(0.005, 0.1).run()
    assert left() == ["a/one", "a/two"]
    at.multiselect(key="by").select("model.network").run()
    at.multiselect(key="value model.network").select("lightning_modules.networks.ResNet").run()
    assert left() == []
    assert not at.exception


def test_the_state_of_a_run_is_what_its_files_and_its_lock_say(root: Path) -> None:
    for name in ("finished", "failed", "diverged", "unfinished"):
        write_run(root / name, state=name)
    write_run(root / "killed", state="running")
    (root / "empty").mkdir()
    (root / "half").mkdir()
    (root / "half" / "summary.json").write_text('{"state": "fini')
    (root / "old").mkdir()
    (root / "old" / "metrics.csv").write_text("step,loss\n1,0.5\n2,0.4\n3,0.\n4")
    (root / "measured").mkdir()
    (root / "measured" / "summary.json").write_text('{"complete": false, "study": {"variant": "a", "seed": 0}}')
    held = RunFolder.open(write_run(root / "now", state="running"))
    begun = RunFolder.make(root, "first", "second")  # has no file yet
    states = {run.name: run.state for run in library.runs(root)}
    assert states == {
        **{name: name for name in ("finished", "failed", "diverged", "unfinished")},
        "killed": "unfinished",
        "empty": "empty",
        "half": "unfinished",
        "old": "unfinished",
        "measured": "unfinished",
        "now": "running",
        "first/second": "running",
    }
    held.release()
    begun.release()
    assert {run.name: run for run in library.runs(root)}["old"].metrics == {"loss": 0.0}
    for page in ("runs_page", "pictures_page", "live_page", "claims_page"):
        opened(page)


# Pictures, Live -----------------------------------------------------------------------------------------------------------


def test_the_same_inputs_stand_side_by_side_and_over_epochs(root: Path) -> None:
    for name in ("one", "two"):
        write_run(root / name, pictures=["epoch_0000", "epoch_0001", "test"])
    at = opened("pictures_page")
    assert len(at.get("image")) == 2
    at.select_slider(key="when").set_value("epoch_0000").run()
    assert "After epoch 1" in words(at)
    at.radio(key="view").set_value("all epochs, one run").run()
    assert not at.exception
    assert len(at.get("image")) == 3


def test_a_live_curve_grows(root: Path) -> None:
    folder = write_run(root / "fcn" / "now", state="running", steps=100)
    held = RunFolder.open(folder)
    at = opened("live_page")
    before = len(traces(at)[0]["x"])  # type: ignore[arg-type]
    with (folder / "metrics.csv").open("a") as file:
        file.write("100,1,11.0,0.5,\n110,1,12.0,0.4,\n12")  # the last row is being written
    at.run()
    assert len(traces(at)[0]["x"]) == before + 2  # type: ignore[arg-type]
    assert "111 optimizer steps" in words(at)
    held.release()


@pytest.mark.parametrize("page", ["claims_page", "runs_page", "pictures_page", "live_page"])
def test_where_nothing_was_run_the_page_says_what_to_type(root: Path, page: str) -> None:
    assert "lectern " in words(opened(page))


# What a stranger may have left --------------------------------------------------------------------------------------------


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
            at.button[0].click().run()
            assert not at.exception
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
    at.button[0].click().run()
    assert not at.exception
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
    from experiments.reports import wording

    write_exact(root)
    write_study(root, VARIANTS, because="cannot")
    sound = wording.headline
    monkeypatch.setattr(wording, "headline", lambda record: 1 / 0 if record.because == "cannot" else sound(record))
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


# Real runs, and the command -----------------------------------------------------------------------------------------------


def test_pages_show_a_real_training(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support.small_runs import SMALL

    assert lectern("fit", "--config", "segmentation/fcn_transpose", *SMALL, "--trainer.max_epochs=2").code == 0
    monkeypatch.setenv(launch.RUNS, str(workdir / "runs"))
    at = opened("runs_page")
    assert at.multiselect(key="compare").value[0].startswith("segmentation/fcn_transpose/")
    assert len(at.get("plotly_chart")) >= 1
    assert "mean IoU, on validation images" in words(at)
    assert len(opened("pictures_page").get("image")) == 1
    assert "No run is under way" in words(opened("live_page"))


def test_the_command_line_keeps_to_this_machine() -> None:
    line = " ".join(launch.command(8600))
    for flag in (
        "--server.address 127.0.0.1",
        "--server.port 8600",
        "--browser.gatherUsageStats false",
        "--client.toolbarMode minimal",
        "--server.allowedHosts 127.0.0.1 --server.allowedHosts localhost",
        "--server.enableCORS true",
        "--server.enableXsrfProtection true",
    ):
        assert flag in line


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
    command = [sys.executable, "-m", "experiments", "dashboard", "--runs", str(root), "--port", str(port)]
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


def test_the_server_finds_no_way_to_another_host() -> None:
    """Streamlit asks a host for this machine's outer address where a foreign page connects; the port in its way hears of it.

    It asks from a process of its own: what else lives in this one may have hosts of its own to ask.
    """
    code = "from streamlit import net_util; net_util.get_external_ip()"
    with socket.create_server(("127.0.0.1", 0)) as heard:
        heard.settimeout(120)
        way = {name: value.replace(":9", f":{heard.getsockname()[1]}") for name, value in launch.NO_WAY_OUT.items()}
        asking = subprocess.Popen([sys.executable, "-c", code], env=os.environ | way)
        try:
            connection, _ = heard.accept()
            with connection:
                assert b"checkip" in connection.recv(1000)
        finally:
            asking.kill()
            asking.wait()


def test_what_is_missing_is_said_in_one_line(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workdir / "runs").mkdir()
    for arguments, said in ((["--runs", "nowhere"], "nowhere: no such folder"), (["--port", "0"], "1 to 65535")):
        result = lectern("dashboard", *arguments)
        assert result.code == 2
        assert said in result.err and result.err.count("\n") == 1
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = lectern("dashboard")
    assert result.code == 2
    assert "pip install 'lectern[dashboard]'" in result.err


def test_the_pages_are_there_without_torch() -> None:
    """Importing torch and Lightning would cost the first page several seconds."""
    code = "import sys; import experiments.dashboard.study_view, experiments.dashboard.library, experiments.reports.overview; "
    code += "bad = {'torch', 'pytorch_lightning'} & set(sys.modules); sys.exit(str(bad) if bad else 0)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
