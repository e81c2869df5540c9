"""A network's operations begun all together, where a GPU does each of them faster than a program can ask for the next."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import SingleDeviceStrategy
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor, nn


class GraphedNetwork(pl.Callback):
    """Records the network's forward and backward pass as two CUDA graphs, which a step begins with one call each.

    A small network's step is some 250 operations, and a program takes longer to ask for them than a GPU to do them. They are
    recorded once, before the first step (``torch.cuda.make_graphed_callables``), and stay the operations that they were. The
    loss, the optimizer and everything in an evaluation are begun one by one as ever.

    It is for one GPU, and for networks that take images alone and do the same whatever these show. On a CPU it does nothing, on
    several devices nothing but to say so.
    """

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        device = trainer.strategy.root_device
        if device.type != "cuda":
            return
        if not isinstance(trainer.strategy, SingleDeviceStrategy):
            rank_zero_warn("GraphedNetwork: the network is recorded on one device alone, and not here")
            return
        data: Any = trainer.datamodule  # type: ignore[attr-defined]
        size = data.batch_size, 3, *pl_module.metadata.image_size
        with torch.random.fork_rng([device]):
            images = torch.randint(256, size, dtype=torch.uint8, device=device)
            record(pl_module.network, pl_module.normalized(images), trainer.precision_plugin.forward_context())

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        forget(pl_module.network)

    def on_exception(self, trainer: pl.Trainer, pl_module: Any, exception: BaseException) -> None:
        forget(pl_module.network)


def record(network: nn.Module, sample: Tensor, precision: AbstractContextManager[Any]) -> None:
    """Has the network answer batches like the sample, in training, by replaying what it does now; others as ever.

    Args:
        network: in training mode; its buffers (batch normalisation's means) are the same afterwards.
        sample: float (B, 3, H, W), on the network's device.
        precision: the context in which it trains.
    """
    before = [buffer.clone() for buffer in network.buffers()]
    cached = torch.is_autocast_cache_enabled()
    with precision:
        torch.set_autocast_cache_enabled(False)  # a weight's copy of half precision must be made anew by each replay
        try:
            torch.cuda.make_graphed_callables(network, (sample,), allow_unused_input=True)
        finally:
            torch.set_autocast_cache_enabled(cached)
    with torch.no_grad():
        for buffer, value in zip(network.buffers(), before, strict=True):
            buffer.copy_(value)
    replay, shape, dtype = network.__dict__["forward"], sample.shape, sample.dtype

    def forward(images: Tensor) -> Any:
        alike = network.training and images.shape == shape and images.dtype == dtype and torch.is_grad_enabled()
        return replay(images) if alike else type(network).forward(network, images)

    network.__dict__["forward"] = forward


def forget(network: nn.Module) -> None:
    """Has the network do everything itself again."""
    network.__dict__.pop("forward", None)
