"""Fully sharded data parallelism where there is no GPU: Lightning refuses its own class there, torch does not."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning.strategies import FSDPStrategy
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.fsdp.wrap import ModuleWrapPolicy


class ShardsOnCPU(FSDPStrategy):
    """Shards each convolution, and the rest together, over processes of one machine."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(auto_wrap_policy=ModuleWrapPolicy({nn.Conv2d}), **kwargs)

    def _setup_model(self, model: nn.Module) -> nn.Module:
        # Lightning passes the index of the device, which a CPU has not.
        return FullyShardedDataParallel(model, device_id=torch.device("cpu"), **self.kwargs)
