"""Cross-entropy for classes that are rare, hard or uncertain: weighted, focal, smoothed, mixed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from datamodules.scene import InputError


def class_weights_of(weights: Mapping[str, float] | None, classes: Sequence[str]) -> Tensor | None:
    """float32 (C,): what an error on each class counts; 1 where nothing is said of it. None where nothing is said at all.

    Raises:
        InputError: there is no class of that name, or a weight is not above 0.
    """
    if weights is None:
        return None
    for name, weight in weights.items():
        if name not in classes:
            near = ", ".join(difflib.get_close_matches(name, classes) or list(classes)[:20])
            raise InputError(f"model.class_weights: the data have no class {name!r}; they have {near}")
        if not 0 < weight < float("inf"):
            raise InputError(f"model.class_weights: {name} has {weight}; a number above 0 expected")
    return torch.tensor([float(weights.get(name, 1)) for name in classes])


def class_errors(
    logits: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    label_smoothing: float = 0.0,
    focal_gamma: float = 0.0,
    ignore: int = -100,
) -> Tensor:
    """Cross-entropy of each thing: float (B, ...), 0 where the target is ``ignore``.

    With ``focal_gamma`` each error is multiplied by (1 - p)^gamma, p being the probability of the truth: what is right already
    counts little (Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 4; of its two-class form this is the one
    for a softmax).

    Args:
        logits: float (B, C, ...).
        target: int64 (B, ...), from 0; or float (B, C), the probability of each class, where images are mixed.
        weights: float (C,), a factor of the errors on each class.
        label_smoothing: the part of the target that is spread evenly over all classes.
        focal_gamma: 0 leaves the errors as they are.
        ignore: a target that does not count.
    """
    errors = F.cross_entropy(logits, target, weights, reduction="none", label_smoothing=label_smoothing, ignore_index=ignore)
    if not focal_gamma:
        return errors
    p = logits.softmax(1)
    mixed = target.is_floating_point()
    right = (p * target).sum(1) if mixed else p.gather(1, target.where(target != ignore, 0)[:, None])[:, 0]
    # Where nothing is wrong the root of 0 would have no gradient.
    return errors * (1 - right).clamp(min=torch.finfo(p.dtype).eps) ** focal_gamma
