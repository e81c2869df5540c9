"""Everything that a page of explanations shows, computed from a task and some scenes before anything is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from datamodules.scene import Batch, InputError, unbind
from experiments.command_line.guesses import did_you_mean
from experiments.training.drawing import draw
from lightning_modules.base import Task
from lightning_modules.explanations.layers import last_convolution, layer_named, recorded
from lightning_modules.explanations.maps import heat, predicted
from lightning_modules.explanations.randomized import randomized
from lightning_modules.explanations.scores import RegionLogits, scores_of

from .methods import Method
from .tiles import around_grey, over, sized
from .words import said


class MapPair(NamedTuple):
    """A map of an image beside the same map of the network with random weights; both are names of pictures."""

    trained: str
    random: str
    correlation: float
    """Spearman's rank correlation of the two; NaN where one is the same everywhere."""


class ImageMaps(NamedTuple):
    """An image and its maps."""

    name: str
    truth: str
    prediction: str
    explained: str
    """The class whose score is explained."""
    image: str
    drawn: str
    """The picture with the prediction drawn upon it."""
    cells: list[MapPair]


class Strip(NamedTuple):
    """A row of pictures of one kind, beside those of the network with random weights."""

    title: str
    trained: str
    random: str


class ChannelRow(NamedTuple):
    """What one channel answers to; names of pictures, empty where a method was not asked for."""

    channel: int
    maximised: str = ""
    maximised_random: str = ""
    nine: str = ""
    reconstructed: str = ""
    nine_random: str = ""


@dataclass
class Explanation:
    """The content of the page."""

    layer: str
    maps: dict[str, Method]
    """The methods that explain an image, in the order of a row's cells."""
    rows: list[ImageMaps] = field(default_factory=list)
    filters: list[Strip] = field(default_factory=list)
    features: list[Strip] = field(default_factory=list)
    channels: list[ChannelRow] = field(default_factory=list)
    searched: int = 0
    """Images among which the nine were looked for."""
    notes: list[str] = field(default_factory=list)
    pictures: dict[str, Tensor] = field(default_factory=dict)
    """uint8 (3, H, W) by name."""

    @property
    def correlations(self) -> dict[str, float]:
        """By method the mean over images of the rank correlation with random weights."""
        found = {}
        for i, name in enumerate(self.maps):
            values = [row.cells[i].correlation for row in self.rows if math.isfinite(row.cells[i].correlation)]
            found[name] = sum(values) / len(values) if values else math.nan
        return found


