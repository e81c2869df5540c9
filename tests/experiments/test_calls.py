"""Nobody is called: no command, of somebody who is logged in nowhere and has set nothing, asks another host for anything."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

import experiments
from experiments.dashboard import launch
from experiments.reproduction.table import BEGIN, END
from tests.support import warm
from tests.support.ears import Ears, kernel_tells, listening
from tests.support.small_runs import SMALL

needs_kernel = pytest.mark.skipif(not kernel_tells(), reason="this kernel does not tell of connections: only the proxy listens")


@pytest.fixture
def ears() -> Iterator[Ears]:
    with listening() as ears:
        yield ears


# The ears hear ------------------------------------------------------------------------------------------------------------


def heard_of(code: str, ears: Ears, home: Path) -> str:
    """What is heard of a few lines of Python, whose own errors do not matter."""
    ears.run([sys.executable, "-c", code], home)
    return "\n".join(ears.heard)


def test_who_asks_the_proxy_is_heard(ears: Ears, tmp_path: Path) -> None:
    heard = heard_of("import urllib.request; urllib.request.urlopen('https://vendor.example/usage')", ears, tmp_path)
    assert "vendor.example:443" in heard


CALLS = {
    "a connection": ("import socket; socket.create_connection(('203.0.113.1', 443))", "203.0.113.1 port 443"),
    "IPv6": ("import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::1', 443))", "2001:db8::1 port 443"),
    "a message": (
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'used', ('203.0.113.2', 9))",
        "203.0.113.2 port 9",
    ),
    "a name": ("import socket; socket.getaddrinfo('vendor.example', 443)", "the name s"),
    "a thread of a child": (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import socket, threading; threading.Thread("
        'target=socket.create_connection, args=[("203.0.113.3", 80)]).start()\'])',
        "203.0.113.3 port 80",
    ),
}


@needs_kernel
@pytest.mark.parametrize("call", CALLS)
def test_who_asks_no_proxy_is_heard(call: str, ears: Ears, tmp_path: Path) -> None:
    code, expected = CALLS[call]
    assert expected in heard_of(code, ears, tmp_path)


def test_this_machine_is_nobody(ears: Ears, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]})); print('through')"
        assert ears.run([sys.executable, "-c", code], tmp_path) == (0, "through\n")
    assert ears.heard == []


FAILING = """
import pytorch_lightning
class Failing(pytorch_lightning.Callback):
    def on_train_batch_end(self, *arguments): raise RuntimeError("it breaks")
