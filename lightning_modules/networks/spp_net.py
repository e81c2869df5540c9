"""SPP-net: one pass over the image, and a pyramid of pooled cells for each region; the backbone is not trained through it.

Deck "CNN, R-CNN", "SPP-net"; He et al. 2014, "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .backbones import Backbone, ConvBackbone
from .boxes import RoIPool
from .region_heads import RegionHead, StagedHead
from .regions import RegionDetector, one_width


class SPPNet(RegionDetector):
    """SPP-net: the backbone's maps are computed once an image and pooled over each region in grids of several sizes.

    Of a region, level n of the pyramid is what RoI pooling to n x n cells gives, so that Fast R-CNN's pooling is a pyramid of
    one level. Regions are rounded to whole cells as in Fast R-CNN; the paper rounds them inwards (appendix A). Images are
    of one scale, where the paper also has five.

    No gradient reaches the backbone, and its batch normalisation stays as it is: it has to come trained.

    Args:
        backbone: builds the backbone, whose maps must all be of one width.
        levels: cells in a row of each level of the pyramid.
        head: a stage after another, as in R-CNN.
        kwargs: see :class:`RegionDetector`.

    Raises:
        ValueError: the backbone's maps are not of one width.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        levels: Sequence[int] = (1, 2, 3, 6),
        head: Callable[[int, int], RegionHead] = StagedHead,
        **kwargs: Any,
    ) -> None:
        maps = backbone().requires_grad_(False)
        width = one_width(maps, type(self).__name__) * sum(n**2 for n in levels)
        super().__init__(num_classes, backbone=maps, width=width, head=head, **kwargs)
        self.pyramid = nn.ModuleList(RoIPool(n) for n in levels)

    def share(self, images: Tensor) -> list[Tensor]:
        with torch.no_grad():
            maps: list[Tensor] = self.backbone(images)
        return maps

    def features(self, shared: list[Tensor], regions: list[Tensor]) -> Tensor:
        return torch.cat([level(shared, self.backbone.strides, regions).flatten(1) for level in self.pyramid], 1)

    def train(self, mode: bool = True) -> SPPNet:
        super().train(mode)
        self.backbone.eval()
        return self
