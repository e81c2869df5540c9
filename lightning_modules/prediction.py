"""What a task says of an image."""

from __future__ import annotations

from torch import Tensor

from datamodules.scene import Scene


class Prediction(Scene, total=False):
    """What a task says of one image. The fields are a scene's, so that a prediction is drawn and stored as truth is.

    Coordinates are pixels of the batch's image. The third number of a keypoint is its confidence (1 where a network gives
    none).
    """

    scores: Tensor
    """float32 (C,), the probability of each class; in detection (N,), the score of each object."""
