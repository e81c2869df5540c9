"""Any backbone as the way down of an FCN: a ResNet or a MobileNet with the weights that it has learned, for one.

CS231n 2017, lecture 11, "Semantic Segmentation Idea: Fully Convolutional"; Long et al. 2015, section 4.1, which tries AlexNet,
VGG-16 and GoogLeNet.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .backbones import Backbone, ConvBackbone
from .fcn import Encoder, EncoderLevel


class BackboneEncoder(Encoder):
    """Hands out a backbone's maps of stride 2, 4, 8, ... as :class:`FCN` takes them.

    No position of a maximum is known, since such backbones go down by convolutions of stride 2 as well: ``MaxUnpooling`` on the
    way up is refused at the first batch.

    Args:
        backbone: builds the backbone; it hands out a map of each stride from 2 on, as ``TorchvisionBackbone(strides=[2, 4, 8,
            16, 32])`` does.

    Raises:
        ValueError: a stride is left out.
    """

    def __init__(self, backbone: Callable[[], Backbone] = ConvBackbone) -> None:
        super().__init__()
        self.backbone = backbone()
        expected = tuple(2**i for i in range(1, len(self.backbone.strides) + 1))
        if self.backbone.strides != expected:
            raise ValueError(
                f"BackboneEncoder needs a map of each stride, strides={list(expected)}; {type(self.backbone).__name__} hands "
                f"out {list(self.backbone.strides)}"
            )
        self.widths = self.backbone.channels

    def forward(self, image: Tensor) -> list[EncoderLevel]:
        nowhere = torch.empty(0, dtype=torch.long, device=image.device)
        return [EncoderLevel(features, nowhere) for features in self.backbone(image)]
