"""What becomes of a phrase when its image is mirrored, cropped or recoloured: it stays true, or it goes.

A phrase may say where a thing is, how large it looks and what stands beside it. A mirror image exchanges left and right, and
nothing else; whatever shows another part of the scene may make such a phrase false, and nobody asks the annotator again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, quoted

LEFT_OUT = ""
"""What stands in the place of a phrase that may be false now. Its object stays, and is trained on as one without a phrase."""

TOLERANCE = 0.01
"""Parts of a side by which an image may have moved and still be the same one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ACROSS = (("left", "right"), ("leftmost", "rightmost"), ("lefthand", "righthand"), ("leftward", "rightward"))
_ALONG = (("above", "below"), ("top", "bottom"), ("upper", "lower"), ("over", "under"), ("topmost", "bottommost"))
_OTHER_PLACES = _words("middle center centre corner edge side background foreground")
_SIZES = _words(
    "small smaller smallest medium large larger largest big bigger biggest tiny little huge giant tall taller tallest "
    "short shorter shortest long longer longest wide wider widest narrow"
)
_NEIGHBOURS = _words(
    "near nearest nearby next beside behind between among around front close closer closest far farther farthest "
    "distant distance beneath underneath adjacent against opposite together"
)

DEPENDENT = frozenset(word for pair in (*_ACROSS, *_ALONG) for word in pair) | {*_OTHER_PLACES, *_SIZES, *_NEIGHBOURS}
"""Words of place, size and neighbourhood: what they say depends on how much of the scene an image shows."""

COLORS = _words(
    "red orange yellow lime green jade cyan azure blue purple violet pink magenta brown black white gray grey beige "
    "tan golden gold silver blonde blond colorful colourful colored coloured teal turquoise maroon navy dark light "
    "bright"
)

RECOLORING = _words(
    "ChannelDropout ChannelShuffle ChromaticAberration ColorJitter Equalize FDA FancyPCA HEStain HistogramMatching "
    "HueSaturationValue InvertImg PixelDistributionAdaptation PlanckianJitter RGBShift RandomToneCurve Solarize "
    "Superpixels ToGray ToSepia"
)
"""albumentations' transforms after which a colour may have another name, by the names of their classes."""

_TABLES = {
    (across, along): {a: b for pairs in (_ACROSS * across, _ALONG * along) for pair in pairs for a, b in (pair, pair[::-1])}
    for across in (False, True)
    for along in (False, True)
}

Mirrored = tuple[bool, bool]
"""Whether left and right were exchanged, and whether top and bottom were."""


def mirrored(before: NDArray[Any], after: NDArray[Any]) -> Mirrored | None:
    """How an image was moved, from points (N, 2) in parts of its sides before and after; None where other than by mirrors."""
    for way in _TABLES:
        expected = np.where(way, 1 - before, before)
        if bool((np.abs(after - expected) <= TOLERANCE).all()):  # NaN, a point that has left the image, is no such place
            return way
    return None


def true_phrases(phrases: Sequence[str], way: Mirrored | None) -> list[str]:
    """The phrases that are true of an image after it was moved; :data:`LEFT_OUT` in the place of those that may not be.

    Mirrored images have their words of place exchanged. After any other movement phrases without :data:`DEPENDENT` words
    stay as they are.
    """
    if way is None:
        return [LEFT_OUT if DEPENDENT & set(phrase.lower().split()) else phrase for phrase in phrases]
    table = _TABLES[way]
    if not table:
        return list(phrases)
    return [" ".join(table.get(word, word) for word in phrase.split()) for phrase in phrases]


def check_colors(phrases: Sequence[str], transforms: Sequence[Any]) -> None:
    """Refuses what would change a colour that a phrase names.

    Raises:
        InputError: it names the transform and the phrase.
    """
    recoloring = list(_recoloring(transforms))
    named = next((phrase for phrase in phrases if COLORS & set(phrase.lower().split())), None) if recoloring else None
    if named is not None:
        raise InputError(
            f"data.augment: {recoloring[0]} changes colours, and a caption names one ({quoted(named)}): leave the transform out"
        )


def _recoloring(transforms: Sequence[Any]) -> Iterator[str]:
    for transform in transforms:
        if type(transform).__name__ in RECOLORING:
            yield type(transform).__name__
        yield from _recoloring(getattr(transform, "transforms", ()))


def is_cut(size: tuple[int, int], image_size: tuple[int, int]) -> bool:
    """Whether an image of ``size`` (H, W) loses a part of it where it fills ``image_size`` (H, W)."""
    (height, width), (target_height, target_width) = size, image_size
    return abs(height * target_width / (width * target_height) - 1) > TOLERANCE
