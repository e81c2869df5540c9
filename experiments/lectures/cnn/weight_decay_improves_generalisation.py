"""Weight decay lowers the test error, and L1 decay leaves more weights at zero than L2.

Deck “CNN, R-CNN”, slide “Improving Generalization”: “Regularization: Weight decay (L2, L1)”. No paper is named.
"""

from __future__ import annotations

from typing import Any

from torch.optim import SGD

from experiments.lectures._length import steps
from experiments.measures.training import SmallWeights, TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Rule, Verdict
from lightning_modules.optimizers import ProximalSGD

from ._few_scenes import DEVIATIONS, GeneralizationStudy, cifar10, gain, noise
from ._small_net import CHANCE, TEST_ERROR

VALIDATION_ERROR = "val/error"
SMALL, ZERO = "weights/small", "weights/zero"
THRESHOLD = 1e-3
"""Size below which a weight counts as zero, for both norms."""
NONE, L2, L1 = "none", ("L2, 0.001", "L2, 0.01"), ("L1, 0.0003", "L1, 0.003")


def best(runs: Runs, variants: tuple[str, ...]) -> str:
    """The variant with the least validation error: the factor is chosen as the learning rate is, and not on the test set."""
    return min(variants, key=lambda variant: runs.quantity("", variant, VALIDATION_ERROR).estimate)


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the best factor lowers the test error by at least one standard deviation against no decay, and L1 leaves more
    small weights than L2; direction only: one of the two."""
    chosen, l1, l2 = best(runs, (*L2, *L1)), best(runs, L1), best(runs, L2)
    error = gain(runs, chosen, NONE, "≤ −1 SD")
    sparsity = runs.difference(f"weights below {THRESHOLD:g}, {l1} − {l2}", l1, l2, SMALL, needs="> 0")
    shared_lr = runs.shared_lr(error.name, chosen, NONE, TEST_ERROR)
    validity_checks = (runs.tuned(), runs.beats(TEST_ERROR, CHANCE, greater=False))
    lower = error.below(0) and error.estimate <= -noise(runs, chosen, NONE)
    zero = {variant: runs.quantity("", variant, ZERO, scale=100).estimate for variant in (NONE, l2, l1)}
    each = ", ".join(f"{variant} {gain(runs, variant, NONE, '').estimate:+.1f}" for variant in (*L2, *L1))
    sparser = sparsity.above(0)
    return Rule((error, sparsity), validity_checks, shared_lr).judge(
        reproduced=lower and sparser,
        direction=lower or sparser,
        refuted=error.shows_no_fall(1) and sparsity.excludes_above(0),
        because=f"Test error against no decay, in points: {each}; {chosen} is best on validation data. Exactly zero are "
        f"{zero[NONE]:.0f} % of the weights without decay, {zero[l2]:.0f} % with {l2} and {zero[l1]:.0f} % with {l1}.",
    )


def decayed(norm: str, factor: float) -> dict[str, Any]:
    """Changes: the optimizer, whole. Its learning rate is set by the tuning."""
    if norm == "L1":
        return {"model.optimizer": L(ProximalSGD)(lr=0.01, momentum=0.9, l1=factor)}
    return {"model.optimizer": L(SGD)(lr=0.01, momentum=0.9, weight_decay=factor)}


MEASURES = {"trainer.callbacks": [L(TrainingSet)(), L(SmallWeights)(threshold=THRESHOLD)]}

study = GeneralizationStudy(
    claim="C03",
    says="Regularization: weight decay (L2, L1).",
    variants={
        **{variant: decayed("L1", float(variant.split()[1])) for variant in L1},
        **{variant: decayed("L2", float(variant.split()[1])) for variant in L2},
        NONE: decayed("L2", 0.0),
    },
    controlled="layers, data, order, momentum 0.9, steps; no other regularisation",
    scales={
        "cpu": Scale(
            {**steps(800), **MEASURES},
            deviations=(*DEVIATIONS, "1,000 training scenes", "800 steps of 50 images"),
        ),
        "gpu": Scale(
            {**cifar10(45_000, 20_000), **MEASURES},
            deviations=("two convolutions in place of ResNet-20", "20,000 steps of 128 images"),
        ),
    },
    deviations=(
        "two factors of each norm",
        "L1 by a proximal step, as its subgradient leaves no weight at exactly zero; it stands outside the momentum",
        f"weights below {THRESHOLD:g} in size count as zero, for both norms",
    ),
    parts=verdict,
)
