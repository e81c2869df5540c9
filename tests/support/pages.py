"""What a page of the dashboard shows, as text, through Streamlit's own harness."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from experiments.dashboard import launch

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
    return "\n".join([*parts, *tables]).replace("\\", "")


def traces(at: AppTest, number: int = 0) -> list[dict[str, object]]:
    """What is drawn in a page's figure."""
    return list(json.loads(at.get("plotly_chart")[number].proto.spec)["data"])
