"""A slide's picture in the dashboard: an image with its words, in the colour of the page's text."""

from __future__ import annotations

import base64

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
    (shown,) = list(at.main)[-1].proto.imgs  # Streamlit's harness has had two names for its kind
    assert "layers of weights" in shown.caption
    kind, _, content = shown.url.partition(";base64,")
    assert kind == "data:image/svg+xml"
    assert b"; color: #" in base64.b64decode(content), "an image knows nothing of the page's colour"
