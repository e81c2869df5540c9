"""The pages in a real browser: the keys of who stands before people, a page that grows, letters that are read at the back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.reports.moving.drawing import Drawing
from experiments.reports.moving.frame import Frame, frame
from experiments.showing.catalogue import named
from experiments.showing.claims import claim
from experiments.showing.page import as_json, present_page, show_page
from experiments.showing.server import PageServer

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), "")
pytestmark = [pytest.mark.skipif(not CHROMIUM, reason="no Chromium here"), pytest.mark.slow]
PATIENCE = 120_000
"""Milliseconds; a busy machine is slow."""


def made_up(count: int) -> list[Frame]:
    found = []
    for i in range(count):
        sheet = Drawing()
        sheet.text(480, 100, f"picture {i}")
        found.append(frame(sheet, f"Words of step {i}."))
    return found


@pytest.fixture(scope="module")
def screen() -> Iterator[Any]:
    """An empty page of a projector's size; an error of a script, or a request to another machine, fails the test."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.set_default_timeout(PATIENCE)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "request", lambda sent: errors.append(sent.url) if "127.0.0.1" not in sent.url and sent.url[:4] == "http" else 0
        )
        yield page
        assert not errors
        browser.close()


def smallest_letters(page: Any) -> float:
    """Pixels of the smallest text that is seen, that of pictures as it is scaled."""
    return float(
        page.evaluate(
            """() => Math.min(...[...document.querySelectorAll('body *')].filter(e => e.getClientRects().length &&
            [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && !['SCRIPT', 'STYLE'].includes(e.tagName))
            .map(e => { const svg = e.closest('svg'); const size = parseFloat(getComputedStyle(e).fontSize);
            const box = svg && svg.viewBox.baseVal;
            return svg ? size * Math.min(svg.clientWidth / box.width, svg.clientHeight / box.height)
            : size; }))"""
        )
    )


def test_steps_by_keys(screen: Any, tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_text(show_page(named("F12"), made_up(4), is_live=False), encoding="utf-8")
    screen.goto(place.as_uri())
    words = screen.locator("#words")
    assert words.inner_text() == "Words of step 0."
    for key, number in (("ArrowRight", 1), ("End", 3), ("ArrowRight", 3), ("ArrowLeft", 2), ("Home", 0), ("PageDown", 1)):
        screen.keyboard.press(key)
        assert words.inner_text() == f"Words of step {number}."
    screen.focus("#slider")
    screen.keyboard.press("ArrowRight")
    assert words.inner_text() == "Words of step 2.", "the slider and the page take a key once"
    assert screen.locator(".step:visible").count() == 1
    assert screen.locator("#slider").get_attribute("aria-valuetext") == "step 3 of 4"
    assert smallest_letters(screen) >= 24


def test_a_page_grows_and_shows_the_newest(screen: Any) -> None:
    steps = made_up(2)

    def answer(parameters: Any) -> tuple[str, bytes]:
        return "application/json", as_json(steps[int(parameters["from"]) :], is_over=len(steps) > 3, ended="")

    page = show_page(named("relu"), [], is_live=True).encode()
    server = PageServer(0, {"/": lambda _: ("text/html", page), "/steps": answer})
    server.begin()
    try:
        screen.goto(server.address)
        screen.locator("#words", has_text="Words of step 1.").wait_for()
        steps.append(made_up(3)[2])
        screen.locator("#words", has_text="Words of step 2.").wait_for()
        screen.keyboard.press("Home")  # who looks back is left there
        steps.append(made_up(4)[3])
        screen.locator("#count", has_text="1 of 4").wait_for()
        assert screen.locator("#words").inner_text() == "Words of step 0."
    finally:
        server.shutdown()
        server.server_close()


def test_claims_by_keys(screen: Any, tmp_path: Path) -> None:
    shown = [claim(id_) for id_ in ("A17", "F12", "H04")]
    place = tmp_path / "lecture.html"
    place.write_text(present_page("few", shown, {c.id: made_up(3) for c in shown}), encoding="utf-8")
    screen.goto(place.as_uri())
    title = screen.locator("h1:visible")
    for key, id_ in (("ArrowRight", "F12"), ("PageDown", "H04"), (" ", "H04"), ("ArrowLeft", "F12"), ("Home", "A17")):
        screen.keyboard.press(key)
        assert title.inner_text().startswith(id_)
    screen.keyboard.press("ArrowDown")
    assert screen.locator("figcaption:visible").inner_text() == "Words of step 1. (2 of 3)"
    screen.keyboard.press("ArrowUp")
    assert screen.locator("figcaption:visible").inner_text() == "Words of step 0. (1 of 3)"
    assert smallest_letters(screen) >= 24
