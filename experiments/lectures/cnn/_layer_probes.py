"""What each layer of a net knows of a pixel: linear probes of properties, in a net that is trained and in two that are not."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from datamodules.drawing import Style
from experiments.measures.hog import LabelledFeatures
from experiments.measures.probes import at_pixels, balanced, first_layer, layer_outputs, probe_accuracy
from experiments.studies.study import Measured

from ._annotated_pixels import AnnotatedPixels, annotated
from ._hand_features import as_they_are, labels_shuffled
from ._plain_training import PlainNet, drawn, error, normalised, settle, train

SIZE = 40
STYLE = Style(
    image_size=(SIZE, SIZE), objects=(1, 1), object_size=(0.5, 0.8), color_cue=0, thin=0, clutter=0.2, texture=0.5, rotation=30
)
STAGES = ((24, 3, 2), (24, 3, 1), (24, 3, 2), (24, 3, 1), (24, 3, 2), (24, 3, 1))
"""Six layers of equal width, so that all probes have the same number of inputs; they see 3, 8, 12, 22, 30 and 50 pixels."""
LR = 0.1
PROBED, HELD = 1500, 500
"""Scenes that no net was trained on, and those among them that probes are judged on."""
MOST = 600
"""Pixels of a class, in the training and in the test of a probe."""
TRAINED, SHUFFLED, RANDOM = "trained", "trained on shuffled labels", "random"
ACCURACY = "accuracy"
JUDGED = ("edge", "texture", "part", "class")


def probe_layers(*, seed: int, folder: Path, net: str, steps: int) -> Measured:
    """By property, the first layer that has 90 % of its rise, the rise, and the accuracy of each layer's probe as a curve."""
    data = drawn(seed, 4000, 1, 500, STYLE)
    images, pixels = annotated(seed + 1_000_000, PROBED, STYLE)
    torch.manual_seed(seed)
    network = PlainNet(len(STYLE.classes), STAGES, SIZE)
    if net == RANDOM:
        settle(network, data.train.images)
    else:
        seen = (labels_shuffled if net == SHUFFLED else as_they_are)(data, seed)
        train(network, seen.train, steps, LR, seed)
    values, curves = {ACCURACY: 1 - error(network, data.test)}, {}
    inputs = normalised(images)
    # Behind each ReLU, before the pooling.
    layers = {str(i + 1): m for i, m in enumerate(m for m in network.features.modules() if isinstance(m, torch.nn.ReLU))}
    for name, where in pixels.items():
        look = partial(_at, where)
        vectors = {"0": look(inputs, slice(0, PROBED)), **layer_outputs(network, layers, inputs, look)}
        accuracies = _accuracies(list(vectors.values()), where, seed)
        values[name] = first_layer(accuracies)
        values[f"rise of {name}"] = max(accuracies) - accuracies[0]
        curves[f"accuracy, {name}"] = [(float(i), accuracy) for i, accuracy in enumerate(accuracies)]
    return Measured(values, curves)


def _at(where: AnnotatedPixels, maps: torch.Tensor, images: slice) -> torch.Tensor:
    return at_pixels(maps, where.pixels[images], (SIZE, SIZE))


def _accuracies(layers: list[torch.Tensor], where: AnnotatedPixels, seed: int) -> list[float]:
    """Of each layer's probe on the same pixels, equally many of each class; those of one scene are never in both parts."""
    labels = where.labels.numpy()
    parts = (slice(0, PROBED - HELD), slice(PROBED - HELD, PROBED))
    chosen = []
    for part in parts:
        flat = labels[part].ravel()
        known = np.flatnonzero(flat >= 0)
        chosen.append(known[balanced(flat[known], np.random.default_rng(seed), MOST)])
    return [
        probe_accuracy(
            *(
                LabelledFeatures(vectors[part].flatten(0, 1).numpy()[rows], labels[part].ravel()[rows])
                for part, rows in zip(parts, chosen, strict=True)
            )
        )
        for vectors in layers
    ]
