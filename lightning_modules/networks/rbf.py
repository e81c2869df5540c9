"""LeNet-5's own output: Euclidean radial basis functions with fixed codes (LeCun et al. 1998, section II.B)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lightning_modules.networks.activations import ScaledTanh
from lightning_modules.networks.initialization import Initialization, LeCun
from lightning_modules.networks.lenet import LeNet5

DIGITS = (
    "....... ..###.. .##.##. ##...## ##...## ##...## ##...## ##...## ##...## .##.##. ..###.. .......",
    "....... ...##.. ..###.. .####.. ...##.. ...##.. ...##.. ...##.. ...##.. ...##.. .###### .......",
    "....... .#####. ##...## ##...## .....## ....##. ...##.. ..##... .##.... ##..... ####### .......",
    "....... .#####. ##...## .....## .....## ..####. .....## .....## .....## ##...## .#####. .......",
    "....... ....##. ...###. ..####. .##.##. ##..##. ####### ....##. ....##. ....##. ....##. .......",
    "....... ####### ##..... ##..... ##..... ######. .....## .....## .....## ##...## .#####. .......",
    "....... ..####. .##.... ##..... ##..... ######. ##...## ##...## ##...## ##...## .#####. .......",
    "....... ####### .....## .....## ....##. ....##. ...##.. ...##.. ..##... ..##... ..##... .......",
    "....... .#####. ##...## ##...## ##...## .#####. ##...## ##...## ##...## ##...## .#####. .......",
    "....... .#####. ##...## ##...## ##...## .###### .....## .....## .....## ....##. .####.. .......",
)
"""The digits as bitmaps of 12 rows of 7 pixels, drawn in the manner of figure 3, which is why F6 has 84 units."""


def digit_codes() -> Tensor:
    """float32 (10, 84): +1 where a bitmap is drawn, -1 elsewhere."""
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in drawn.replace(" ", "")] for drawn in DIGITS])


def random_codes(num_classes: int, inputs: int) -> Tensor:
    """float32 (num_classes, inputs) of ±1 with equal probabilities, the other choice that the paper names; always the same."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 2, (num_classes, inputs), generator=generator, device="cpu").float() * 2 - 1


class RBFOutput(nn.Module):
    """Minus the squared distance to each class's code (equation 7): features (B, inputs) to logits (B, num_classes).

    The codes, ``num_classes`` · ``inputs`` numbers of ±1, are parameters "kept fixed": a buffer here. Softmax and
    cross-entropy on these logits are the paper's discriminative criterion (equation 9) without the constant that stands for
    images of no class.
    """

    codes: Tensor

    def __init__(self, inputs: int, num_classes: int) -> None:
        super().__init__()
        digits = num_classes == len(DIGITS) and inputs == 84
        self.register_buffer("codes", digit_codes() if digits else random_codes(num_classes, inputs))

    def forward(self, features: Tensor) -> Tensor:
        # |x - c|^2 in its three terms: a difference of all pairs would be num_classes times as large in memory.
        codes = self.codes.to(features.dtype)
        squares = features.square().sum(1, keepdim=True) + codes.square().sum(1)
        return 2 * features @ codes.T - squares


class LeNet5RBF(LeNet5):
    """LeNet-5 with the output of 1998: images (B, 3, H, W) of at most 32 x 32 pixels to logits (B, num_classes).

    As :class:`~lightning_modules.networks.lenet.LeNet5`, and its output is :class:`RBFOutput`: nothing behind F6 is
    trained, so that it has exactly the paper's 60,000 trainable parameters. Ten classes have the codes of the digits.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        activation: Callable[[], nn.Module] = ScaledTanh,
        pooling: Callable[[int, int], nn.Module] | None = None,
        initialization: Initialization = LeCun(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__(num_classes, activation=activation, pooling=pooling, initialization=initialization)
        self.layers.output = RBFOutput(84, num_classes)
