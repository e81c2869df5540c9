"""What is explained of a task: one score for each class, (B, C), that a gradient can be taken of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from datamodules.scene import InputError
from lightning_modules.base import Task
from lightning_modules.classification import Classification, MultiLabelClassification
from lightning_modules.detection import Detection
from lightning_modules.localization import Localization
from lightning_modules.networks.detector import Detector
from lightning_modules.region_detection import RegionDetection
from lightning_modules.segmentation import Segmentation

from .layers import explainable


class Logits(nn.Module):
    """A classifier's: the logits of its classes."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def given(self, images: Tensor) -> tuple[Tensor, ...]:
        """What the scores of these images, changed ones too, are taken with."""
        return ()

    def forward(self, images: Tensor) -> Tensor:
        """From float (B, 3, H, W), normalised, to (B, C)."""
        return self.network(images)  # type: ignore[no-any-return]


class MainObjectLogits(Logits):
    """Of classification + localization: the logits of the class."""

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images).logits  # type: ignore[no-any-return]


class RegionLogits(Logits):
    """Of a segmentation: a class's logits, summed over the pixels that are said to be of it in the image as it is.

    Of a class that no pixel is said to be of, over all pixels.
    """

    def given(self, images: Tensor) -> tuple[Tensor, ...]:
        """uint8 or int64 (B, H, W): the classes predicted."""
        with torch.no_grad():
            return (self.network(images).argmax(1),)

    def forward(self, images: Tensor, predicted: Tensor) -> Tensor:  # type: ignore[override]
        logits = self.network(images)
        classes = torch.arange(logits.shape[1], device=logits.device)[None, :, None, None]
        region = predicted[:, None] == classes
        region = region | ~region.flatten(2).any(2)[..., None, None]
        return (logits * region).sum((2, 3))  # type: ignore[no-any-return]


class BestBoxes(Logits):
    """Of a detector: the score of a class's best box; 0 where it has none among the candidates.

    Non-maximum suppression never removes a class's best box, and no threshold is held against it.
    """

    network: Detector

    def __init__(self, network: Detector) -> None:
        super().__init__(network)
        network.score_threshold, network.max_detections = -torch.inf, network.candidates

    def forward(self, images: Tensor) -> Tensor:
        rows = []
        for found in self.network.predict(self.network(images)):
            none = images.sum() * 0  # a score without a box has a gradient too
            scores = [found["scores"][found["labels"] == label] for label in range(self.network.num_classes)]
            rows.append(torch.stack([own.max() if len(own) else none for own in scores]))
        return torch.stack(rows)


def scores_of(task: Task) -> Logits:
    """The scores that explanations of a task are of, on a copy of its network.

    Raises:
        InputError: its network takes regions beside the image, or it has no score for a class.
    """
    name = type(task).__name__
    if isinstance(task, RegionDetection):
        raise InputError(
            f"{name}: its network classifies given regions, not images; a detector that finds its own is explained"
        )
    network = explainable(task.network)
    if isinstance(task, Classification | MultiLabelClassification):
        return Logits(network)
    if isinstance(task, Localization):
        return MainObjectLogits(network)
    if isinstance(task, Segmentation):
        return RegionLogits(network)
    if isinstance(task, Detection) and isinstance(network, Detector):
        return BestBoxes(network)
    raise InputError(f"{name} has no score for a class: classification, localization, segmentation and detection have")
