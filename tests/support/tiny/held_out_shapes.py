"""Drawn scenes without some combinations, which need no file."""

from __future__ import annotations

from .common import Tiny

TINY = {"HeldOutShapes": Tiny(None, {"train": 4, "val": 2, "test": 2}, image_size=48)}
