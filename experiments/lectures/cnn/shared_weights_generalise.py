"""Local connections generalise better than full ones, and shared weights better still; with shuffled pixels neither helps.

Deck “CNN, R-CNN”, slide “Idea background for CNN”: “statistics are similar at different locations”, so that weights may be
shared (LeCun et al. 1998). The control shows every net the same images with their pixels in another, fixed order, in which
neighbours mean nothing.
"""

from __future__ import annotations

from typing import Any

from datamodules import CIFAR10
from experiments.lectures._length import steps
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Rule, Verdict
from lightning_modules.networks import FullConnection, LocalConnection, MapsNet, PermutedPixels, SharedConnection

from ._small_net import CHANCE, TEST_ERROR

SAMPLES = (200, 1000, 4000)
MARGIN = 2.0
"""Points of test error that the convolution may be ahead by under shuffled pixels."""
SIZE = (16, 16)
CONNECTIONS = {"fc": FullConnection, "local": LocalConnection, "conv": SharedConnection}


def name(connection: str, samples: int, shuffled: bool = False) -> str:
    return f"{connection}, n={samples}" + (", shuffled" if shuffled else "")


def verdict(runs: Runs) -> Verdict:
    """Reproduced: at every n the test error falls from full to local to shared connections, and with shuffled pixels the
    convolution is ahead of the full connections by at most 2 points; direction only: the order alone."""
    steps, controls = [], []
    for n in SAMPLES:
        for worse, better in (("fc", "local"), ("local", "conv")):
            title = f"test error, {worse} − {better}, n={n}"
            steps.append(runs.difference(title, name(worse, n), name(better, n), TEST_ERROR, needs="> 0"))
        title = f"with shuffled pixels, fc − conv, n={n}"
        variants = name("fc", n, shuffled=True), name("conv", n, shuffled=True)
        controls.append(runs.difference(title, *variants, TEST_ERROR, needs="≤ 2 points"))
    whole = {n: runs.difference(f"fc − conv, n={n}", name("fc", n), name("conv", n), TEST_ERROR) for n in SAMPLES}
    n = SAMPLES[-1]
    shared_lr = runs.shared_lr(f"test error, fc − conv, n={n}", name("fc", n), name("conv", n), TEST_ERROR)
    plain = [name(connection, n) for connection in CONNECTIONS for n in SAMPLES]
    validity_checks = (runs.tuned(), runs.beats(TEST_ERROR, CHANCE, greater=False, variants=plain))
    gains = ", ".join(f"{effect.estimate:+.1f} points at n={n}" for n, effect in whole.items())
    lost = ", ".join(f"{effect.estimate:+.1f}" for effect in controls)
    places = ", ".join(f"{effect.name.removeprefix('test error, ')}: {effect.estimate:+.1f}" for effect in steps)
    return Rule((*steps, *controls), validity_checks, shared_lr).judge(
        reproduced=all(step.above(0) for step in steps) and all(control.interval[1] <= MARGIN for control in controls),
        direction=all(step.above(0) for step in steps),
        refuted=any(step.excludes_above(0) for step in steps),
        because=f"Full connections have a higher test error than a convolution by {gains}; with shuffled pixels by {lost}. "
        f"Step by step: {places}.",
    )


def variant(connection: str, samples: int, shuffled: bool) -> dict[str, Any] | Variant:
    net = L(MapsNet)(image_size=SIZE, connection=CONNECTIONS[connection])
    if shuffled:
        net = L(PermutedPixels)(image_size=SIZE, network=net)
    changes = {"model.network": net, "data.train_samples": samples}
    # Full connections, whose weights are all drawn alike, cannot tell one order of pixels from another.
    return Variant(changes, lr_of=name("fc", samples)) if shuffled and connection == "fc" else changes


def cells() -> list[tuple[str, int, bool]]:
    shuffled = [(connection, n, True) for connection in ("fc", "conv") for n in SAMPLES]
    return [*shuffled, *((connection, n, False) for connection in CONNECTIONS for n in SAMPLES)]


SCORED = [L(TrainingSet)(samples=200)]

study = Study(
    claim="B06",
    says="Statistics are similar at different locations: share the weights (LeCun 1998).",
    slide="Idea background for CNN",
    work=Training("classification/connections_shapes"),
    variants={name(*cell): variant(*cell) for cell in cells()},
    controlled="hidden units (8 maps of 8 × 8, then 16 of 4 × 4), fields of 5 × 5, steps, batch, data",
    tune=Tune(start=0.0316, by="val/error"),
    scales={
        "cpu": Scale(
            {"trainer.callbacks": SCORED},
            deviations=(
                "drawn scenes of 16 × 16 pixels",
                "4,000 training scenes in place of 5,000",
                "local connections are not run with shuffled pixels",
                "full connections take over their rate of the unshuffled images",
            ),
        ),
        "gpu": Scale(
            {
                "data": L(CIFAR10)(root="data", image_size=16, batch_size=50, workers=8),
                **steps(5000),
                "trainer.callbacks": SCORED,
            },
            deviations=("CIFAR-10 at 16 × 16 pixels",),
        ),
    },
    parts=verdict,
)
