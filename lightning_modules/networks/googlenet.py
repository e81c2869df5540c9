"""GoogLeNet: Szegedy et al. 2015, "Going deeper with convolutions", the winner of ILSVRC 2014."""

from __future__ import annotations

from torch import Tensor, nn

from lightning_modules.networks.auxiliary import AuxiliaryHead, WithAuxiliary
from lightning_modules.networks.inception import ConvReLU, Inception
from lightning_modules.networks.initialization import Initialization, Xavier

MODULES: dict[str, tuple[int, tuple[int, int], tuple[int, int], int]] = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
"""Table 1: by module, the maps of its four branches, the reductions first."""
AUXILIARY = ("4a", "4d")
"""The modules that an auxiliary classifier stands behind."""


class GoogLeNet(nn.Module):
    """GoogLeNet (table 1): images (B, 3, H, W), 224 x 224 in the paper, to logits (B, num_classes).

    22 layers with parameters in a row; 6,998,552 of them with a thousand classes. With ``auxiliary``, two further
    classifiers stand behind the modules 4a and 4d, and training mode gives
    :class:`~lightning_modules.networks.auxiliary.WithAuxiliary`: for the task
    :class:`~lightning_modules.AuxiliaryClassification`.

    Poolings round up, which the paper's grids of 56, 28, 14 and 7 need, and local response normalisation has AlexNet's
    constants, since the paper names none. It has no batch normalisation; torchvision's ``googlenet`` has, and 3 x 3
    convolutions where the paper has 5 x 5.

    Args:
        num_classes: of the data set.
        auxiliary: whether there are auxiliary classifiers.
        width: a factor on all channels, for small machines; each is rounded, and is at least 1.
        dropout: of the features in front of the output.
        auxiliary_dropout: of the auxiliary classifiers' hidden units.
        initialization: of all weights; the paper does not name its own.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_classes: int,
        *,
        auxiliary: bool = False,
        width: float = 1.0,
        dropout: float = 0.4,
        auxiliary_dropout: float = 0.7,
        initialization: Initialization = Xavier(),  # noqa: B008 (immutable)
    ) -> None:
        super().__init__()

        def scaled(channels: int) -> int:
            return max(1, round(width * channels))

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        def normalize() -> nn.Module:
            return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)  # torch divides alpha by the 5 channels

        one, two = scaled(64), scaled(192)
        self.stem = nn.Sequential(
            *(ConvReLU(3, one, 7, 2), pool(), normalize()),
            *(ConvReLU(one, one, 1), ConvReLU(one, two, 3), normalize(), pool()),
        )
        self.inception, self.heads = nn.ModuleDict(), nn.ModuleDict()
        channels = two
        for name, (first, three, five, pooled) in MODULES.items():
            inner = ((scaled(three[0]), scaled(three[1])), (scaled(five[0]), scaled(five[1])))
            module = Inception(channels, scaled(first), *inner, scaled(pooled))
            channels = module.channels
            self.inception[name] = nn.Sequential(module, pool()) if name in ("3b", "4e") else module
            if auxiliary and name in AUXILIARY:
                self.heads[name] = AuxiliaryHead(
                    channels, num_classes, channels=scaled(128), hidden=scaled(1024), dropout=auxiliary_dropout
                )
        self.output = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, num_classes)
        )
        initialization(self)

    def forward(self, images: Tensor) -> Tensor | WithAuxiliary:
        x, auxiliary = self.stem(images), []
        for name, module in self.inception.items():
            x = module(x)
            if self.training and name in self.heads:
                auxiliary.append(self.heads[name](x))
        logits: Tensor = self.output(x)
        return WithAuxiliary(logits, tuple(auxiliary)) if auxiliary else logits
