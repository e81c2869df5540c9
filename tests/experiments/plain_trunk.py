"""Networks without batch normalisation, whose gradients are plain sums over images."""

from __future__ import annotations

from torch import Tensor, nn

from lightning_modules.networks import YOLO
from lightning_modules.networks.trunks import Trunk


class PlainTrunk(Trunk):
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


class PlainYOLO(YOLO):
    """YOLO with a head of plain convolutions, and without dropout, whose draws differ from rank to rank."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, trunk=PlainTrunk, width=8, hidden=16, dropout=0.0)
        self.head[1] = nn.Conv2d(8, 8, 3, padding=1)
