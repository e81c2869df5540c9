"""MNIST."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from .common import Tiny


def write_mnist(root: Path, train: int = 20, test: int = 4, packed: bool = True) -> Path:
    """MNIST/raw/*.gz, or unpacked."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        images = rng.integers(0, 256, (count, 28, 28)).astype(np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, magic, values in (("images-idx3", 2051, images), ("labels-idx1", 2049, labels)):
            data = np.array([magic, *values.shape], ">i4").tobytes() + values.tobytes()
            path = raw / f"{part}-{name}-ubyte"
            (raw / f"{path.name}.gz").write_bytes(gzip.compress(data)) if packed else path.write_bytes(data)
    return root


TINY = {"MNIST": Tiny(write_mnist)}
