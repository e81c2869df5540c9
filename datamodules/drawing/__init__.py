"""Drawn scenes: the drawing engine of the embedded data set ``Shapes``."""

from __future__ import annotations

from .albums import Album, album
from .composition import draw
from .outlines import OUTLINES
from .style import FIGURE, Style, metadata

__all__ = ["FIGURE", "OUTLINES", "Album", "Style", "album", "draw", "metadata"]
