"""Units with ReLU die at a high learning rate; with leaky ReLU none does, and the nets are about as good.

Deck “CNN, R-CNN”, slide “Nonlinearity – ReLu function”: “one annoying problem ⇒ dead neurons … leaky ReLU never dies.
However, almost the same performance in practice”; Maas et al. 2013. A unit is a feature map; it is dead where no gradient
passes it for any of 2,000 training scenes, at any place.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from experiments.measures.training import DeadUnits, TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Rule, Verdict
from lightning_modules.networks import Kaiming

from ._small_net import CHANCE, CUDA_CONVNET, DEVIATIONS, RECIPE, TEST_ERROR, TRAINING_ERROR, units

DEAD, INACTIVE = "units/dead", "units/inactive"
MARGIN = 1.0
"""Percentage points of test error within which two nets count as equally good."""
LEAKY = "leaky, 0.01"


def verdict(runs: Runs) -> Verdict:
    """Reproduced: at ten times the best rate ReLU has dead units and leaky ReLU none, and at their best rates their test errors
    lie within ±1 point; direction only: one of the two; not reproduced: no ReLU dies, and the errors differ."""
    dead = runs.quantity("dead units, ReLU at 10 × its best rate", "relu, 10×", DEAD, scale=100, unit="%", needs="> 0")
    leaky = runs.quantity("dead units, leaky ReLU at 10 × its", "leaky, 10×", DEAD, scale=100, unit="%", needs="0")
    error = runs.difference("test error, ReLU − leaky ReLU", "relu", LEAKY, TEST_ERROR, needs="within ±1 point")
    shared_lr = runs.shared_lr("test error, ReLU − leaky ReLU", "relu", LEAKY, TEST_ERROR)
    best, middle = (runs.quantity("", variant, DEAD, scale=100).estimate for variant in ("relu", "relu, 3×"))
    idle = runs.quantity("", "leaky, 10×", INACTIVE, scale=100).estimate
    steep = runs.difference("test error, leaky ReLU of slope 0.25 − ReLU", "leaky, 0.25", "relu", TEST_ERROR)
    validity_checks = (runs.tuned(), runs.beats(TEST_ERROR, CHANCE, greater=False, variants=("relu", LEAKY, "leaky, 0.25")))
    dies, same = dead.above(0) and not any(leaky.by_seed), error.equivalent(MARGIN)
    differs = error.above(MARGIN) or error.below(-MARGIN)
    return Rule((dead, leaky, error), validity_checks, shared_lr, also=(str(steep),)).judge(
        reproduced=dies and same,
        direction=dies or same,
        refuted=dead.excludes_above(0) and differs,
        because=f"Of ReLU's feature maps {best:.0f}, {middle:.0f} and {dead.estimate:.0f} % are dead at 1, 3 and 10 times its "
        f"best rate; of leaky ReLU's {leaky.estimate:.0f} % are at 10 times, though {idle:.0f} % never see a positive input. "
        f"At their best rates the test errors differ by {error.estimate:+.1f} points.",
    )


def sloped(slope: float) -> dict[str, Any]:
    return units(L(nn.LeakyReLU)(negative_slope=slope), L(Kaiming)(slope=slope))


CLIPPED = {"trainer.gradient_clip_val": 1.0}
"""At ten times its best rate a net with leaky ReLU else runs into infinite weights, and nobody can say whether they live."""

RELU = {"model.network.activation": L(nn.ReLU)()}
MEASURES = {"trainer.callbacks": [L(TrainingSet)(samples=1000), L(DeadUnits)(samples=2000)]}

study = Study(
    claim="A18",
    says="One annoying problem: dead neurons. Solution: leaky ReLU (small slope for negative input); never dies; however, "
    "almost the same performance in practice.",
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
    controlled="layers, data, order, momentum 0.9, steps; no batch normalization, which would hide dying",
    tune=Tune(start=0.0316, by=TRAINING_ERROR),
    seeds=5,
    scales={
        "cpu": Scale(
            {"trainer.max_steps": 300, **CLIPPED, **MEASURES},
            deviations=(*DEVIATIONS, "300 steps of 64 images"),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, "trainer.max_steps": 10_000, **CLIPPED, **MEASURES},
            deviations=("cuda-convnet's net without batch normalization in place of ResNet-20", "10,000 steps of 128 images"),
        ),
    },
    deviations=("gradients are clipped to a norm of 1 in all variants, so that ten times the best rate stays finite",),
    parts=verdict,
    figure=TRAINING_ERROR,
)