"""

# The commands -------------------------------------------------------------------------------------------------------------


@dataclass
class Trained:
    """The folder of somebody who has trained once, and what was heard of it; what runs further commands there."""

    home: Path
    heard: list[str]
    ears: Ears
    warm: subprocess.Popen[str]

    def run(self, *words: str) -> tuple[int, str, list[str]]:
        """A command's exit code, what it said, and whom it called; the first one's calls are also those of its libraries."""
        log = self.home / "log"
        assert self.warm.stdin and self.warm.stdout
        self.warm.stdin.write(json.dumps([str(log), *words]) + "\n")
        self.warm.stdin.flush()
        code, heard = int(self.warm.stdout.readline()), list(self.ears.heard)
        self.ears.heard.clear()
        return code, log.read_text(), heard

    @property
    def checkpoint(self) -> str:
        (path,) = self.home.glob("runs/**/best.ckpt")
        return str(path)


@pytest.fixture(scope="module")
def staying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ears, subprocess.Popen[str]]]:
    """A process that has imported onnxruntime and waits, beside the other tests: they need not wait for it."""
    code = "import time; from experiments.training.export import onnxruntime; onnxruntime(); time.sleep(25)"
    with listening() as ears:
        process = ears.start([sys.executable, "-c", code], tmp_path_factory.mktemp("staying"))
        yield ears, process
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, staying: object) -> Iterator[Trained]:
    home = tmp_path_factory.mktemp("home")
    (home / "photos").mkdir()
    Image.new("RGB", (40, 40), (200, 10, 10)).save(home / "photos" / "red.png")
    (home / "README.md").write_text(f"{BEGIN}\n{END}\n")
    (home / "mine.py").write_text(FAILING)
    with listening() as ears, listening() as of_others:
        code, said = ears.run(experiments.command("fit", "--config", "segmentation/fcn_transpose", *SMALL), home)
        assert code == 0, said
        with of_others.start([sys.executable, warm.__file__], home, stdin=subprocess.PIPE) as process:
            yield Trained(home, ears.heard, of_others, process)
            process.kill()


@pytest.mark.slow
def test_a_training_calls_nobody(trained: Trained) -> None:
    assert trained.heard == []
    assert list(trained.home.glob("runs/**/offline-run-*/*.wandb")), "W&B keeps the run here"


COMMANDS = {
    "help": ("--help", 0),
    "list": ("list", 0),
    "doctor": ("doctor --config segmentation/fcn_transpose --data.workers=0 --run", 0),
    "validate": ("validate --ckpt_path CHECKPOINT", 0),
    "test": ("test --ckpt_path CHECKPOINT", 1),  # three minutes' worth of training is expected
    "predict": ("predict --ckpt_path CHECKPOINT --data ImageFiles --data.root photos", 0),
    "explain": ("explain --ckpt_path CHECKPOINT --limit 1 --search 2", 0),
    "export": ("export --ckpt_path CHECKPOINT", 0),
    "reproduce": ("reproduce output_size_is_a_formula --jobs 1", 0),
    "reproduce --list": ("reproduce --list", 0),
    "reproduce --check": ("reproduce --check", 1),  # a table without rows
    "an error in a training": (
        f"fit --config segmentation/fcn_transpose {' '.join(SMALL)} --trainer.callbacks+ mine.Failing",
        1,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_calls_nobody(command: str, trained: Trained) -> None:
    line, expected = COMMANDS[command]
    if command == "export" and find_spec("onnxruntime") is None:
        pytest.skip("onnxruntime is not installed")
    words = line.replace("CHECKPOINT", trained.checkpoint).split()
    code, said, heard = trained.run(*words)
    assert code == expected, said
    assert heard == []


@pytest.mark.slow
@needs_kernel
def test_who_calls_from_a_command_is_heard(trained: Trained) -> None:
    """A class of the user's own, in a fork of the process that runs the commands."""
    (trained.home / "calling.py").write_text("import socket\nsocket.create_connection(('203.0.113.9', 443))\n")
    code, _, heard = trained.run("fit", "--config", "segmentation/fcn_transpose", "--data", "calling.Data")
    assert code != 0 and any("203.0.113.9 port 443" in line for line in heard)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("streamlit") is None, reason="Streamlit is not installed")
def test_the_dashboard_calls_nobody(trained: Trained, ears: Ears) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    server = ears.start(experiments.command("dashboard", "--port", str(port), "--no-browser"), trained.home)
    try:
        assert "<html" in page(f"http://127.0.0.1:{port}/", server)
    finally:
        server.terminate()
        server.communicate(timeout=60)
    drawn = "import sys; from streamlit.testing.v1 import AppTest; "
    drawn += (
        "at = AppTest.from_file(sys.argv[1], default_timeout=120).run(); sys.exit(str(at.exception) if at.exception else 0)"
    )
    app = str(Path(launch.__file__).with_name("app.py"))
    code, said = ears.run([sys.executable, "-c", drawn, app], trained.home, **{launch.RUNS: str(trained.home / "runs")})
    assert code == 0, said
    assert ears.heard == []


def page(address: str, server: subprocess.Popen[str]) -> str:
    """The page, once the server is there."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), opener.open(address, timeout=5) as answer:
            return str(answer.read().decode())
        time.sleep(0.3)
    raise AssertionError("the dashboard did not start")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed")
def test_onnxruntime_calls_nobody_while_it_stays(staying: tuple[Ears, subprocess.Popen[str]]) -> None:
    """Its Linux wheel calls its vendor some seconds after the import, later than a small export takes."""
    ears, process = staying
    said, _ = process.communicate(timeout=600)
    assert (process.returncode, said) == (0, "")
    assert ears.heard == []
