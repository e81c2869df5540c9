"""How much of a training step could be done at once, counted from its operations: the same on every machine.

In the model of work and span (Brent 1974, "The parallel evaluation of general arithmetic expressions"), W operations whose
longest chain of operations that wait for each other has S take at most W/P + S of time on P processors. Nothing is said of
memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class WorkAndSpan(NamedTuple):
    """Both in operations."""

    work: float
    """Multiplications and additions of matrix products and convolutions, and one operation for each number that any other step
    reads or writes, whichever are more."""
    span: float
    """The longest chain, from above: a step on M operations is taken for a chain of 1 + log₂ M, which is that of a sum."""

    def speedup(self, processors: int) -> float:
        """On so many processors over one, from below."""
        return self.work / (self.work / processors + self.span)


class _Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.work = self.span = 0.0
        self._chains: dict[int, float] = {}
        self._held: list[Tensor] = []  # so that no later tensor takes a place that is known

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        inputs, outputs = list(_tensors((args, kwargs or {}))), list(_tensors(found))
        places = {_place(tensor) for tensor in inputs}
        if not outputs or (not func._schema.is_mutable and all(_place(tensor) in places for tensor in outputs)):
            return found  # a view of what is there
        packet = func._overloadpacket
        read, written = (sum(tensor.numel() for tensor in tensors) for tensors in (inputs, outputs))
        counted = flop_registry[packet](*args, **(kwargs or {}), out_val=found) if packet in flop_registry else 0
        work = float(max(counted, read, written))
        waited = max((self._chains.get(place, 0.0) for place in places), default=0.0)
        chain = waited + 1 + math.ceil(math.log2(max(work, 1)))
        for tensor in outputs:
            self._chains[_place(tensor)] = chain
            self._held.append(tensor)
        self.work, self.span = self.work + work, max(self.span, chain)
        return found


def work_and_span(compute: Callable[[], object]) -> WorkAndSpan:
    """Of all that ``compute`` does with tensors; those of the meta device cost nothing, and are counted alike."""
    with _Counter() as counter:
        compute()
    return WorkAndSpan(counter.work, counter.span)


def _place(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(tree: Any) -> Iterator[Tensor]:
    leaves, _ = torch.utils._pytree.tree_flatten(tree)
    return (leaf for leaf in leaves if isinstance(leaf, Tensor))
