"""Augmentations that studies name.

Class paths by hand, and nowhere else in the lectures: albumentations is imported by ``datamodules/transforms.py`` alone.
"""

from __future__ import annotations

from typing import Any

FLIP: dict[str, Any] = {"class_path": "albumentations.HorizontalFlip"}
SHIFT: dict[str, Any] = {
    "class_path": "albumentations.Affine",
    "init_args": {"translate_percent": [-0.125, 0.125], "border_mode": 4, "p": 1.0},
}
"""By up to an eighth of the image; what comes in is mirrored."""
NOISE: dict[str, Any] = {"class_path": "albumentations.GaussNoise", "init_args": {"std_range": [0.0, 0.1], "p": 1.0}}
"""Of a standard deviation of up to a tenth of the range."""
