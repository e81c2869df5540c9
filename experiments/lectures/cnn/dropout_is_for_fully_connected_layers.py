"""Dropout helps, and should be used for the fully connected layers only.

Deck “CNN, R-CNN”, slide “Improving Generalization”: “Use for the fully connected layers only”. Srivastava et al. 2014, table 3,
contradict the second half: on CIFAR-10 dropout in all layers does better than in the fully connected ones.
"""

from __future__ import annotations

from experiments.lectures._length import steps
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Rule, Verdict

from ._few_scenes import DEVIATIONS, GeneralizationStudy, cifar10, gain
from ._small_net import CHANCE, TEST_ERROR

FC, CONV = 0.5, 0.25


def verdict(runs: Runs) -> Verdict:
    """Reproduced: dropout in the fully connected layer helps, and in all layers it does no better than that; not reproduced:
    it does not help, or in all layers it does better. Direction only: it helps, and the rest is open."""
    helps = gain(runs, "fc", "none", "< 0")
    further = gain(runs, "all", "fc", "≥ 0")
    alone = gain(runs, "conv", "none", "")
    shared_lr = runs.shared_lr(helps.name, "fc", "none", TEST_ERROR)
    validity_checks = (runs.tuned(), runs.beats(TEST_ERROR, CHANCE, greater=False))
    better = further.below(0)
    return Rule((helps, further), validity_checks, shared_lr, also=(str(alone),)).judge(
        reproduced=helps.below(0) and further.excludes_below(0),
        direction=helps.below(0) and not better,
        refuted=better or helps.shows_no_fall(1),
        because=f"Dropout in the fully connected layer changes the test error by {helps.estimate:+.1f} points, and in the "
        f"convolutions alone by {alone.estimate:+.1f}; in all layers it is {further.estimate:+.1f} points from what it is in "
        "the fully connected one.",
    )


study = GeneralizationStudy(
    claim="C02",
    says="Dropout [Hinton et al.]: randomly drop units from the neural network during training. Use for the fully connected "
    "layers only.",
    paper="Test error without dropout, with it in fully connected layers, and in all layers: CIFAR-10 14.98, 14.32, 12.61 %; "
    "SVHN 3.95, 3.02, 2.55 %.",
    variants={
        "all": {"model.network.fc_dropout": FC, "model.network.conv_dropout": CONV},
        "conv": {"model.network.conv_dropout": CONV},
        "fc": {"model.network.fc_dropout": FC},
        "none": {"model.network.fc_dropout": 0.0},
    },
    controlled="layers, widths, data, order, steps; no other regularisation",
    seeds=5,
    scales={
        "cpu": Scale(
            {**steps(700), "trainer.callbacks": [L(TrainingSet)(samples=1000)]},
            deviations=(*DEVIATIONS, "1,000 training scenes", "700 steps of 50 images"),
        ),
        "gpu": Scale(
            {
                **cifar10(45_000, 40_000),
                "model.network.widths": [96, 128, 256],
                "model.network.hidden": [2048, 2048],
                "trainer.callbacks": [L(TrainingSet)()],
            },
            deviations=("40,000 steps of 128 images", "45,000 training images"),
        ),
    },
    deviations=(
        "units are dropped with probability 0.5 (fully connected) and 0.25 (convolutions) as in the paper's experiments, and "
        "not tuned",
    ),
    erratum="Srivastava et al. 2014 measured dropout in all layers to be better than in the fully connected ones only.",
    parts=verdict,
)
