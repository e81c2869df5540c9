"""DeconvNet: a classifier and its mirror image, by unpooling and transpose convolutions.

CS231n 2017, lecture 11, "In-Network Upsampling: Max Unpooling"; Noh et al. 2015, "Learning Deconvolution Network for Semantic
Segmentation", section 3 and table 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from .fcn import SegmentationNetwork
from .segnet import check_blocks
from .upsampling import max_unpool


class DeconvNet(SegmentationNetwork):
    """VGG-16 down to a vector of ``hidden`` values an image, and back up by unpooling and transpose convolutions.

    The fully connected layers are convolutions: the first sees ``bottom`` x ``bottom`` places of the last map, all of them
    where the image has 224 pixels a side, and a transpose convolution of the same size leads back. The default arguments have
    the paper's 252 million weights; batch normalisation comes after each convolution (section 4.1).

    Departs from the paper in that images may have any size at which the last map has ``bottom`` places a side: a larger one
    gets a vector for each place. It trains end to end at once, not in two stages, and averages no proposals.

    Args:
        num_classes: classes to score.
        widths: channels of each block.
        depths: convolutions of each block.
        hidden: width of the two fully connected layers.
        bottom: places a side that the first of them sees.

    Raises:
        ValueError: ``widths`` and ``depths`` are not of one length, or a depth is below 1; in the forward pass, the images are
            too small.
    """

    def __init__(
        self,
        num_classes: int,
        widths: Sequence[int] = (64, 128, 256, 512, 512),
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        hidden: int = 4096,
        bottom: int = 7,
    ) -> None:
        super().__init__()
        check_blocks(self, widths, depths)
        self.bottom, self.stride, last = bottom, 2 ** len(widths), widths[-1]
        self.encoder = nn.ModuleList(
            nn.Sequential(*(Conv2dNormActivation(*pair, 3, bias=True) for pair in pairwise((before, *[width] * depth))))
            for before, width, depth in zip((3, *widths), widths, depths, strict=False)
        )
        self.connected = nn.Sequential(
            Conv2dNormActivation(last, hidden, bottom, padding=0, bias=True),
            Conv2dNormActivation(hidden, hidden, 1, bias=True),
            _deconvolution(hidden, last, bottom, padding=0),
        )
        # Numbered as the encoder's blocks; the lowest ends in features, which a 1 x 1 convolution scores.
        self.decoder = nn.ModuleList(
            nn.Sequential(*(_deconvolution(*pair, 3, padding=1) for pair in pairwise((*[width] * depth, after))))
            for after, width, depth in zip((widths[0], *widths), widths, depths, strict=False)
        )
        self.score = nn.Conv2d(widths[0], num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        least = self.stride * (self.bottom - 1) + 1
        if min(image.shape[-2:]) < least:
            raise ValueError(
                f"DeconvNet: images are {image.shape[-2]} x {image.shape[-1]}; at least {least} pixels a side expected, so "
                f"that the last map has {self.bottom} places"
            )
        x, pooled = image, []
        for down in self.encoder:
            x = down(x)
            size = (x.shape[-2], x.shape[-1])
            x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            pooled.append((indices, size))
        x = self.connected(x)
        for up, (indices, size) in zip(reversed(self.decoder), reversed(pooled), strict=True):
            x = up(max_unpool(x, indices, size))
        return self.score(x)  # type: ignore[no-any-return]


def _deconvolution(before: int, after: int, kernel_size: int, padding: int) -> nn.Sequential:
    """What the paper calls a deconvolution: a transpose convolution of stride 1, normalised, and a ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(before, after, kernel_size, padding=padding), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
