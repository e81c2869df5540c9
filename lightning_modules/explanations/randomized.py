"""The same network without what it has learned: the control of every explanation.

Adebayo et al. 2018, "Sanity checks for saliency maps": a map that stays as it is when the weights are drawn anew shows the
image, and not what the network has learned.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeVar

import torch
from torch import nn

SEED = 1_000_003
"""That no run begins with: with a run's own, the weights drawn would be those that its training began from."""

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def randomized(network: NetworkT, seed: int = SEED) -> NetworkT:
    """A copy whose weights are all drawn anew, as each layer draws its own; the statistics of normalisations too.

    A parameter of a module that does not say how it is drawn is drawn from a normal distribution of its own mean and standard
    deviation.

    Args:
        network: any.
        seed: of the weights; torch's own generator is left as it was.
    """
    copy = deepcopy(network).cpu()  # so that all devices draw the same
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed GPUs as well, and they are not put back
        for module in copy.modules():
            reset: Any = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
                continue
            for parameter in module.parameters(recurse=False):
                drawn = torch.randn(parameter.shape).to(parameter)
                parameter.copy_(parameter.mean() + drawn * parameter.std(correction=0))
    place = next(network.parameters(), torch.zeros(0)).device
    return copy.to(place)
