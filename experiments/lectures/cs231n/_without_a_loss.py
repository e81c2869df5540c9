"""Faster R-CNN without one of its four losses."""

from __future__ import annotations

from typing import Any, Literal

from lightning_modules.means import Mean
from lightning_modules.networks import FasterRCNN

LossName = Literal["rpn_objectness", "rpn_box", "roi_class", "roi_box"]


class FasterRCNNWithout(FasterRCNN):
    """Faster R-CNN of whose losses one is not minimised: what it trains stays as it was initialised, up to what others teach.

    Args:
        without: the loss.
        kwargs: see :class:`FasterRCNN`.
    """

    def __init__(self, num_classes: int, *, without: LossName, **kwargs: Any) -> None:
        super().__init__(num_classes, **kwargs)
        self.without = without

    def losses(self, *args: Any, **kwargs: Any) -> dict[str, Mean]:
        """Three of the four, by name."""
        return {name: loss for name, loss in super().losses(*args, **kwargs).items() if name != self.without}
