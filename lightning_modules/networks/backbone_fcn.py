"""A fully convolutional network on any backbone: FCN-32s, as far as the backbone goes down.

CS231n 2017, lecture 11, "Semantic Segmentation Idea: Fully Convolutional"; Long et al. 2015, section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from .backbones import Backbone, ConvBackbone
from .fcn import SegmentationNetwork


class BackboneFCN(SegmentationNetwork):
    """Scores every place of a backbone's last map, and enlarges the scores to the image by interpolation.

    So a backbone that has learned to classify becomes a segmenter: with ``FreezeBackbone`` it is the paper's "FCN-32s-fixed".
    Departs from the paper in its hidden layers: one convolution of ``hidden`` features in place of VGG's two fully connected
    ones.

    Args:
        num_classes: classes to score.
        backbone: builds the backbone, whose last map is used.
        hidden: features of the 3 x 3 convolution before the scores.
    """

    def __init__(self, num_classes: int, backbone: Callable[[], Backbone] = ConvBackbone, hidden: int = 128) -> None:
        super().__init__()
        self.backbone = backbone()
        self.head = nn.Sequential(
            Conv2dNormActivation(self.backbone.channels[-1], hidden, 3), nn.Conv2d(hidden, num_classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        scores = self.head(self.backbone(image)[-1])
        return F.interpolate(scores, size=image.shape[-2:], mode="bilinear", align_corners=False)
