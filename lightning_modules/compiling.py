"""A network compiled by torch, where that is faster than doing its operations one by one."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl


class CompiledNetwork(pl.Callback):
    """Has ``torch.compile`` translate the network for the time of a training; validation during it included.

    Weights keep their names, and a checkpoint is what it is without. It is for networks that take images alone and do the same
    whatever these show: classifiers and segmenters. The first steps take seconds to minutes, and each further shape of a batch
    as well; the default backend needs a C++ compiler. Not every network gains by it: measure it.

    Args:
        backend: as ``torch.compile`` takes it.
        mode: ``default``, ``reduce-overhead`` or ``max-autotune``, for the backend ``inductor``; None is the backend's own.
    """

    def __init__(self, backend: str = "inductor", mode: str | None = None) -> None:
        self.backend, self.mode = backend, mode

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        pl_module.network.compile(backend=self.backend, mode=self.mode)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._forget(pl_module)

    def on_exception(self, trainer: pl.Trainer, pl_module: Any, exception: BaseException) -> None:
        self._forget(pl_module)

    def _forget(self, pl_module: Any) -> None:
        pl_module.network._compiled_call_impl = None  # torch has no word for it
