"""W&B never asks, blocks or fails; its own settings are obeyed, and what it made of them is recorded."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from datamodules.scene import InputError
from experiments.runs.files import read_summary
from experiments.training import wandb_logging
from experiments.training.wandb_logging import Forgiving, finish_wandb, wandb_logger, wandb_mode
from tests.conftest import Lectern
from tests.support.small_runs import SMALL, one_run
from tests.support.wandb_around import agent, processes_of_wandb

KEY = "0" * 40
FIT = ["fit", "--config", "segmentation/fcn_transpose", *SMALL, "--pictures.count=0"]
SETTINGS = {
    "WANDB_PROJECT": "my-project",
    "WANDB_ENTITY": "my-team",
    "WANDB_NAME": "my name",
    "WANDB_RUN_GROUP": "my group",
    "WANDB_TAGS": "blue,green",
    "WANDB_NOTES": "the second try",
    "WANDB_JOB_TYPE": "my job",
    "WANDB_RUN_ID": "myid",
}


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, workdir: Path) -> Iterator[None]:
    """Somebody whom W&B does not know."""
    finish_wandb()  # its settings are read once, and another test's may be there
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_BASE_URL", "NETRC", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(workdir))
    monkeypatch.setenv("WANDB_SILENT", "true")
    yield
    finish_wandb()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")


def written(run: Path) -> bytes:
    """All that W&B's files of a run hold."""
    return b"".join(path.read_bytes() for path in sorted((run / "wandb").glob("offline-run-*/*.wandb")))


# Which mode ---------------------------------------------------------------------------------------------------------------


