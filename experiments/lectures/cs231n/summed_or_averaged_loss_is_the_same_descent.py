"""A loss summed over pixels trains as one averaged over them does, at a rate divided by the number of pixels.

CS231n 2017, lecture 11, “Semantic Segmentation”: cross-entropy at every pixel, added up or averaged. Adam hardly notices the
difference, since it divides by the size of the gradient.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.studies.study import Exact
from experiments.studies.verdict import Check

STEPS, CLASSES, IGNORED = 50, 4, 255


def trained(
    reduction: Literal["sum", "mean"],
    divisor: Literal["none", "pixels", "labelled"],
    adam: bool = False,
    ignored: float = 0.0,
) -> Tensor:
    """All weights (float64, one vector) of a small net after 50 steps on the same random images.

    Args:
        reduction: of the loss over pixels.
        divisor: what the learning rate is divided by in each step: nothing, all pixels, or those with a label.
        adam: Adam in place of SGD.
        ignored: the most of a mask that has no label; the share differs from step to step.
    """
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, CLASSES, 3, padding=1)).double()
    lr = 0.003 if adam else 0.1
    optimizer = torch.optim.Adam(net.parameters(), lr) if adam else torch.optim.SGD(net.parameters(), lr)
    for _ in range(STEPS):
        images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
        masks = images.mean(1).mul(4).add(2).clamp(0, CLASSES - 1).long()
        masks[torch.rand(masks.shape) < ignored * torch.rand(())] = IGNORED
        pixels = {"none": 1, "pixels": masks.numel(), "labelled": int((masks != IGNORED).sum())}[divisor]
        optimizer.param_groups[0]["lr"] = lr / pixels
        loss = F.cross_entropy(net(images), masks, ignore_index=IGNORED, reduction=reduction)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return nn.utils.parameters_to_vector(net.parameters()).detach()


def apart(a: Tensor, b: Tensor) -> float:
    """Greatest difference, relative to the greatest weight."""
    return float((a - b).abs().max() / b.abs().max())


def checks() -> list[Check]:
    mean = trained("mean", "none")
    holes = trained("mean", "none", ignored=0.9)
    adam = apart(trained("sum", "none", adam=True), trained("mean", "none", adam=True))
    same_lr = apart(trained("sum", "none"), mean)
    fixed = apart(trained("sum", "pixels", ignored=0.9), holes)
    return [
        Check("SGD, sum at γ/N less mean at γ, after 50 steps", apart(trained("sum", "pixels"), mean), 0.0, 1e-5),
        Check.yes_or_no("at the same γ they train alike", same_lr < 1e-2, "no"),
        Check(
            "with unlabelled pixels, γ divided by each step's labelled ones",
            apart(trained("sum", "labelled", ignored=0.9), holes),
            0.0,
            1e-5,
        ),
        Check.yes_or_no("with unlabelled pixels, γ divided by all of them, they train alike", fixed < 1e-2, "no"),
        Check("Adam, sum less mean at the same γ", adam, 0.0, 1e-3),
    ]


study = Exact(
    claim="F01",
    says="출력의 모든 픽셀과 Ground Truth 사이에 Cross Entropy를 계산한다. 이 값을 더하거나 평균을 내는 식으로 Loss를 "
    "계산한다.",
    translation="Cross-entropy is computed between every pixel of the output and the ground truth. The loss is the sum of "
    "these values, or their mean.",
    slide="Semantic Segmentation, question after …pdf-0044",
    paper="No paper; Kingma & Ba 2015, section 2.1: Adam's steps do not depend on the gradient's scale.",
    checks=checks,
    deviations=("a net of two convolutions on random images of 16 × 16: the identity does not depend on the net",),
)
