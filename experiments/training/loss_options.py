"""The numbers of a task's losses, looked at before anything is built; a wrong one would train, and only badly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from datamodules.scene import InputError

RANGES: dict[str, tuple[float, float, str]] = {
    "focal_gamma": (0.0, math.inf, "0 or more expected; 0 leaves the errors as they are, 2 is the paper's"),
    "label_smoothing": (0.0, 1.0, "0 to 1 expected, the part of the target that is spread over all classes"),
}
"""By argument: the least and the greatest value, and what is said of others."""


def check(arguments: Any) -> None:
    """Looks at a task's arguments by name.

    Raises:
        InputError: a number is out of its range, or not finite; a weight of a class is not above 0.
    """
    for name, (least, greatest, expected) in RANGES.items():
        value = arguments.get(name)
        if isinstance(value, int | float) and not (least <= value <= greatest and math.isfinite(value)):
            raise InputError(f"model.{name}: {value:g}: {expected}")
    weights = arguments.get("class_weights")
    named = vars(weights) if hasattr(weights, "__dict__") else weights
    if isinstance(named, Mapping):
        for name, weight in named.items():
            if isinstance(weight, int | float) and not 0 < weight < math.inf:
                raise InputError(f"model.class_weights: {name} has {weight:g}; a number above 0 expected")
