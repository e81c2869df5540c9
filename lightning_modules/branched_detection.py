"""Detection of more than class and box: what instance segmentation and keypoint detection share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from datamodules.scene import Batch, InputError

from .defaults import Metadata
from .detection import Detection
from .means import Mean
from .networks.branches import BranchedDetector


class BranchedDetection(Detection):
    """Detection with further fields of each object, which the network has a branch for.

    The boxes are scored as in :class:`Detection`, by the same names.

    Args:
        network: called with the number of classes, gives a network with a branch for each of ``learns``, and no other.
        kwargs: see :class:`Task`.

    Raises:
        InputError: the network's branches are others.
    """

    learns: ClassVar[tuple[str, ...]]
    """The fields of an object that are trained on and predicted, beside its box and its label."""

    network: BranchedDetector

    def __init__(self, metadata: Metadata, *, network: Callable[[int], BranchedDetector] | None = None, **kwargs: Any) -> None:
        super().__init__(metadata, network=network, **kwargs)
        if set(branches := self.network.branches) != set(self.learns):
            learns, has = (" and ".join(sorted(fields)) or "nothing" for fields in (self.learns, branches))
            raise InputError(f"{type(self).__name__} learns {learns}; {type(self.network).__name__} has a branch for {has}")

    def losses(self, outputs: Any, batch: Batch) -> dict[str, Mean]:
        further = {field: self.of_objects(batch, field) for field in self.learns}
        return self.network.losses(outputs, *self.objects(batch), self.rngs(batch), **further)
