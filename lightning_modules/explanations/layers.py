"""Layers by name, what they put out, and a copy of a network that explanations may be drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.scene import InputError

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
WEIGHTED = (*CONVOLUTIONS, nn.Linear)


def explainable(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose weights take no gradient and whose activations are not computed in place.

    (A map needs the gradient of the image alone; and a backward hook cannot stand at a layer that overwrites its input.)
    """
    copy = deepcopy(network).eval().requires_grad_(False)
    for module in copy.modules():
        if getattr(module, "inplace", False) is True:
            module.inplace = False  # type: ignore[assignment]
    return copy


def convolutions(network: nn.Module) -> dict[str, nn.Module]:
    """The convolutions by name, transposed ones too, in the order in which they are registered."""
    return {name: module for name, module in network.named_modules() if isinstance(module, CONVOLUTIONS)}


def layer_named(network: nn.Module, name: str) -> nn.Module:
    """The layer of this name.

    Raises:
        InputError: there is none; the message names the convolutions.
    """
    layers = dict(network.named_modules())
    if name and name in layers:
        return layers[name]
    near = get_close_matches(name, layers, n=1, cutoff=0.7)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"no layer {name!r}; the convolutions are {', '.join(convolutions(network)) or 'none'}{hint}")


@contextmanager
def recorded(layers: dict[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """What these layers put out meanwhile, by name, in the order in which they ran: of a layer that ran twice the last."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                outputs.pop(name, None)
                outputs[name] = output

        return hook

    handles = [layer.register_forward_hook(keep(name)) for name, layer in layers.items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def last_convolution(network: nn.Module, images: Tensor, given: Sequence[Tensor] = ()) -> str:
    """The name of the last convolution whose output another layer with weights takes in; in a network of one, that one.

    So it is the last one before a classifier's linear layers, and in a network that ends in a convolution (a detector's head,
    a segmentation's scores) the one before it: the last one's channels are the answers themselves.

    Args:
        network: which puts out scores (B, C).
        images: float (B, 3, H, W), normalised.
        given: what ``network`` takes beside the images.

    Raises:
        InputError: there is no convolution on the way to the scores.
    """
    layers: dict[str, nn.Module] = {name: m for name, m in network.named_modules() if isinstance(m, WEIGHTED)}
    found = list(convolutions(network))
    if not found:
        raise InputError("no convolution: there is no map of what it sees")
    with recorded(layers) as outputs, torch.enable_grad():
        scores = network(images.detach().clone().requires_grad_(), *given)
    order = [name for name in outputs if outputs[name].requires_grad]
    for place in range(len(order) - 1, -1, -1):
        name = order[place]
        later = [outputs[n] for n in order[place + 1 :]]
        if (
            isinstance(layers[name], CONVOLUTIONS)
            and later
            and _reaches(outputs[name], later)
            and _reaches(outputs[name], [scores])
        ):
            return name
    on_the_way = [name for name in order if name in found and _reaches(outputs[name], [scores])]
    if not on_the_way:
        raise InputError("no convolution lies on the way to its scores")
    return on_the_way[-1]


def _reaches(start: Tensor, ends: Sequence[Tensor]) -> bool:
    """Whether one of ``ends`` was computed from ``start``."""
    total = torch.stack([end.sum() for end in ends]).sum()
    (gradient,) = torch.autograd.grad(total, start, retain_graph=True, allow_unused=True)
    return gradient is not None


def feature_maps(network: nn.Module, images: Tensor, given: Sequence[Tensor] = ()) -> dict[str, Tensor]:
    """What each convolution puts out for these images, float (B, C, h, w), by name in the order in which they run."""
    with torch.no_grad(), recorded(convolutions(network)) as outputs:
        network(images, *given)
    return {name: output for name, output in outputs.items() if output.ndim == 4 and len(output) == len(images)}
