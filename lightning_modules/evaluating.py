"""Evaluation mode for a while, and lazy layers, whose sizes are found in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Puts a module into evaluation mode, and afterwards each part of it back into its own: a frozen backbone stays frozen."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def materialise(network: nn.Module, image_size: tuple[int, int]) -> None:
    """Gives lazy layers their sizes, with one empty image of ``image_size`` (H, W)."""
    if any(nn.parameter.is_lazy(p) for p in network.parameters()):
        with torch.no_grad(), evaluating(network):
            network(torch.zeros(1, 3, *image_size))
