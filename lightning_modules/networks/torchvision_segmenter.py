"""Any segmenter of torchvision, with the head that the data set needs, from scratch or from stored weights."""

from __future__ import annotations

import difflib
from typing import Any

import torchvision
from torch import Tensor, nn
from torchvision.models import get_model, list_models

from .fcn import SegmentationNetwork
from .stored_weights import load_all_but_head, read_weights, sized_by_classes

AUXILIARY = "aux_classifier."
"""What torchvision's classifier on an inner map is called; its published weights have one."""


class TorchvisionSegmenter(SegmentationNetwork):
    """FCN, DeepLabV3 (Chen et al. 2017) or LR-ASPP (Howard et al. 2019) as torchvision has them.

    The head is what depends on the number of classes: it is fresh where the weights have none for ``num_classes``.
    torchvision's own weights know VOC's twenty classes and a background, and ask for images that are normalised with
    ImageNet's mean and std. The classifier that torchvision trains beside the main one is left out.

    DeepLabV3 normalises a map of one cell over the batch: in training it needs two images or more in a batch, and on each
    device.

    Args:
        num_classes: classes to score.
        name: ``fcn_resnet50``, ``fcn_resnet101``, ``deeplabv3_resnet50``, ``deeplabv3_resnet101``,
            ``deeplabv3_mobilenet_v3_large`` or ``lraspp_mobilenet_v3_large``.
        weights: None, one of torchvision's names for this network (``DEFAULT``; fetched once), or the path of a ``.pth``
            state dict with torchvision's names.

    Raises:
        ValueError: torchvision has no such segmenter or weights, or the file does not hold this network's.
        MissingWeights: there is no such file, or it could not be fetched; says its name and the folder that it belongs in.
    """

    def __init__(self, num_classes: int, *, name: str = "deeplabv3_mobilenet_v3_large", weights: str | None = None) -> None:
        super().__init__()
        self.network = _build(name, num_classes)
        if weights is not None:
            state = read_weights(name, weights)
            for key in [key for key in state if key.startswith(AUXILIARY)]:
                del state[key]
            head = sized_by_classes(self.network, _build(name, num_classes + 1))
            load_all_but_head(self.network, state, head, f"{weights} does not hold the weights of {name}")

    @property
    def backbone(self) -> nn.Module:
        """What :class:`lightning_modules.FreezeBackbone` freezes."""
        backbone: nn.Module = self.network.backbone
        return backbone

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.network(image)["out"]
        return logits


def _build(name: str, num_classes: int) -> Any:
    names = list_models(module=torchvision.models.segmentation)
    if name not in names:
        near = difflib.get_close_matches(name, names) or names
        raise ValueError(f"TorchvisionSegmenter: torchvision has no segmenter {name!r}; it has {', '.join(near)}")
    return get_model(name, weights=None, weights_backbone=None, num_classes=num_classes)