class Explainer:
    """A trained task, and the same with random weights.

    Args:
        task: with its weights.
        layer: of its network, by name; empty for the last convolution.
        sample: some of the images, by which the layer is found and tried.

    Raises:
        InputError: it has no score of a class or no convolution, there is no such layer, or it does not take such images.
    """

    def __init__(self, task: Task, layer: str, sample: Batch) -> None:
        self.task = task.eval()
        self.scores = scores_of(task)
        self.random = randomized(self.scores)
        self.sample = self.images(sample)[:1]
        try:
            given = self.scores.given(self.sample)
            self.layer = layer or last_convolution(self.scores, self.sample, given).removeprefix("network.")
        except InputError as error:
            raise InputError(f"{type(task.network).__name__}: {error}") from None
        except RuntimeError as error:
            raise self._of_another_size(error) from None
        self.trained_layer = layer_named(self.scores.network, self.layer)
        self.random_layer = layer_named(self.random.network, self.layer)
        self._check_layer()

    def _of_another_size(self, error: RuntimeError) -> InputError:
        height, width = self.sample.shape[-2:]
        name, why = type(self.task.network).__name__, " ".join(str(error).split())[:160]
        return InputError(f"data.image_size: {name} does not take images of {height} x {width} pixels (H x W): {why}")

    def _check_layer(self) -> None:
        with torch.no_grad(), recorded({"": self.trained_layer}) as outputs:
            self.scores.network(self.sample)
        if "" not in outputs or outputs[""].ndim != 4:
            raise InputError(f"--layer {self.layer}: puts out no maps (B, C, h, w); a convolution does")

    def images(self, batch: Batch) -> Tensor:
        """A batch's images as the network takes them."""
        return self.task.normalized(batch["image"].to(self.task.device)).contiguous()

    def target(self, batch: Batch, wanted: str) -> Tensor:
        """The class of each image whose score is explained: the one that is asked for, otherwise the one predicted.

        Raises:
            InputError: there is none of that name or number.
        """
        images = self.images(batch)
        if wanted:
            return torch.full((len(images),), class_index(wanted, self.names), device=images.device)
        given = self.scores.given(images)
        if isinstance(self.scores, RegionLogits):
            return _largest_region(given[0], self.names)
        return predicted(self.scores, images, given)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes that have a score."""
        metadata = self.task.metadata
        return metadata.mask_classes if isinstance(self.scores, RegionLogits) else metadata.classes

    def add_maps(self, page: Explanation, batch: Batch, wanted: str) -> None:
        """A row for each image of the batch."""
        images, target = self.images(batch), self.target(batch, wanted)
        with torch.no_grad():
            predictions = self.task.predict(self.task(batch["image"].to(self.task.device)))
        trained, random = (
            {
                name: method.draw(network, layer, images, target, network.given(images)).cpu()
                for name, method in page.maps.items()
                if method.draw
            }
            for network, layer in ((self.scores, self.trained_layer), (self.random, self.random_layer))
        )
        for i, scene in enumerate(unbind(batch)):
            number = f"{len(page.rows) + 1:02}"
            page.pictures[f"{number}_image"] = sized(scene["image"].cpu())
            page.pictures[f"{number}_prediction"] = sized(draw(scene["image"], predictions[i], self.task.metadata), smooth=True)
            cells = []
            for name, method in page.maps.items():
                for kind, found in (("", trained), ("_random", random)):
                    page.pictures[f"{number}_{name}{kind}"] = _tile(scene["image"].cpu(), found[name][i], method)
                picture = f"{number}_{name}"
                cells.append(MapPair(picture, f"{picture}_random", rank_correlation(trained[name][i], random[name][i])))
            page.rows.append(
                ImageMaps(
                    str(scene.get("name", scene["index"])),
                    said(scene, self.task.metadata) if scene.keys() & {"label", "labels", "mask"} else "",
                    said(predictions[i], self.task.metadata),
                    self.names[int(target[i])],
                    f"{number}_image",
                    f"{number}_prediction",
                    cells,
                )
            )


def class_index(wanted: str, names: Sequence[str]) -> int:
    """The place of a class that is given by its name or its number.

    Raises:
        InputError: there is none.
    """
    if wanted in names:
        return list(names).index(wanted)
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    raise InputError(f"--target {wanted}: no such class; there are {', '.join(names)}{did_you_mean(wanted, names)}")


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's, of two maps' magnitudes; NaN where one is the same everywhere."""
    values: list[Any] = [heat(m[None])[0].flatten().double().numpy() for m in (one, other)]
    if any(np.ptp(v) == 0 or not np.isfinite(v).all() for v in values):
        return math.nan
    return float(spearmanr(*values).statistic)


def _tile(image: Tensor, found: Tensor, method: Method) -> Tensor:
    if method.shown == "colours":
        return sized(around_grey(found))
    return sized(over(image, heat(found[None])[0]))


def _largest_region(classes: Tensor, names: Sequence[str]) -> Tensor:
    """Of maps of classes (B, H, W) the class of most pixels; the background only where there is no other."""
    counts = torch.stack([torch.bincount(own.flatten(), minlength=len(names)) for own in classes])
    for i, name in enumerate(names):
        if name == "background":
            counts[:, i] = counts[:, i].clamp(max=1) * 0 - 1
    found = counts.argmax(1)
    return torch.where(counts.gather(1, found[:, None])[:, 0] > 0, found, classes[:, 0, 0].long())
