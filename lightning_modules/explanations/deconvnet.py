"""The deconvnet: a network run backwards, with the switches of its max pooling (Zeiler & Fergus 2014, section 2.1).

Backwards a convolution becomes its transpose, and a pooling puts each value where its maximum was found on the way there: the
switch. Both are what PyTorch's backward pass does. But a ReLU rectifies the signal that comes back, and does not ask which
units were active. (Springenberg et al. 2015 ask for both: that is guided backpropagation.) Where windows of a pooling overlap,
a place that is the maximum of two gets their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .layers import recorded

_RELUS = (torch.relu, torch.relu_, F.relu, F.relu_, Tensor.relu, Tensor.relu_)


class _Rectified(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> Tensor:  # type: ignore[override]
        return signal.clamp(min=0)


class _Deconvolution(TorchFunctionMode):
    """Every ReLU that is computed meanwhile rectifies what comes back; as a function too, and those in place."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _RELUS:
            return _Rectified.apply(args[0] if args else kwargs["input"])  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))


def deconvnet(network: nn.Module, images: Tensor, target: Tensor, given: Sequence[Tensor] = ()) -> Tensor:
    """The score of a class brought back to the pixels, float (B, 3, H, W).

    Args:
        network: puts out scores (B, C).
        images: float (B, 3, H, W), normalised.
        target: int64 (B,), the class of each image.
        given: what ``network`` takes beside the images.
    """
    images = images.detach().clone().requires_grad_()
    with _Deconvolution(), torch.enable_grad():
        scores = network(images, *given)
    chosen = scores.gather(1, target.to(scores.device)[:, None]).sum()
    (found,) = torch.autograd.grad(chosen, images)
    return found


def reconstruction(
    network: nn.Module, layer: nn.Module, images: Tensor, channel: int | Tensor, given: Sequence[Tensor] = ()
) -> Tensor:
    """The strongest activation of a channel brought back to the pixels, float (B, 3, H, W); all others are set to zero.

    Args:
        network: any that ``layer`` is part of.
        layer: puts out (B, K, h, w).
        images: float (B, 3, H, W), normalised.
        channel: of the layer, one for all images or int64 (B,).
        given: what ``network`` takes beside the images.
    """
    images = images.detach().clone().requires_grad_()
    with _Deconvolution(), torch.enable_grad(), recorded({"": layer}) as outputs:
        network(images, *given)
    maps = outputs[""]
    rows = torch.arange(len(images), device=maps.device)
    chosen = maps[rows, torch.as_tensor(channel, device=maps.device).expand(len(images))].flatten(1)
    # Half the square's derivative is the activation itself at its place, and 0 elsewhere.
    (found,) = torch.autograd.grad((chosen.amax(1).clamp(min=0) ** 2).sum() / 2, images)
    return found
