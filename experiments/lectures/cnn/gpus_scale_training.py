"""Nearly all of a training step can be done at once, which is what a GPU is for.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “Scaling: GPUs”. Krizhevsky et al. 2012 trained AlexNet on two GTX 580, of 512
cores each. Where there is no GPU (scale cpu) the operations are counted; images per second are measured at scale gpu.
"""

from __future__ import annotations

import math

from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measurement, Scale, Study, Variant
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._devices import CORES, IMAGES, SPEEDUP, THREADS, counted, timed

OPERATIONS, ONE_IMAGE, CPU, GPU = "operations, 128 images", "operations, one image", "CPU", "GPU"
SAYS = "Scaling: GPUs"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: a GPU trains at least ten times the images per second of a CPU thread; direction only: more. It is
    measured at scale gpu alone. b, a count beyond the lecture. Reproduced: so much of a training step of AlexNet can be done at
    once that 512 processors are at least ten times as fast as one, by its operations. Times of the CPU decide nothing."""
    ten = Needs(low=10)
    speedup = runs.quantity(f"{SPEEDUP}, counted", OPERATIONS, SPEEDUP, unit="x", needs=ten)
    single = runs.quantity(f"{SPEEDUP}, counted, one image at a time", ONE_IMAGE, SPEEDUP, unit="x")
    at_once = runs.quantity("operations that can be done at once", OPERATIONS, "operations at once")
    gpu = runs.ratio("images per second, GPU / one thread of the CPU", GPU, CPU, IMAGES, needs=ten)
    threads = runs.combined(
        "images per second, two threads / one",
        lambda by_variant: by_variant[CPU].value(THREADS) / by_variant[CPU].value(IMAGES),
        unit="x",
    )
    there = all(math.isfinite(run.value(IMAGES)) for run in runs.of(GPU))
    return {
        "a": Part(
            says=SAYS,
            effects=(gpu,),
            shown=(threads,),
            validity_checks=(ValidityCheck("a GPU was measured", there, "" if there else "not at this scale"),),
            because=f"A GPU trains {gpu.estimate:.0f} times the images per second of one thread of the CPU beside it, and two "
            f"threads {threads.estimate:.1f} times those of one.",
        ),
        "b": Part(
            says="Nearly all of a training step can be done at once.",
            effects=(speedup,),
            shown=(single, at_once),
            because=f"In a step of AlexNet with 128 images {at_once.estimate:.2g} operations could be done at once, so that "
            f"{CORES} processors would be {speedup.estimate:.0f} times as fast as one, were memory as fast. It is counted, not "
            "timed.",
            beyond=True,
        ),
    }


study = Study(
    claim="D13",
    says=SAYS,
    slide="Conclusions - CNNs",
    paper="No figure in the lecture.",
    work=Measurement(timed),
    variants={
        OPERATIONS: Variant({"batch": 128}, work=Measurement(counted)),
        ONE_IMAGE: Variant({"batch": 1}, work=Measurement(counted)),
        CPU: {"device": "cpu"},
        GPU: {"device": ""},
    },
    controlled="a: network, images that are there already, single precision, the best of three batch sizes; b: AlexNet, 128 "
    "images of 224 × 224",
    scales={
        "cpu": Scale(deviations=("no GPU: what it could do at once is counted",)),
        "gpu": Scale(variants={GPU: {"device": "cuda"}}),
    },
    parts=parts,
    figure_x="images in a step",
    amendments=(
        Amendment(
            "2026-11-26",
            "the headline is what a GPU does, which no count can show: before, it was the count of operations, which no run "
            "could have made another",
        ),
    ),
)
