"""ZFNet, AlexNet with a finer stem: Zeiler & Fergus 2013, "Visualizing and understanding convolutional networks"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from lightning_modules.networks.initialization import Initialization, Normal
from lightning_modules.networks.linear import MultilayerPerceptron


class ZFNet(nn.Sequential):
    """ZFNet (figure 3): images (B, 3, H, W), 224 x 224 in the paper, to logits (B, num_classes).

    ``conv1`` and ``conv2`` are (kernel, stride, padding). The defaults are ZFNet's; ``conv1=[11, 4, 2]`` with
    ``conv2=[5, 1, 2]`` is AlexNet's pair, which comes to the same 13 x 13 grid by a coarser first step.
    ``widths`` are the channels of the five convolutions, ``hidden`` the widths of the two fully connected layers, whose
    hidden units drop out with probability ``dropout``. Another image size gives the first of them another number of
    inputs: it is lazy, as that of :class:`~lightning_modules.networks.linear.MultilayerPerceptron`.

    Pooling rounds up, as in cuda-convnet: only so does the paper's 110 become 55. The paper names no constants
    for its contrast normalisation: they are AlexNet's (Krizhevsky et al. 2012, section 3.3). The renormalisation of
    first-layer filters during training (section 3) is left out.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        conv1: tuple[int, int, int] = (7, 2, 1),
        conv2: tuple[int, int, int] = (5, 2, 0),
        widths: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256),
        hidden: Sequence[int] = (4096, 4096),
        activation: Callable[[], nn.Module] = nn.ReLU,
        initialization: Initialization = Normal(std=0.01),  # noqa: B008 (immutable)
        dropout: float = 0.5,
    ) -> None:
        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        def normalize() -> nn.Module:
            return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)  # torch divides alpha by the 5 channels

        w1, w2, w3, w4, w5 = widths
        features = nn.Sequential(
            *(nn.Conv2d(3, w1, *conv1), activation(), pool(), normalize()),
            *(nn.Conv2d(w1, w2, *conv2), activation(), pool(), normalize()),
            *(nn.Conv2d(w2, w3, 3, padding=1), activation()),
            *(nn.Conv2d(w3, w4, 3, padding=1), activation()),
            *(nn.Conv2d(w4, w5, 3, padding=1), activation(), pool()),
        )
        initialization(features)
        super().__init__(
            features,
            MultilayerPerceptron(
                num_classes, hidden=hidden, activation=activation, initialization=initialization, dropout=dropout
            ),
        )
