"""Colours: twelve hues with a word for each."""

from __future__ import annotations

from colorsys import hsv_to_rgb

RGB = tuple[int, int, int]

HUES = ("red", "orange", "yellow", "lime", "green", "jade", "cyan", "azure", "blue", "purple", "magenta", "pink")
"""The words of the hues, 30 degrees apart from red at 0."""


def rgb(hue: float, saturation: float, value: float) -> RGB:
    """The RGB bytes of a hue in twelfths of the circle (the hue of ``HUES[k]`` is k), a saturation and a value in [0, 1]."""
    red, green, blue = hsv_to_rgb(hue / 12 % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """``share`` of the second colour in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
