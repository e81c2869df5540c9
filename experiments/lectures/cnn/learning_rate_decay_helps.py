"""Letting the learning rate decay leads to a lower error than keeping it.

Deck “CNN, R-CNN”, slide “Stochastic Gradient Descent with momentum”: “we can also decay learning rate γ as iterations go
on”. The steps are those of He et al. 2016, section 4.2: a tenth at one half and at three quarters of the training.
"""

from __future__ import annotations

from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune
from experiments.studies.verdict import Effect, Rule, Verdict
from lightning_modules.schedules import Steps, WarmupCosine

from ._small_net import CHANCE, CUDA_CONVNET, DEVIATIONS, RECIPE, TEST_ERROR, TRAINING_ERROR

TRAINING_LOSS = "trainset/loss"
CONSTANT, DECAYED = "constant", ("steps", "cosine")


def verdict(runs: Runs) -> Verdict:
    """Reproduced: with each schedule the training error is lower than with the best constant rate, in every seed and by more
    than two standard deviations; direction only: with one of them, or by less."""
    gains = [
        runs.difference(f"training error, {variant} − constant", variant, CONSTANT, TRAINING_ERROR, needs="< −2 SD")
        for variant in DECAYED
    ]
    tests = [runs.difference(f"test error, {variant} − constant", variant, CONSTANT, TEST_ERROR) for variant in DECAYED]
    shared_lr = runs.shared_lr(gains[-1].name, DECAYED[-1], CONSTANT, TRAINING_ERROR)
    validity_checks = (runs.tuned(), runs.beats(TRAINING_ERROR, CHANCE, greater=False))

    def clear(effect: Effect, variant: str) -> bool:
        noise = 100 * max(runs.quantity("", a, TRAINING_ERROR).spread for a in (variant, CONSTANT))
        return effect.below(0) and effect.estimate < -2 * noise

    shown = ", ".join(f"{variant} {effect.estimate:+.1f}" for variant, effect in zip(DECAYED, gains, strict=True))
    lrs = ", ".join(f"{variant} {lr:g}" for variant, lr in runs.lrs.items() if lr is not None)
    return Rule(tuple(gains), validity_checks, shared_lr, also=tuple(str(test) for test in tests)).judge(
        reproduced=all(clear(effect, variant) for variant, effect in zip(DECAYED, gains, strict=True)),
        direction=any(effect.below(0) for effect in gains),
        refuted=all(effect.shows_no_fall(1) for effect in gains),
        because=f"Against the best constant rate the training error changes by these points: {shown}. First rates: {lrs}.",
    )


study = Study(
    claim="B17",
    says="We can also decay learning rate γ as iterations go on.",
    slide="Stochastic Gradient Descent with momentum",
    paper="No figure in the lecture; He et al. 2016 divide the rate by ten at half and three quarters of the training.",
    work=Training(RECIPE),
    variants={
        "cosine": {"model.scheduler": L(WarmupCosine)(warmup=0.0)},
        "steps": {"model.scheduler": L(Steps)(at=[0.5, 0.75], gamma=0.1)},
        CONSTANT: {},
    },
    controlled="layers, data, order, initialization, momentum 0.9, steps; the first rate is tuned for each",
    tune=Tune(start=0.0316, by=TRAINING_LOSS),
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
    verdict=verdict,
    figure="train/loss",
)
