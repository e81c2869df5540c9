"""A slide's picture in the dashboard: an image with its words, in the colour of the page's text."""

from __future__ import annotations

import pytest

pytest.importorskip("streamlit")


def page() -> None:
    from experiments.dashboard.parts import drawing
    from experiments.reports.section import SlidePicture
    from experiments.reports.slides.every import SLIDES

    slide = SLIDES["A10"]
    drawing(SlidePicture(lambda: slide.svg("A10"), slide.says))


def test_it_is_an_image_with_its_words() -> None:
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    (shown,) = at.get("imgs")[0].proto.imgs
    assert "layers of weights" in shown.caption
    assert "svg" in shown.url