def test_without_a_network_the_mode_is_offline(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens there
    assert wandb_mode("auto") == "offline"
    assert "http://127.0.0.1:9 takes no connection" in capsys.readouterr().err
    assert wandb_mode("disabled") == "disabled"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_mode("auto") == "disabled"


def test_without_a_key_nobody_is_contacted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(wandb_logging, "_reachable", lambda server, proxy: asked.append(server) or True)
    assert wandb_mode("auto") == "offline" and asked == []
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    finish_wandb()
    import wandb

    assert wandb_mode("auto") == "online" and asked == [wandb.Settings().base_url], "W&B's own server, whichever that is"


def test_a_key_in_netrc_is_a_key(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
        (workdir / ".netrc").write_text(f"machine 127.0.0.1:{port}\n  login user\n  password {KEY}\n")
        (workdir / ".netrc").chmod(0o600)
        assert wandb_mode("auto") == "online"


def test_the_way_to_the_server_may_be_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert wandb_mode("auto") == "online"
    assert wandb_mode("auto") == "offline", "it is gone"


@pytest.mark.parametrize(("named", "mode"), [("run", "online"), ("dryrun", "offline"), ("online", "online")])
def test_every_name_of_a_mode_is_known(named: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", named)
    assert wandb_mode("auto") == mode


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert wandb_mode("online") == "online"


def test_wandb_offline_in_a_folder_is_obeyed(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setattr(wandb_logging, "_reachable", lambda server, proxy: True)
    (workdir / "wandb").mkdir()
    (workdir / "wandb" / "settings").write_text("[default]\nmode = offline\n")
    assert wandb_mode("auto") == "offline"


def test_what_cannot_be_online_is_one_line(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = lectern(*FIT, "--wandb", "online")
    assert result.code == 2
    assert "wandb login" in result.err and "--wandb offline" in result.err
    assert not list(workdir.glob("runs/**/*.*"))
    for name, value, said in (
        ("WANDB_MODE", "shared", "WANDB_MODE=shared: online, offline or disabled expected"),
        ("WANDB_MODE", "on", "WANDB_MODE=on"),
        ("WANDB_API_KEY", "short", "WANDB_API_KEY"),
        ("WANDB_BASE_URL", "nowhere", "base_url"),
        ("WANDB_RESUME", "perhaps", "resume"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            finish_wandb()
            with pytest.raises(InputError, match=said) as raised:
                wandb_mode("auto")
            assert "\n" not in str(raised.value)


class Refusing(BaseHTTPRequestHandler):
    """A server that knows nobody."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said of it."""


def test_a_server_that_refuses_is_one_line(lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.delenv("WANDB_MODE", raising=False)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.server_address[1]}")
        asked = lectern(*FIT, "--wandb", "online")
        unasked = lectern(*FIT, "--trainer.max_epochs=1", "--runs", "unasked")
        server.shutdown()
    assert asked.code == 2 and "lectern: W&B: " in asked.err and "401" in asked.err
    assert unasked.code == 0 and "W&B keeps the run here" in unasked.err
    run = one_run(workdir / "unasked")
    assert list((run / "wandb").glob(f"offline-run-*-{read_summary(run)['wandb_id']}"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for W&B's process in /proc")
def test_a_run_goes_on_where_wandb_s_process_is_killed(workdir: Path) -> None:
    logger = Forgiving("offline", workdir / "first", "n", {}, fall_back=False)
    logger.begin()
    for process in processes_of_wandb():
        os.kill(process, signal.SIGKILL)
    began = time.monotonic()
    logger.log_metrics({"a": 1.0}, 1)
    logger.finalize("success")
    finish_wandb()
    assert time.monotonic() - began < 20
    again = Forgiving("offline", workdir / "second", "n", {}, fall_back=False)
    assert again.begin()["wandb_id"] != logger.begin()["wandb_id"]
    again.log_metrics({"a": 1.0}, 1)
    finish_wandb()
    assert written(workdir / "second")


def test_nothing_is_written_before_the_run_begins(workdir: Path) -> None:
    """A checkpoint that a run is to go on from may still turn out not to fit."""
    logger = Forgiving("offline", workdir / "run", "n", {}, fall_back=False)
    _ = logger.experiment  # Lightning asks for it before it restores anything
    logger.log_metrics({"a": 1.0}, 1)
    assert not (workdir / "run").exists()


def test_one_process_writes_a_run(monkeypatch: pytest.MonkeyPatch, offline: None) -> None:
    monkeypatch.setenv("RANK", "1")
    folder: object = None  # is not looked at
    assert wandb_logger("offline", folder, dict) == []  # type: ignore[arg-type]


# What W&B is told, and what is recorded -----------------------------------------------------------------------------------


def test_an_offline_run_lies_in_the_run_s_folder(lectern: Lectern, workdir: Path, offline: None) -> None:
    assert lectern(*FIT, "--trainer.max_epochs=1").code == 0
    run = one_run(workdir / "runs")
    (folder,) = (run / "wandb").glob("offline-run-*")
    summary = read_summary(run)
    assert folder.name.endswith(summary["wandb_id"])
    assert summary["wandb_project"] == "lectern" and summary["wandb_group"] == "segmentation/fcn_transpose"
    assert summary["wandb_name"] == f"segmentation/fcn_transpose/{run.name}"


def test_the_configuration_is_wandb_s_too_by_dotted_names(lectern: Lectern, workdir: Path, offline: None) -> None:
    assert lectern(*FIT, "--trainer.max_epochs=1", "--model.optimizer.lr=0.0123").code == 0
    content = written(one_run(workdir / "runs"))
    for part in (b"model.optimizer.lr", b"0.0123", b"data.image_size", b"trainer.max_epochs", b"seed_everything"):
        assert part in content
    assert b"ckpt_path" not in content, "where a run lies is not what it is"


def test_the_environment_is_obeyed_and_recorded(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    assert lectern(*FIT, "--trainer.max_epochs=1").code == 0
    run = one_run(workdir / "runs")
    content, summary = written(run), read_summary(run)
    for value in ("my-project", "my-team", "my name", "my group", "blue", "green", "the second try", "my job", "myid"):
        assert value.encode() in content
    assert b"lectern/" not in content
    assert {part: summary[f"wandb_{part}"] for part in wandb_logging.KEPT} == {
        "id": "myid",
        "project": "my-project",
        "entity": "my-team",
        "name": "my name",
        "group": "my group",
    }


def test_a_second_run_of_one_process_reads_the_environment_anew(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    for project in ("first", "second"):
        monkeypatch.setenv("WANDB_PROJECT", project)
        assert lectern(*FIT, "--trainer.max_epochs=1", "--runs", project).code == 0
        assert read_summary(one_run(workdir / project))["wandb_project"] == project


def test_a_sweep_s_run_has_the_agent_s_id(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    agent(monkeypatch, workdir, "agentrun")
    result = lectern(*FIT, "--trainer.max_epochs=1", "--model.optimizer.lr=0.0123")
    assert result.code == 0 and "WARNING" not in result.err
    run = one_run(workdir / "runs")
    (folder,) = (run / "wandb").glob("offline-run-*")
    summary = read_summary(run)
    assert folder.name.endswith("-agentrun") and summary["wandb_id"] == "agentrun"
    assert summary["wandb_project"] == "the-sweep-s" and b"s1" in written(run)
    assert yaml.safe_load((run / "config.yaml").read_text())["model"]["init_args"]["optimizer"]["init_args"]["lr"] == 0.0123


def test_a_resumed_run_goes_on_as_the_one_it_was(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch, offline: None
) -> None:
    monkeypatch.setenv("WANDB_PROJECT", "first")
    monkeypatch.setenv("WANDB_NAME", "its name")
    assert lectern(*FIT, "--trainer.max_epochs=1").code == 0
    run = one_run(workdir / "runs")
    before = read_summary(run)
    resume = [*FIT, "--ckpt_path", str(run / "checkpoints" / "last.ckpt")]
    monkeypatch.delenv("WANDB_NAME")
    monkeypatch.setenv("WANDB_PROJECT", "second")
    monkeypatch.setenv("WANDB_RUN_ID", "another")
    result = lectern(*resume, "--trainer.max_epochs=2")
    assert result.code == 0
    assert "W&B's project of a resumed run stays first; second is not used" in result.err
    after = read_summary(run)
    assert {key: after[key] for key in after if key.startswith("wandb_")} == {
        key: before[key] for key in before if key.startswith("wandb_")
    }
    assert len(list((run / "wandb").glob(f"offline-run-*-{before['wandb_id']}"))) == 2
    assert b"second" not in written(run)

    # A sweep's agent waits for the run that it has started, whichever checkpoint that goes on from.
    agent(monkeypatch, workdir, "agentrun")
    assert lectern(*resume, "--trainer.max_epochs=3").code == 0
    assert (read_summary(run)["wandb_id"], read_summary(run)["wandb_project"]) == ("agentrun", "the-sweep-s")
