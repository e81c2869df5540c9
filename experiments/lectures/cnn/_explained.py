"""What the studies of filters and maps share: small nets, trained in seconds without a recipe."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import Conv2dNormActivation

from datamodules.base import DataModule, PreparedScenes, Split
from datamodules.loading import collate
from datamodules.scene import Batch
from experiments.measures.small_training import minimise
from lightning_modules.explanations.channels import first_layer_filters, sheet

Origin = Literal["trained", "permuted pixels", "random labels", "random"]
"""How a net came by its weights: the last two, and the second, are controls."""
BATCH = 64


def net(classes: int, widths: tuple[int, ...], first: int) -> nn.Sequential:
    """[convolution, batch normalisation, ReLU, max pooling] for each width, the mean over places, and an output.

    ``first`` is the side of the first layer's filters; the others have 3 × 3.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in zip((3, *widths), widths, strict=False):
        layers += [Conv2dNormActivation(inputs, outputs, 3 if layers else first), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))


def scenes(data: DataModule, split: Split, count: int, fields: frozenset[str]) -> Batch:
    """The first scenes of a split, with their images as uint8."""
    data.require(fields)
    prepared = PreparedScenes(data, split, augment=False)
    batch = collate([prepared[(0, i)] for i in range(min(count, len(prepared)))])
    assert batch is not None
    return batch


def normalised(images: Tensor, data: DataModule) -> Tensor:
    """Images as a task gives them to its network, float32 (N, 3, H, W), channels last."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) * 255 for v in (data.metadata.mean, data.metadata.std))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def train(network: nn.Module, images: Tensor, labels: Tensor, *, steps: int, lr: float, seed: int) -> float:
    """SGD with momentum 0.9 and one cycle of the learning rate (Smith & Topin 2019), batches of 64; in place.

    Returns:
        The mean training loss of the last fifth of the steps.
    """
    rng = torch.Generator().manual_seed(seed)
    network.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    order = torch.zeros(0, dtype=torch.long)

    def loss() -> Tensor:
        nonlocal order
        if len(order) < BATCH:
            order = torch.randperm(len(images), generator=rng)
        chosen, order = order[:BATCH], order[BATCH:]
        return F.cross_entropy(network(images[chosen]), labels[chosen])

    losses = minimise(loss, optimizer, schedule, steps)
    network.eval()
    last = losses[-max(1, steps // 5) :]
    return sum(last) / len(last)


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        found = torch.cat([network(part).argmax(1) for part in images.split(500)])
    return float((found == labels).double().mean())


def shuffled(labels: Tensor, seed: int) -> Tensor:
    """The same labels in another order: what an image shows says nothing of its label any more."""
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]


def draw_filters(network: nn.Module, folder: Path) -> None:
    """``pictures/filters.png``: the first layer's filters."""
    filters = first_layer_filters(network)
    assert filters is not None
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet(filters, columns=8, side=42).permute(1, 2, 0).numpy()).save(folder / "pictures" / "filters.png")


def digest_of(images: Tensor) -> str:
    """Stands for the images that a measurement saw."""
    return hashlib.sha256(images.contiguous().numpy().tobytes()).hexdigest()[:16]
