"""What a layer's channels answer to: the images that excite each most, one made to excite it, and the first layer's filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import convolutions, recorded


class Exciting(NamedTuple):
    """The images that excite each of K channels most."""

    values: Tensor
    """float (K, M): the greatest activation in each, the strongest first."""
    places: Tensor
    """int64 (K, M): which image it is, counted over all batches."""


def most_exciting(network: nn.Module, layer: nn.Module, batches: Iterable[Tensor], most: int = 9) -> Exciting:
    """The images in which a channel of a layer has its greatest activations (Zeiler & Fergus 2014, section 3.1).

    Args:
        network: called with each batch.
        layer: of it, puts out (B, K, h, w).
        batches: float (B, 3, H, W) each, normalised.
        most: images for a channel; fewer where there are not so many.

    Raises:
        ValueError: there is no image.
    """
    peaks = []
    with torch.no_grad():
        for images in batches:
            with recorded({"": layer}) as outputs:
                network(images)
            peaks.append(outputs[""].flatten(2).amax(2))
    if not peaks:
        raise ValueError("no images")
    values, places = torch.cat(peaks).T.sort(dim=1, descending=True, stable=True)
    return Exciting(values[:, :most], places[:, :most])


def mean_activation(network: nn.Module, layer: nn.Module, channels: Tensor) -> Callable[[Tensor], Tensor]:
    """What :func:`maximised` makes great: of image i the mean activation of channel ``channels[i]`` of a layer."""

    def objective(images: Tensor) -> Tensor:
        with recorded({"": layer}) as outputs:
            network(images)
        means: Tensor = outputs[""].flatten(2).mean(2)
        return means.gather(1, channels[:, None])[:, 0]

    return objective


def maximised(
    objective: Callable[[Tensor], Tensor],
    shape: tuple[int, int, int, int],
    rng: torch.Generator,
    *,
    steps: int = 96,
    lr: float = 0.08,
    roughness: float = 1.0,
    jitter: int = 3,
) -> Tensor:
    """Images that make a number great, by gradient ascent from noise: float (B, 3, H, W), normalised.

    Erhan et al. 2009, "Visualizing higher-layer features"; Simonyan et al. 2013, section 2. Without a prior high frequencies
    win: so the squared difference of neighbouring pixels costs ``roughness`` (Mahendran & Vedaldi 2015), and the image is moved
    by up to ``jitter`` pixels at each step (Mordvintsev et al. 2015). Values stay within two standard deviations of the data.

    Args:
        objective: from images (B, 3, H, W) to a number each, (B,).
        shape: of the images.
        rng: on the CPU; draws noise and movements.
        steps: of Adam.
        lr: its learning rate.
        roughness: weight of the prior, beside the objective in parts of its own value.
        jitter: in pixels.
    """
    images = (0.3 * torch.randn(shape, generator=rng)).requires_grad_()
    optimizer = torch.optim.Adam([images], lr=lr)
    for _ in range(steps):
        x, y = torch.randint(-jitter, jitter + 1, (2,), generator=rng).tolist()
        optimizer.zero_grad()
        value = objective(images.roll((y, x), (2, 3)))
        rough = images.diff(dim=2).square().mean((1, 2, 3)) + images.diff(dim=3).square().mean((1, 2, 3))
        # Per image, so that a channel of great activations is not less smooth than one of small ones.
        (roughness * rough - value / value.detach().abs().clamp(min=1e-3)).sum().backward()
        optimizer.step()
        with torch.no_grad():
            images.clamp_(-2, 2)
    return images.detach()


def first_layer_filters(network: nn.Module) -> Tensor | None:
    """The first convolution's filters as pictures, float (K, 3, h, w) in [0, 1]; None where there is no convolution.

    Each is scaled by its greatest magnitude, 0.5 being weight 0. Where it takes other than three channels, their mean is shown.
    """
    first = next((c for c in convolutions(network).values() if isinstance(c, nn.Conv2d)), None)
    if first is None or nn.parameter.is_lazy(first.weight):
        return None
    weight = first.weight.detach().float().cpu()
    if weight.shape[1] != 3:
        weight = weight.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return 0.5 + 0.5 * weight / weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def sheet(pictures: Tensor, *, columns: int, side: int, gap: int = 3) -> Tensor:
    """Pictures float (N, 3, h, w) in [0, 1] as one, uint8 (3, H, W), each enlarged by a whole factor to ``side``."""
    factor = max(1, side // max(pictures.shape[-2:]))
    tiles = F.interpolate(pictures.clamp(0, 1), scale_factor=factor, mode="nearest")
    tiles = F.pad((tiles * 255).round().to(torch.uint8), (0, gap, 0, gap), value=255)
    missing = -len(tiles) % columns
    tiles = torch.cat([tiles, tiles.new_full((missing, *tiles.shape[1:]), 255)])
    rows = tiles.unflatten(0, (-1, columns))  # (rows, columns, 3, h, w)
    grid = rows.permute(2, 0, 3, 1, 4).reshape(3, rows.shape[0] * tiles.shape[2], columns * tiles.shape[3])
    return F.pad(grid, (gap, 0, gap, 0), value=255)
