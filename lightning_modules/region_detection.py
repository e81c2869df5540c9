"""Object detection by classifying regions that the data module proposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datamodules.scene import Batch, InputError

from .defaults import Metadata
from .detection import Detection
from .networks.faster_rcnn import FasterRCNN
from .networks.regions import RegionDetector


class RegionDetection(Detection):
    """Every object's class, box and score, found among given regions (CS231n 2017, lecture 11, "R-CNN" to "Fast R-CNN").

    As :class:`Detection`, for a network that is given each image's proposals (``data.proposals`` finds them).

    Args:
        network: called with the number of classes, gives a :class:`RegionDetector`.
        kwargs: see :class:`Task`.

    Raises:
        InputError: the network proposes its regions by itself.
    """

    needs = frozenset({"boxes", "labels", "proposals"})
    default_network = "lightning_modules.networks.FastRCNN"

    network: RegionDetector

    def __init__(self, metadata: Metadata, *, network: Callable[[int], RegionDetector] | None = None, **kwargs: Any) -> None:
        super().__init__(metadata, network=network, **kwargs)
        if isinstance(self.network, FasterRCNN):
            raise InputError(f"{type(self.network).__name__} proposes its regions by itself; Detection trains it")

    def respond(self, batch: Batch) -> Any:
        return self.network(self.normalized(batch["image"]), batch["proposals"])
