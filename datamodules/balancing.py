"""Which training scenes are drawn how often, so that each class is seen as often as the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from .prepared import PreparedScenes
from .scene import InputError, SceneError

FIELDS = ("label", "labels")
"""What says which classes a scene shows: its own, or its objects'."""


def classes_shown(prepared: PreparedScenes) -> list[Collection[int] | None]:
    """The classes that each scene shows; None of one that is left out.

    Data that lie in memory are asked for their labels; of others each scene is read once.

    Raises:
        InputError: the data have no classes that a task of these fields sees.
        SceneError: a scene cannot be used, and ``data.invalid`` is error.
    """
    field = next((name for name in FIELDS if name in prepared.fields), None)
    if field is None:
        raise InputError(f"{prepared.name}: data.balanced goes by the classes of images or objects, and this task uses none")
    rows = range(len(prepared)) if prepared.chosen is None else prepared.chosen
    if isinstance(labels := getattr(prepared.source, "labels", None), Tensor):
        return [(label,) for label in labels[torch.tensor(rows)].tolist()]
    return [_shown(prepared, row, field) for row in rows]


def _shown(prepared: PreparedScenes, row: int, field: str) -> Collection[int] | None:
    try:
        scene, _ = prepared.checked(row)
    except SceneError:
        if prepared.invalid == "error":
            raise
        return None
    labels: Tensor = scene[field]  # type: ignore[literal-required]
    return set(labels.reshape(-1).tolist())


def balanced_weights(shown: Sequence[Collection[int] | None]) -> Tensor:
    """float64 (N,): how often each scene is to be drawn, relative to the others.

    Where a scene is of one class, this is 1 / (scenes of that class): all classes are drawn equally often. A scene of several
    counts as its rarest does; one that shows none is drawn as often as the least drawn of the others.

    Args:
        shown: of :func:`classes_shown`; a scene that is left out has weight 0.
    """
    counts = Counter(label for labels in shown for label in set(labels or ()))
    own = [max((1 / counts[label] for label in labels or ()), default=0.0) for labels in shown]
    least = min((weight for weight in own if weight), default=1.0)
    each = zip(own, shown, strict=True)
    return torch.tensor([0.0 if labels is None else weight or least for weight, labels in each], dtype=torch.float64)
