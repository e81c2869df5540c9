"""Augmentation (shifts, mirror images, noise) lowers the test error, and narrows its distance from the training error.

Deck “CNN, R-CNN”, slide “Improving Generalization”: “data augmentation (e.g., jittering, noise injection, transformations)”;
Krizhevsky et al. 2012, section 4.1.
"""

from __future__ import annotations

from experiments.lectures._augmentations import FLIP, NOISE, SHIFT
from experiments.lectures._length import steps
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Rule, Verdict

from ._few_scenes import DEVIATIONS, GeneralizationStudy, cifar10, gain, noise
from ._small_net import CHANCE, TEST_ERROR, TRAINING_ERROR

VARIANTS = ("all", "noise", "shift", "flip", "none")


def overfitting(run: Run) -> float:
    """Test error less the error on the training scenes as they are."""
    return run.value(TEST_ERROR) - run.value(TRAINING_ERROR)


def verdict(runs: Runs) -> Verdict:
    """Reproduced: all augmentations together lower the test error by at least two standard deviations, and test error less
    training error with it; direction only: the test error alone."""
    error = gain(runs, "all", "none", "≤ −2 SD")
    gap = runs.difference("test − training error, all − none", "all", "none", overfitting, needs="< 0")
    shared_lr = runs.shared_lr(error.name, "all", "none", TEST_ERROR)
    validity_checks = (runs.tuned(), runs.beats(TEST_ERROR, CHANCE, greater=False))
    lower = error.below(0) and error.estimate <= -2 * noise(runs, "all", "none")
    single = ", ".join(f"{variant} {gain(runs, variant, 'none', '').estimate:+.1f}" for variant in VARIANTS[1:-1])
    return Rule((error, gap), validity_checks, shared_lr).judge(
        reproduced=lower and gap.below(0),
        direction=lower,
        refuted=error.shows_no_fall(1),
        because=f"All augmentations together change the test error by {error.estimate:+.1f} points and its distance from the "
        f"training error by {gap.estimate:+.1f}; one by one: {single}.",
    )


study = GeneralizationStudy(
    claim="C01",
    says="Data augmentation (e.g., jittering, noise injection, transformations).",
    paper="Krizhevsky et al. 2012: without augmentation “substantial overfitting” (from memory).",
    variants={
        "all": {"data.augment": [FLIP, SHIFT, NOISE]},
        "noise": {"data.augment": [NOISE]},
        "shift": {"data.augment": [SHIFT]},
        "flip": {"data.augment": [FLIP]},
        "none": {"data.augment": []},
    },
    controlled="layers, scenes, order, steps; no other regularisation",
    seeds=5,
    scales={
        "cpu": Scale(
            {
                **steps(500),
                "data.train_samples": 500,
                "data.batch_size": 32,  # augmentation takes longer than the training
                "trainer.callbacks": [L(TrainingSet)(samples=500)],
            },
            deviations=(*DEVIATIONS, "500 training scenes", "500 steps of 32 images"),
        ),
        "gpu": Scale(
            {**cifar10(5000, 20_000), "trainer.callbacks": [L(TrainingSet)(samples=5000)]},
            deviations=("5,000 training images", "two convolutions in place of ResNet-20", "20,000 steps of 128 images"),
        ),
    },
    deviations=(
        "drawn scenes vary in place and noise by themselves, so that augmentation shows more of what there is already",
    ),
    parts=verdict,
)
