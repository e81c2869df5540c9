"""Which pixels a score depends on: gradients, guided backpropagation, Grad-CAM and occlusion, all of them Captum's.

A network here puts out scores (B, C), and ``target``, int64 (B,), says which class of each image is explained. ``given`` are
tensors (B, ...) that it takes beside the images.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

AT_ONCE = 2**20
"""Pixels that pass the network together while parts of images are occluded."""


def gradients(network: nn.Module, images: Tensor, target: Tensor, given: Sequence[Tensor] = ()) -> Tensor:
    """The score's gradient in the image, float (B, 3, H, W).

    Simonyan et al. 2013, "Deep inside convolutional networks", section 3.
    """
    from captum.attr import Saliency

    found: Tensor = Saliency(network).attribute(_wanted(images), target, abs=False, **_beside(given))
    return found.detach()


def guided_backpropagation(network: nn.Module, images: Tensor, target: Tensor, given: Sequence[Tensor] = ()) -> Tensor:
    """The gradient where each ``nn.ReLU`` passes back only what is positive, float (B, 3, H, W).

    Springenberg et al. 2015, "Striving for simplicity", section 3.4. A network without ReLUs has plain gradients.
    """
    from captum.attr import GuidedBackprop

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")
        found: Tensor = GuidedBackprop(network).attribute(_wanted(images), target, **_beside(given))
    return found.detach()


def grad_cam(network: nn.Module, layer: nn.Module, images: Tensor, target: Tensor, given: Sequence[Tensor] = ()) -> Tensor:
    """A layer's channels, each weighted by its mean gradient, summed and rectified: float (B, H, W), enlarged bilinearly.

    Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2.

    Args:
        layer: puts out (B, K, h, w).
    """
    from captum.attr import LayerAttribution, LayerGradCam

    coarse = LayerGradCam(network, layer).attribute(_wanted(images), target, relu_attributions=True, **_beside(given))
    size = (images.shape[-2], images.shape[-1])
    found: Tensor = LayerAttribution.interpolate(coarse.detach(), size, "bilinear")
    return found[:, 0]


def occlusion(
    network: nn.Module, images: Tensor, target: Tensor, given: Sequence[Tensor] = (), *, window: int, stride: int
) -> Tensor:
    """How much the score falls where a square of the mean colour hides the image: float (B, H, W).

    Of each pixel the mean over the squares that hide it. Zeiler & Fergus 2014, section 4.2.

    Args:
        window: the square's side in pixels.
        stride: pixels between two squares.
    """
    from captum.attr import Occlusion

    count, channels, height, width = images.shape
    found: Tensor = Occlusion(network).attribute(
        images,
        (channels, min(window, height), min(window, width)),
        strides=(channels, min(stride, height), min(stride, width)),
        baselines=0,
        target=target,
        perturbations_per_eval=max(1, AT_ONCE // (count * height * width)),
        **_beside(given),
    )
    return found[:, 0].detach()


def heat(found: Tensor) -> Tensor:
    """A map as one number a pixel, float (B, H, W): of colours the greatest magnitude (Simonyan et al. 2013, section 3.1)."""
    return found.abs().amax(1) if found.ndim == 4 else found


def _wanted(images: Tensor) -> Tensor:
    return images.detach().clone().requires_grad_()


def _beside(given: Sequence[Tensor]) -> dict[str, Any]:
    return {"additional_forward_args": tuple(given)} if given else {}


def predicted(network: nn.Module, images: Tensor, given: Sequence[Tensor] = ()) -> Tensor:
    """The class of the greatest score of each image, int64 (B,)."""
    with torch.no_grad():
        scores: Tensor = network(images, *given)
    return scores.argmax(1)
