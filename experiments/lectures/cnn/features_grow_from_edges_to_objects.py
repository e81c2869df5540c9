"""What a trained net's layers know grows with depth: edges and textures first, then parts of outlines, then the object.

Deck “CNN, R-CNN”, slide “Hierarchical Compositionality (DEEP)”; Zeiler & Fergus 2013, Lee et al. 2009. A linear probe reads,
from the feature vector at one pixel, the direction of an edge, the texture of the object, the part of its outline (corner,
straight, arc) and its class. A property's layer is the first that has 90 % of its rise, from the pixel's own colour to the best
layer.
"""

from __future__ import annotations

from functools import partial

from experiments.studies.results import Run, Runs
from experiments.studies.study import Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part

from ._annotated_pixels import CORNERS
from ._layer_probes import ACCURACY, JUDGED, RANDOM, SHUFFLED, STYLE, TRAINED, probe_layers

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
