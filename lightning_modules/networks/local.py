"""Three ways to connect the same hidden units: to everything, locally, or locally with shared weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Connection = Callable[[int, int, tuple[int, int]], nn.Module]
"""Makes a layer from its input channels, its output channels and the (H, W) of its input, which it halves."""


class SharedConnection(nn.Conv2d):
    """Convolution, 5 x 5 with stride 2: local connections whose weights all positions share.

    (B, inputs, H, W) to (B, outputs, ⌈H/2⌉, ⌈W/2⌉).
    """

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]) -> None:
        super().__init__(inputs, outputs, 5, stride=2, padding=2)


class LocalConnection(nn.Module):
    """Locally connected layer: as :class:`SharedConnection`, with weights and biases of its own at every position.

    Deck "CNN, R-CNN", slides "Idea background for CNN"; LeCun 1989, "Generalization and network design strategies".
    ``weight`` is (L, outputs, inputs · 25) and ``bias`` (L, outputs), for L = ⌈H/2⌉ ⌈W/2⌉ positions in rows.
    """

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.inputs, self.outputs, self.size = inputs, outputs, size
        self.weight = nn.Parameter(torch.empty(_positions(size), outputs, inputs * 25))
        self.bias = nn.Parameter(torch.empty(_positions(size), outputs))
        bound = (inputs * 25) ** -0.5  # as torch draws a convolution's
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        patches = F.unfold(x, 5, padding=2, stride=2)  # (B, inputs · 25, L)
        # One matrix product a position: (L, B, inputs · 25) x (L, inputs · 25, outputs).
        y = torch.bmm(patches.permute(2, 0, 1), self.weight.transpose(1, 2)) + self.bias.unsqueeze(1)
        return y.permute(1, 2, 0).unflatten(2, _halved(self.size))

    def extra_repr(self) -> str:
        return f"{self.inputs}, {self.outputs}, size={self.size}"


class FullConnection(nn.Sequential):
    """Fully connected layer with the outputs of :class:`SharedConnection`, each of which sees the whole input."""

    def __init__(self, inputs: int, outputs: int, size: tuple[int, int]) -> None:
        linear = nn.Linear(inputs * size[0] * size[1], outputs * _positions(size))
        super().__init__(nn.Flatten(), linear, nn.Unflatten(1, (outputs, *_halved(size))))


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // 2), -(-size[1] // 2)


def _positions(size: tuple[int, int]) -> int:
    height, width = _halved(size)
    return height * width


class MapsNet(nn.Sequential):
    """Layers of feature maps, connected in one of three ways, and a linear output: (B, 3, H, W) to logits (B, num_classes).

    The number of hidden units, ``widths[i]`` maps of ⌈H/2^(i+1)⌉ x ⌈W/2^(i+1)⌉, does not depend on the ``connection``.

    Args:
        num_classes: number of logits.
        image_size: (H, W) of the images, which cannot differ.
        connection: how a layer's units see the layer before: :class:`SharedConnection`, :class:`LocalConnection` or
            :class:`FullConnection`.
        widths: maps of each layer.
        activation: of the hidden units.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        image_size: tuple[int, int],
        connection: Connection = SharedConnection,
        widths: Sequence[int] = (8, 16),
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        layers: list[nn.Module] = []
        size = (image_size[0], image_size[1])
        for inputs, outputs in pairwise((3, *widths)):
            layers += [connection(inputs, outputs, size), activation()]
            size = _halved(size)
        super().__init__(*layers, nn.Flatten(), nn.Linear(widths[-1] * size[0] * size[1], num_classes))


class PermutedPixels(nn.Module):
    """Shows a network the images with their pixels in another order, the same for every image: a control for locality.

    It is part of the network and not of the data, since training, validation and test must see the same order, and
    augmentation is for training alone. All channels of a pixel move together; the order is saved with the weights.

    Args:
        num_classes: number of logits.
        network: made with ``num_classes``.
        image_size: (H, W) of the images.
        seed: of the order.
    """

    order: Tensor

    def __init__(
        self, num_classes: int, *, network: Callable[[int], nn.Module], image_size: tuple[int, int], seed: int = 0
    ) -> None:
        super().__init__()
        self.network = network(num_classes)
        order = torch.randperm(image_size[0] * image_size[1], generator=torch.Generator().manual_seed(seed))
        self.register_buffer("order", order)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.network(x.flatten(2)[:, :, self.order].view_as(x))
        return y
