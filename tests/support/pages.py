"""What a page of the dashboard shows, as text, through Streamlit's own harness."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from streamlit.testing.v1 import AppTest

from experiments.dashboard import launch
from tests.support.html_words import Words

PAGES = Path(launch.__file__).parent


def opened(page: str) -> AppTest:
    at = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=60)
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    """All the text of a page, its escapes taken out."""
    parts = [
        str(element.value)
        for kind in ("title", "header", "subheader", "markdown", "caption", "code")
        for element in at.get(kind)
    ]
    parts += [str(e.value) for kind in ("info", "warning") for e in at.get(kind)]
    tables = [frame.value.to_csv() for frame in at.dataframe]
    return "\n".join([*parts, *tables]).replace("\\", "") + "\n" + re.sub(" +", " ", " ".join(cards(at).words))


def cards(at: AppTest) -> Words:
    """What a page has of HTML: its words, its tags, and where its links lead."""
    found = Words()
    for element in at.get("html"):
        found.feed(element.proto.body)
    return found


def open_study(at: AppTest, number: int = 0) -> None:
    """Follows the link of a card, as a browser does."""
    address = [one for one in cards(at).addresses if one.startswith("?study=")][number]
    at.query_params["study"] = unquote(address.removeprefix("?study="))
    at.run()
    assert not at.exception


def traces(at: AppTest, number: int = 0) -> list[dict[str, object]]:
    """What is drawn in a page's figure."""
    return list(json.loads(at.get("plotly_chart")[number].proto.spec)["data"])
