"""Units with ReLU die at a high learning rate; with leaky ReLU none does, and the nets are about as good.

Deck “CNN, R-CNN”, slide “Nonlinearity – ReLu function”: “one annoying problem ⇒ dead neurons … leaky ReLU never dies.
However, almost the same performance in practice”; Maas et al. 2013. A unit is a feature map; it is dead where no gradient
passes it for any of 2,000 training scenes, at any place.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from datamodules import MNIST
from experiments.lectures._amended import NEW_STATISTICS
from experiments.measures.training import DeadUnits, TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import Kaiming
from lightning_modules.schedules import Steps

from ._small_net import CUDA_CONVNET, MNIST_SOURCE, RECIPE, TEST_ERROR, TRAINING_ERROR, units

DEAD, INACTIVE = "units/dead", "units/inactive"
CHANCE = 0.9
"""Error of one guess among ten classes."""
DIGITS = L(MNIST)(root="data/mnist", image_size=16, batch_size=64, train_samples=4000)
SAME = Needs(-1, 1)
"""Percentage points of test error within which two nets count as equally good."""
LEAKY = "leaky, 0.01"


DIES = "One annoying problem ⇒ Dead neurons. Solution: leaky ReLU (small slope for negative input). Never dies."
SAME_SAYS = "However, almost the same performance in practice."


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: at ten times each one's best rate more units are dead with ReLU than with leaky ReLU, of which none is.
    b. Reproduced: at their best rates the test errors of the two lie within ±1 point; not reproduced: they lie outside."""
    dead = runs.difference(
        "dead units at 10 × the best rate, ReLU − leaky ReLU", "relu, 10×", "leaky, 10×", DEAD, needs=Needs(low=0)
    )
    error = runs.difference("test error, ReLU − leaky ReLU", "relu", LEAKY, TEST_ERROR, needs=SAME)
    best, middle, most, leaky = (
        runs.quantity(f"dead units, {variant}", variant, DEAD, scale=100, unit="%")
        for variant in ("relu", "relu, 3×", "relu, 10×", "leaky, 10×")
    )
    idle = runs.quantity("units without a positive input, leaky, 10×", "leaky, 10×", INACTIVE, scale=100, unit="%")
    steep = runs.difference("test error, leaky ReLU of slope 0.25 − ReLU", "leaky, 0.25", "relu", TEST_ERROR)
    compared = ("relu", LEAKY)
    validity_checks = (runs.tuned(*compared), runs.beats(TEST_ERROR, CHANCE, greater=False, variants=compared))
    return {
        "a": Part(
            says=DIES,
            effects=(dead,),
            checks=tuple(
                Check(f"share of dead units, leaky ReLU at 10 × its best rate, seed {run.seed}", run.value(DEAD), 0)
                for run in runs.of("leaky, 10×")
            ),
            validity_checks=validity_checks,
            shown=(most, best, middle, idle),
            because=f"Of ReLU's feature maps {best.estimate:.0f}, {middle.estimate:.0f} and {most.estimate:.0f} % are dead "
            f"at 1, 3 "
            f"and 10 times its best rate; of leaky ReLU's {leaky.estimate:.0f} % are at 10 times, though {idle.estimate:.0f} % "
            f"never see a positive input.",
        ),
        "b": Part(
            says=SAME_SAYS,
            effects=(error,),
            validity_checks=validity_checks,
            shown=(steep,),
            shared_lr=runs.shared_lr(error.name, "relu", LEAKY, TEST_ERROR),
            because=f"At their best rates the test errors differ by {error.estimate:+.1f} points.",
        ),
    }


def sloped(slope: float) -> dict[str, Any]:
    return units(L(nn.LeakyReLU)(negative_slope=slope), L(Kaiming)(slope=slope))


CLIPPED = {"trainer.gradient_clip_val": 1.0}
"""At ten times its best rate a net with leaky ReLU else runs into infinite weights, and nobody can say whether they live."""

RELU = {"model.network.activation": L(nn.ReLU)()}
DECAY = L(Steps)(at=[0.5, 0.75], gamma=0.1)
"""Without it the error of the last step is that of its noise."""
MEASURES = {"trainer.callbacks": [L(TrainingSet)(samples=1000), L(DeadUnits)(samples=2000)]}

study = Study(
    claim="A18",
    says=f"{DIES} {SAME_SAYS}",
    slide="Nonlinearity – ReLu function",
    paper="Maas et al. 2013: a negligible effect on the error (from memory).",
    work=Training(RECIPE),
    variants={
        "relu, 10×": Variant(RELU, lr_of="relu", times=10),
        "relu, 3×": Variant(RELU, lr_of="relu", times=3),
        "leaky, 10×": Variant(sloped(0.01), lr_of=LEAKY, times=10),
        "leaky, 0.25": sloped(0.25),
        "relu": RELU,
        LEAKY: sloped(0.01),
    },
    controlled="layers, data, order, momentum 0.9, steps, rate divided by ten at half and three quarters of them; no batch "
    "normalization, which would hide dying",
    tune=Tune(start=0.0316, by=TRAINING_ERROR),
    scales={
        "cpu": Scale(
            {"data": DIGITS, "trainer.max_steps": 300, "model.scheduler": DECAY, **CLIPPED, **MEASURES},
            deviations=(
                "16, 16 and 32 filters in place of 32, 32 and 64",
                "4,000 digits of MNIST at 16 × 16 pixels in place of CIFAR-10",
                "300 steps of 64 images",
            ),
            requires={"data/mnist": MNIST_SOURCE},
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, "trainer.max_steps": 10_000, "model.scheduler": DECAY, **CLIPPED, **MEASURES},
            deviations=("cuda-convnet's net without batch normalization in place of ResNet-20", "10,000 steps of 128 images"),
        ),
    },
    deviations=("gradients are clipped to a norm of 1 in all variants, so that ten times the best rate stays finite",),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "two parts, dying and performance, of which one made the whole direction only before; digits in place of drawn "
            "scenes, and a rate that decays: at constant ones two nets differ by 2 points from seed to seed, and ±1 point "
            "could "
            "not be told",
        ),
    ),
    figure=TRAINING_ERROR,
)
