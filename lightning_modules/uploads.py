"""Copies from the CPU to where a network computes, for which nobody waits.

``torch.tensor(values, device=...)`` and ``.to(device)`` wait on a GPU until it has done all that it was given before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def goes_on(device: torch.device) -> bool:
    """Whether a copy to the device may be under way while the program goes on; on a Mac's it could be read too early."""
    return device.type not in ("cpu", "mps")


def uploaded(values: Tensor, device: torch.device) -> Tensor:
    """The values on the device; what is there already is handed on."""
    return values.to(device, non_blocking=goes_on(device))


def moved(value: Any, device: torch.device) -> Any:
    """A tensor, or a list of tensors, on the device; anything else as it is."""
    if isinstance(value, list):
        return [moved(v, device) for v in value] if value and isinstance(value[0], Tensor) else value
    return uploaded(value, device) if isinstance(value, Tensor) else value


def numbers(values: Sequence[float], like: Tensor) -> Tensor:
    """(N,): so many numbers, of the type of ``like`` and on its device."""
    return uploaded(torch.tensor(values, dtype=like.dtype), like.device)
