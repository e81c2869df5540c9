"""What a browser shows of an HTML file, as text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class Words(HTMLParser):
    """The words that a browser shows, and the tags and addresses in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._silent = tag in ("script", "style")
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def read(path: Path) -> Words:
    parser = Words()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser
