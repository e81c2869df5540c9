"""Histograms of oriented gradients against plain loops, and the linear SVM that reads features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from experiments.measures.hog import LabelledFeatures, hog_features, linear_svm_error


def plain(image: np.ndarray, cell: int, block: int, bins: int) -> np.ndarray:
    """Of one image (H, W, 3), after the paper: each pixel votes into one bin, each block is normalised by itself."""
    image = image.astype(float)
    height, width, _ = image.shape
    cells = np.zeros((height // cell, width // cell, bins))
    for y in range(height // cell * cell):
        for x in range(width // cell * cell):
            steepest, down, right = -1.0, 0.0, 0.0
            for c in range(3):
                dy = image[y + 1, x, c] - image[y - 1, x, c] if 0 < y < height - 1 else 0.0
                dx = image[y, x + 1, c] - image[y, x - 1, c] if 0 < x < width - 1 else 0.0
                if np.hypot(dx, dy) > steepest:
                    steepest, down, right = float(np.hypot(dx, dy)), dy, dx
            angle = np.rad2deg(np.arctan2(down, right)) % 180
            cells[y // cell, x // cell, int(angle // (180 / bins)) % bins] += steepest / cell**2
    blocks = []
    for y in range(cells.shape[0] - block + 1):
        for x in range(cells.shape[1] - block + 1):
            one = cells[y : y + block, x : x + block].ravel()
            one = np.minimum(one / np.sqrt((one**2).sum() + 1e-10), 0.2)
            blocks.append(one / np.sqrt((one**2).sum() + 1e-10))
    return np.concatenate(blocks)


def test_features_are_the_papers() -> None:
    images = torch.randint(256, (2, 3, 18, 13), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = hog_features(images, cell=4, block=2, orientations=9)
    expected = np.stack([plain(image.permute(1, 2, 0).numpy(), 4, 2, 9) for image in images])
    assert found.shape == (2, (4 - 1) * (3 - 1) * 4 * 9) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_image_without_room_for_a_block_is_named() -> None:
    with pytest.raises(ValueError, match=r"1 × 4 cells: at least 2 × 2"):
        hog_features(torch.zeros(1, 3, 7, 16, dtype=torch.uint8))


def split(rng: np.random.Generator, count: int, noise: float) -> LabelledFeatures:
    """Three classes, each its own axis of six, in units that differ a thousandfold."""
    labels = rng.integers(0, 3, count)
    features = np.eye(6)[labels] + noise * rng.standard_normal((count, 6))
    return LabelledFeatures((features * [1, 1000, 1, 0.01, 1, 10]).astype(np.float32), labels)


def test_classes_apart_are_read_without_an_error_whatever_the_features_units() -> None:
    rng = np.random.default_rng(0)
    assert linear_svm_error(*(split(rng, 100, 0.05) for _ in range(3))) == 0


def test_features_that_say_nothing_are_at_chance() -> None:
    rng = np.random.default_rng(0)
    train, validation, test = (split(rng, 300, 0.05) for _ in range(3))
    nothing = train._replace(labels=rng.permutation(train.labels))
    assert 50 < linear_svm_error(nothing, validation, test) < 85


def test_the_cost_is_the_one_of_the_least_validation_error() -> None:
    rng = np.random.default_rng(1)
    train, validation, test = (split(rng, 60, 0.8) for _ in range(3))
    costs = (0.001, 1.0)
    mean, deviation = train.features.mean(0), train.features.std(0)
    errors = []
    for cost in costs:
        svm = LinearSVC(C=cost / 6, tol=1e-3, max_iter=5000, dual=True, random_state=0)
        svm.fit((train.features - mean) / deviation, train.labels)
        errors.append([(svm.predict((s.features - mean) / deviation) != s.labels).mean() for s in (validation, test)])
    assert errors[0][0] != errors[1][0], "the two costs differ on validation data"
    _, expected = min(errors, key=lambda pair: pair[0])
    assert linear_svm_error(train, validation, test, costs) == pytest.approx(100 * expected)


def test_a_feature_that_never_varies_is_no_harm() -> None:
    rng = np.random.default_rng(0)
    splits = [split(rng, 100, 0.05) for _ in range(3)]
    for each in splits:
        each.features[:, 5] = 7
    assert linear_svm_error(*splits) == 0
