"""K filters give K feature maps, stacked along depth: each is one filter's dot product with every patch.

Deck “CNN, R-CNN”, slides “Convolution Layer”: “stacked along depth” and “2. Weight sharing”.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from experiments.studies.study import Exact
from experiments.studies.verdict import Check


def by_loops(image: np.ndarray, filters: np.ndarray, stride: int) -> np.ndarray:
    """(C, H, W) and (K, C, k, k) to (K, H', W'), one dot product at a time."""
    k = filters.shape[-1]
    rows, columns = ((side - k) // stride + 1 for side in image.shape[1:])
    out = np.empty((len(filters), rows, columns))
    for d, f in enumerate(filters):
        for y in range(rows):
            for x in range(columns):
                patch = image[:, y * stride : y * stride + k, x * stride : x * stride + k]
                out[d, y, x] = np.dot(patch.ravel(), f.ravel())
    return out


def checks() -> list[Check]:
    rng = np.random.default_rng(0)
    image, filters = rng.normal(size=(3, 12, 14)), rng.normal(size=(6, 3, 5, 5))

    def conv(weight: np.ndarray, stride: int = 1) -> np.ndarray:
        return F.conv2d(torch.from_numpy(image)[None], torch.from_numpy(weight), stride=stride)[0].numpy()

    maps = conv(filters)
    other = filters.copy()
    other[2] += 1
    changed = np.abs(conv(other) - maps).max(axis=(1, 2)) > 0
    shifted = F.conv2d(torch.from_numpy(np.roll(image, 1, axis=2))[None], torch.from_numpy(filters))[0].numpy()
    return [
        *(
            Check(
                f"convolution less dot products, stride {s}",
                float(np.abs(conv(filters, s) - by_loops(image, filters, s)).max()),
                0.0,
                1e-12,
            )
            for s in (1, 2, 3)
        ),
        Check("depth of the output with 6 filters", len(maps), 6),
        Check("maps that change with the third filter", str(np.flatnonzero(changed).tolist()), "[2]"),
        Check(
            "weights are shared: shifting the image shifts the maps",
            float(np.abs(shifted[:, :, 1:] - maps[:, :, :-1]).max()),
            0.0,
            1e-12,
        ),
    ]


study = Exact(
    claim="B10",
    says="Multiple neurons all looking at the same region of the input volume, stacked along depth. Weights are shared across "
    "different locations. Each depth slice is called one feature map",
    slide="Convolution Layer",
    paper="No paper.",
    checks=checks,
)
