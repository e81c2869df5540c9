"""What recognition did before features were learned: histograms of oriented gradients, and a linear SVM on given features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

COSTS = tuple(10.0 ** (half / 2) for half in range(-6, 3))
"""From 0.001 to 10, each √10 times the one before: the C that are tried, times the mean squared norm of a feature vector."""


class LabelledFeatures(NamedTuple):
    """A split as a classifier on given features sees it."""

    features: Features
    """float32 (N, D)."""
    labels: Labels
    """int64 (N,)."""


def hog_features(images: Tensor, cell: int = 4, block: int = 2, orientations: int = 9) -> Features:
    """Histograms of oriented gradients (Dalal & Triggs 2005), as scikit-image computes them.

    Each pixel counts with the gradient of the channel in which it is steepest. The cells' histograms of unsigned orientations
    are normalised over all blocks of ``block`` × ``block`` cells (L2-Hys: to length 1, cut at 0.2, to length 1 again), which
    overlap by all but one cell.

    Args:
        images: uint8 (N, 3, H, W).
        cell: side of a cell in pixels.
        block: side of a block in cells.
        orientations: bins over 180 degrees.

    Returns:
        float32 (N, D), D = (H // cell − block + 1) · (W // cell − block + 1) · block² · orientations.

    Raises:
        ValueError: an image has no room for one block.
    """
    from skimage.feature import hog  # costs time that no other command need pay

    high, wide = (side // cell for side in images.shape[-2:])
    if min(high, wide) < block:
        raise ValueError(f"images of {high} × {wide} cells: at least {block} × {block} expected, for one block")
    settings: dict[str, Any] = {
        "orientations": orientations,
        "pixels_per_cell": (cell, cell),
        "cells_per_block": (block, block),
        "channel_axis": -1,
    }
    return np.stack([hog(image, **settings) for image in images.permute(0, 2, 3, 1).numpy()]).astype(np.float32)


def linear_svm_error(
    train: LabelledFeatures, validation: LabelledFeatures, test: LabelledFeatures, costs: tuple[float, ...] = COSTS
) -> float:
    """Test error, in percent, of a linear SVM (one against the rest, squared hinge) whose C is chosen on validation data.

    Features are standardised by the training split's mean and standard deviation; one that never varies is 0. The same readout
    for any features: C goes with 1 / D, so that it means the same whatever their number.

    Args:
        train: what the SVM is fitted to, of at least two classes.
        validation: what C is chosen by.
        test: what is judged.
        costs: C times D, rising. They are tried until two in a row have more validation errors than the best before them.
    """
    from sklearn.preprocessing import StandardScaler  # costs a second, which no other command need pay
    from sklearn.svm import LinearSVC

    scale = StandardScaler().fit(train.features)
    seen, held, judged = (scale.transform(split.features) for split in (train, validation, test))
    best, error, worse = np.inf, np.nan, 0
    for cost in costs:
        svm = LinearSVC(C=cost / seen.shape[1], tol=1e-3, max_iter=5000, dual=True, random_state=0).fit(seen, train.labels)
        found = float((svm.predict(held) != validation.labels).mean())
        if found < best:
            best, worse = found, 0
            error = 100 * float((svm.predict(judged) != test.labels).mean())
        elif found > best:
            worse += 1
            if worse == 2:
                break
    return error
