"""One linear SVM for each class, with hard negatives mined from all images: R-CNN's second stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import box_iou

from .feature_store import Floats, ImageFeatures

Images = Callable[[], Iterable[ImageFeatures]]
"""Begins another pass over the images."""

EVICTED = -1.2
"""A mined negative whose margin falls below this no longer counts; the authors' value."""


class LinearSVMs:
    """Fits a linear SVM a class on the features of regions. Girshick et al. 2014, section 2.3 and appendix B.

    Positives are the objects' own boxes, negatives the regions whose IoU with every object of the class is below
    ``negative_iou``; regions in between are passed over. Negatives are mined (Felzenszwalb et al. 2010): image by image,
    those are added that the SVM so far does not reject by its margin, and from time to time it is fitted again. "Hard
    negative mining converges quickly and in practice mAP stops increasing after only a single pass over all images."

    scikit-learn's ``LinearSVC`` is liblinear, as in the authors' code, whose constants are the defaults where the paper
    names none.

    Args:
        c: of the SVM: the weight of a violated margin.
        positive_weight: a positive's violation counts so much more.
        bias: the constant feature that the bias is the weight of; the larger, the less the bias is regularised.
        norm: features are scaled so that their mean length is this.
        negative_iou: set on validation data in the paper; .5 in its place "decreased mAP by 5 points".
        passes: over all images.
        refit: negatives that are added before a class's SVM is fitted again.
    """

    def __init__(
        self,
        *,
        c: float = 1e-3,
        positive_weight: float = 2.0,
        bias: float = 10.0,
        norm: float = 20.0,
        negative_iou: float = 0.3,
        passes: int = 1,
        refit: int = 2000,
    ) -> None:
        self.c, self.positive_weight, self.bias, self.norm = c, positive_weight, bias, norm
        self.negative_iou, self.passes, self.refit = negative_iou, passes, refit

    def fit(self, images: Images, num_classes: int) -> npt.NDArray[np.float64]:
        """float64 (num_classes, 1 + D): each class's bias and weights.

        A class without objects, or without a region that is not an object, gets a bias of -10 and no weights: it is never
        found.
        """
        scale = self.norm / mean_length(image.features for image in images())
        classes = [Mining(self, positives * scale) for positives in self._positives(images, num_classes)]
        for _ in range(self.passes):
            for place, image in enumerate(images()):
                features = image.features * scale
                overlaps = class_overlaps(image, num_classes)
                for c, mining in enumerate(classes):
                    mining.look(place, features, (overlaps[:, c] < self.negative_iou).nonzero()[0])
        svms = np.stack([mining.finish() for mining in classes])
        svms[:, 1:] *= scale
        return svms

    def _positives(self, images: Images, num_classes: int) -> list[Floats]:
        """The features (N, D) of the objects of each class."""
        found: list[list[Floats]] = [[] for _ in range(num_classes)]
        for image in images():
            objects = image.features[: len(image.labels)]
            for label, rows in enumerate(found):
                rows.append(objects[image.labels == label])
        return [np.concatenate(rows) for rows in found]


class Mining:
    """One class's SVM and the negatives that it has been found to need."""

    def __init__(self, svms: LinearSVMs, positives: Floats) -> None:
        self.svms, self.positives = svms, positives
        self.negatives: dict[int, tuple[npt.NDArray[np.int64], Floats]] = {}
        """Of each image that has any: which regions they are, and their features."""
        self.added = 0
        self.weights: npt.NDArray[np.float64] | None = None

    def look(self, place: int, features: Floats, rows: npt.NDArray[np.int64]) -> None:
        """Takes the hard ones out of one image's negatives (``rows`` of its features); all where there is no SVM yet."""
        if self.weights is not None:
            rows = rows[margins(self.weights, features[rows]) > -1]
        if place in self.negatives:  # from a pass before
            known, _ = self.negatives[place]
            rows = np.union1d(known, rows)
            self.added -= len(known)
        self.added += len(rows)
        self.negatives[place] = rows, features[rows]
        if self.added and (self.weights is None or self.added >= self.svms.refit):
            self._fit()
            self._evict()

    def _evict(self) -> None:
        """Leaves out the negatives that the SVM rejects by far."""
        if self.weights is None:
            return
        for place, (rows, features) in self.negatives.items():
            kept = margins(self.weights, features) >= EVICTED
            self.negatives[place] = rows[kept], features[kept]

    def finish(self) -> npt.NDArray[np.float64]:
        """float64 (1 + D,), the bias and the weights of the SVM on all that was mined."""
        if self.added:
            self._fit()
        if self.weights is None:
            return np.concatenate([[-10.0], np.zeros(self.positives.shape[1])])
        return self.weights

    def _fit(self) -> None:
        from sklearn.svm import LinearSVC  # costs a second, which no other command need pay

        if not len(self.positives):
            return
        svm = LinearSVC(
            C=self.svms.c,
            loss="hinge",
            dual=True,
            class_weight={1: self.svms.positive_weight},
            intercept_scaling=self.svms.bias,
            tol=0.01,
            max_iter=20_000,
            random_state=0,
        )
        negatives = np.concatenate([features for _, features in self.negatives.values()])
        svm.fit(np.concatenate([self.positives, negatives]), np.repeat([1, 0], [len(self.positives), len(negatives)]))
        self.weights = np.concatenate([svm.intercept_, svm.coef_[0]])
        self.added = 0


def margins(weights: npt.NDArray[np.float64], features: Floats) -> npt.NDArray[np.float64]:
    """float64 (R,), of features (R, D) and weights (1 + D,), the bias first."""
    values: npt.NDArray[np.float64] = features @ weights[1:] + weights[0]
    return values


def class_overlaps(image: ImageFeatures, num_classes: int) -> Floats:
    """float32 (R, num_classes), each region's greatest IoU with an object of each class; 0 where there is none."""
    overlaps = np.zeros((len(image.boxes), num_classes), np.float32)
    if len(image.labels):
        boxes = torch.from_numpy(image.boxes)
        iou = box_iou(boxes, boxes[: len(image.labels)]).numpy()
        for g, label in enumerate(image.labels):
            overlaps[:, label] = np.maximum(overlaps[:, label], iou[:, g])
    return overlaps


def mean_length(features: Iterable[Floats], count: int = 200) -> float:
    """The mean length of the features of the first ``count`` images that have any; 1 where none has."""
    lengths: list[Floats] = []
    for rows in features:
        if len(rows):
            lengths.append(np.linalg.norm(rows, axis=1))
        if len(lengths) == count:
            break
    return float(np.concatenate(lengths).mean()) or 1.0 if lengths else 1.0
