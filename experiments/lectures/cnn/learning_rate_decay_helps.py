"""Letting the learning rate decay leads to a lower error than keeping it.

Deck “CNN, R-CNN”, slide “Stochastic Gradient Descent with momentum”: “we can also decay learning rate γ as iterations go
on”. The steps are those of He et al. 2016, section 4.2: a tenth at one half and at three quarters of the training.
"""

from __future__ import annotations

from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Scale, Study, Training, Tune
from experiments.studies.verdict import Needs, Part
from lightning_modules.schedules import Steps, WarmupCosine

from ._small_net import CHANCE, CUDA_CONVNET, DEVIATIONS, RECIPE, TEST_ERROR, TRAINING_ERROR

TRAINING_LOSS = "trainset/loss"
CONSTANT, DECAYED = "constant", ("steps", "cosine")
LOWER = Needs(high=0, margin=1)


def parts(runs: Runs) -> Part:
    """Reproduced: with each schedule the training error is lower than with the best constant rate; direction and whole are
    one, since the lecture has no figure. A change within ±1 point counts as none."""
    gains = tuple(
        runs.difference(f"training error, {variant} − constant", variant, CONSTANT, TRAINING_ERROR, needs=LOWER)
        for variant in DECAYED
    )
    tests = tuple(runs.difference(f"test error, {variant} − constant", variant, CONSTANT, TEST_ERROR) for variant in DECAYED)
    shown = ", ".join(f"{variant} {effect.estimate:+.1f}" for variant, effect in zip(DECAYED, gains, strict=True))
    lrs = ", ".join(f"{variant} {lr:g}" for variant, lr in runs.lrs.items() if lr is not None)
    return Part(
        says="We can also decay learning rate γ as iterations go on.",
        effects=gains,
        shown=tests,
        validity_checks=(runs.tuned(), runs.beats(TRAINING_ERROR, CHANCE, greater=False, variants=[CONSTANT])),
        shared_lr=runs.shared_lr(gains[-1].name, DECAYED[-1], CONSTANT, TRAINING_ERROR),
        because=f"Against the best constant rate the training error changes by these points: {shown}. First rates: {lrs}.",
    )


study = Study(
    claim="B17",
    says="We can also decay learning rate γ as iterations go on.",
    slide="Stochastic Gradient Descent with momentum",
    paper="No figure in the lecture; He et al. 2016 divide the rate by ten at half and three quarters of the training.",
    work=Training(RECIPE),
    variants={
        "cosine": {"model.scheduler": L(WarmupCosine)(warmup=0.05)},
        "steps": {"model.scheduler": L(Steps)(at=[0.5, 0.75], gamma=0.1)},
        CONSTANT: {},
    },
    controlled="layers, data, order, initialization, momentum 0.9, steps; the first rate is tuned for each",
    tune=Tune(start=0.0316, by=TRAINING_LOSS, seeds=3),
    scales={
        "cpu": Scale(
            {"trainer.max_steps": 600, "trainer.callbacks": [L(TrainingSet)(samples=2000)]},
            deviations=(*DEVIATIONS, "600 steps of 64 images"),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, "trainer.max_steps": 20_000, "trainer.callbacks": [L(TrainingSet)(samples=5000)]},
            deviations=("cuda-convnet's net in place of ResNet-20", "20,000 steps of 128 images"),
        ),
    },
    parts=parts,
    figure="train/loss",
    amendments=(
        Amendment(
            "2026-11-26",
            "each first rate is chosen by the mean of three tuning seeds, and the cosine has a warm-up: with one seed it was "
            "an unlucky run that chose; seeds draw new scenes; two standard deviations are no need any more",
        ),
    ),
)
