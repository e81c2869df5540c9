"""Cross-entropy, a margin and a linear SVM's hinge classify alike.

CS231n 2017, lecture 11, “Human Pose Estimation”, question “what are regression losses?”: for class scores one can use
cross-entropy, softmax, SVM or margin losses. Fast R-CNN (Girshick 2015, table 8): softmax 66.9 %, SVMs 66.8 % mAP.
"""

from __future__ import annotations

from torch import nn

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune
from experiments.studies.verdict import Needs, Part
from lightning_modules import MarginClassification, OneVsRestHinge

from ._mnist import SOURCE, digits

ERROR = "test/error"
CHANCE = 0.9
ENTROPY, MARGIN, HINGE = "cross-entropy", "multi-class margin", "hinge, one against the rest"
SAYS = "Categorical 한 Class Score의 경우, Cross Entropy, Softmax, SVM, Margin Loss를 사용할 수 있다."


def parts(runs: Runs) -> Part:
    """Reproduced: with a multi-class margin and with an SVM's hinge the test error is within 1 point of cross-entropy's, to
    either side."""
    gaps = tuple(
        runs.difference(f"test error, {loss} − cross-entropy", loss, ENTROPY, ERROR, needs=Needs(-1, 1))
        for loss in (MARGIN, HINGE)
    )
    errors = ", ".join(f"{loss} {100 * runs.quantity('', loss, ERROR).estimate:.2f}" for loss in runs.variants)
    return Part(
        says=SAYS,
        effects=gaps,
        validity_checks=(runs.tuned(), runs.beats(ERROR, CHANCE, greater=False, variants=[ENTROPY])),
        shared_lr=runs.shared_lr(gaps[0].name, MARGIN, ENTROPY, ERROR),
        because=f"Test error in percent: {errors}.",
    )


study = Study(
    claim="E09",
    says=SAYS,
    translation="For categorical class scores one can use cross-entropy, softmax, SVM or margin losses.",
    slide="Classification + Localization, …pdf-0052, question “Regression Losses가 무엇인지?”",
    paper="Fast R-CNN, VOC 2007 mAP: softmax 66.9 %, SVMs 66.8 % (VGG-16).",
    work=Training("classification/connections_shapes"),
    variants={
        MARGIN: {"model": MarginClassification, "model.margin_loss": L(nn.MultiMarginLoss)()},
        HINGE: {"model": MarginClassification, "model.margin_loss": L(OneVsRestHinge)()},
        ENTROPY: {},
    },
    controlled="network, data, order, steps; each loss's gradient is equally long where all scores are 0",
    tune=Tune(start=0.0316, by="val/error"),
    seeds=8,
    scales={
        "cpu": Scale(
            digits(2000),
            deviations=("digits of MNIST at 14 × 14 pixels", "2,000 steps of 50 images, of 4,000 for training"),
            requires={"data/mnist": SOURCE},
        )
    },
    parts=parts,
)
