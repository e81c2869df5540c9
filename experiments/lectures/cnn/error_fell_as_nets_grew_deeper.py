"""From HOG and a linear SVM to ResNet the error falls with each deeper kind of net.

Deck “CNN, R-CNN”, slide “Recent Trend – Revolution of Depth”: the top-5 errors of ImageNet's winners from 2010 to 2015,
from shallow to 152 layers. He et al. 2016, “Deep residual learning”. Depth is not all that differs between two of them.
"""

from __future__ import annotations

from itertools import pairwise

from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Effect, Needs, Part

from ._eras import (
    ALEXNET,
    DRAWN,
    ERAS,
    HOG,
    NETWORKS,
    PHOTOGRAPHS,
    PUBLISHED,
    RECIPE,
    RESNET,
    SIDE,
    STEPS,
    VGGNET,
    hog_and_svm,
)

CHANCE = 5 / 6
"""Error of one guess among six classes."""
TEST_ERROR, VALIDATION_ERROR = "test/error", "val/error"
WON = {winner.name: winner.error for winner in PUBLISHED} | {HOG: PUBLISHED[1].error}
"""What the slide has for an era, if it has anything: for hand-made features that of 2011."""


def parts(runs: Runs) -> Part:
    """Reproduced: each kind of net has a lower test error than the one before it, from HOG and a linear SVM over LeNet, AlexNet
    and VGG to ResNet. Direction only: the last has a lower one than the first; not reproduced: it has not. Each net has its own
    best rate and as many steps."""
    lower = Needs(high=0)

    def step(new: str, old: str) -> Effect:
        paper = WON[new] - WON[old] if new in WON and old in WON else None
        return runs.difference(f"test error, {new} − {old}", new, old, TEST_ERROR, needs=lower, paper=paper)

    whole = step(RESNET, HOG)
    errors = tuple(
        runs.quantity(f"test error, {era}", era, TEST_ERROR, scale=100, unit="%", paper=WON.get(era)) for era in ERAS
    )
    layers = tuple(runs.quantity(f"layers, {era}", era, "network/layers") for era in ERAS)
    ladder = ", ".join(
        f"{e} {error.estimate:.1f} % ({n.estimate:.0f})" for e, error, n in zip(ERAS, errors, layers, strict=True)
    )
    chart = ", ".join(f"{w.year} {w.name} {w.error:g} % ({w.layers or 'shallow'})" for w in PUBLISHED)
    return Part(
        says=SAYS,
        effects=(whole,),
        conditions=tuple(step(new, old) for old, new in pairwise(ERAS)),
        shown=(*errors, *layers),
        validity_checks=(runs.tuned(), runs.beats(TEST_ERROR, CHANCE, greater=False, variants=list(ERAS))),
        because=f"Test error (layers): {ladder}. The slide has: {chart}. That error falls beside depth does not say that depth "
        "made it fall: each kind brought other things too.",
    )


SAYS = "Revolution of Depth (slide image, from the paper: from 28.2 %, shallow, in 2010 to 3.57 % with 152 layers in 2015)"

study = Study(
    claim="D07",
    says=SAYS,
    slide="Recent Trend – Revolution of Depth",
    paper="; ".join(f"{w.year} {w.name}, {w.layers or 'shallow'}: {w.error:g} %" for w in PUBLISHED) + " (top-5, ImageNet).",
    work=Training(RECIPE),
    variants={
        HOG: Variant(work=Measurement(hog_and_svm)),
        **{era: {"model.network": network} for era, network in NETWORKS.items()},
    },
    controlled="images, steps, batch, momentum 0.9, warm-up and cosine; each net with its own rate, the SVM with its own C",
    tune=Tune(start=0.0316, by=VALIDATION_ERROR, own_start={ALEXNET: 0.01, VGGNET: 0.01, RESNET: 0.1}),  # the papers' own
    scales={
        "cpu": Scale(
            DRAWN,
            deviations=(
                "small nets of each kind, of 5 to 20 layers",
                "AlexNet without local response normalisation, which would be half of its time",
                f"4,000 drawn scenes of {SIDE} × {SIDE} pixels in place of ImageNet, with little clutter and texture",
                f"{STEPS} steps of 64 images",
                "top-1 error of six classes",
            ),
        ),
        "gpu": Scale(
            PHOTOGRAPHS,
            variants={HOG: {"photographs": "data"}},
            deviations=("small nets of each kind, of 5 to 20 layers", "CIFAR-10 in place of ImageNet", "top-1 error"),
        ),
    },
    deviations=("nets of different eras differ in more than their depth: it is a correlation that is shown",),
    parts=parts,
    figure="ImageNet top-5 error, %, published",
    figure_x="year",
    amendments=(
        Amendment(
            "2026-11-27",
            "easier scenes, 1,000 steps, and every kind of net has to beat chance: in a first run, of 400 steps on scenes as "
            "hard as they are drawn by default, AlexNet and VGG stayed at chance and ResNet had 15 to 53 %, which made it "
            "inconclusive",
        ),
    ),
)
