"""Image classification by a network with auxiliary classifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.scene import Batch

from .classification import Classification
from .defaults import Metadata
from .means import Mean
from .networks.auxiliary import WithAuxiliary


class AuxiliaryClassification(Classification):
    """One class an image, by a network with classifiers in its middle (Szegedy et al. 2015, section 5).

    In training mode the network gives :class:`~lightning_modules.networks.auxiliary.WithAuxiliary`; the loss is the main
    classifier's cross-entropy plus ``auxiliary_weight`` times that of each auxiliary one, which is logged as
    ``train/auxiliary``. In evaluation mode it gives logits alone, and all is as in :class:`Classification`.

    Args:
        auxiliary_weight: of each auxiliary loss; the paper's is 0.3.
        label_smoothing: as :class:`Classification`'s, for all classifiers.
        kwargs: see :class:`Task`.
    """

    default_network = ""  # one that has auxiliary heads: which, and where, is to be said

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int], nn.Module] | None = None,
        auxiliary_weight: float = 0.3,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(metadata, network=network, label_smoothing=label_smoothing, **kwargs)
        self.auxiliary_weight = auxiliary_weight

    def losses(self, outputs: Tensor | WithAuxiliary, batch: Batch) -> dict[str, Mean]:
        if not isinstance(outputs, WithAuxiliary):
            return super().losses(outputs, batch)
        main, *auxiliary = (
            Classification.losses(self, logits, batch)["cross_entropy"] for logits in (outputs.logits, *outputs.auxiliary)
        )
        total = self.auxiliary_weight * torch.stack([mean.total for mean in auxiliary]).sum()
        return {"cross_entropy": main, "auxiliary": Mean(total, main.count)}
