"""What a network's layers know: linear probes of feature vectors, at single pixels too, and the layer at which they know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from lightning_modules.evaluating import evaluating

from .hog import LabelledFeatures


def layer_outputs(
    network: nn.Module,
    layers: Mapping[str, nn.Module],
    images: Tensor,
    look: Callable[[Tensor, slice], Tensor],
    batch: int = 256,
) -> dict[str, Tensor]:
    """What ``look`` makes of each layer's output, over all images: batch by batch, in evaluation mode and without gradients.

    Args:
        network: called with float images (B, 3, H, W), as they are given.
        layers: modules of the network, by the names of the result.
        images: float32 (N, 3, H, W).
        look: of an output (B, …) and which images (a slice of N) it is of, what is kept: (B, …).
        batch: images at once.

    Returns:
        by layer, what was kept: (N, …).
    """
    kept: dict[str, list[Tensor]] = {name: [] for name in layers}
    place = slice(0, 0)

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda module, inputs, output: kept[name].append(look(output, place))

    hooks = [module.register_forward_hook(hook(name)) for name, module in layers.items()]
    try:
        with torch.no_grad(), evaluating(network):
            for start in range(0, len(images), batch):
                place = slice(start, min(start + batch, len(images)))
                network(images[place])
    finally:
        for each in hooks:
            each.remove()
    return {name: torch.cat(parts) for name, parts in kept.items()}


def at_pixels(maps: Tensor, pixels: Tensor, image_size: tuple[int, int]) -> Tensor:
    """The feature vector of the cell of a map in which a pixel lies.

    Args:
        maps: (B, C, h, w), over the whole image.
        pixels: int64 (B, P, 2), row and column of P pixels of each image.
        image_size: (H, W) of the images.

    Returns:
        (B, P, C).
    """
    size = torch.tensor(maps.shape[-2:])
    cells = pixels * size // torch.tensor(image_size)
    rows, columns = cells.unbind(-1)
    return maps[torch.arange(len(maps))[:, None], :, rows, columns]


def probe_accuracy(train: LabelledFeatures, test: LabelledFeatures) -> float:
    """The share of the test vectors whose class a linear probe says right: logistic regression on standardised features.

    Its regulariser, ‖w‖² / 2, counts as much as one training vector: with thousands of them, hardly anything.
    """
    from sklearn.linear_model import LogisticRegression  # costs a second, which no other command need pay
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler().fit(train.features)
    probe = LogisticRegression(max_iter=500).fit(scale.transform(train.features), train.labels)
    return float((probe.predict(scale.transform(test.features)) == test.labels).mean())


def balanced(labels: npt.NDArray[np.int64], rng: np.random.Generator, most: int) -> npt.NDArray[np.int64]:
    """Indices of equally many elements of each class, drawn without repeats, ``most`` of each at most; in random order."""
    classes, counts = np.unique(labels, return_counts=True)
    each = min(most, int(counts.min()))
    chosen = np.concatenate([rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in classes])
    return np.asarray(rng.permutation(chosen), np.int64)


def first_layer(accuracies: Sequence[float], share: float = 0.9) -> int:
    """The number of the first layer at which a property has ``share`` of its rise, 0 where it never rises.

    It rises from the accuracy at layer 0 to the greatest of all.
    """
    rise = max(accuracies) - accuracies[0]
    return next(layer for layer, accuracy in enumerate(accuracies) if accuracy - accuracies[0] >= share * rise)
