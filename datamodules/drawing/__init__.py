"""Drawn scenes: the drawing engine of the embedded data set ``Shapes``."""

from __future__ import annotations

from datamodules.drawing.composition import draw
from datamodules.drawing.outlines import OUTLINES
from datamodules.drawing.style import FIGURE, Style, specification

__all__ = ["FIGURE", "OUTLINES", "Style", "draw", "specification"]
