"""The dashboard and the report in a real browser: no error, and no request to another machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.runs.folder import RunFolder
from experiments.runs.notes import add_note, change_tags, read_notes
from tests.support.accessible import grave_violations
from tests.support.browsing import CHROMIUM, HOSTILE, PATIENCE, SIZES, SMALL_TEXT, Watch, find_texts, keep, serving
from tests.support.made_up_findings import write_evaluation, write_findings
from tests.support.made_up_runs import write_exact, write_run, write_study
from tests.support.reduced import reproduced

playwright = pytest.importorskip("playwright.sync_api")
pytest.importorskip("streamlit")
pytestmark = [pytest.mark.skipif(not CHROMIUM, reason="no Chromium here"), pytest.mark.slow]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies, runs of their own, one of them under way, and what a stranger may have left."""
    root = tmp_path_factory.mktemp("dashboard") / "runs"
    variants = {"plain-56": [0.62, 0.60, 0.66], "plain-20": [0.20, 0.22, 0.19]}
    write_study(root, variants, pictures=["filters"])
    write_study(root, {HOSTILE: [0.3, 0.2], "b": [0.1, 0.1]}, claim="D10", name="cnn/other", title=HOSTILE, because=HOSTILE)
    write_exact(root)
    for i in range(2):
        write_run(root / "fcn" / f"run-{i}", seed=i, lr=0.1 / (1 + i), pictures=["epoch_0000", "epoch_0001"])
    found = find_texts(150)
    strange = {"title": found[0], "because": found[1], "says": found[2], "deviations": found}
    write_study(root, {"a": [0.3, 0.2], "b": [0.1, 0.1]}, claim="D11", name="cnn/strange", **strange)
    write_run(root / HOSTILE / "http:" / "evil.example", name=HOSTILE, pictures=[HOSTILE])
    write_findings(root / "fcn" / "run-0", names=["cat", HOSTILE])
    write_findings(write_evaluation(root / "fcn" / "run-0"), names=["cat", "dog"])
    add_note(root / "fcn" / "run-0", f"first {HOSTILE}")
    change_tags(root / "fcn" / "run-0", add=("good", HOSTILE[:30]))
    RunFolder.open(write_run(root / "fcn" / "now", state="running", steps=200))
    (root / "empty").mkdir()
    return root


@pytest.fixture(scope="module")
def trained(runs: Path) -> Path:
    """Beside them what a reduced study and ``lectern fit`` leave: real runs, a real verdict, pictures of two epochs."""
    from tests.support.small_runs import SMALL

    assert reproduced(["E03"], runs).failed == {}
    command = [sys.executable, "-m", "experiments", "fit", "--config", "segmentation/fcn_transpose", *SMALL]
    command += ["--trainer.max_epochs=2", "--pictures.count=2", "--runs", str(runs)]
    subprocess.run(command, cwd=Path(__file__).parents[3], env=os.environ | {"WANDB_MODE": "offline"}, check=True)
    (folder,) = (runs / "segmentation" / "fcn_transpose").iterdir()
    return folder


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    with serving(runs) as at:
        yield at


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_every_page_opens_without_error_or_foreign_request(
    address: str, browser: Any, tmp_path: Path, size: str, scheme: str
) -> None:
    expected = {
        "": "42.3 points",
        "runs_page": "Runs to compare",
        "runs_page?run=fcn/run-0": "What the test found",
        "pictures_page": "After epoch 2",
        "live_page": "191 optimizer steps",
        "?study=cnn/plain_nets_degrade@cpu": "Conditions of the experiment",
        "?study=cnn/other@cpu": "Conditions of the experiment",
    }
    look(address, browser, expected, tmp_path, size, scheme)


def test_every_page_opens_on_runs_of_real_training(address: str, trained: Path, browser: Any, tmp_path: Path) -> None:
    expected = {
        "": "1 seed",
        "runs_page": "Runs to compare",
        f"runs_page?run=segmentation/fcn_transpose/{trained.name}": "mean IoU, on validation images",
        "pictures_page": "After epoch 2",
        "?study=cs231n/one_box_per_category@cpu": "Conditions of the experiment",
    }
    look(address, browser, expected, tmp_path, "desktop", "light")


def look(address: str, browser: Any, expected: dict[str, str], tmp_path: Path, size: str, scheme: str) -> None:
    """Opens each page, and waits for the words that are expected on it: nothing of it is hard to read, or runs off the side."""
    page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    watch = Watch(page, address)
    for path, words in expected.items():
        page.goto(f"{address}/{path}")
        page.get_by_text(words).first.wait_for(state="attached")
        if path not in ("", "pictures_page"):
            page.locator(".js-plotly-plot").first.wait_for()
        assert page.get_by_test_id("stException").count() == 0
        for place in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
            assert page.evaluate(f"{place}.scrollWidth <= {place}.clientWidth + 1"), path
        assert grave_violations(page) == [], path
        assert page.evaluate(SMALL_TEXT) == [], path
        keep(page, f"{size}-{scheme}-{len(expected)}-{re.sub('[^a-z_]', '_', path) or 'claims'}", tmp_path)
    assert watch.errors == []
    assert watch.elsewhere == []
    page.close()


