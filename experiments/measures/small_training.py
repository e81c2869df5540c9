"""The training of small nets in a plain loop, for studies of many small nets: no recipe, no Lightning, no files.

Images are uint8 tensors (N, C, H, W), labels int64 (N,). The same arguments give the same net: weights are drawn by
:func:`seeded`, batches and augmentation from the ``seed`` of :func:`train`. Torch computes on as many threads as it is set to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

Loss = Callable[[Tensor, Tensor], Tensor]
"""From a net's outputs for a batch and the batch's indices among all images to a scalar."""
Augment = Callable[[Tensor, torch.Generator], Tensor]
"""From a uint8 batch (B, C, H, W) to another of its size."""

WARMUP = 0.1
"""Part of the steps in which the rate rises; it then falls along half a cosine to nothing."""
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4


class Standardize(nn.Module):
    """uint8 (N, C, H, W) to float32 whose channels have mean 0 and standard deviation 1 over the images that made it."""

    mean: Tensor
    std: Tensor

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        values = images.float()
        self.register_buffer("mean", values.mean((0, 2, 3), keepdim=True))
        self.register_buffer("std", values.std((0, 2, 3), keepdim=True).clamp_min(1.0))

    def forward(self, images: Tensor) -> Tensor:
        standard: Tensor = (images.float() - self.mean) / self.std
        return standard.contiguous(memory_format=torch.channels_last)


def stage(inputs: int, outputs: int, pool: nn.Module | None = None, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """A 3 × 3 convolution, batch normalisation, activation, and a pooling: by default the maximum of 2 × 2."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), activation(), nn.MaxPool2d(2) if pool is None else pool)


def features(channels: int, widths: Sequence[int]) -> nn.Sequential:
    """One :func:`stage` a width: (N, channels, H, W) to (N, widths[-1], H / 2^len(widths), W / 2^len(widths))."""
    return nn.Sequential(*(stage(i, o) for i, o in zip((channels, *widths[:-1]), widths, strict=True)))


def classifier(images: Tensor, classes: int, widths: Sequence[int] = (16, 32, 32)) -> nn.Sequential:
    """A net for uint8 images like these, to logits (N, classes): standardised, :func:`features`, their mean, a linear layer."""
    layers = (Standardize(images), features(images.shape[1], widths))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))


def seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """What ``make`` returns, its weights drawn from ``seed``; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().to(memory_format=torch.channels_last)


def cross_entropy(labels: Tensor) -> Loss:
    """Of logits, against labels (N,) of all images."""
    return lambda logits, chosen: F.cross_entropy(logits, labels[chosen])


def minimise(loss: Callable[[], Tensor], optimizer: Optimizer, schedule: LRScheduler, steps: int) -> list[float]:
    """So many steps down the gradient of what ``loss`` returns, a scalar; the rate follows ``schedule`` step by step.

    Returns:
        The loss at each step, before it.
    """
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        losses.append(float(value.detach()))
    return losses


def train(
    net: nn.Module,
    images: Tensor,
    loss: Loss,
    *,
    steps: int,
    lr: float,
    seed: int,
    batch: int = 64,
    augment: Augment | None = None,
) -> None:
    """Trains ``net`` where it stands: SGD with Nesterov's momentum of 0.9 and a weight decay of 5e-4, a warm-up and a cosine.

    Args:
        net: takes a uint8 batch; parameters that ask for no gradient stay as they are, and modules that have no others are
            in evaluation mode, so that what their batch normalisation has seen stays too.
        images: uint8 (N, C, H, W).
        loss: of the net's outputs and the batch's indices.
        steps: optimizer steps; epoch after epoch each image is seen once, the rest of an epoch being a smaller batch.
        lr: the greatest rate.
        seed: of the order and of the augmentation.
        batch: images in a step.
        augment: what each batch goes through first.
    """
    rng = torch.Generator().manual_seed(seed)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, lr, total_steps=steps, pct_start=WARMUP, cycle_momentum=False, div_factor=10
    )
    net.train()
    for module in net.modules():
        own = list(module.parameters())
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()
    waiting: list[Tensor] = []

    def of_a_batch() -> Tensor:
        if not waiting:
            waiting.extend(torch.randperm(len(images), generator=rng).split(batch))
        chosen = waiting.pop(0)
        inputs = images[chosen]
        return loss(net(inputs if augment is None else augment(inputs, rng)), chosen)

    minimise(of_a_batch, optimizer, schedule, steps)


def outputs(net: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """What the net gives for all images in evaluation mode, without gradients: one tensor."""
    net.eval()
    with torch.inference_mode():
        return torch.cat([net(part) for part in images.split(batch)])


def error(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of images whose greatest logit is not that of their label; 1 where the weights have become infinite."""
    logits = outputs(net, images)
    right = (logits.argmax(1) == labels) & logits.isfinite().all(1)
    return 1.0 - float(right.float().mean())
