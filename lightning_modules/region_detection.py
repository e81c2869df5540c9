"""Object detection by classifying regions that the data module proposes."""

from __future__ import annotations

from typing import Any

from datamodules.scene import Batch

from .detection import Detection
from .networks.regions import RegionDetector


class RegionDetection(Detection):
    """Every object's class, box and score, found among given regions (CS231n 2017, lecture 11, "R-CNN" to "Fast R-CNN").

    As :class:`Detection`, for a network that is given each image's proposals (``data.proposals`` finds them).

    Args:
        network: called with the number of classes, gives a :class:`RegionDetector`.
        kwargs: see :class:`Task`.
    """

    needs = frozenset({"boxes", "labels", "proposals"})

    network: RegionDetector

    def respond(self, batch: Batch) -> Any:
        return self.network((batch["image"] - self.mean) / self.std, batch["proposals"])
