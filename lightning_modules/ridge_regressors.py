"""One ridge regression of the box for each class: R-CNN's third stage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torchvision.models.detection._utils import BoxCoder

from .feature_store import Floats
from .linear_svms import Images, mean_length


class RidgeRegressors:
    """Fits, for each class, the four offsets from a region to its object to the region's features (pool5).

    Girshick et al. 2014, appendix C: pairs of a proposal and the object that it overlaps most, where their IoU is above
    ``near``; the offsets of equations 6 to 9; "regularization is important: we set λ = 1000 based on a validation set".

    Args:
        strength: λ.
        near: the least IoU of a pair.
        norm: features are scaled so that their mean length is this, as the authors' code does.
    """

    def __init__(self, *, strength: float = 1000.0, near: float = 0.6, norm: float = 20.0) -> None:
        self.strength, self.near, self.norm = strength, near, norm

    def fit(self, images: Images, num_classes: int) -> npt.NDArray[np.float64]:
        """float64 (num_classes, 4, 1 + F): each offset's constant and weights; 0 for a class without pairs.

        An image's pairs are those in ``near`` of its features.
        """
        from sklearn.linear_model import Ridge  # costs a second, which no other command need pay

        scale = self.norm / mean_length(image.pooled for image in images())
        fitted: list[npt.NDArray[np.float64]] = []
        for label in range(num_classes):
            features, offsets = self._pairs(images, label)
            weights = np.zeros((4, 1 + features.shape[1]))
            if len(features):
                ridge = Ridge(self.strength).fit(features.astype(np.float64) * scale, offsets)
                weights = np.column_stack([ridge.intercept_, ridge.coef_ * scale])
            fitted.append(weights)
        return np.stack(fitted)

    def _pairs(self, images: Images, label: int) -> tuple[Floats, npt.NDArray[np.float64]]:
        """The features (M, F) of the proposals that are near an object of this class, and the offsets (M, 4) to it."""
        features, offsets = [], []
        coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        for image in images():
            chosen = image.labels[image.near[:, 1]] == label
            features.append(image.pooled[chosen])
            proposals, objects = (torch.from_numpy(image.boxes[image.near[chosen, k]]).double() for k in (0, 1))
            offsets.append(coder.encode_single(objects, proposals).numpy())
        return np.concatenate(features), np.concatenate(offsets)
