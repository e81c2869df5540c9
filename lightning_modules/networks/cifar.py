"""Networks for images of about 32 x 32: the plain and residual nets of He et al., and cuda-convnet's small net."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from lightning_modules.networks.initialization import Default, Initialization, Kaiming
from lightning_modules.networks.linear import MultilayerPerceptron


class Shortcut(nn.Module):
    """Option A, an identity without parameters: (B, C, H, W) to (B, C', ⌈H/stride⌉, ⌈W/stride⌉).

    Where the grid shrinks it takes every ``stride``-th pixel, where the channels grow it appends zeros.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels = channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.channels - x.shape[1]))


class Block(nn.Module):
    """Two 3 x 3 convolutions, and around them the shortcut where there is one."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int,
        shortcut: nn.Module | None,
        activation: Callable[[], nn.Module],
        normalization: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            normalization(outputs),
            activation(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            normalization(outputs),
        )
        self.shortcut = shortcut
        self.activation = activation()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        y = self.activation(y if self.shortcut is None else y + self.shortcut(x))
        return y


class CifarNet(nn.Sequential):
    """The nets of He et al. 2015, "Deep residual learning", section 4.2: (B, 3, H, W) to logits (B, num_classes).

    ``depth`` = 6n + 2 counts the layers with weights: a first convolution, three stages of 2n convolutions with
    ``width``, 2 ``width`` and 4 ``width`` channels, and the output; the paper has 20, 32, 44, 56 and 110. The plain
    net (``residual=False``) has the very same parameters: shortcuts are of option A. Images may have any size.
    Convolutions have no bias, as ``normalization`` (channels) has one.

    Raises:
        ValueError: no n >= 1 gives this depth.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_classes: int,
        *,
        depth: int = 20,
        residual: bool = True,
        width: int = 16,
        activation: Callable[[], nn.Module] = nn.ReLU,
        normalization: Callable[[int], nn.Module] = nn.BatchNorm2d,
        initialization: Initialization = Kaiming(),  # noqa: B008 (immutable)
    ) -> None:
        if depth < 8 or depth % 6 != 2:
            raise ValueError(f"CifarNet: depth is 6n + 2 with n >= 1 (8, 14, 20, ..., 56, ..., 110), got {depth}")
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1, bias=False), normalization(width), activation()]
        inputs = width
        for outputs in (width, 2 * width, 4 * width):
            for _ in range((depth - 2) // 6):
                stride = outputs // inputs
                shortcut = Shortcut(outputs, stride) if residual else None
                layers += [Block(inputs, outputs, stride, shortcut, activation, normalization)]
                inputs = outputs
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, num_classes))
        initialization(self)


class SmallConvNet(nn.Sequential):
    """[conv 5 x 5 - activation - pool] for each width, then fully connected: (B, 3, H, W) to logits (B, num_classes).

    The "four-layer convolutional network" of Krizhevsky et al. 2012, figure 1, in the widths of cuda-convnet's CIFAR-10
    net, whose average pooling and local response normalisation the defaults leave out. Every stage is an argument,
    and ``torch.nn.Identity`` takes it away:

    - ``widths``: channels of the convolutions, one stage each;
    - ``stride``: of the convolutions; with 2 they do the pooling's work (Springenberg et al. 2015, "Strided-CNN");
    - ``normalization`` (channels), between convolution and activation;
    - ``pooling`` (kernel, stride), called with 3 and 2;
    - ``global_pooling``, before the fully connected part: ``torch.nn.AdaptiveAvgPool2d`` with ``output_size: 1``
      makes its size independent of the image's;
    - ``hidden``: widths of fully connected layers before the output (cuda-convnet: 64);
    - ``conv_dropout`` (of single activations, after each pooling) and ``fc_dropout`` (of hidden units).

    Images of 15 x 15 pixels or more pass three stages. The first fully connected layer is lazy, as that of
    :class:`~lightning_modules.networks.linear.MultilayerPerceptron`.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_classes: int,
        *,
        widths: Sequence[int] = (32, 32, 64),
        stride: int = 1,
        hidden: Sequence[int] = (),
        activation: Callable[[], nn.Module] = nn.ReLU,
        pooling: Callable[[int, int], nn.Module] = nn.MaxPool2d,
        global_pooling: Callable[[], nn.Module] = nn.Identity,
        normalization: Callable[[int], nn.Module] = nn.Identity,
        initialization: Initialization = Default(),  # noqa: B008 (immutable)
        conv_dropout: float = 0.0,
        fc_dropout: float = 0.0,
    ) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((3, *widths)):
            layers += [nn.Conv2d(inputs, outputs, 5, stride, padding=2), normalization(outputs), activation()]
            layers += [pooling(3, 2), nn.Dropout(conv_dropout)]
        features = nn.Sequential(*layers, global_pooling())
        initialization(features)
        super().__init__(
            features,
            MultilayerPerceptron(
                num_classes, hidden=hidden, activation=activation, initialization=initialization, dropout=fc_dropout
            ),
        )
