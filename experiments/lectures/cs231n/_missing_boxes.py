"""Localization whose training images do not all have a box."""

from __future__ import annotations

from typing import Any, cast

import torch

from datamodules.scene import Batch
from lightning_modules import Localization
from lightning_modules.draws import generator
from lightning_modules.means import Mean
from lightning_modules.networks.heads import ClassAndBoxOutputs


class LocalizationWithMissingBoxes(Localization):
    """As :class:`Localization`, but of a share of the training images the class is known and the box is not.

    Which images those are depends on the run's seed and the image's index alone: a box is missing in every epoch or in none.

    Args:
        missing: the share, from 0 to 1.
        kwargs: see :class:`Localization`.

    Raises:
        ValueError: ``missing`` is out of its range.
    """

    def __init__(self, *, missing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= missing <= 1:
            raise ValueError(f"LocalizationWithMissingBoxes: missing is {missing}: 0 to 1 expected")
        self.missing = missing

    def losses(self, outputs: ClassAndBoxOutputs, batch: Batch) -> dict[str, Mean]:
        losses = super().losses(outputs, batch)
        return {**losses, "box": super().losses(outputs, self._with_boxes(batch))["box"]} if self.training else losses

    def _with_boxes(self, batch: Batch) -> Batch:
        """The batch, in which the images without a box have no object."""
        kept = [float(torch.rand(1, generator=generator(index))) >= self.missing for index in batch["index"].tolist()]
        fields = {
            field: [values if keep else values[:0] for values, keep in zip(batch[field], kept, strict=True)]  # type: ignore[literal-required]
            for field in ("boxes", "labels")
        }
        return cast(Batch, {**batch, **fields})
