"""AlexNet: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from lightning_modules.networks.initialization import Initialization, Normal
from lightning_modules.networks.linear import MultilayerPerceptron


class AlexNet(nn.Sequential):
    """AlexNet (section 3.5, figure 2): images (B, 3, H, W), 224 x 224 in the paper, to logits (B, num_classes).

    Five convolutions and three fully connected layers. What the paper found to help is an argument each, so that it can be
    taken away:

    - ``local_response``: local response normalisation behind the first two convolutions (section 3.3);
    - ``pooling`` (kernel, stride): windows of 3 at a stride of 2 overlap (section 3.4); ``[2, 2]`` is the traditional one;
    - ``dropout``: probability with which a hidden unit of the fully connected layers is dropped (section 4.2).

    ``groups=2`` has the second, fourth and fifth convolution see the maps of their own GPU alone, as in the paper:
    60,965,224 parameters with a thousand classes; in one tower (``groups=1``) there are 62,378,344. ``stem`` (kernel, stride,
    padding) is the first convolution: small images want a finer one, such as ``[5, 2, 2]``. ``widths`` are the channels of
    the convolutions, ``hidden`` the widths of the fully connected layers, the first of which is lazy, as that of
    :class:`~lightning_modules.networks.linear.MultilayerPerceptron`.

    Departs from the paper in that all biases begin at 0; there, those of the convolutions 2, 4 and 5 and of the hidden
    layers begin at 1 (section 5).
    """

    def __init__(
        self,
        num_classes: int,
        *,
        groups: int = 2,
        stem: tuple[int, int, int] = (11, 4, 2),
        widths: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256),
        hidden: Sequence[int] = (4096, 4096),
        local_response: bool = True,
        pooling: tuple[int, int] = (3, 2),
        dropout: float = 0.5,
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialization: Initialization = Normal(std=0.01),  # noqa: B008 (immutable)
    ) -> None:
        def normalize() -> list[nn.Module]:
            # torch divides alpha by the 5 channels, the paper does not.
            return [nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)] if local_response else []

        def pool() -> nn.Module:
            return nn.MaxPool2d(*pooling)

        w1, w2, w3, w4, w5 = widths
        features = nn.Sequential(
            *(nn.Conv2d(3, w1, *stem), activation(), *normalize(), pool()),
            *(nn.Conv2d(w1, w2, 5, padding=2, groups=groups), activation(), *normalize(), pool()),
            *(nn.Conv2d(w2, w3, 3, padding=1), activation()),
            *(nn.Conv2d(w3, w4, 3, padding=1, groups=groups), activation()),
            *(nn.Conv2d(w4, w5, 3, padding=1, groups=groups), activation(), pool()),
        )
        initialization(features)
        super().__init__(
            features,
            MultilayerPerceptron(
                num_classes, hidden=hidden, activation=activation, initialization=initialization, dropout=dropout
            ),
        )
