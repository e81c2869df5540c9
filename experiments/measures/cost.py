"""What a network costs: counted, which is the same on every machine, and timed, which is shown beside it."""

from __future__ import annotations

import statistics
import time
from copy import deepcopy
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

IMAGES = 2
"""Images that are counted at once: batch normalisation takes no single one."""


def cost_of(network: nn.Module, size: tuple[int, int]) -> dict[str, float]:
    """What one image of ``size`` (H, W) in pixels costs.

    Returns:
        ``gflop``: floating-point operations of the forward pass in 10^9, a multiplication and an addition being two;
        ``saved_mib``: what is kept for the backward pass, weights excepted, in MiB; ``parameters``: their number.
    """
    network = deepcopy(network).cpu().train()
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    saved: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if (place := tensor.untyped_storage().data_ptr()) not in weights:
            saved[place] = tensor  # held, so that no later tensor takes its place
        return tensor

    images = torch.zeros(IMAGES, 3, *size)
    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        kept = network(images)
    del kept
    return {
        "gflop": counter.get_total_flops() / IMAGES / 1e9,
        "saved_mib": sum(tensor.untyped_storage().nbytes() for tensor in saved.values()) / IMAGES / 2**20,
        "parameters": float(sum(p.numel() for p in network.parameters())),
    }


def step_seconds(network: nn.Module, size: tuple[int, int], repeats: int = 5) -> float:
    """CPU seconds that one image of ``size`` (H, W) takes forward and backward: the median, after one that does not count."""
    network = deepcopy(network).cpu().train()
    images = torch.zeros(IMAGES, 3, *size)
    taken = []
    for _ in range(1 + repeats):
        began = time.process_time()
        found = network(images)
        found.sum().backward()
        taken.append((time.process_time() - began) / IMAGES)
    return statistics.median(taken[1:])


class Cost(pl.Callback):
    """Notes what one training image costs the task's network, as ``cost/gflop``, ``cost/saved_mib`` and ``cost/parameters``.

    Args:
        timed: whether ``cost/cpu_seconds``, :func:`step_seconds`, is noted as well, of a network that returns a tensor.
    """

    def __init__(self, timed: bool = False) -> None:
        self.timed = timed

    def on_train_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        values = cost_of(pl_module.network, pl_module.metadata.image_size)
        if self.timed:
            values["cpu_seconds"] = step_seconds(pl_module.network, pl_module.metadata.image_size)
        for logger in trainer.loggers:
            logger.log_metrics({f"cost/{k}": v for k, v in values.items()}, step=max(0, trainer.global_step - 1))


class TrainingOperations(pl.Callback):
    """Counts what a training takes, as ``training/gflop``: forward and backward passes in 10^9 operations.

    The first batch of each epoch is counted, and stands for the others of its epoch: what is computed differs from one epoch
    to another (a last one may write features and learn nothing), and hardly within one.
    """

    def __init__(self) -> None:
        self._flops = 0
        self._counter: FlopCounterMode | None = None

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:
            self._counter = FlopCounterMode(display=False)
            self._counter.__enter__()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._counter is not None:
            self._counter.__exit__(None, None, None)
            self._flops += self._counter.get_total_flops() * int(trainer.num_training_batches)
            self._counter = None

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        for logger in trainer.loggers:
            logger.log_metrics({"training/gflop": self._flops / 1e9}, step=max(0, trainer.global_step - 1))

    def state_dict(self) -> dict[str, Any]:
        return {"flops": self._flops}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._flops = int(state_dict["flops"])