def test_a_running_curve_grows_without_a_reload(address: str, browser: Any, runs: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/live_page")
    page.get_by_text("191 optimizer steps").wait_for()
    with (runs / "fcn" / "now" / "metrics.csv").open("a") as file:
        file.write("300,3,33.0,0.5,\n")
    page.get_by_text("301 optimizer steps").wait_for()
    page.close()


def test_the_report_opens_from_disk_and_draws(browser: Any, runs: Path, tmp_path: Path) -> None:
    from experiments.reports.write import write_reports

    path = write_reports(runs, "cpu")["page"]
    for size, scheme in (("desktop", "light"), ("phone", "dark")):
        page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
        page.set_default_timeout(PATIENCE)
        watch = Watch(page, path.as_uri())
        page.goto(path.as_uri())
        page.locator("[data-figure]").last.scroll_into_view_if_needed()  # a figure is drawn when it is about to be seen
        page.locator("[data-figure] .main-svg").last.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep(page, f"{size}-{scheme}-report", tmp_path)
        assert watch.errors == [] and watch.elsewhere == []
        page.close()


def test_the_report_prints_with_all_its_figures(browser: Any, runs: Path) -> None:
    """To paper or PDF, before anybody has scrolled: each figure is drawn at once, no wider than the page, and dark on white."""
    from experiments.reports.write import write_reports

    page = browser.new_page(viewport=SIZES["phone"], color_scheme="dark")
    page.set_default_timeout(PATIENCE)
    watch = Watch(page, path := write_reports(runs, "cpu")["page"].as_uri())
    page.goto(path)
    page.locator("html[data-ready]").wait_for(state="attached")
    blank = """() => {
      dispatchEvent(new Event("beforeprint"));
      const places = [...document.querySelectorAll("[data-figure]")].filter((p) => p.offsetParent);
      const drawn = places.filter((p) => p.querySelector(".main-svg .scatterlayer path"));
      const wide = drawn.filter((p) => p.querySelector(".main-svg").getBoundingClientRect().width > 700);
      return [places.length, drawn.length, wide.length];
    }"""
    places, drawn, wide = page.evaluate(blank)
    assert places == drawn >= 4 and wide == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", page.pdf(), re.S)
    lines = sum(len(re.findall(rb" l\n", content)) for content in map(_unpacked, streams))
    assert lines > 100 * drawn / 4
    page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watch.errors == [] and watch.elsewhere == []
    page.close()


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


def test_the_first_page_of_a_fresh_install_is_there_at_once(browser: Any, tmp_path: Path) -> None:
    """Without a folder of runs; the time is for whoever measures (2 s on an idle machine), a busy one only has to get there."""
    with serving(None, cwd=tmp_path) as address:
        page = browser.new_page(viewport=SIZES["desktop"])
        page.set_default_timeout(PATIENCE)
        began = time.monotonic()
        page.goto(address)
        page.get_by_text("verdicts come with Lectern").wait_for()
        print(f"first content after {time.monotonic() - began:.1f} s")
        assert page.get_by_test_id("stException").count() == 0
        page.close()


def test_a_keyboard_opens_a_study_and_goes_back(address: str, browser: Any) -> None:
    page = browser.new_page(viewport=SIZES["desktop"])
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_label("Search").fill("d09")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Open the study: D10").first.wait_for(state="detached")
    page.get_by_role("link", name="Open the study: D09").first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Conditions of the experiment").first.wait_for()
    page.get_by_role("button", name="All claims").focus()
    page.keyboard.press("Enter")
    page.get_by_text("What the lectures claim").first.wait_for()
    page.close()


def test_a_note_is_written_in_the_browser_and_lies_in_the_run_s_folder(address: str, browser: Any, runs: Path) -> None:
    page = browser.new_page(viewport=SIZES["phone"])
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/runs_page?run=fcn/run-1")
    page.get_by_label("New note").fill("overfits from epoch 3 on")
    page.get_by_role("button", name="Add note").click()
    page.get_by_text("overfits from epoch 3 on").first.wait_for()
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and not read_notes(runs / "fcn" / "run-1").notes:
        time.sleep(0.2)
    assert [note.text for note in read_notes(runs / "fcn" / "run-1").notes] == ["overfits from epoch 3 on"]
    page.close()


def test_a_browser_shows_a_stranger_s_text_as_it_is(address: str, browser: Any) -> None:
    """Streamlit's own Markdown, with its colours, emoji, formulas and links, on generated texts: each is there, and no more."""
    for query in ("", "?study=cnn/strange@cpu"):
        page = browser.new_page()  # each has a session of its own: the one before may still be drawn
        page.set_default_timeout(PATIENCE)
        watch = Watch(page, address)
        page.goto(f"{address}/{query}")
        main = page.get_by_test_id("stMain")
        last = main.locator("li", has_text="deviations") if query else main.get_by_role("link", name="Open the study: D11")
        last.last.wait_for(state="attached")
        foreign = "[data-testid=stHtml] a:not([href^='?study='])"
        places = ("[data-testid=stMarkdown] a[href]", "[data-testid=stMarkdown] img", "[data-testid=stHtml] img", foreign)
        for selector in (*places, "script", ".katex", "iframe"):
            assert main.locator(selector).count() == 0, selector
        shown = [line for line in main.locator("[data-testid=stMarkdown] li").all_inner_texts() if "deviations" in line]
        assert watch.errors == [] and watch.elsewhere == []
        page.close()
    texts = [" ".join(line.partition(": ")[2].replace("\u2060", "").split()) for line in shown]
    assert texts == [" ".join(text.split()) for text in find_texts(150)]
