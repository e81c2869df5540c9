"""VGG: Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from lightning_modules.networks.initialization import Initialization, Xavier
from lightning_modules.networks.linear import MultilayerPerceptron


class VGG(nn.Sequential):
    """VGG by its configuration (table 1): images (B, 3, H, W), 224 x 224 in the paper, to logits (B, num_classes).

    Stages of ``kernel`` x ``kernel`` convolutions of one width, each followed by a 2 x 2 max pooling, and three fully
    connected layers. ``depths`` has the convolutions of each stage, ``widths`` their channels:

    - A, 11 layers: ``[1, 1, 2, 2, 2]``; B, 13 layers: ``[2, 2, 2, 2, 2]``;
    - D, VGG-16: ``[2, 2, 3, 3, 3]``, the default; E, VGG-19: ``[2, 2, 4, 4, 4]``.

    ``kernel=5`` with half of the convolutions is the shallow net of section 4.1: two layers of 3 x 3 see as far as one of
    5 x 5. ``normalization`` (channels) stands between convolution and activation; the paper has none. ``hidden`` are
    the widths of the fully connected layers, whose units drop out with probability ``dropout``; the first of them is lazy, as
    that of :class:`~lightning_modules.networks.linear.MultilayerPerceptron`.

    The paper took the first layers of its deeper nets from net A, and found later that Xavier's initialization does
    without (section 3.1): it is the default.

    Raises:
        ValueError: the stages have other numbers of depths and widths, or the kernel is even.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        kernel: int = 3,
        hidden: Sequence[int] = (4096, 4096),
        dropout: float = 0.5,
        normalization: Callable[[int], nn.Module] = nn.Identity,
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialization: Initialization = Xavier(),  # noqa: B008 (immutable)
    ) -> None:
        if len(depths) != len(widths) or kernel % 2 == 0:
            raise ValueError(
                f"VGG: depths {list(depths)}, widths {list(widths)}, kernel {kernel}: one depth and one width a stage, and "
                "an odd kernel expected"
            )
        layers: list[nn.Module] = []
        inputs = 3
        for depth, width in zip(depths, widths, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(inputs, width, kernel, padding=kernel // 2), normalization(width), activation()]
                inputs = width
            layers += [nn.MaxPool2d(2)]
        features = nn.Sequential(*layers)
        initialization(features)
        super().__init__(
            features,
            MultilayerPerceptron(
                num_classes, hidden=hidden, activation=activation, initialization=initialization, dropout=dropout
            ),
        )
