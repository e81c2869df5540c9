"""LeNet-5 with all parts of 1998 reads handwritten digits with few errors.

Deck “CNN, R-CNN”, slide “ConvNets - Flavours”: “Lenet5 (Yann Lecun 1998)”; LeCun et al. 1998, figures 2 and 5: 60,000
trainable parameters, 0.95 % test error on MNIST, 0.8 % with distorted digits.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import Kaiming, LeNet5, LeNet5RBF

from ._architectures import TEST_ERROR, VALIDATION_ERROR
from ._counts import lenet
from ._small_net import MNIST_SOURCE

OLD, MODERN = "1998", "modern parts"
SHORT = ", 300 steps"
NETWORKS: dict[str, Any] = {
    OLD: L(LeNet5RBF)(),
    MODERN: L(LeNet5)(activation=nn.ReLU, pooling=nn.MaxPool2d, initialization=L(Kaiming)()),
}
CHANCE = 0.9
"""Error of one guess among ten classes."""
FEW_EPOCHS = 5000
"""Steps: two epochs have 1,564, twenty 15,640."""
DIGITS, MNIST = {"data.train_samples": 50_000}, {"data/mnist": MNIST_SOURCE}


def parts(runs: Runs) -> dict[str, Part]:
    """a: the mean test error of LeNet-5 with 1998's parts is at most 2.5 % after two epochs (scale gpu: 1.2 % after twenty); a
    threshold, which refutes nothing where it is missed. b, exact: the layers have the paper's parameters. c, beyond the
    lecture: with today's parts the error is lower; a change within ±0.25 points counts as none."""
    length = max([0.0, *(run.last_step("train/loss") for run in runs.of(OLD))])
    within = Needs(high=2.5 if length < FEW_EPOCHS else 1.2, null=100 * CHANCE, absolute=True)
    error = runs.quantity("test error of LeNet-5", OLD, TEST_ERROR, scale=100, unit="%", needs=within, paper=0.95)
    modern = runs.difference("test error, modern parts − 1998", MODERN, OLD, TEST_ERROR, needs=Needs(high=0, margin=0.25))
    return {
        "a": Part(
            says="Lenet5 (Yann Lecun 1998)",
            effects=(error,),
            validity_checks=(runs.tuned(OLD + SHORT),),
            because=f"LeNet-5 misreads {error.estimate:.2f} % of the test digits; after twenty epochs the paper has 0.95 %.",
        ),
        "b": Part(says="The layers of the slide's figure, by the paper's parameters.", checks=lenet()),
        "c": Part(
            says="Are today's parts better: ReLU, max pooling, softmax?",
            effects=(modern,),
            validity_checks=(
                runs.tuned(OLD + SHORT, MODERN + SHORT),
                runs.beats(TEST_ERROR, CHANCE, greater=False, variants=[OLD]),
            ),
            because=f"With ReLU, max pooling and softmax the test error is {modern.estimate:+.2f} points from that of 1998.",
            beyond=True,
        ),
    }


study = Study(
    claim="D01",
    says="Lenet5 (Yann Lecun 1998)",
    slide="ConvNets - Flavours",
    paper="MNIST test error 0.95 % after 20 epochs, 0.8 % with distorted digits; 60,000 trainable parameters.",
    work=Training("classification/lenet5_1998_mnist"),
    variants={
        **{name: Variant({"model.network": network}, lr_of=name + SHORT) for name, network in NETWORKS.items()},
        **{
            name + SHORT: {"model.network": network, "trainer.max_steps": 300, "trainer.val_check_interval": 300}
            for name, network in NETWORKS.items()
        },
    },
    controlled="C1, C3 with table I, C5, F6, digits, order, optimizer, schedule, epochs",
    tune=Tune(start=0.00316, by=VALIDATION_ERROR),
    scales={
        "cpu": Scale(DIGITS, deviations=("2 epochs in place of 20",), requires=MNIST),
        "gpu": Scale(DIGITS, variants={name: {"trainer.max_epochs": 20} for name in NETWORKS}, requires=MNIST),
    },
    deviations=(
        "AdamW and a cosine in place of second-order learning rates for each weight",
        "the rate is the best for 300 steps",
        "softmax and cross-entropy on the distances, equation 9 without the constant for images of no class",
        "weights of variance 1 / fan-in; the paper's ±2.4 / fan-in fades the signal",
        "the bitmaps of the output are drawn in the manner of figure 3; each seed takes its own 50,000 of the training digits",
    ),
    parts=parts,
    figure="train/loss",
)
