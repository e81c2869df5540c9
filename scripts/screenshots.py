"""Takes docs/claims.png and docs/runs.png of the dashboard over a folder of runs."""

from __future__ import annotations

import io
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from experiments import command

DOCS = Path(__file__).parents[1] / "docs"
SIZE: ViewportSize = {"width": 1200, "height": 900}
STUDY = "plain_nets_degrade/plain"
"""The runs that are laid over each other: those whose names hold this."""
MOST = 200_000
"""Bytes of a picture: it is fetched by everyone who opens the README."""


def main() -> int:
    runs = sys.argv[1]
    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    server = subprocess.Popen(command("dashboard", "--runs", runs, "--port", str(port), "--no-browser"))
    try:
        address = f"http://127.0.0.1:{port}"
        wait(f"{address}/_stcore/health", server)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.set_default_timeout(120_000)
            page.goto(address)
            page.get_by_role("link", name="Open the study").first.wait_for()
            keep(page, DOCS / "claims.png")
            page.set_viewport_size({"width": 1200, "height": 1480})
            page.goto(f"{address}/runs_page")
            page.get_by_label("Name contains").fill(STUDY)
            page.get_by_label("Name contains").press("Enter")
            page.get_by_text(re.compile(r"^[1-9]\d* of \d+ runs")).wait_for()
            page.wait_for_timeout(3000)
            page.get_by_role("button", name="Take all shown").click()
            page.locator(".js-plotly-plot").first.wait_for()
            page.get_by_label("Colour by").click()
            page.keyboard.type("depth")
            page.keyboard.press("Enter")
            page.locator(".js-plotly-plot").first.wait_for()
            keep(page, DOCS / "runs.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return 0


def wait(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until the server answers; ends with it where it does not start."""
    while server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    sys.exit(server.returncode)


def keep(page: Any, path: Path) -> None:
    """The page as a PNG of 128 colours, and smaller where that is still too much."""
    page.wait_for_timeout(3000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    while True:
        out = io.BytesIO()
        picture.quantize(128).save(out, "PNG", optimize=True)
        if out.tell() < MOST:
            break
        picture = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5), Image.Resampling.LANCZOS)
    path.write_bytes(out.getvalue())
    print(f"{path} {out.tell() / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
