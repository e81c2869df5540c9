"""The parts of the page that show a layer and not an image: filters, feature maps, and what channels answer to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lightning_modules.explanations.channels import (
    Exciting,
    first_layer_filters,
    maximised,
    mean_activation,
    most_exciting,
    sheet,
)
from lightning_modules.explanations.deconvnet import reconstruction
from lightning_modules.explanations.layers import feature_maps

from .explanation import ChannelRow, Explainer, Explanation, Strip
from .tiles import around_grey, enlarged, part_seen, sized, stretched

LAYERS, MAPS, CHANNELS, NINE = 8, 8, 6, 9
"""Layers whose feature maps are shown, maps of each, channels that are shown, and images of each."""
TILE, SMALL = 84, 60
"""Sides of a feature map, and of one of nine images, in pixels."""
STEPS = 96


def add_filters(page: Explanation, explainer: Explainer) -> None:
    """The first convolution's filters, trained and random."""
    for kind, scores in (("", explainer.scores), ("_random", explainer.random)):
        filters = first_layer_filters(scores.network)
        if filters is None:
            return
        page.pictures[f"filters{kind}"] = sheet(filters[:64], columns=8, side=42)
    page.filters.append(Strip("", "filters", "filters_random"))


def add_feature_maps(page: Explanation, explainer: Explainer, image: Tensor) -> None:
    """Of up to eight convolutions the channels that say most of one image, float (1, 3, H, W) as the network takes it."""
    trained, random = (feature_maps(scores.network, image) for scores in (explainer.scores, explainer.random))
    names = list(trained)
    if len(names) > LAYERS:
        page.notes.append(f"Feature maps of {LAYERS} of {len(names)} convolutions are shown.")
        names = [names[round(i * (len(names) - 1) / (LAYERS - 1))] for i in range(LAYERS)]
    for i, name in enumerate(names):
        for kind, found in (("", trained), ("_random", random)):
            maps = found[name][0]
            strongest = maps.abs().mean((1, 2)).argsort(descending=True)[:MAPS]
            page.pictures[f"features_{i:02}{kind}"] = sheet(stretched(maps[strongest]), columns=MAPS, side=TILE)
        size = " x ".join(map(str, trained[name].shape[1:]))
        page.features.append(Strip(f"{name} ({size})", f"features_{i:02}", f"features_{i:02}_random"))


def add_channels(page: Explanation, explainer: Explainer, images: Sequence[Tensor], *, maximise: bool, nine: bool) -> None:
    """What the channels of the layer answer to that answer most strongly.

    Args:
        images: uint8 (3, H, W), all of one size, among which the nine are looked for.
        maximise: whether images are made for the channels.
        nine: whether the nine images of each are shown.
    """
    normalise = lambda places: explainer.images({"image": torch.stack([images[i] for i in places])})  # noqa: E731
    batches = [range(len(images))[i : i + 32] for i in range(0, len(images), 32)]
    trained, random = (
        most_exciting(scores.network, layer, map(normalise, batches), NINE)
        for scores, layer in ((explainer.scores, explainer.trained_layer), (explainer.random, explainer.random_layer))
    )
    channels = trained.values.mean(1).argsort(descending=True)[:CHANNELS]
    made = {}
    if maximise:
        height, width = images[0].shape[1:]
        for kind, scores, layer in (
            ("", explainer.scores, explainer.trained_layer),
            ("_random", explainer.random, explainer.random_layer),
        ):
            objective = mean_activation(scores.network, layer, channels)
            rng = torch.Generator().manual_seed(0)
            made[kind] = maximised(
                lambda found, objective=objective: objective(found.to(channels.device)).cpu(),  # type: ignore[misc]
                (len(channels), 3, height, width),
                rng,
                steps=STEPS,
            )
    page.searched = len(images)
    for i, channel in enumerate(channels.tolist()):
        row = ChannelRow(channel)
        if maximise:
            for kind, found in made.items():
                page.pictures[f"channel_{channel}_made{kind}"] = sized(_as_image(found[i], explainer))
            row = row._replace(maximised=f"channel_{channel}_made", maximised_random=f"channel_{channel}_made_random")
        if nine:
            for kind, exciting, network, layer in (
                ("", trained, explainer.scores.network, explainer.trained_layer),
                ("_random", random, explainer.random.network, explainer.random_layer),
            ):
                patches, back = _nine(images, normalise(exciting.places[channel].tolist()), exciting, network, layer, channel)
                page.pictures[f"channel_{channel}_nine{kind}"] = patches
                page.pictures[f"channel_{channel}_back{kind}"] = back
            name = f"channel_{channel}"
            row = row._replace(nine=f"{name}_nine", reconstructed=f"{name}_back", nine_random=f"{name}_nine_random")
        page.channels.append(row)


def _nine(
    images: Sequence[Tensor], seen: Tensor, exciting: Exciting, network: nn.Module, layer: nn.Module, channel: int
) -> tuple[Tensor, Tensor]:
    """The parts of the nine images that a channel answers to, and what the deconvnet brings back of it, as two sheets."""
    back = reconstruction(network, layer, seen, channel).cpu()
    patches, returned = [], []
    for place, own in zip(exciting.places[channel].tolist(), back, strict=True):
        top, bottom, left, right = part_seen(own)
        patches.append(enlarged(images[place][:, top:bottom, left:right], SMALL))
        returned.append(enlarged(around_grey(own)[:, top:bottom, left:right], SMALL))
    return sheet(torch.stack(patches), columns=3, side=SMALL), sheet(torch.stack(returned), columns=3, side=SMALL)


def _as_image(normalised: Tensor, explainer: Explainer) -> Tensor:
    """A normalised image (3, H, W) as it would travel: uint8."""
    mean, std = explainer.task.mean[0].cpu(), explainer.task.std[0].cpu()
    return (normalised.cpu() * std + mean).round().clamp(0, 255).to(torch.uint8)
