"""Heads that read numbers off a backbone: class and box, or the keypoints of an instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from torch import Tensor, nn

from .backbones import Backbone, ConvBackbone


class Features(nn.Sequential):
    """The last map of a backbone as one vector: averaged to a ``grid``, flattened, one hidden layer.

    A global average would lose where things are, which is just what these heads must tell; so a grid of cells is kept, as
    the last pooling of AlexNet and VGG does.
    """

    def __init__(self, channels: int, grid: int, hidden: int, dropout: float) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(grid),
            nn.Flatten(),
            nn.Linear(channels * grid**2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
        )


class ClassAndBoxOutputs(NamedTuple):
    """What :class:`ClassAndBox` says of B images."""

    logits: Tensor
    """(B, C)."""
    boxes: Tensor
    """(B, 1, 4), or (B, C, 4) with one box a class: xyxy as parts of the image's width and height."""


class ClassAndBox(nn.Module):
    """One backbone and two heads: class scores and box coordinates (CS231n 2017, lecture 11, "Classification + Localization").

    Args:
        num_classes: of the data set.
        backbone: builds the backbone, whose last map is used.
        boxes: ``one`` box for whichever class, or one ``per_class``, as the lecture answers to «what if the class is wrong?».
        grid: cells in a row and in a column that the last map is averaged to.
        hidden: width of the hidden layer that both heads share.
        dropout: of the hidden layer.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        boxes: Literal["one", "per_class"] = "one",
        grid: int = 4,
        hidden: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.backbone = backbone()
        self.features = Features(self.backbone.channels[-1], grid, hidden, dropout)
        self.classes = nn.Linear(hidden, num_classes)
        self.boxes = nn.Sequential(
            nn.Linear(hidden, 4 * (num_classes if boxes == "per_class" else 1)), nn.Unflatten(1, (-1, 4))
        )

    def forward(self, images: Tensor) -> ClassAndBoxOutputs:
        features = self.features(self.backbone(images)[-1])
        return ClassAndBoxOutputs(self.classes(features), self.boxes(features))


class SeparateClassAndBox(nn.Module):
    """Two networks that share nothing, one for the class and one for the box: what :class:`ClassAndBox` saves.

    No weight is in both, so that training them at once on the sum of the losses is to train each on its own.

    Args:
        num_classes: of the data set.
        backbone: builds the backbone, once for each network; its last map is used.
        grid: as :class:`ClassAndBox`'s.
        hidden: width of the hidden layer of each network.
        dropout: of the hidden layers.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        grid: int = 4,
        hidden: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.class_backbone, self.box_backbone = backbone(), backbone()
        channels = self.class_backbone.channels[-1]
        self.classes = nn.Sequential(Features(channels, grid, hidden, dropout), nn.Linear(hidden, num_classes))
        self.boxes = nn.Sequential(Features(channels, grid, hidden, dropout), nn.Linear(hidden, 4), nn.Unflatten(1, (1, 4)))

    def forward(self, images: Tensor) -> ClassAndBoxOutputs:
        return ClassAndBoxOutputs(self.classes(self.class_backbone(images)[-1]), self.boxes(self.box_backbone(images)[-1]))


class KeypointRegressor(nn.Module):
    """K keypoints as 2K numbers from one backbone (Toshev and Szegedy 2014, "DeepPose", section 3.1).

    The output is (B, K, 2): x and y as parts of the image's width and height.

    Args:
        num_keypoints: K.
        backbone: builds the backbone, whose last map is used.
        norm: of that map, called with its channels. ``torch.nn.BatchNorm2d`` for a backbone that was trained without one
            (SqueezeNet, AlexNet, VGG): the scale of its maps is whatever training left, and a new head would begin with answers
            far outside the image.
        grid: cells in a row and in a column that the last map is averaged to.
        hidden: width of the hidden layer (DeepPose: two of 4096).
        dropout: of the hidden layer.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(
        self,
        num_keypoints: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        norm: Callable[[int], nn.Module] = nn.Identity,
        grid: int = 8,
        hidden: int = 512,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.backbone = backbone()
        self.norm = norm(self.backbone.channels[-1])
        self.features = Features(self.backbone.channels[-1], grid, hidden, dropout)
        self.keypoints = nn.Sequential(nn.Linear(hidden, 2 * num_keypoints), nn.Unflatten(1, (-1, 2)))

    def forward(self, images: Tensor) -> Tensor:
        keypoints: Tensor = self.keypoints(self.features(self.norm(self.backbone(images)[-1])))
        return keypoints
