"""The moving pictures by the ids of their claims: every exact study, and what else is seen better step by step."""

from __future__ import annotations

from collections.abc import Mapping

from . import architectures, captions, connectivity, detectors, learning, neurons, regions, segmentation, stages, upsampling
from .frame import MovingPicture

ROOMS = (neurons, learning, connectivity, segmentation, stages, upsampling, regions, detectors, captions, architectures)
MOVING: Mapping[str, MovingPicture] = dict(
    sorted({claim: moving for room in ROOMS for claim, moving in room.MOVING.items()}.items())
)
