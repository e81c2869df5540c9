"""Networks without batch normalisation, whose gradients are plain sums over images."""

from __future__ import annotations

from torch import Tensor, nn

from lightning_modules.networks import YOLO
from lightning_modules.networks.backbones import Backbone
from lightning_modules.networks.yolo import YOLOHead


class PlainBackbone(Backbone):
    """Two strided convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.channels, self.strides = (8,), (4,)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.body(images)]


class PlainFCN(nn.Sequential):
    """Two convolutions at full resolution."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, num_classes, 3, padding=1))


class PlainHead(YOLOHead):
    """The values of each cell by one 1 x 1 convolution."""

    def __init__(self, channels: int, grid: int, values: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(grid), nn.Conv2d(channels, values, 1))

    def forward(self, features: Tensor) -> Tensor:
        cells: Tensor = self.layers(features).permute(0, 2, 3, 1)
        return cells


class PlainYOLO(YOLO):
    """YOLO without batch normalisation, and without dropout, whose draws differ from rank to rank."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, backbone=PlainBackbone, head=PlainHead)
