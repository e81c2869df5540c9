"""Units of a deep net are shared by classes, and no class hangs on one; with more layers the representation is read better.

Deck “CNN, R-CNN”, slide “Why Many Layers?”: the codes of motorbike and truck have a 1 in common; Lee et al. 2009. A unit is a
feature map of the last layer. The baseline is a net of the same layers with a grandmother cell for each class: its last layer
has one map a class, whose mean is the class's score.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Scale, Study
from experiments.studies.verdict import Check, Effect, Needs, Part

from ._hand_features import PHOTOGRAPHS
from ._plain_training import CIFAR_SOURCE
from ._shared_units import CELLS, CODES, DEEP, ERROR, FALL, MIDDLE, PARAMETERS, RANDOM, SHALLOW, SHARED, codes

SAYS = "Hierarchically distributed representations: [1 1 0 0 0 1 0 1 0 0 0 0 1 1 0 1...] motorbike, "
SAYS += "[0 0 1 0 0 0 0 1 0 0 1 1 0 0 1 0...] truck"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: in the net of three layers at least half of the units serve two classes or more (they are on, as often as
    a grandmother cell would be, in at least twice as large a part of these classes' images as of all), and without one unit
    the class that suffers most loses less accuracy than without a grandmother cell. Direction only: fewer units do.
    b. Reproduced: at equal parameters, the linear SVM has a higher test error on the last map of one layer than of three."""

    def percent(measure: str, variant: str, needs: Needs | None = None) -> Effect:
        return runs.quantity(f"{measure}, {variant}", variant, measure, scale=100, unit="%", needs=needs)

    shared = percent(SHARED, DEEP, Needs(low=50, null=0, absolute=True))
    more = runs.difference(f"{SHARED}, {DEEP} − {CELLS}", DEEP, CELLS, SHARED)
    less = runs.difference(f"{FALL}, {CELLS} − {DEEP}", CELLS, DEEP, FALL, needs=Needs(low=0))
    gain = runs.difference(f"{ERROR}, {SHALLOW} − {DEEP}", SHALLOW, DEEP, ERROR, needs=Needs(low=0, margin=1))
    middle = runs.difference(f"{ERROR}, {MIDDLE} − {DEEP}", MIDDLE, DEEP, ERROR)
    falls = [percent(FALL, variant) for variant in (DEEP, CELLS)]
    number = runs.quantity("different codes for each class", DEEP, CODES)
    learns = runs.beats(ERROR, 0.9, greater=False, variants=[SHALLOW, DEEP])
    return {
        "a": Part(
            says=SAYS,
            effects=(shared, less),
            validity_checks=(learns,),
            shown=(more, percent(SHARED, CELLS), percent(SHARED, RANDOM), *falls, number),
            because=f"Of the units {shared.estimate:.0f} % serve two classes or more, {more.estimate:+.0f} points beside cells "
            f"that were trained to stand for one. Without a unit the class that suffers most loses "
            f"{falls[0].estimate:.0f} points, without such a cell {falls[1].estimate:.0f}.",
        ),
        "b": Part(
            says="Why Many Layers?",
            effects=(gain,),
            checks=tuple(
                Check(
                    f"parameters of {SHALLOW}, seed {deep.seed}",
                    shallow.value(PARAMETERS),
                    deep.value(PARAMETERS),
                    0.05,
                )
                for shallow, deep in zip(runs.of(SHALLOW), runs.of(DEEP), strict=False)
            ),
            validity_checks=(learns,),
            shown=(middle, *(percent(ERROR, variant) for variant in (SHALLOW, MIDDLE, DEEP, RANDOM))),
            because=f"At equal parameters the linear SVM has a test error {gain.estimate:+.1f} points higher on one layer "
            f"than on three, and {middle.estimate:+.1f} on two.",
        ),
    }


study = Study(
    claim="A20",
    says=SAYS,
    slide="Why Many Layers?",
    paper="No figure in the lecture; Lee et al. 2009: 65.4 % on Caltech-101 with two layers (from memory).",
    work=Measurement(codes),
    variants={
        SHALLOW: {"depth": 1, "rate_of": 1, "cells": False},
        MIDDLE: {"depth": 2, "rate_of": 3, "cells": False},
        RANDOM: {"depth": 3, "rate_of": None, "cells": False},
        CELLS: {"depth": 3, "rate_of": 3, "cells": True},
        DEEP: {"depth": 3, "rate_of": 3, "cells": False},
    },
    controlled="parameters within 5 %, the size of the last map, images, steps, the linear SVM and its choice of C; the "
    "learning rates of one layer and of three are each the best of three on a seed that is not judged, and the other nets take "
    "over that of three",
    deviations=(
        "convolutional nets that are trained to classify in place of convolutional deep belief nets",
        "4,000 photographs of CIFAR-10 in place of Caltech-101",
    ),
    scales={"cpu": Scale({"train_images": 4000, "steps": 500}, requires={PHOTOGRAPHS: CIFAR_SOURCE})},
    parts=parts,
)
