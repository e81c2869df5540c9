"""The pictures of all claims of lecture 1, and of two of lecture 2, by their ids."""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    activations,
    classifiers,
    connectivity,
    convolution,
    depth,
    detection,
    features,
    few_data,
    filters,
    generalization,
    ladder,
    nets,
    neurons,
    optimization,
    pixels,
    proposals,
    trade_off,
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
    proposals,
    detection,
    ladder,
    trade_off,
)
SLIDES: Mapping[str, Slide] = dict(sorted({claim: slide for room in ROOMS for claim, slide in room.SLIDES.items()}.items()))
