"""Networks whose answers rounding does not change, for exports to be compared with."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from lightning_modules import Detection
from lightning_modules.networks import YOLO


def scattered_yolo(metadata: dict[str, Any]) -> Detection:
    """A YOLO whose scores are far from each other and from its threshold, so that rounding decides nothing."""
    torch.manual_seed(0)
    network = partial(YOLO, score_threshold=0.2, max_detections=20)
    task = Detection(network=network, metadata=metadata)
    head: Any = task.network
    with torch.no_grad():
        bias = head.head.layers[-1].bias
        bias[2:5], bias[10] = 0.6, 0.6
    return task.eval()
