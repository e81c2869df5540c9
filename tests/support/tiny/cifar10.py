"""CIFAR-10."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from .common import Tiny

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def write_cifar10(root: Path, train: int = 20, test: int = 4) -> Path:
    """cifar-10-batches-py/; torchvision checks checksums, so its ``check_integrity`` must be made to agree."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    batches = {f"data_batch_{i + 1}": train // 5 for i in range(5)} | {"test_batch": test}
    for name, count in batches.items():
        data = rng.integers(0, 256, (count, 3072)).astype(np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": [i % 10 for i in range(count)]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR_CLASSES)}))
    return root


TINY = {"CIFAR10": Tiny(write_cifar10)}
