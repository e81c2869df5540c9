"""A convolution of stride 2 is one of stride 1 that drops every second row and column: down-sampling that is learned.

CS231n 2017, lecture 11, “Learning Upsampling: Transpose Convolution”, which recalls it first; Springenberg et al. 2015: in
place of max pooling it costs no accuracy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from experiments.lectures._amended import NEW_STATISTICS
from experiments.lectures.cnn._small_net import DEVIATIONS, PHOTOGRAPHS, RECIPE
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import Kaiming, SmallConvNet

IDENTITY, POOLING, STRIDE = "identity", "max pooling", "stride 2"
ACCURACY, LOSS = "test/accuracy", "trainset/loss"
WIDTHS = [16, 32, 32]


def identity(*, seed: int, folder: Path) -> Measured:
    """Stride 2 against stride 1 and every second place, for kernels of 1 to 5; and what both nets cost."""
    torch.manual_seed(seed)
    differences = []
    for k in range(1, 6):
        image, weight = torch.randn(2, 3, 17, 18, dtype=torch.float64), torch.randn(4, 3, k, k, dtype=torch.float64)
        dropped = F.conv2d(image, weight, padding=k // 2)[..., ::2, ::2]
        differences.append(float((F.conv2d(image, weight, stride=2, padding=k // 2) - dropped).abs().max()))
    nets = {
        "pooling": SmallConvNet(6, widths=WIDTHS),
        "stride": SmallConvNet(6, widths=WIDTHS, stride=2, pooling=nn.Identity),
    }
    flops = {}
    for name, net in nets.items():
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net(torch.zeros(1, 3, 16, 16))
        flops[name] = counter.get_total_flops()
    return Measured({"difference": max(differences), "operations": flops["pooling"] / flops["stride"]})


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: a convolution of stride 2 is one of stride 1 at every second place. b, beyond the lecture: reproduced where the
    accuracy with strides is that with max pooling within 1 point."""
    gap = runs.difference("test accuracy, stride 2 − max pooling", STRIDE, POOLING, ACCURACY, needs=Needs(-1, 1))
    cost = runs.quantity("operations, pooling / stride 2", IDENTITY, "operations", unit="x")
    greatest = float(np.max(runs.values(IDENTITY, "difference")))  # numpy's, which lets NaN through
    return {
        "a": Part(
            says="A convolution whose stride is not 1 samples down.",
            checks=(Check("stride 2 less stride 1 and every second place, greatest difference", greatest, 0.0, 1e-10),),
        ),
        "b": Part(
            says="Can strides take the place of max pooling without loss in accuracy (Springenberg et al.)?",
            effects=(gap,),
            shown=(cost,),
            validity_checks=(runs.tuned(STRIDE, POOLING), runs.beats(ACCURACY, 1 / 6, variants=[POOLING])),
            shared_lr=runs.shared_lr(gap.name, STRIDE, POOLING, ACCURACY),
            because=f"In a small net strides in place of max pooling change the accuracy by {gap.estimate:+.1f} points, with "
            f"{1 / cost.estimate:.2f} of the operations.",
            beyond=True,
        ),
    }


def net(**arguments: Any) -> dict[str, Any]:
    average = L(nn.AdaptiveAvgPool2d)(output_size=1)
    network = L(SmallConvNet)(widths=WIDTHS, global_pooling=average, initialization=L(Kaiming)(), **arguments)
    return {"model.network": network}


STEPS = 400

study = Study(
    claim="F11",
    says="Convolution 연산에서 Stride가 1이 아니라면, Downsampling 효과가 있다.",
    translation="A convolution whose stride is not 1 has the effect of down-sampling.",
    slide="Learning Upsampling: Transpose Convolution, …pdf-0033",
    paper="Springenberg et al. 2015: max pooling can be replaced by a convolution of larger stride “without loss in accuracy”.",
    work=Training(RECIPE),
    variants={
        IDENTITY: Variant(work=Measurement(identity)),
        STRIDE: net(stride=2, pooling=L(nn.Identity)()),
        POOLING: net(),
    },
    controlled="layers, weights, data, order, momentum 0.9; the features are averaged over their places before the output",
    seeds=16,
    tune=Tune(start=0.0316, by=LOSS),
    scales={
        "cpu": Scale(
            {"data.test": 4000, "trainer.max_steps": STEPS, "trainer.callbacks": [L(TrainingSet)(samples=1000)]},
            deviations=("three convolutions of 16, 32 and 32 filters", *DEVIATIONS[1:], f"{STEPS} steps of 64 images"),
        ),
        "gpu": Scale(
            {"data": PHOTOGRAPHS, "trainer.max_steps": 20_000, "trainer.callbacks": [L(TrainingSet)(samples=5000)]},
            deviations=("three convolutions of 16, 32 and 32 filters",),
        ),
    },
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "two parts: the identity is what the lecture states; that strides cost no accuracy is Springenberg et al.'s. "
            "Before, one verdict needed both. Better than a guess has to be the net with pooling alone",
        ),
        Amendment(
            "2026-11-26",
            "sixteen seeds and 4,000 test scenes in place of three and 1,000, so that an equivalence within ±1 point can be "
            "shown where there is one",
        ),
    ),
)
