"""The docs site: it builds without a warning, each link and anchor leads somewhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytest.importorskip("material", reason="the extra docs is not installed")
pytest.importorskip("mkdocstrings")

from mkdocs.config import load_config

from experiments import ROOT
from scripts.docsite.__main__ import CONFIG
from scripts.docsite.links import site_links


class Tags(HTMLParser):
    """The ids of a page, what it links to, and what a browser loads for it by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        self.ids |= {own[name] for name in ("id", "name") if own.get(name)}
        if tag == "a" and "href" in own:
            self.links.append(own["href"])
        if tag == "link" and own.get("rel") not in ("canonical", "prev", "next", "alternate"):
            self.loaded.append(own.get("href", ""))
        if own.get("src"):
            self.loaded.append(own["src"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)


def built(folder: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "scripts.docsite", "build", "--output", str(folder)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_it_builds_without_a_warning_and_leads_nowhere_else(tmp_path: Path) -> None:
    # One test, so that the site is built once.
    ended = built(tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    pages = {path.resolve(): Tags(path.read_text(encoding="utf-8")) for path in tmp_path.rglob("*.html")}
    assert len(pages) > 15
    assert sorted(broken(pages)) == []
    assert [(path.name, own) for path, tags in pages.items() for own in tags.loaded if own.startswith(("http", "//"))] == []
    styles = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.css")]
    assert not any(re.search(r"""url\(["']?(https?:)?//""", style) for style in styles)


def broken(pages: dict[Path, Tags]) -> Iterator[str]:
    """Links of the site's pages into the site that lead nowhere, or to an anchor that is not there."""
    for path, tags in pages.items():
        for link in tags.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, anchor = urldefrag(link)
            there = (path.parent / unquote(target)).resolve() if target else path
            if path.name == "404.html":  # shown for any address: its links begin at the root
                continue
            if not there.is_file() or (anchor and there in pages and unquote(anchor) not in pages[there].ids):
                yield f"{path.name}: {link}"


def test_a_link_that_leads_nowhere_ends_the_build() -> None:
    config = load_config(str(CONFIG))
    assert config.strict
    kinds = config.validation
    levels = [kinds.links.not_found, kinds.links.anchors, kinds.links.absolute_links, kinds.links.unrecognized_links]
    assert set(levels) == {logging.WARNING}


def test_links_lead_to_the_same_page_on_github_and_on_the_site() -> None:
    assert site_links("[a](docs/running.md#a-run-is-a-folder)", "README.md") == "[a](running.md#a-run-is-a-folder)"
    assert site_links("[a](../CONTRIBUTING.md)", "docs/running.md") == "[a](contributing.md)"
    assert site_links("![a](claims.png) [b](glossary.md)", "docs/running.md") == "![a](claims.png) [b](glossary.md)"
    assert site_links("[`x`](scripts/docs) and [y](#z)", "README.md") == "`x` and [y](#z)"
    assert site_links("```\n[a](docs/b.md)\n```", "README.md") == "```\n[a](docs/b.md)\n```"
    assert site_links("[web](https://example.org/x)", "README.md") == "[web](https://example.org/x)"
