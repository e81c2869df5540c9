"""A backbone whose weights are frozen and whose batch normalisation is not: what is left of training is the gradient's part."""

from __future__ import annotations

from lightning_modules.networks import SPPNet


class AdaptedSPPNet(SPPNet):
    """As :class:`~lightning_modules.networks.SPPNet`, with the batch statistics of the images that it is trained on.

    Of two nets that share a backbone, one frozen and one trained, only the trained one would learn the statistics of the new
    images; VGG, which the paper compares, has no batch normalisation.
    """

    def train(self, mode: bool = True) -> AdaptedSPPNet:
        super().train(mode)
        self.backbone.train(mode)
        return self
