"""Correlations of pixels in real photographs, by their distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from datamodules import CamVid, ImageFolder
from datamodules.base import DataModule
from experiments.measures.autocorrelation import GreyImages, autocorrelation, spectral_exponent
from experiments.studies.study import Measured

from ._drawn import digest

SMALL, STREETS = "CIFAR-10", "CamVid"
REAL = (SMALL, STREETS)
NEAR, FAR, OWN, EXPONENT = "neighbours", "at half the side", "at half the side, own means off", "exponent"
GROUPS = 5
"""Into which the images are dealt out, so that five seeds have no image in common."""
LUMA = (0.299, 0.587, 0.114)


def shuffled(name: str) -> str:
    return f"{name}, shuffled pixels"


def folder_of(name: str, root: str) -> DataModule:
    data: DataModule = ImageFolder(f"{root}/cifar10", image_size=32) if name == SMALL else CamVid(f"{root}/camvid")
    data.require(frozenset())
    return data


def grey_images(name: str, root: str, count: int, seed: int) -> GreyImages:
    """The images' luma, float64 (N, H, W), of the group that ``seed`` has, at most ``count``, at their own size."""
    scenes = folder_of(name, root).scenes("train")
    order = np.random.default_rng(seed // GROUPS).permutation(len(scenes))[seed % GROUPS :: GROUPS][:count]
    found = [np.tensordot(LUMA, scenes[int(i)]["image"].numpy().astype(float), 1) for i in order]
    return np.stack(found)


def measure(*, seed: int, folder: Path, name: str, root: str, count: int, shuffle: bool = False) -> Measured:
    """Correlations of pixels up to half of the shorter side apart, and the exponent of the power spectrum."""
    images = grey_images(name, root, count, seed)
    seen = digest(torch.from_numpy(images))
    if shuffle:  # each image in an order of its own: its pixels stay, and no place means anything
        flat = images.reshape(len(images), -1)
        images = np.random.default_rng(seed).permuted(flat, axis=1).reshape(images.shape)
    half = min(images.shape[1:]) // 2
    distances = sorted({int(d) for d in np.geomspace(1, half, 12).round()})
    within = images - images.mean((1, 2), keepdims=True)
    curve, own = autocorrelation(images, distances), autocorrelation(within, distances)
    values = {NEAR: curve[0], FAR: curve[-1], OWN: own[-1], EXPONENT: spectral_exponent(images)}
    shares = [d / (2 * half) for d in distances]
    return Measured(values, {"correlation": list(zip(shares, curve, strict=True))}, data=seen)
