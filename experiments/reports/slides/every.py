"""The pictures of all slides of lecture 1, by claim."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    activations,
    classifiers,
    connectivity,
    convolution,
    depth,
    features,
    few_data,
    filters,
    generalization,
    nets,
    neurons,
    optimization,
    pixels,
    training,
)
from .slide import Slide

ROOMS = (
    features,
    neurons,
    classifiers,
    activations,
    connectivity,
    convolution,
    filters,
    pixels,
    training,
    generalization,
    few_data,
    nets,
    depth,
    optimization,
)
SLIDES: Mapping[str, Slide] = dict(sorted({claim: slide for room in ROOMS for claim, slide in room.SLIDES.items()}.items()))
