"""How large a checkpoint will be once the optimizer has made a step, and room on the disk for it before."""

from __future__ import annotations

import copy
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

RECORD = 400
"""Bytes that a tensor takes in a checkpoint beside its numbers: a header, a place in the index, a description."""


def state_to_come(optimizer: Optimizer) -> int:
    """The bytes that an optimizer's state will take in a checkpoint; 0 where it has one.

    A twin of it makes a step on parameters of the same shapes that hold no memory (device ``meta``), with gradients of zeros;
    optimizer and parameters are left as they are. An optimizer that cannot make such a step is taken for one with two
    tensors a parameter, as Adam's are.
    """
    if optimizer.state:
        return 0
    try:
        state = _state_of_a_twin(optimizer)
    except Exception:
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        return 2 * sum(p.nbytes + RECORD for p in parameters)
    return sum(value.nbytes + RECORD for values in state.values() for value in values.values() if isinstance(value, Tensor))


def _state_of_a_twin(optimizer: Optimizer) -> dict[Tensor, dict[str, Any]]:
    twin = copy.copy(optimizer)  # by its own __getstate__, so without what a schedule hung on its step
    twin.state, twin.param_groups = defaultdict(dict), []
    for group in optimizer.param_groups:
        own: dict[str, Any] = {**group, "params": [torch.empty_like(p, device="meta") for p in group["params"]]}
        for parameter in own["params"]:
            parameter.grad = torch.empty_like(parameter)
        # The plain loop: what is fused, or captured, runs on a real device only. The state is the same.
        own |= {key: False for key in ("foreach", "fused", "capturable") if key in own}
        twin.param_groups.append(own)
    twin.step()
    return dict(twin.state)


def reserve(path: Path, size: int) -> None:
    """Makes a file ``size`` bytes longer, with room for them on the disk.

    Raises:
        OSError: the disk is full, or files may not become so large.
    """
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), end, size)
            return
        for begin in range(0, size, 2**20):
            file.write(bytes(min(2**20, size - begin)))
        file.flush()
        os.fsync(file.fileno())
