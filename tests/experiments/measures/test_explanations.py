"""Gabors are found in what is one and not in noise; and who points at the object, hits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from experiments.measures.gabor import WAVE, gabor, gabor_fit
from experiments.measures.pointing import centre_hits, hits, pointed_at, random_hits


@pytest.mark.parametrize(
    ("angle", "frequency", "product", "phase"), [(0.3, 0.2, 0.4, 0.5), (2.0, 0.3, 0.6, 1.5), (1.2, 0.15, 0.35, 3.0)]
)
def test_a_made_gabor_is_found(angle: float, frequency: float, product: float, phase: float) -> None:
    wave = gabor(np.array([0.4, -0.6, angle, frequency, product, 2.0, phase]), 7).reshape(7, 7)
    colours = np.array([1.0, -0.5, 0.2])[:, None, None]
    found = gabor_fit(3 * colours * wave + np.array([0.3, 0.0, -0.2])[:, None, None])  # a mean is no part of it
    assert found.r2 > 0.999
    assert found.frequency == pytest.approx(frequency, abs=0.01)
    assert found.width == pytest.approx(product / frequency, rel=0.1)
    assert min(abs(found.angle - angle), math.pi - abs(found.angle - angle)) < 0.05


def test_the_wave_is_the_formula_at_each_pixel() -> None:
    x0, y0, angle, frequency, product, across, phase = values = (0.5, -1.0, 0.7, 0.2, 0.5, 1.5, 0.4)
    found = gabor(np.array(values), 5).reshape(5, 5)
    for row in range(5):
        for column in range(5):
            x, y = column - 2 - x0, row - 2 - y0
            u, v = x * math.cos(angle) + y * math.sin(angle), -x * math.sin(angle) + y * math.cos(angle)
            width = product / frequency
            expected = math.exp(-(u**2) / (2 * width**2) - v**2 / (2 * across**2)) * math.cos(
                2 * math.pi * frequency * u + phase
            )
            assert found[row, column] == pytest.approx(expected)


def test_noise_and_a_blob_are_no_gabors() -> None:
    rng = np.random.default_rng(0)
    noise = [gabor_fit(rng.normal(size=(3, 7, 7))).r2 for _ in range(4)]
    assert 0.05 < float(np.median(noise)) < 0.4
    place = np.arange(7) - 3
    blob = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / 18)[None]
    found = gabor_fit(blob)
    assert found.frequency * found.width >= WAVE - 1e-6
    assert found.r2 < 0.97  # with a wave of any length it would be 1
    assert gabor_fit(np.ones((3, 7, 7))).r2 == 0


def test_two_colours_of_two_waves_are_no_single_gabor() -> None:
    one, other = (gabor(np.array([0, 0, angle, 0.25, 0.6, 2.0, 0]), 7).reshape(7, 7) for angle in (0.0, math.pi / 2))
    assert gabor_fit(np.stack([one, other, 0 * one])).r2 < 0.7


def test_the_highest_place_is_a_loops() -> None:
    maps = torch.rand(5, 6, 9, generator=torch.Generator().manual_seed(0))
    for found, own in zip(pointed_at(maps).tolist(), maps, strict=True):
        assert own[found[0], found[1]] == max(float(v) for row in own for v in row)


def test_of_equally_high_pixels_the_middle_one_is_taken() -> None:
    maps = torch.zeros(2, 9, 9)
    maps[1, 2:5, 4:7] = 1
    assert pointed_at(maps).tolist() == [[4, 4], [3, 5]]


def test_a_hit_lies_on_the_mask() -> None:
    masks = torch.zeros(3, 8, 8, dtype=torch.bool)
    masks[0, 1:3, 1:3], masks[1, 4:, 4:], masks[2, 0, 0] = True, True, True
    maps = torch.zeros(3, 8, 8)
    maps[0, 2, 2], maps[1, 3, 3], maps[2, 0, 0] = 1, 1, 1
    assert hits(maps, masks).tolist() == [True, False, True]
    assert centre_hits(masks).tolist() == [False, True, False]
    assert random_hits(masks).tolist() == [4 / 64, 16 / 64, 1 / 64]
