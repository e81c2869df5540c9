"""A browser for the tests of pages: the dashboard's server, what a page asks for, and texts that a stranger may have left."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.hostile import PAYLOADS

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
PATIENCE = 120_000
"""Milliseconds; a busy machine is slow."""
HOSTILE = "<img src=x onerror=alert(1)>"
SMALL_TEXT = """[...document.querySelectorAll(".js-plotly-plot text")]
  .filter((text) => text.textContent.trim() && parseFloat(getComputedStyle(text).fontSize) < 14)
  .map((text) => text.textContent)"""
"""The texts in figures that are smaller than 14 pixels."""
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@contextmanager
def serving(runs: Path | None, cwd: Path = Path(__file__).parents[2]) -> Iterator[str]:
    """``lectern dashboard``, as it is typed; the address of its first page."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    folder = ["--runs", str(runs)] if runs else []
    command = [sys.executable, "-m", "experiments", "dashboard", *folder, "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError("the dashboard did not start")


class Watch:
    """What a page asked for, and what went wrong in it."""

    def __init__(self, page: Any, allowed: str) -> None:
        self.elsewhere: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self._asked(request.url, allowed))
        page.on("websocket", lambda socket: self._asked(socket.url.replace("ws:", "http:"), allowed))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def _asked(self, url: str, allowed: str) -> None:
        if not url.startswith((allowed, "data:", "blob:")):
            self.elsewhere.append(url)


def keep(page: Any, name: str, tmp_path: Path) -> None:
    """A picture of the page, into LECTERN_SCREENSHOTS where somebody wants to look."""
    if main := page.query_selector("[data-testid=stMain]"):  # Streamlit scrolls a part of the page, not the page
        size = page.viewport_size
        page.set_viewport_size(
            {"width": size["width"], "height": min(4000, max(size["height"], main.evaluate("it => it.scrollHeight")))}
        )
        page.wait_for_timeout(1000)
    page.screenshot(path=str(Path(os.environ.get("LECTERN_SCREENSHOTS", tmp_path)) / f"{name}.png"), full_page=True)


def find_texts(count: int) -> list[str]:
    """Texts in which what means something in Markdown stands beside each other, the same in every run."""
    rng = random.Random(0)
    words = [
        *PAYLOADS,
        *"\\`*_<>[]|#&~$:!-+=.)@^{}/ ",
        "a",
        "1",
        "http://",
        "www.",
        ":red[",
        "](",
        "![",
        "&lt;",
        "$$",
        ":+1:",
        "x",
    ]
    sound = [word for word in words if word.isprintable() and len(word) < 60]
    made = ["x" + "".join(rng.choices(sound, k=rng.randint(1, 6))) for _ in range(count)]
    return [f"{text}y" for text in made]
