"""R-CNN writes the features of every proposal to disk: hundreds of gigabytes for the 5,000 images of VOC 2007.

Deck “CNN, R-CNN”, slide “Problems of R-CNN”, 2: “Training is expensive in space and time”; Girshick 2015, section 1.1.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from experiments.studies.study import Amendment, Exact
from experiments.studies.verdict import Check
from lightning_modules.feature_store import FeatureStore, ImageFeatures

VOC_2007 = 5011
"""Training and validation images of VOC 2007."""
SIZES = ((2000, 4096), (500, 4096), (2000, 1024))
"""(proposals, numbers of each); the first is the paper's."""


def written(proposals: int, width: int) -> float:
    """Bytes on disk of an image's features (proposals, width), as R-CNN's training writes them."""
    rng = np.random.default_rng(0)
    none = np.zeros((0, 2), np.int64)
    features = rng.standard_normal((proposals, width), np.float32)
    image = ImageFeatures(features, np.zeros((proposals, 4), np.float32), none[:, 0], none, features[:0])
    with TemporaryDirectory() as folder:
        store = FeatureStore(Path(folder) / "features")
        store.write(0, image)
        return float(store.size([0])[0])


def checks() -> list[Check]:
    """What is written takes 4 bytes a number; so VOC 2007 takes hundreds of gigabytes, and 2.5 days are 47 seconds an image."""
    bytes_of = {size: written(*size) for size in SIZES}
    all_of_voc = bytes_of[SIZES[0]] * VOC_2007 / 1e9
    return [
        *(Check(f"bytes of an image, {p:,} proposals × {w:,}", found, 4.0 * p * w, 0.01) for (p, w), found in bytes_of.items()),
        Check(
            "GB of VOC 2007: 2,000 · 4,096 · 4 bytes · 5,011 images", all_of_voc, 164.2, 0.01, lecture="hundreds of gigabytes"
        ),
        Check.yes_or_no(
            "the same lies between 100 and 400 GB", 100 <= all_of_voc <= 400, "yes", lecture="hundreds of gigabytes"
        ),
        Check("seconds an image that 2.5 days for VOC 2007 are; 47 at test time", 2.5 * 86400 / VOC_2007, 47.0, 0.1),
    ]


study = Exact(
    claim="G10",
    says="For SVM and bounding-box regressor training, features are extracted from each object proposal in each image and "
    "written to disk: With very deep networks, such as VGG16, takes 2.5 GPU-days for the 5k images of the VOC07 train/val set; "
    "requires hundreds of gigabytes of storage",
    slide="Problems of R-CNN, 2. Training is expensive in space and time.",
    paper="“Hundreds of gigabytes”; 2.5 GPU-days with VGG-16.",
    checks=checks,
    deviations=("random numbers: what is written does not depend on them; float32, no compression, every proposal kept",),
    amendments=(
        Amendment("2026-11-26", "an identity, by arithmetic; before, trained on nothing and timed on 20 images a variant"),
    ),
)
