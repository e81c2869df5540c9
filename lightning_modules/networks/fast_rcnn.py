"""Fast R-CNN: one pass over the image, regions pooled from its maps, and everything trained together.

CS231n 2017, lecture 11, "Fast R-CNN"; Girshick 2015, "Fast R-CNN".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from .backbones import Backbone, ConvBackbone
from .boxes import RoIPool, RoIPooling
from .region_heads import RegionHead, SoftmaxHead
from .regions import RegionDetector, one_width


class FastRCNN(RegionDetector):
    """Fast R-CNN: regions are cut out of the backbone's maps by RoI pooling, through which the backbone is trained.

    Args:
        backbone: builds the backbone, whose maps must all be of one width.
        pooling: cuts the regions out of the maps; ``RoIAlign`` for Mask R-CNN's.
        head: class probabilities and boxes from one network; :class:`StagedHead` for the SVMs of table 8.
        kwargs: see :class:`RegionDetector`.

    Raises:
        ValueError: the backbone's maps are not of one width.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        pooling: Callable[[], RoIPooling] = RoIPool,
        head: Callable[[int, int], RegionHead] = SoftmaxHead,
        **kwargs: Any,
    ) -> None:
        maps, pool = backbone(), pooling()
        width = one_width(maps, type(self).__name__) * pool.size**2
        super().__init__(num_classes, backbone=maps, width=width, head=head, **kwargs)
        self.pooling = pool

    def share(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.backbone(images)
        return maps

    def features(self, shared: list[Tensor], regions: list[Tensor]) -> Tensor:
        pooled: Tensor = self.pooling(shared, self.backbone.strides, regions)
        return pooled.flatten(1)
