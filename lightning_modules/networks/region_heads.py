"""Heads of detectors on given regions: from a region's features to its class and its box."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder

from ..means import Mean, counted, full_precision
from .torchvision_nets import TorchvisionNet


class FullyConnected(nn.Sequential):
    """Fully connected layers, each with a ReLU and dropout: fc6 and fc7 of the papers, at any width.

    Args:
        features: numbers of a region.
        widths: of the layers; without any, the features are handed on as they are.
        dropout: of each layer.
    """

    def __init__(self, features: int, *, widths: Sequence[int] = (256,), dropout: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for before, width in zip((features, *widths), widths, strict=False):
            layers += [nn.Linear(before, width), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*layers)
        self.width = widths[-1] if widths else features


class ClassifierLayers(FullyConnected):
    """fc6 and fc7 of a classifier of torchvision (AlexNet, VGG), with the weights that it learned, as in the papers.

    Args:
        features: numbers of a region: those that the classifier's last pooling gives (256 x 6 x 6 for AlexNet, 512 x 7 x 7
            for VGG).
        name: of the classifier, as ``torchvision.models.get_model`` takes it.
        weights: None, a name of torchvision's or a ``.pth`` file, as :class:`TorchvisionNet` takes it.

    Raises:
        ValueError: there is no such classifier, it is not built of such layers, or they take another number of features.
    """

    def __init__(self, features: int, *, name: str = "vgg16", weights: str | None = None) -> None:
        super().__init__(features, widths=())
        classifier = getattr(TorchvisionNet(1000, name=name, weights=weights).network, "classifier", None)
        layers = list(classifier)[:-1] if isinstance(classifier, nn.Sequential) else []
        linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
        if len(linear) < 2:
            raise ValueError(f"ClassifierLayers: {name} has no fc6 and fc7, as AlexNet and VGG have")
        if linear[0].in_features != features:
            raise ValueError(
                f"ClassifierLayers: {name}'s fc6 takes {linear[0].in_features} features, but a region has {features}; "
                "its grid of cells must be that of the classifier's last pooling"
            )
        self.extend(layers)
        self.width = linear[-1].out_features
        self.torchvision_names = {str(i): f"classifier.{i}" for i in range(len(layers))}
        """What torchvision calls the layers, by their names here: so weights from elsewhere are found."""


class RegionHead(nn.Module, ABC):
    """Fully connected layers on the features of each region, and on them what tells class and box.

    Args:
        features: numbers of a region.
        num_classes: of the data set; the head adds the background by itself.
        layers: builds the fully connected layers, given ``features``.
    """

    def __init__(self, features: int, num_classes: int, *, layers: Callable[[int], FullyConnected] = FullyConnected) -> None:
        super().__init__()
        self.layers = layers(features)
        self.classes = nn.Linear(self.layers.width, 1 + num_classes)
        # Girshick 2015, section 2.3.
        nn.init.normal_(self.classes.weight, std=0.01)
        nn.init.zeros_(self.classes.bias)

    @abstractmethod
    def losses(self, features: Tensor, regions: Tensor, classes: Tensor, boxes: Tensor) -> dict[str, Mean]:
        """The losses by name, means over R regions.

        Args:
            features: float (R, features).
            regions: float (R, 4), xyxy in pixels.
            classes: int64 (R,), 0 for background.
            boxes: float (R, 4), the object of each region.
        """

    @abstractmethod
    def forward(self, features: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        """Of R regions the boxes, (R, 4) or (R, num_classes, 4), and the scores (R, num_classes), in [0, 1]."""


def log_loss(logits: Tensor, classes: Tensor) -> Mean:
    """The cross-entropy of R regions."""
    return Mean(F.cross_entropy(full_precision(logits), classes, reduction="sum"), counted(len(classes), logits))


class SoftmaxHead(RegionHead):
    """Fast R-CNN's: class probabilities by softmax and, beside them, a correction of the box for each class.

    Girshick 2015, "Fast R-CNN", section 2.3. In the corrections' loss, the offsets are divided by (.1, .1, .2, .2), which
    stand for the standard deviations that the paper takes from the training set.

    Args:
        features: see :class:`RegionHead`.
        num_classes: see :class:`RegionHead`.
        layers: see :class:`RegionHead`.
        box_weight: λ of equation 1. At 0 the boxes stay the proposals (up to the noise of the untrained layer).
    """

    def __init__(
        self,
        features: int,
        num_classes: int,
        *,
        layers: Callable[[int], FullyConnected] = FullyConnected,
        box_weight: float = 1.0,
    ) -> None:
        super().__init__(features, num_classes, layers=layers)
        self.boxes = nn.Linear(self.layers.width, 4 * num_classes)
        nn.init.normal_(self.boxes.weight, std=0.001)
        nn.init.zeros_(self.boxes.bias)
        self.num_classes, self.box_weight = num_classes, box_weight
        self.coder = BoxCoder((10.0, 10.0, 5.0, 5.0))

    def losses(self, features: Tensor, regions: Tensor, classes: Tensor, boxes: Tensor) -> dict[str, Mean]:
        hidden = self.layers(features)
        objects = classes.nonzero()[:, 0]
        offsets = full_precision(self.boxes(hidden[objects])).view(-1, self.num_classes, 4)
        offsets = offsets[torch.arange(len(objects), device=objects.device), classes[objects] - 1]
        targets = self.coder.encode_single(boxes[objects], regions[objects])
        box = F.smooth_l1_loss(offsets, targets, reduction="sum")
        log = log_loss(self.classes(hidden), classes)
        return {"roi_class": log, "roi_box": Mean(self.box_weight * box, log.count)}

    def forward(self, features: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.layers(features)
        boxes = self.coder.decode_single(full_precision(self.boxes(hidden)), regions)
        return boxes.view(-1, self.num_classes, 4), full_precision(self.classes(hidden)).softmax(-1)[:, 1:]


class StagedHead(RegionHead):
    """R-CNN's and SPP-net's: a softmax for fine-tuning alone, then a linear SVM for each class, then corrections of boxes.

    Girshick et al. 2014, "Rich feature hierarchies", sections 2.3 and 3 and appendix C. By gradient descent only the layers
    and the softmax are trained; the SVMs and the regressors are fitted afterwards, and are buffers. Until then the head
    answers with the softmax's probabilities and leaves the boxes where they are.

    Args:
        features: see :class:`RegionHead`.
        num_classes: see :class:`RegionHead`.
        layers: see :class:`RegionHead`.
    """

    fitted_buffers: ClassVar[tuple[str, ...]] = ("svm", "regressor", "has_svm", "has_regressor")
    """What a run fits at its end: no weights that another run could begin with."""

    svm: Tensor
    """float (num_classes, 1 + width), each class's bias and weights on the last layer's outputs (fc7)."""
    regressor: Tensor
    """float (num_classes, 4, 1 + features), each class's on the region's own features (pool5)."""
    has_svm: Tensor
    """bool ()."""
    has_regressor: Tensor
    """bool ()."""

    def __init__(self, features: int, num_classes: int, *, layers: Callable[[int], FullyConnected] = FullyConnected) -> None:
        super().__init__(features, num_classes, layers=layers)
        self.register_buffer("svm", torch.zeros(num_classes, 1 + self.layers.width))
        self.register_buffer("regressor", torch.zeros(num_classes, 4, 1 + features))
        self.register_buffer("has_svm", torch.tensor(False))
        self.register_buffer("has_regressor", torch.tensor(False))
        self.coder = BoxCoder((1.0, 1.0, 1.0, 1.0))

    def losses(self, features: Tensor, regions: Tensor, classes: Tensor, boxes: Tensor) -> dict[str, Mean]:
        return {"roi_class": log_loss(self.classes(self.layers(features)), classes)}

    def forward(self, features: Tensor, regions: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.layers(features)
        scores = full_precision(self.classes(hidden)).softmax(-1)[:, 1:]
        boxes = regions
        with torch.autocast(features.device.type, enabled=False):  # what was fitted in float64 is not to be rounded to bfloat16
            if self.has_svm:
                # A margin is no probability; the logistic function brings it into [0, 1] and leaves the order as it is.
                scores = (hidden.to(self.svm) @ self.svm[:, 1:].T + self.svm[:, 0]).sigmoid()
            if self.has_regressor:
                offsets = features.to(self.svm) @ self.regressor[..., 1:].flatten(0, 1).T + self.regressor[..., 0].flatten()
                boxes = self.coder.decode_single(offsets, regions).view(len(regions), -1, 4)
        return boxes, scores
