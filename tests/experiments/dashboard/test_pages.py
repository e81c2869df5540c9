"""The dashboard's pages, each run by Streamlit's own harness: what a student sees, whatever lies in the run folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from experiments.dashboard import launch, library
from experiments.lectures import rows
from experiments.runs.folder import RunFolder
from tests.conftest import Lectern
from tests.support.made_up_runs import write_exact, write_run, write_study
from tests.support.pages import PAGES, cards, open_study, opened, traces, words

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
        "Made-up 1000, 2026-11-24 · 3 seeds · scale cpu",
        "lectern reproduce plain_nets_degrade",
        "1 of 1 identities hold",
    ):
        assert said in shown, said
    assert cards(at).tags.count("tr") - cards(at).tags.count("table") == len(rows()) - 2
    assert f"not run: {len(rows()) - 2}" in str(at.get("button_group")[0].proto)


def test_one_click_opens_the_study_and_one_goes_back(root: Path) -> None:
    write_study(root, VARIANTS, pictures=["filters"], erratum="The slide swaps two axes.")
    at = opened("claims_page")
    open_study(at)
    shown = words(at)
    for said in (
        "42 points higher",  # the reason,
        "seed 0: 42, seed 1: 38, seed 2: 47",  # every seed,
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
    # The slide's own picture, and the same picture of both variants, side by side.
    assert len(at.get("image")) == 3
    at.button[0].click().run()
    assert "What the lectures claim" in words(at)


def test_a_study_shows_in_which_settings_its_variants_differ(root: Path) -> None:
    verdict = write_study(root, VARIANTS)
    for folder in verdict.parent.glob("plain-20-*seed0*"):
        write_run(folder, network="ResNet", study=library.read_summary(folder)["study"])
    at = opened("claims_page")
    open_study(at)
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
    assert {trace["name"] for trace in drawn} == {"lr 0.1, seed 0", "lr 0.01, seed 1"}
    at.segmented_control(key="looked at").set_value("What differs").run()
    differing = next(frame.value for frame in at.dataframe if "setting" in frame.value.columns)
    assert set(differing["setting"]) == {"model.optimizer.lr", "seed_everything"}
    at.segmented_control(key="looked at").set_value("Curves").run()
    at.selectbox(key="axis").select("seconds").run()
    assert max(traces(at, 1)[0]["x"]) == pytest.approx(42.9)  # type: ignore[call-overload]
    at.slider(key="smoothing").set_value(0.9).run()
    assert len(traces(at)) == 4  # what was logged lies faint behind
    at.multiselect(key="compare").unselect("fcn/run-0").run()
    at.segmented_control(key="looked at").set_value("What differs").run()
    assert not at.exception
    assert "Choose a second run" in words(at)


def test_runs_are_filtered_by_name_state_and_setting(root: Path) -> None:
    write_run(root / "a" / "one", lr=0.1)
    write_run(root / "a" / "two", lr=0.01, state="failed")
    write_run(root / "b" / "three", lr=0.001, network="ResNet")
    at = opened("runs_page")

    def left() -> list[str]:
        return sorted(next(frame.value for frame in at.dataframe if "folder" in frame.value.columns)["folder"])

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
    before = len(traces(at, 1)[0]["x"])  # type: ignore[arg-type]
    with (folder / "metrics.csv").open("a") as file:
        file.write("100,1,11.0,0.5,\n110,1,12.0,0.4,\n12")  # the last row is being written
    at.run()
    assert len(traces(at, 1)[0]["x"]) == before + 2  # type: ignore[arg-type]
    assert "111 optimizer steps" in words(at)
    held.release()


@pytest.mark.parametrize("page", ["claims_page", "runs_page", "pictures_page", "live_page"])
def test_where_nothing_was_run_the_page_says_what_to_type(root: Path, page: str) -> None:
    assert "lectern " in words(opened(page))


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
    code = "import sys; import experiments.dashboard.study_view, experiments.dashboard.server, experiments.dashboard.run_view; "
    code += "bad = {'torch', 'pytorch_lightning'} & set(sys.modules); sys.exit(str(bad) if bad else 0)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
