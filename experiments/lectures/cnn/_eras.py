"""The winners of ImageNet by their year, and small nets of their kinds on one data set, HOG and a linear SVM before them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from datamodules import CIFAR10, Shapes
from datamodules.base import DataModule, PreparedScenes, Split
from datamodules.drawing import Style
from datamodules.loading import collate
from experiments.lectures._length import steps
from experiments.measures.depth import Layers
from experiments.measures.hog import LabelledFeatures, hog_features, linear_svm_error
from experiments.studies.lazy import L
from experiments.studies.study import Measured
from lightning_modules.networks import VGG, AlexNet, CifarNet, Kaiming, LeCun, SmallConvNet
from lightning_modules.schedules import WarmupCosine


class Winner(NamedTuple):
    """A bar of the slide."""

    year: int
    name: str
    layers: int
    """0: shallow."""
    error: float
    """Top-5 of ImageNet's test set, in percent."""


PUBLISHED = (
    Winner(2010, "NEC", 0, 28.2),
    Winner(2011, "XRCE", 0, 25.8),
    Winner(2012, "AlexNet", 8, 16.4),
    Winner(2013, "Clarifai", 8, 11.7),
    Winner(2014, "VGG", 19, 7.3),
    Winner(2014, "GoogLeNet", 22, 6.7),
    Winner(2015, "ResNet", 152, 3.57),
)
"""The slide's chart (He et al., ICCV 2015 tutorial): slide image, from the paper."""

HOG, LENET, ALEXNET, VGGNET, RESNET = ERAS = ("HOG + SVM", "LeNet", "AlexNet", "VGG", "ResNet")
NETWORKS = {
    LENET: L(SmallConvNet)(
        widths=[6, 16], hidden=[120, 84], activation=nn.Tanh, pooling=nn.AvgPool2d, initialization=L(LeCun)()
    ),
    ALEXNET: L(AlexNet)(
        groups=1,
        stem=(5, 1, 2),
        widths=(16, 32, 48, 48, 32),
        hidden=[64, 64],
        local_response=False,
        initialization=L(Kaiming)(),
    ),
    VGGNET: L(VGG)(depths=[2, 2, 2, 2], widths=[16, 32, 64, 64], hidden=[64, 64], initialization=L(Kaiming)()),
    RESNET: L(CifarNet)(depth=20, width=8),
}
"""Each with what its time had: tanh and means in LeNet; ReLU, overlapping maxima and dropout in AlexNet; filters of 3 × 3 in
VGG; batch normalisation and shortcuts in ResNet."""

RECIPE = "classification/few_shapes"
STEPS, SIDE = 1000, 24
SCENES: dict[str, Any] = {"image_size": SIDE, "train": 4000, "val": 500, "test": 1000}
STYLE: dict[str, Any] = {"objects": [1, 1], "object_size": [0.4, 0.7], "clutter": 0.3, "texture": 0.3, "thin": 0.0}
"""So that every kind of net learns: on scenes as hard as the default, AlexNet and VGG were at chance after 400 steps."""
COMMON = {
    "model.scheduler": L(WarmupCosine)(warmup=0.05),
    "model.channels_last": True,
    "trainer.callbacks": [L(Layers)()],
}
DRAWN = {
    **{f"data.{name}": value for name, value in SCENES.items()},
    "data.style": STYLE,
    "data.batch_size": 64,
    **COMMON,
    **steps(STEPS),
}
PHOTOGRAPHS = {"data": L(CIFAR10)(root="data", batch_size=128, workers=8), **COMMON, **steps(20_000)}


def features(data: DataModule, split: Split) -> LabelledFeatures:
    """HOG of the split's images as they are, and their classes."""
    scenes = PreparedScenes(data, split, augment=False)
    batch = collate([scenes[(0, i)] for i in range(len(scenes))])
    assert batch is not None
    return LabelledFeatures(hog_features(batch["image"]), batch["label"].numpy())


def hog_and_svm(*, seed: int, folder: Path, photographs: str = "") -> Measured:
    """Test error of HOG and a linear SVM on the scenes that the nets of this seed have, or on CIFAR-10 in this folder."""
    data: DataModule
    if photographs:
        data = CIFAR10(root=photographs, workers=0)
        data.prepare_data()
    else:
        data = Shapes(**SCENES, style=Style(**STYLE), workers=0, data_seed=seed)
    data.require(frozenset({"label"}))
    error = linear_svm_error(features(data, "train"), features(data, "val"), features(data, "test"))
    curves = {
        "ImageNet top-5 error, %, published": [(float(winner.year), winner.error) for winner in PUBLISHED],
        "layers, published": [(float(winner.year), float(winner.layers)) for winner in PUBLISHED],
    }
    return Measured({"test/error": error / 100, "network/layers": 0.0}, curves)
