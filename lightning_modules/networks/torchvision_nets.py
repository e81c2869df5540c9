"""Any classifier of torchvision, with the head that the data set needs, from scratch or from stored weights."""

from __future__ import annotations

import difflib
import re

import torchvision
from torch import Tensor, nn
from torchvision.models import SqueezeNet, get_model, list_models

from .stored_weights import load_all_but_head, read_weights, sized_by_classes

AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
"""Networks that torchvision trained with classifiers beside the main one, and the prefixes of their weights."""


class TorchvisionNet(nn.Module):
    """``torchvision.models.get_model(name)``: images (B, 3, H, W) to logits (B, num_classes).

    ``weights`` is None, one of torchvision's names for this network (``DEFAULT``, ``IMAGENET1K_V1``, ...; downloaded
    once), or the path of a ``.pth`` state dict with torchvision's keys. The head is what depends on the number of
    classes: it is fresh where the weights have none for ``num_classes``. ImageNet weights ask for images that are
    normalised with ImageNet's mean and std. GoogLeNet and Inception v3 are built without their auxiliary classifiers.

    Raises:
        ValueError: torchvision has no such classifier or weights, or the file does not hold this network's.
        FileNotFoundError: there is no such file.
    """

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    def __init__(self, num_classes: int, *, name: str = "resnet18", weights: str | None = None) -> None:
        super().__init__()
        self.network = _build(name, num_classes)
        if weights is not None:
            _load(self.network, name, num_classes, weights)

    def leave_out_last_relu(self) -> None:
        """Of SqueezeNet, which ends in one: its logits may then be below 0. There are no weights in it."""
        if isinstance(self.network, SqueezeNet):
            self.network.classifier[2] = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits


def _build(name: str, num_classes: int) -> nn.Module:
    names = list_models(module=torchvision.models)
    if name not in names:
        near = difflib.get_close_matches(name, names) or names
        raise ValueError(f"TorchvisionNet: torchvision has no classifier {name!r}; it has {', '.join(near)}")
    # torchvision warns unless these two are told whether to draw their weights.
    options = {"aux_logits": False, "init_weights": True} if name in AUXILIARY else {}
    network: nn.Module = get_model(name, num_classes=num_classes, **options)
    return network


def torchvision_name(key: str) -> str:
    """The name that torchvision's code has for a weight of its files: those of DenseNet are older than the code."""
    return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key)


def _load(network: nn.Module, name: str, num_classes: int, weights: str) -> None:
    """Loads stored weights, all but auxiliary classifiers and a head for another number of classes."""
    state = read_weights(name, weights)
    # A second network tells what the head is: on the meta device, some of torchvision's cannot be built.
    head = sized_by_classes(network, _build(name, num_classes + 1))
    for key in list(state):  # changed in place, as it carries the versions of its modules
        if key.startswith(AUXILIARY.get(name, ())):
            del state[key]
            # Only the weights that torchvision converted have these: they want images normalised to [-1, 1].
            network.transform_input = True  # type: ignore[assignment]
        elif (renamed := torchvision_name(key)) != key:
            state[renamed] = state.pop(key)
    load_all_but_head(network, state, head, f"{weights} does not hold the weights of {name}")
