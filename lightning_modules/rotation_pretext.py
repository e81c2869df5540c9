"""The rotation pretext: what a network learns of images that nobody has labelled, by telling how they were turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from datamodules.scene import Batch, InputError

from .base import Prediction
from .classification import Classification
from .defaults import Metadata, plain_metadata
from .image_rngs import image_rngs
from .means import Mean
from .uploads import uploaded

TURNS = ("0°", "90°", "180°", "270°")
"""Counter-clockwise."""


class RotationPretext(Classification):
    """By how many quarter turns an image was turned: one of four classes, which need no annotation (Gidaris et al. 2018).

    The network is a classifier of four classes; what it has learned below its output is then another task's, by
    ``--init_from``. Each image is turned by a number of quarters that is drawn: in training by (seed, epoch, image), in
    evaluation by the image alone. (The paper has all four turns of an image in each batch, at four times the cost.)
    ``lectern predict`` and ``lectern export`` take images as they are, and turn none.

    Args:
        network: called with 4, gives logits (B, 4).
        metadata: the data set's; its classes are not this task's, which are :data:`TURNS`.
        kwargs: see :class:`Classification`.

    Raises:
        InputError: images are not square; those of a batch would no longer be of one size.
    """

    needs = frozenset()

    def __init__(self, metadata: Metadata, *, network: Callable[[int], nn.Module] | None = None, **kwargs: Any) -> None:
        plain = plain_metadata(metadata)
        height, width = plain["image_size"]
        if height != width:
            raise InputError(f"data.image_size is {height} x {width} (H x W): RotationPretext turns square images only")
        turned = {**plain, "classes": list(TURNS)}
        super().__init__(turned, network=network, mixup=0.0, cutmix=0.0, **kwargs)  # it makes its own labels

    def respond(self, batch: Batch) -> Any:
        return self(self.given(batch))

    def given(self, batch: Batch) -> Tensor:
        """The turned images, uint8 (B, 3, H, W)."""
        turns = self.turns(batch).tolist()
        return torch.stack([image.rot90(k, (1, 2)) for image, k in zip(batch["image"], turns, strict=True)])

    def turns(self, batch: Batch) -> Tensor:
        """int64 (B,), on the CPU: by how many quarters each image is turned, counter-clockwise."""
        return torch.cat([torch.randint(len(TURNS), (1,), generator=rng) for rng in image_rngs(self, batch)])

    def losses(self, outputs: Tensor, batch: Batch) -> dict[str, Mean]:
        return super().losses(outputs, self._labelled(batch))

    def predict_step(self, batch: Batch | None, batch_idx: int) -> list[Prediction] | None:
        return None if batch is None else self.predict(self(batch["image"]))

    def metric_inputs(self, predictions: list[Prediction], batch: Batch) -> dict[str, Any]:
        return super().metric_inputs(predictions, self._labelled(batch))

    def _labelled(self, batch: Batch) -> Batch:
        return {**batch, "label": uploaded(self.turns(batch), batch["image"].device)}
