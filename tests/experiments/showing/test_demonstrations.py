"""Each demonstration's first pictures, at a tiny size."""

from __future__ import annotations

from itertools import islice
from xml.etree import ElementTree

import pytest

from experiments.reports.moving.drawing import WIDTH
from experiments.showing.catalogue import DEMONSTRATIONS, Shown

SVG = "{http://www.w3.org/2000/svg}"
TINY = 0.04


@pytest.mark.parametrize("shown", DEMONSTRATIONS, ids=lambda shown: shown.name)
def test_its_first_frames(shown: Shown) -> None:
    frames = list(islice(shown.steps(TINY), 2))
    assert len(frames) == 2
    assert frames[0].svg != frames[1].svg
    for frame in frames:
        head = ElementTree.fromstring(frame.svg)
        assert head.get("aria-label") == frame.words
        assert frame.words.endswith(".")
        height = float((head.get("viewBox") or "").split()[-1])
        for text in head.iter(f"{SVG}text"):
            assert 0 < float(text.get("x", 0)) < WIDTH
            assert 0 < float(text.get("y", 0)) < height


def test_the_same_seed_draws_the_same() -> None:
    from experiments.showing.demonstrations.descent import momentum
    from experiments.showing.demonstrations.generalization import dropout

    for demonstration in (momentum, dropout):
        first, again = ([frame.svg for frame in islice(demonstration(TINY), 2)] for _ in range(2))
        assert first == again


def test_momentum_is_ahead_and_outliers_pull_the_squares() -> None:
    """What the two quickest demonstrations end with is what they are there for."""
    from experiments.showing.demonstrations.dense import robust_losses
    from experiments.showing.demonstrations.descent import momentum

    losses = [float(word.rstrip(".,")) for word in list(momentum())[-1].words.replace("κ = ", "").split() if word[0].isdigit()]
    assert losses[-1] < losses[-3] / 100
    off = [float(word.rstrip(".,")) for word in list(robust_losses())[-1].words.split() if "." in word and word[0].isdigit()]
    assert off[0] > 5 * max(off[1:])
