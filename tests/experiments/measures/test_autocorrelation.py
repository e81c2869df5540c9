"""Correlations of pixels, against plain loops and against images whose correlations are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.measures.autocorrelation import autocorrelation, spectral_exponent


def test_a_correlation_is_that_of_all_pairs_in_a_plain_loop() -> None:
    images = np.random.default_rng(0).normal(size=(3, 6, 5))
    pairs = [
        (image[i, j], image[a, b])
        for image in images
        for i in range(6)
        for j in range(5)
        for a, b in ((i + 2, j), (i, j + 2))
        if a < 6 and b < 5
    ]
    (found,) = autocorrelation(images, [2])
    assert found == pytest.approx(stats.pearsonr(*zip(*pairs, strict=True)).statistic)


def test_noise_is_alike_at_no_distance_and_images_of_one_grey_at_every() -> None:
    rng = np.random.default_rng(0)
    same, near, far = autocorrelation(rng.normal(size=(50, 32, 32)), [0, 1, 16])
    assert same == pytest.approx(1) and abs(near) < 0.02 and abs(far) < 0.02
    grey = np.broadcast_to(rng.normal(size=(50, 1, 1)), (50, 16, 16))
    assert autocorrelation(grey, [1, 8]) == pytest.approx([1, 1])


def test_a_mean_that_all_images_share_counts_nothing() -> None:
    images = np.random.default_rng(0).normal(size=(20, 16, 16))
    assert autocorrelation(images + 1000, [3]) == pytest.approx(autocorrelation(images, [3]))


@pytest.mark.parametrize("exponent", [-2.0, -1.0, 0.0])
def test_an_exponent_is_found_again(exponent: float) -> None:
    rng, side = np.random.default_rng(0), 64
    cycles = np.fft.fftfreq(2 * side)
    radius = np.hypot(*np.meshgrid(cycles, cycles))
    radius[0, 0] = 1
    noise = np.fft.fft2(rng.normal(size=(60, 2 * side, 2 * side)))
    images = np.fft.ifft2(noise * radius ** (exponent / 2)).real[:, :side, :side]
    assert spectral_exponent(images) == pytest.approx(exponent, abs=0.15)
