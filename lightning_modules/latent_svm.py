"""The latent SVM of a deformable part model: where each object's parts are is found, and then fitted to, in turns.

Felzenszwalb et al. 2010, "Object Detection with Discriminatively Trained Part-Based Models", sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import box_iou, nms

from .bounded_svm import fit_svm, margins
from .draws import generator
from .linear_svms import EVICTED
from .networks.dpm import DPM, Places
from .networks.part_model import Placement
from .networks.pyramid import Pyramid


class TrainingImage(NamedTuple):
    """One image as a round sees it."""

    place: int
    """In its split."""
    pyramid: Pyramid
    """Of this image alone."""
    boxes: Tensor
    """float32 (G, 4), of the objects that are trained on."""
    labels: Tensor
    """int64 (G,)."""


ImageSource = Callable[[], Iterable[TrainingImage]]
"""Begins another pass over the images."""


class Round(NamedTuple):
    """What a round was made of, over all classes."""

    objective: float
    positives: int
    negatives: int


class LatentSVM:
    """Fits a DPM in rounds: positives are placed by the model so far, hard negatives are mined, and the SVM is fitted.

    An object is placed where the model scores highest among the places whose box has an IoU of at least ``positive_iou`` with
    it (where no place has, those that are nearest to it); in the first round, where its box fits best. A negative is a place
    whose IoU with each object of the class is below ``negative_iou``. Each round begins with the hardest of each image and
    some at random, and mines again after each fit.

    Args:
        c: weight of a squared violation.
        root_rounds: rounds before there are parts.
        passes: over all images in a round, after the first, that mine further negatives.
        hard: negatives that a pass takes of an image, at most.
        random: negatives of an image at random places, in each round; ten times as many in the first, which has no others.
        positive_iou: the authors' value in the second release of their code on.
        negative_iou: below it a place is a negative, near the object though it may be.
        iterations: of L-BFGS-B, in a fit.
    """

    def __init__(
        self,
        *,
        c: float = 0.01,
        root_rounds: int = 1,
        passes: int = 2,
        hard: int = 8,
        random: int = 2,
        positive_iou: float = 0.7,
        negative_iou: float = 0.5,
        iterations: int = 60,
    ) -> None:
        self.c, self.root_rounds, self.passes, self.hard, self.random = c, root_rounds, passes, hard, random
        self.positive_iou, self.negative_iou, self.iterations = positive_iou, negative_iou, iterations

    def fit(self, network: DPM, images: ImageSource, number: int) -> Round:
        """Does the round ``number``, from 0, and puts what it finds into the network."""
        if network.finer and number == self.root_rounds:
            for model in network.models:
                for c in range(network.num_classes):
                    model.add_parts(c)
            network.has_parts.fill_(True)
        rounds = [ClassRound(self, network, c, number).fit(images) for c in range(network.num_classes)]
        return Round(*(sum(values) for values in zip(*rounds, strict=True)))


class ClassRound:
    """A round of one class."""

    def __init__(self, svm: LatentSVM, network: DPM, c: int, number: int) -> None:
        self.svm, self.network, self.c, self.number = svm, network, c, number
        components = range(len(network.models))
        self.positives: list[list[NDArray[np.float32]]] = [[] for _ in components]
        self.negatives: list[dict[tuple[int, Placement], NDArray[np.float32]]] = [{} for _ in components]
        """Of each component, by image and place."""

    def fit(self, images: ImageSource) -> Round:
        shapes = self._shapes(images) if self.number == 0 else []
        for image in images():
            places = self.network.places(image.pyramid, 0, self.c)
            overlaps = self._overlaps(places, image)
            self._place(image, places, overlaps, shapes)
            self._draw(image, places, overlaps)
            if self.number:
                self._mine(image, places, overlaps)
        objective = self._fit()
        for _ in range(self.svm.passes):
            self._evict()
            before = sum(map(len, self.negatives))
            for image in images():
                places = self.network.places(image.pyramid, 0, self.c)
                self._mine(image, places, self._overlaps(places, image))
            if sum(map(len, self.negatives)) == before:
                break
            objective = self._fit()
        return Round(objective, sum(map(len, self.positives)), sum(map(len, self.negatives)))

    def _overlaps(self, places: Places, image: TrainingImage) -> Tensor:
        """float32 (N, G'): IoU of each place with each object of the class."""
        return box_iou(places.boxes, image.boxes[image.labels == self.c])

    def _shapes(self, images: ImageSource) -> list[float]:
        """Where one component's objects end and the next one's begin, in the ratio of width to height."""
        ratios = [
            float((x2 - x1) / (y2 - y1))
            for image in images()
            for x1, y1, x2, y2 in image.boxes[image.labels == self.c].tolist()
        ]
        parts = len(self.positives)
        return [float(np.quantile(ratios, k / parts)) for k in range(1, parts)] if ratios else []

    def _place(self, image: TrainingImage, places: Places, overlaps: Tensor, shapes: list[float]) -> None:
        """The objects of an image, each at its best place."""
        if not len(places.scores):
            return
        scores = torch.from_numpy(places.scores)
        components = torch.cat([torch.full((r.scores.size,), r.component) for r in places.responses])
        for box, overlap in zip(image.boxes[image.labels == self.c], overlaps.T, strict=True):
            if self.number == 0:
                width, height = (box[2:] - box[:2]).tolist()
                own = components == sum(width / height > shape for shape in shapes)
                best = int(torch.where(own, overlap, torch.full_like(overlap, -1)).argmax())
            else:
                near = overlap >= min(self.svm.positive_iou, float(overlap.max()))
                best = int(torch.where(near, scores, torch.full_like(scores, -torch.inf)).argmax())
            if overlap[best] > 0:
                place = places.place(best)
                self.positives[place.component].append(self._vector(image, place))

    def _draw(self, image: TrainingImage, places: Places, overlaps: Tensor) -> None:
        """Negatives at random places."""
        far = self._far(overlaps, len(places.scores)).nonzero()[:, 0]
        count = self.svm.random * (1 if self.number else 10)
        order = torch.randperm(len(far), generator=generator(self.number, image.place))[:count]
        for index in far[order].tolist():
            self._add(image, places.place(index))

    def _mine(self, image: TrainingImage, places: Places, overlaps: Tensor) -> None:
        """The hardest negatives that are not known yet, no two of them at nearly the same place."""
        scores = torch.from_numpy(places.scores)
        rows = (self._far(overlaps, len(scores)) & (scores > -1)).nonzero()[:, 0]
        rows = rows[scores[rows].argsort(descending=True, stable=True)]
        apart = rows[nms(places.boxes[rows], scores[rows].float(), 0.7)]
        added = 0
        for index in apart.tolist():
            if added == self.svm.hard:
                return
            added += self._add(image, places.place(index))

    def _far(self, overlaps: Tensor, count: int) -> Tensor:
        """bool (N,): the places that are no object's."""
        if not overlaps.shape[1]:
            return torch.ones(count, dtype=torch.bool)
        return overlaps.max(1).values < self.svm.negative_iou

    def _add(self, image: TrainingImage, place: Placement) -> bool:
        """Whether the negative was not known."""
        known, key = self.negatives[place.component], (image.place, place)
        if key in known:
            return False
        known[key] = self._vector(image, place)
        return True

    def _vector(self, image: TrainingImage, place: Placement) -> NDArray[np.float32]:
        model = self.network.models[place.component]
        return model.features(image.pyramid, 0, place, self.c, self.network.finer)

    def _fit(self) -> float:
        """Each component by itself, since no example has two: the sum of their objectives."""
        with_parts, total = bool(self.network.has_parts), 0.0
        for model, positives, negatives in zip(self.network.models, self.positives, self.negatives, strict=True):
            if positives and negatives:
                fit = fit_svm(
                    np.stack(positives),
                    np.stack(list(negatives.values())),
                    model.weights(self.c, with_parts),
                    c=self.svm.c,
                    least=model.least(with_parts),
                    bias=model.root[0].numel(),
                    iterations=self.svm.iterations,
                )
                model.set_weights(self.c, fit.weights, with_parts)
                total += fit.objective
        return total

    def _evict(self) -> None:
        """Leaves out the negatives that the SVM rejects by far."""
        with_parts = bool(self.network.has_parts)
        for model, negatives in zip(self.network.models, self.negatives, strict=True):
            if negatives:
                values = margins(np.stack(list(negatives.values())), model.weights(self.c, with_parts))
                for key, value in zip(list(negatives), values, strict=True):
                    if value < EVICTED:
                        del negatives[key]
