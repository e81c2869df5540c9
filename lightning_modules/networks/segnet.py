"""SegNet: a convolutional way down and its mirror image, in which remembered maxima are put back.

CS231n 2017, lecture 11, "In-Network Upsampling: Max Unpooling"; Badrinarayanan et al. 2017, "SegNet: A Deep Convolutional
Encoder-Decoder Architecture for Image Segmentation", section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from .fcn import SegmentationNetwork
from .upsampling import max_unpool


class SegNet(SegmentationNetwork):
    """VGG-16's 13 convolutions with batch normalisation, 5 poolings, and 13 convolutions on the way back up.

    Of a pooling nothing is kept but where its maxima stood (the paper's section 3.1); each block of the decoder unpools to
    these places and has the convolutions of its block of the encoder, in reverse. The very last scores the classes, without
    normalisation. With the default arguments it has the paper's 29.4 million weights.

    Departs from the paper in that images may have any size: a pooling's last row or column may be a window of its own.

    Args:
        num_classes: classes to score.
        widths: channels of each block.
        depths: convolutions of each block.

    Raises:
        ValueError: ``widths`` and ``depths`` are not of one length, or a depth is below 1.
    """

    def __init__(
        self,
        num_classes: int,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        depths: Sequence[int] = (2, 2, 3, 3, 3),
    ) -> None:
        super().__init__()
        check_blocks(self, widths, depths)

        def block(channels: Sequence[int]) -> nn.Sequential:
            return nn.Sequential(*(Conv2dNormActivation(*pair, 3, bias=True) for pair in pairwise(channels)))

        befores = (3, *widths)
        self.encoder = nn.ModuleList(
            block((before, *[width] * depth)) for before, width, depth in zip(befores, widths, depths, strict=False)
        )
        afters = (num_classes, *widths)
        decoder = [block((*[width] * depth, after)) for after, width, depth in zip(afters, widths, depths, strict=False)]
        # The scores are neither normalised nor rectified.
        decoder[0] = nn.Sequential(*decoder[0][:-1], nn.Conv2d(widths[0], num_classes, 3, padding=1))
        self.decoder = nn.ModuleList(decoder)
        """Numbered as the encoder's blocks: decoder[i] undoes encoder[i]."""

    def forward(self, image: Tensor) -> Tensor:
        x, pooled = image, []
        for down in self.encoder:
            x = down(x)
            size = (x.shape[-2], x.shape[-1])
            x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            pooled.append((indices, size))
        for up, (indices, size) in zip(reversed(self.decoder), reversed(pooled), strict=True):
            x = up(max_unpool(x, indices, size))
        return x


def check_blocks(network: nn.Module, widths: Sequence[int], depths: Sequence[int]) -> None:
    """Raises ValueError where there is not a depth of 1 or more for each width."""
    if len(widths) != len(depths) or min(depths, default=0) < 1:
        name = type(network).__name__
        raise ValueError(
            f"{name}: widths {list(widths)} and depths {list(depths)}; a depth of 1 or more for each width expected"
        )
