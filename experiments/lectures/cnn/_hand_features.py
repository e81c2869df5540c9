"""Features made by hand, drawn at random and learned, all read by the same linear SVM: what A01 and B11 share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.drawing import Style
from experiments.measures.hog import FeatureArray, LabelledFeatures, hog_features, linear_svm_error
from experiments.studies.study import TUNING_SEED, Measured, Measurement, Scale, Study

from ._plain_training import (
    CIFAR_SOURCE,
    ImageSplit,
    PlainNet,
    Splits,
    answers,
    drawn,
    error,
    photographs,
    settle,
    train,
    tuned_rate,
)

STAGES = ((16, 3, 2), (32, 3, 2), (64, 3, 2))
SIZE = 32
SCENES = Style(image_size=(SIZE, SIZE))
PHOTOGRAPHS = "data/cifar10"
ERROR, OWN = "error", "error of the net's own output"
"""Shares of the test images: by the linear SVM, and by the linear layer that the net was trained with."""
PIXELS, HOG, RANDOM, LEARNED = "pixels", "HOG", "frozen random net", "end to end"
SHUFFLED, PERMUTED = "net trained on shuffled labels", "end to end on permuted pixels"
CONTROLLED = (
    "training images, the linear SVM that reads the features, the choice of its C on validation images; of the nets the "
    "layers, the steps (600 of 64 images, without augmentation) and the learning rate, which is that of the net end to end, "
    "the best of three on a seed that is not judged"
)


def splits(seed: int, root: str | None, count: int) -> Splits:
    """``count`` training images: photographs of the folder ``root``, or drawn scenes; 500 more to choose by."""
    return drawn(seed, count, 500, 1000, SCENES) if root is None else photographs(seed, count, 500, root)


def net_of(data: Splits) -> PlainNet:
    return PlainNet(int(data.train.labels.max()) + 1, STAGES, SIZE)


@cache
def rate(root: str | None, count: int, steps: int) -> float:
    """The learning rate of the net end to end, which all nets take."""
    data = splits(TUNING_SEED, root, count)
    return tuned_rate(partial(net_of, data), data, steps, TUNING_SEED)


def of_pixels(images: Tensor) -> FeatureArray:
    features: FeatureArray = images.flatten(1).float().numpy()
    return features


def of_net(net: PlainNet, images: Tensor) -> FeatureArray:
    features: FeatureArray = answers(net.features, images).flatten(1).numpy()
    return features


def as_they_are(data: Splits, seed: int) -> Splits:
    return data


def labels_shuffled(data: Splits, seed: int) -> Splits:
    """The training images' labels in another order: as many of each class, and none that means anything."""
    order = torch.randperm(len(data.train.labels), generator=torch.Generator().manual_seed(seed))
    return data._replace(train=data.train._replace(labels=data.train.labels[order]))


def pixels_permuted(data: Splits, seed: int) -> Splits:
    """All images with their pixels in another order, which is the same for all of them."""
    order = torch.randperm(SIZE * SIZE, generator=torch.Generator().manual_seed(seed))
    return Splits(*(ImageSplit(s.images.flatten(2)[:, :, order].unflatten(2, (SIZE, SIZE)), s.labels) for s in data))


BY_HAND: Mapping[str, Callable[[Tensor], FeatureArray]] = {PIXELS: of_pixels, HOG: hog_features}
SEEN: Mapping[str, Callable[[Splits, int], Splits]] = {
    LEARNED: as_they_are,
    SHUFFLED: labels_shuffled,
    PERMUTED: pixels_permuted,
}
"""What a net is trained on."""


def read_out(*, seed: int, folder: Path, features: str, root: str | None, train_images: int, steps: int) -> Measured:
    """The share of test images that the linear SVM has wrong on these features; of a trained net its own output's too.

    Args:
        seed: decides the images, the weights and the order.
        folder: of the run; nothing is written.
        features: one of the names above.
        root: of CIFAR-10 as an image folder; None draws scenes.
        train_images: for net and SVM.
        steps: of 64 images.
    """
    data = splits(seed, root, train_images)
    seen = SEEN.get(features, as_they_are)(data, seed)
    values: dict[str, float] = {}
    read = BY_HAND.get(features)
    if read is None:
        torch.manual_seed(seed)
        net = net_of(data)
        if features in SEEN:
            train(net, seen.train, steps, rate(root, train_images, steps), seed)
            values[OWN] = error(net, seen.test)
        else:
            settle(net, seen.train.images)
        read = partial(of_net, net)
    # With the true labels, whatever the net was told.
    known, held, judged = (LabelledFeatures(read(s.images), d.labels.numpy()) for s, d in zip(seen, data, strict=True))
    return Measured({ERROR: linear_svm_error(known, held, judged) / 100, **values})


def named(features: str, root: str | None) -> str:
    return f"{features}, {'drawn scenes' if root is None else 'photographs'}"


def variants(names: Sequence[str], root: str | None) -> dict[str, dict[str, Any]]:
    return {named(features, root): {"features": features, "root": root} for features in names}


HandStudy = partial(
    Study,
    work=Measurement(read_out),
    controlled=CONTROLLED,
    deviations=(
        "a convolutional net of three layers, 16, 32 and 64 filters of 3 × 3; it is read at the last map, 1,024 numbers, of "
        "which HOG has 1,764",
        "5,000 training and 1,000 test photographs of CIFAR-10 in place of 50,000 and 10,000",
    ),
    scales={"cpu": Scale({"train_images": 4000, "steps": 600}, requires={PHOTOGRAPHS: CIFAR_SOURCE})},
)
