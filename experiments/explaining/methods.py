"""What ``lectern explain`` can draw: each method's name, what it means in a sentence, and its paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from torch import Tensor, nn

from datamodules.scene import InputError
from experiments.command_line.guesses import did_you_mean
from lightning_modules.explanations import maps
from lightning_modules.explanations.deconvnet import deconvnet

Draw = Callable[[nn.Module, nn.Module, Tensor, Tensor, Sequence[Tensor]], Tensor]
"""(scores, layer, images, target, given) to a map (B, H, W), or in colours (B, 3, H, W)."""


class Method(NamedTuple):
    """One way of making visible what a network does."""

    title: str
    means: str
    paper: str
    draw: Draw | None = None
    """Of a method that explains an image."""
    shown: Literal["heat", "colours"] = "heat"
    """Whether such a map is laid over the image, or is a picture of its own around grey."""


def _occlusion(network: nn.Module, layer: nn.Module, images: Tensor, target: Tensor, given: Sequence[Tensor]) -> Tensor:
    side = min(images.shape[-2:])
    window = max(2, side // 6)
    return maps.occlusion(network, images, target, given, window=window, stride=max(1, window // 2))


METHODS: dict[str, Method] = {
    "gradients": Method(
        "gradients",
        "How much the score changes with each pixel: the gradient's greatest magnitude over the three colours.",
        "Simonyan et al. 2013, Deep inside convolutional networks",
        lambda network, layer, images, target, given: maps.gradients(network, images, target, given),
    ),
    "guided_backpropagation": Method(
        "guided backpropagation",
        "The gradient, but each ReLU passes back only what raises the score, through units that were active. Sharp edges, and "
        "they are much the same with random weights.",
        "Springenberg et al. 2015, Striving for simplicity",
        lambda network, layer, images, target, given: maps.guided_backpropagation(network, images, target, given),
        "colours",
    ),
    "deconvnet": Method(
        "deconvnet",
        "The network run backwards from the score: transposed filters, and max pooling undone at the places that it remembers.",
        "Zeiler & Fergus 2014, Visualizing and understanding convolutional networks",
        lambda network, layer, images, target, given: deconvnet(network, images, target, given),
        "colours",
    ),
    "grad_cam": Method(
        "Grad-CAM",
        "The layer's channels, each weighted by how much it raises the score on average. As coarse as the layer.",
        "Selvaraju et al. 2017, Grad-CAM",
        lambda network, layer, images, target, given: maps.grad_cam(network, layer, images, target, given),
    ),
    "occlusion": Method(
        "occlusion",
        "How much the score falls where a square of the mean colour hides the image. Slow, and asks nothing of the network.",
        "Zeiler & Fergus 2014, section 4.2",
        _occlusion,
    ),
    "filters": Method(
        "first-layer filters",
        "The first convolution's weights as pictures; grey is 0. Trained ones are smooth: edges, waves, spots of colour.",
        "Krizhevsky et al. 2012, figure 3",
    ),
    "feature_maps": Method(
        "feature maps",
        "What a layer's channels say of the image: of each layer those that say most, from dark (least) to bright (most).",
        "Zeiler & Fergus 2014, figure 4",
    ),
    "activation_maximisation": Method(
        "activation maximisation",
        "An image made from noise so that a channel answers as strongly as it can.",
        "Erhan et al. 2009; Simonyan et al. 2013, section 2",
    ),
    "nine_images": Method(
        "the nine images",
        "The images in which a channel answers most, and what the deconvnet brings back of that one answer.",
        "Zeiler & Fergus 2014, figure 2",
    ),
}


def chosen(names: str) -> dict[str, Method]:
    """The methods of a list with commas; all of them where it is empty.

    Raises:
        InputError: there is none of a name.
    """
    wanted = [name.strip().replace("-", "_") for name in names.split(",") if name.strip()] or list(METHODS)
    for name in wanted:
        if name not in METHODS:
            hint = did_you_mean(name, METHODS)
            raise InputError(f"--methods {name}: no such method; there are {', '.join(METHODS)}{hint}")
    return {name: METHODS[name] for name in METHODS if name in wanted}
