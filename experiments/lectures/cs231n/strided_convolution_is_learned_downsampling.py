"""A convolution of stride 2 is one of stride 1 that drops every second row and column: down-sampling that is learned.

CS231n 2017, lecture 11, “Learnable Upsampling: Transpose Convolution”, which recalls it first; Springenberg et al. 2015: in
place of max pooling it costs no accuracy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from experiments.lectures.cnn._small_net import DEVIATIONS, PHOTOGRAPHS, RECIPE
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Check, Rule, Verdict
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


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the identity holds, and accuracies with strides and with pooling are the same within 1 point; direction only:
    the identity."""
    gap = runs.difference("test accuracy, stride 2 − max pooling", STRIDE, POOLING, ACCURACY, needs="within ±1 point")
    cost = runs.quantity("operations, pooling / stride 2", IDENTITY, "operations", unit="x")
    shared_lr = runs.shared_lr("test accuracy, stride 2 − max pooling", STRIDE, POOLING, ACCURACY)
    same = Check(
        "stride 2 less stride 1 and every second place, greatest", max(runs.values(IDENTITY, "difference")), 0.0, 1e-10
    )
    validity_checks = (runs.tuned(), runs.beats(ACCURACY, 1 / 6, variants=(POOLING, STRIDE)))
    return Rule((gap,), validity_checks, shared_lr, also=(str(cost),), checks=(same,)).judge(
        reproduced=same.holds and gap.equivalent(1),
        direction=same.holds,
        refuted=not same.holds,
        because=f"The two are one operation. In a small net strides in place of max pooling change the accuracy by "
        f"{gap.estimate:+.1f} points, with {1 / cost.estimate:.2f} of the operations.",
    )


def net(**arguments: Any) -> dict[str, Any]:
    average = L(nn.AdaptiveAvgPool2d)(output_size=1)
    network = L(SmallConvNet)(widths=WIDTHS, global_pooling=average, initialization=L(Kaiming)(), **arguments)
    return {"model.network": network}


STEPS = 400

study = Study(
    claim="F11",
    says="A convolution whose stride is not 1 has the effect of down-sampling.",
    slide="Learnable Upsampling: Transpose Convolution",
    paper="Springenberg et al. 2015: max pooling can be replaced by a convolution of larger stride “without loss in accuracy”.",
    work=Training(RECIPE),
    variants={
        IDENTITY: Variant(work=Measurement(identity)),
        STRIDE: net(stride=2, pooling=L(nn.Identity)()),
        POOLING: net(),
    },
    controlled="layers, weights, data, order, momentum 0.9; the features are averaged over their places before the output",
    tune=Tune(start=0.0316, by=LOSS),
    scales={
        "cpu": Scale(
            {"trainer.max_steps": STEPS, "trainer.callbacks": [L(TrainingSet)(samples=1000)]},
            deviations=("three convolutions of 16, 32 and 32 filters", *DEVIATIONS[1:], f"{STEPS} steps of 64 images"),
        ),
        "gpu": Scale(
            {"data": PHOTOGRAPHS, "trainer.max_steps": 20_000, "trainer.callbacks": [L(TrainingSet)(samples=5000)]},
            deviations=("three convolutions of 16, 32 and 32 filters",),
        ),
    },
    parts=verdict,
)
