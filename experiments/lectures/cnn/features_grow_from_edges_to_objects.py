"""What a trained net's layers know grows with depth: edges and textures first, then parts of outlines, then the object.

Deck “CNN, R-CNN”, slide “Hierarchical Compositionality (DEEP)”; Zeiler & Fergus 2013, Lee et al. 2009. A linear probe reads,
from the feature vector at one pixel, the direction of an edge, the texture of the object, the part of its outline (corner,
straight, arc) and its class. A property's layer is the first that has 90 % of its rise, from the pixel's own colour to the best
layer.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from datamodules.drawing import Style
from experiments.measures.hog import LabelledFeatures
from experiments.measures.probes import at_pixels, balanced, first_layer, layer_outputs, probe_accuracy
from experiments.studies.results import Run, Runs
from experiments.studies.study import Measured, Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part

from ._annotated_pixels import CORNERS, AnnotatedPixels, annotated
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
    layers = {str(i + 1): stage[2] for i, stage in enumerate(network.features)}  # behind the ReLU, before the pooling
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


SAYS = "pixels → edge → texton → motif → part → object"
LATER = Needs(low=0)


def later(run: Run, first: str, then: str) -> float:
    return run.value(then) - run.value(first)


def spread(run: Run) -> float:
    """From edges and textures to the class."""
    return run.value("class") - (run.value("edge") + run.value("texture")) / 2


def parts(runs: Runs) -> Part:
    """Reproduced: in the trained net, parts of outlines come in a later layer than edges and than textures, and the class in a
    later one than parts; and, as conditions, it is further from edges and textures to the class than in the same net at random
    and in the same net trained on shuffled labels. Direction only: the order alone."""
    steps = tuple(
        runs.quantity(f"{then} after {first}", TRAINED, partial(later, first=first, then=then), unit="layers", needs=LATER)
        for first, then in (("part", "class"), ("edge", "part"), ("texture", "part"))
    )
    against = tuple(
        runs.difference(
            f"from edge and texture to class, {TRAINED} − {other}",
            TRAINED,
            other,
            spread,
            scale=1,
            unit="layers",
            needs=LATER,
        )
        for other in (RANDOM, SHUFFLED)
    )
    layer = {
        net: [runs.quantity(f"layer of {name}, {net}", net, name, unit="layers") for name in JUDGED]
        for net in (TRAINED, RANDOM, SHUFFLED)
    }
    corner = runs.quantity(f"layer of {CORNERS}, {TRAINED}", TRAINED, CORNERS, unit="layers")
    rises = tuple(runs.beats(f"rise of {name}", 0, by=0.05, variants=[TRAINED]) for name in JUDGED)
    told = {net: ", ".join(f"{e.estimate:.1f}" for e in effects) for net, effects in layer.items()}
    return Part(
        says=SAYS,
        effects=steps,
        conditions=against,
        validity_checks=(runs.beats(ACCURACY, 1 / len(STYLE.classes), by=0.3, variants=[TRAINED]), *rises),
        shown=(*(effect for effects in layer.values() for effect in effects), corner),
        because=f"Edge, texture, part and class have 90 % of their rise at layers {told[TRAINED]} of the trained net, at "
        f"{told[RANDOM]} of a random one, and at {told[SHUFFLED]} of one trained on shuffled labels.",
    )


study = Study(
    claim="A02",
    says=SAYS,
    slide="Hierarchical Compositionality (DEEP)",
    paper="No figure; Zeiler & Fergus 2013: edges in layer 1 (from memory), corners in 2, textures in 3, class-specific in 4.",
    work=Measurement(probe_layers),
    variants={net: {"net": net} for net in (RANDOM, SHUFFLED, TRAINED)},
    controlled="layers, all of 24 channels; scenes, pixels and probes; steps, order and learning rate of both trainings (0.1, "
    "one for both, since what is asked is the order of layers in a net that has learned)",
    deviations=(
        "six layers of 24 channels on drawn scenes of 40 × 40 pixels",
        "motifs are left out: the scenes have none",
        "arcs are the rims of two classes, circle and ring, so that a layer that knows the class knows them too; corner or "
        "straight, within the other classes, is shown beside",
    ),
    scales={"cpu": Scale({"steps": 500})},
    seeds=6,
    parts=parts,
    figure="accuracy, class",
    figure_x="layer",
)
