"""Whether a page that stands alone is sound: its tags close, nothing is fetched, pictures and controls have words."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page is made of, and whether its tags close."""

    VOID = ("meta", "input", "br", "rect", "circle", "line", "path", "polyline", "polygon", "image", "use")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def policy(self) -> str:
        """What the page may load, and ask its server for."""
        (found,) = [own["content"] for tag, own in self.tags if own.get("http-equiv") == "Content-Security-Policy"]
        return found or ""

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def check_page(text: str) -> Page:
    """It is sound, fetches nothing, and each control says what it does."""
    page = Page(text)
    assert "default-src 'none'" in page.policy
    for tag, own in page.tags:
        for name in ("src", "href", "xlink:href"):
            assert not (own.get(name) or "").startswith(("http", "//", "/")), f"{tag} fetches {own[name]}"
        if tag == "svg":
            assert own.get("role") == "img" and own.get("aria-label"), "a picture that says nothing"
        if tag == "input":
            assert own.get("aria-label")
    assert dict(page.tags)["html"].get("lang") == "en"
    return page
