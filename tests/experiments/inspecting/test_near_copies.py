"""Copies of a photograph are found whatever was done to its file, and other photographs are not taken for copies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from experiments.inspecting.near_copies import across, fingerprint, groups


def photograph(seed: int) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def found_in(images: list[np.ndarray]) -> list[list[int]]:
    codes, thumbs = zip(*map(fingerprint, images), strict=True)
    return groups(np.array(codes, np.uint64), np.array(thumbs))


def saved_again(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        saved_again,
        lambda image: np.asarray(cv2.resize(image, (123, 77), interpolation=cv2.INTER_AREA), np.uint8),
        lambda image: np.asarray(cv2.add(image, 3), np.uint8),
    ],
)
def test_a_copy_is_found(change: object, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [photograph(seed) for seed in range(40)]
    assert found_in([*images, change(images[7])]) == [[7, 40]]  # type: ignore[operator]


def test_photographs_that_differ_are_no_copies() -> None:
    assert found_in([photograph(seed) for seed in range(300)]) == []


def test_plain_images_are_copies_where_they_are_equal_alone() -> None:
    plain = [np.full((50, 60, 3), level, np.uint8) for level in (10, 10, 200)]
    assert found_in(plain) == [[0, 1]]


def test_blocks_of_comparison_miss_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [photograph(seed % 20) for seed in range(60)]
    whole = found_in(images)
    monkeypatch.setattr("experiments.inspecting.near_copies.ROWS", 7)
    assert found_in(images) == whole == [[i, i + 20, i + 40] for i in range(20)]
    assert across(whole, ["train"] * 20 + ["val"] * 40) == whole
