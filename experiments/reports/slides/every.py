"""The pictures of all slides of lecture 1, by claim."""

from __future__ import annotations

from collections.abc import Mapping

from . import activations, classifiers, neurons
from .slide import Slide

SLIDES: Mapping[str, Slide] = {
    **neurons.SLIDES,
    **classifiers.SLIDES,
    **activations.SLIDES,
}
