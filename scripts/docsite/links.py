"""Links of the repository's pages, as the site has them: the same text leads somewhere on GitHub and here.

A page of ``docs/`` names other files as GitHub does, by their place in the repository. Pages of the top level stand on the site
beside those of ``docs/``; code does not stand there, and a link to it keeps its words alone.
"""

from __future__ import annotations

import posixpath
import re

TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages of the repository's top level, and where they stand on the site."""

_LINK = re.compile(r"(?P<image>!?)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_FENCED = re.compile(r"(```.*?```)", re.DOTALL)


def site_links(text: str, place: str) -> str:
    """A page's Markdown with its links as the site has them; what stands in a block of code is left alone.

    Args:
        text: the page.
        place: its path in the repository, as ``docs/running.md``.
    """
    own = posixpath.dirname(site_path(place) or "")

    def moved(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        there = site_path(posixpath.normpath(posixpath.join(posixpath.dirname(place), target)))
        if there is None:
            return match["words"] if not match["image"] else match[0]
        address = posixpath.relpath(there, own or ".")
        return f"{match['image']}[{match['words']}]({address}{'#' if anchor else ''}{anchor})"

    return "".join(piece if piece.startswith("```") else _LINK.sub(moved, piece) for piece in _FENCED.split(text))


def site_path(place: str) -> str | None:
    """Where a file of the repository stands on the site; None where it does not."""
    if place in TOP:
        return TOP[place]
    return place.removeprefix("docs/") if place.startswith("docs/") else None
