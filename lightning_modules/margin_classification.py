"""Classification by a margin in place of a probability: the other losses that categorical outputs may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from datamodules.scene import Batch

from .classification import Classification
from .defaults import Metadata
from .means import Mean, full_precision


class OneVsRestHinge(nn.Module):
    """A linear SVM's loss for each class against the rest: the sum over classes of max(0, 1 - t s), with t of 1 or -1.

    Given scores (B, C) and labels (B,) it is averaged over the images, and multiplied by √(C - 1) / C: where all scores are 0
    its gradient is then as long as cross-entropy's and as :class:`torch.nn.MultiMarginLoss`'s, so that a learning rate means
    the same. R-CNN's SVMs have it, without the factor (Girshick et al. 2014, section 2.3).
    """

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        classes = scores.shape[1]
        signs = 2 * F.one_hot(labels, classes).to(scores.dtype) - 1
        return (1 - signs * scores).clamp(min=0).sum(1).mean() * (classes - 1) ** 0.5 / classes


class MarginClassification(Classification):
    """One class an image, by a loss that asks for a margin between scores (CS231n 2017, lecture 11: “SVM, Margin Loss”).

    Metrics and predictions are :class:`Classification`'s. The scores of a prediction are a softmax all the same, which keeps
    their order; nobody has trained them to be probabilities.

    Args:
        margin_loss: averaged over the images, of scores (B, C) and labels (B,): ``torch.nn.MultiMarginLoss``, the multi-class
            SVM of Weston & Watkins, or :class:`OneVsRestHinge`.
        kwargs: see :class:`Task`.
    """

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        margin_loss: Callable[[], nn.Module] = nn.MultiMarginLoss,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            metadata,
            network=network,
            label_smoothing=0.0,  # all of these are of cross-entropy
            class_weights=None,
            focal_gamma=0.0,
            mixup=0.0,
            cutmix=0.0,
            **kwargs,
        )
        self.margin_loss = margin_loss()

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        scores, labels = full_precision(outputs), batch["label"]
        return {"margin": Mean.of(self.margin_loss(scores, labels).expand(len(labels)))}
