"""Whether an object has changed since something was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
import pytorch_lightning as pl

BOOKKEEPING = {*vars(pl.LightningDataModule()), "trainer", "skipped", "remarks", "_loaders", "_made_with", "_cache"}
"""Attributes of a data module that no batch depends on."""


def settings_of(data: pl.LightningDataModule) -> dict[str, Any]:
    """The attributes that batches depend on. Of lists, dicts and sets a copy, since they may be changed where they are."""
    return {
        name: copy(value) if isinstance(value, list | dict | set) else value
        for name, value in vars(data).items()
        if name not in BOOKKEEPING and not isinstance(getattr(type(data), name, None), cached_property)
    }


def unchanged(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether both have the same names and equal values; what cannot be compared is equal to itself alone."""
    return before.keys() == now.keys() and all(_equal(before[name], now[name]) for name in now)


def _equal(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    try:
        return type(a) is type(b) and bool(a == b)
    except (TypeError, ValueError, RuntimeError):
        return False
