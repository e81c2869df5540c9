"""R-CNN writes the features of every proposal to disk: hundreds of gigabytes for the 5,000 images of VOC 2007.

Deck “CNN, R-CNN”, slide “Problems of R-CNN”, 2: “Training is expensive in space and time”; Girshick 2015, section 1.1.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Check, Rule, Verdict
from lightning_modules.feature_store import FeatureStore, ImageFeatures
from lightning_modules.networks import RCNN, ConvBackbone, FullyConnected, StagedHead

IMAGES = 20
VOC_2007 = 5011
"""Training and validation images of VOC 2007."""
FULL, FEWER, NARROW = "2,000 proposals × 4,096", "500 proposals × 4,096", "2,000 proposals × 1,024"


def written(*, seed: int, folder: Path, proposals: int, width: int) -> Measured:
    """What R-CNN's features of an image take, written as its training writes them, one image after another.

    Returns:
        ``bytes`` of the features of an image and ``all_bytes`` with boxes and the like, means over 20 images; ``cpu_seconds``
        an image, of the network and the disk, with a small backbone and crops of 32 × 32 pixels.
    """
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    head = partial(StagedHead, layers=partial(FullyConnected, widths=(width,)))
    network = RCNN(20, backbone=partial(ConvBackbone, depth=1), head=head).eval()
    store, sizes = FeatureStore(folder / "features"), []
    began = time.process_time()
    for index in range(IMAGES):
        image = torch.randn(1, 3, 64, 64, generator=rng)
        corners = torch.rand(proposals, 2, 2, generator=rng).sort(1).values.flatten(1)
        regions = 60 * corners + torch.tensor([0.0, 0.0, 4.0, 4.0])
        with torch.no_grad():
            pooled = network.features([image], [regions])
            features = network.head.layers(pooled)
        none = np.zeros((0, 2), np.int64)
        store.write(index, ImageFeatures(features.numpy(), regions.numpy(), none[:, 0], none, pooled[:0].numpy()))
        sizes.append(store.size([index]))
        store.delete()  # one image's is enough to have on a student's disk
    seconds = (time.process_time() - began) / IMAGES
    own, everything = (float(np.mean(part)) for part in zip(*((f, a) for f, a in sizes), strict=True))
    return Measured({"bytes": own, "all_bytes": everything, "cpu_seconds": seconds, "numbers": float(proposals * width)})


def verdict(runs: Runs) -> Verdict:
    """Reproduced: an image takes 4 bytes for each number of each proposal (±1 %), and VOC 2007 takes 100 to 400 GB so."""
    checks = tuple(
        Check(
            f"bytes of an image's features, {variant}",
            runs.quantity("", variant, "bytes").estimate,
            expected(runs, variant),
            0.01,
        )
        for variant in runs.variants
    )
    checks += (
        Check("seconds an image of VOC 2007 that 2.5 days are; 47 at test time", 2.5 * 86400 / VOC_2007, 47.0, 0.1),
        Check("GB by the formula: 2,000 · 4,096 · 4 · 5,011", 2000 * 4096 * 4 * VOC_2007 / 1e9, 164.2, 0.001),
    )
    disk = runs.quantity("disk for VOC 2007", FULL, "all_bytes", scale=VOC_2007 / 1e9, unit="GB", needs="100 to 400 GB")
    seconds = runs.quantity("CPU time of an image here", FULL, "cpu_seconds", unit="s")
    right = all(check.holds for check in checks)
    return Rule((disk,), also=(f"{seconds}, with a small backbone.",), checks=checks).judge(
        reproduced=right and min(disk.by_seed) >= 100 and max(disk.by_seed) <= 400,
        direction=right and disk.above(10),
        refuted=not right or disk.excludes_above(10),
        because=f"The features of 2,000 proposals with 4,096 numbers each take {disk.estimate:.0f} GB for the {VOC_2007:,} "
        f"images of VOC 2007, extrapolated from {IMAGES} images that were written.",
    )


def expected(runs: Runs, variant: str) -> float:
    """Four bytes a number."""
    return 4 * runs.values(variant, "numbers")[0]


study = Study(
    claim="G10",
    says="Features are extracted from each object proposal in each image and written to disk; 2.5 GPU-days for the 5k images "
    "of VOC07, hundreds of gigabytes of storage.",
    slide="Problems of R-CNN",
    paper="“Hundreds of gigabytes”; 2.5 GPU-days with VGG-16.",
    work=Measurement(written),
    variants={
        FEWER: {"proposals": 500, "width": 4096},
        NARROW: {"proposals": 2000, "width": 1024},
        FULL: {"proposals": 2000, "width": 4096},
    },
    controlled="float32, no compression, every proposal kept",
    seeds=1,
    deviations=(
        "random images and regions: what is written does not depend on them",
        "the time is that of a small backbone on a CPU, and nobody judges it; the features near objects (pool5) are left out",
    ),
    parts=verdict,
)
