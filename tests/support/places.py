"""A GPU that is not there: tensors live elsewhere by name, compute on the CPU, and what a GPU would refuse is refused.

Within :func:`elsewhere` the device ``meta`` holds real numbers. A tensor gets there as it gets to a GPU: by ``.to(PLACE)``, by
a factory's ``device=``, as the result of others that are there. An operator whose tensors lie in two places raises
:class:`MixedPlaces`, where CUDA does: what CUDA allows (a number in a CPU tensor of no dimension, an index on the CPU) is
allowed. And each point where a program would wait for the GPU is noted as a :class:`Wait`, by the rules of
``torch.cuda.set_sync_debug_mode``: numbers that are read, results whose size depends on values, copies that block.

It is a tensor subclass seen by a dispatch mode, and no list of Python calls: operators inside torchvision, torchmetrics,
Lightning and the backward pass are seen as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

import pytorch_lightning as pl
import torch
import torchvision  # noqa: F401 (its operators)
from pytorch_lightning.accelerators import CPUAccelerator
from pytorch_lightning.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

PLACE = torch.device("meta")
"""The device that is not there. On ``meta`` the backward pass needs no driver, and nothing has to be initialised."""

OURS = ("datamodules", "lightning_modules", "experiments")


class MixedPlaces(RuntimeError):
    """What a GPU would refuse."""


class Wait(NamedTuple):
    """A point where a program would wait for the GPU."""

    what: str
    """``number`` (read as Python's), ``size`` (of a result, that depends on values), ``fetch`` or ``upload`` (a copy)."""
    operator: str
    where: str
    """The innermost function of ours, ``module.function``; in the backward pass, what began it."""


class There(Tensor):
    """A tensor on ``PLACE``; what it holds lies on the CPU."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        made: There = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, held.size(), held.stride(), held.storage_offset(), dtype=held.dtype, device=PLACE
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise MixedPlaces(f"{func}: used outside of elsewhere()")

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        _note("number", "repr")
        return f"There({self.held!r})"

    def __format__(self, spec: str) -> str:
        _note("number", "format")
        return format(self.held.item() if self.ndim == 0 else repr(self.held), spec)

    def __deepcopy__(self, memo: Any) -> There:
        made = There(self.held.clone()).requires_grad_(self.requires_grad)
        if isinstance(self, torch.nn.Parameter):
            made = torch.nn.Parameter(made, self.requires_grad)
        memo[id(self)] = made
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        _note("fetch", "save")
        held = self.held.detach()
        return held.__reduce_ex__(protocol)


_waits: list[Wait] | None = None


def _note(what: str, operator: str) -> None:
    if _waits is not None:
        _waits.append(Wait(what, operator, _where()))


def _where() -> str:
    frame: Any = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.split(".")[0] in OURS:
            return f"{module.removeprefix('lightning_modules.')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "elsewhere"


# What waits ------------------------------------------------------------------------------------------------------------

aten = torch.ops.aten
_SIZES = {
    *(aten.nonzero, aten.masked_select, aten._unique2, aten.unique_dim, aten.unique_consecutive, aten.unique_dim_consecutive),
    *(aten.bincount, torch.ops.torchvision.nms),  # on CUDA, bincount looks for the greatest value
}
_NUMBERS = {aten._local_scalar_dense, aten.equal, aten.is_nonzero, aten.item, aten.allclose}
_COPIES = {aten._to_copy, aten.copy_}
_INDEXED = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_, aten._unsafe_index}
_NUMBER_ALLOWED = {aten.fill_, aten.fill, aten.masked_fill, aten.masked_fill_, aten.where, aten.addcdiv_, aten.addcmul_}


def _is_mask(index: Any) -> bool:
    return isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8)


def _note_waits(func: Any, packet: Any, args: Any, kwargs: dict[str, Any]) -> None:
    name = packet._qualified_op_name.split("::")[1]
    if packet in _NUMBERS:
        _note("number", name)
    elif packet in _SIZES or (packet is aten.repeat_interleave and kwargs.get("output_size") is None):
        _note("size", name)
    elif packet in _INDEXED:
        indices = [i for i in args[1] if isinstance(i, Tensor)]
        masks = sum(map(_is_mask, indices))
        fill = packet is not aten.index and len(indices) == masks == 1 and args[2].numel() == 1  # torch makes it masked_fill
        if masks and not fill:
            _note("size", f"{name} by a mask")
        if any(not isinstance(i, There) for i in indices) or (len(args) > 2 and not isinstance(args[2], There)):
            _note("upload", name)


def _note_copy(source: Tensor, to_there: bool, later: bool) -> None:
    if isinstance(source, There) and not to_there:
        _note("fetch", "to")
    elif not isinstance(source, There) and to_there and not later:
        _note("upload", "to")


# What is refused -------------------------------------------------------------------------------------------------------


def _check(func: Any, packet: Any, args: Any, tensors: list[Tensor]) -> None:
    here = [t for t in tensors if not isinstance(t, There)]
    if not here or packet in _COPIES or len(here) == len(tensors):
        return
    if packet in _INDEXED:
        value = args[2] if len(args) > 2 else args[0]
        if isinstance(args[0], There) and (isinstance(value, There) or value.ndim == 0):
            return
    elif torch.Tag.pointwise in func.tags or packet in _NUMBER_ALLOWED:
        written = tensors[0] if func._schema.is_mutable else None
        if all(t.ndim == 0 for t in here) and (written is None or isinstance(written, There)):
            return
    sides = ", ".join(f"{tuple(t.shape)} {'there' if isinstance(t, There) else 'on the CPU'}" for t in tensors)
    raise MixedPlaces(f"{func}: tensors in two places, {sides}; in {_where()}")


class _Operators(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        packet = func.overloadpacket
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, Tensor)]
        there = any(isinstance(t, There) for t in tensors)
        if there:
            _check(func, packet, args, tensors)
            _note_waits(func, packet, args, kwargs)
        if packet in _COPIES:
            there = torch.device(kwargs.get("device") or args[0].device) == PLACE
            later = kwargs.get("non_blocking", args[2] if packet is aten.copy_ and len(args) > 2 else False)
            _note_copy(args[1] if packet is aten.copy_ else args[0], there, later)
        elif kwargs.get("device") is not None:
            there = torch.device(kwargs["device"]) == PLACE
        if kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        own_args, own_kwargs = tree_map_only(There, lambda t: t.held, (args, kwargs))
        out = func(*own_args, **own_kwargs)
        if func._schema.is_mutable and not func._schema.name.endswith("_batch_norm_legit"):
            if packet._qualified_op_name.split("::")[1].startswith("_foreach"):
                return None
            if (first := args[0]) is not None and func._schema.arguments[0].alias_info is not None:
                return first
        return tree_map_only(Tensor, lambda t: There(t) if there and not isinstance(t, There) else t, out)


class _Functions(TorchFunctionMode):
    """What does not reach the operators: Python's lists, numpy's arrays, and factories that are given numbers."""

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        first = args[0] if args else None
        if func is torch.Tensor.new_tensor and isinstance(first, Tensor):
            func, args, kwargs = torch.tensor, args[1:], {"dtype": first.dtype, "device": first.device, **kwargs}
        if func in (torch.tensor, torch.as_tensor, torch.asarray):
            device = kwargs.pop("device", None)
            made: Tensor = func(*args, **kwargs)
            return made if device is None else made.to(device)
        if isinstance(first, There):
            if func is torch.Tensor.tolist:
                _note("fetch", "tolist")
                return first.held.tolist()
            if func in (torch.Tensor.numpy, torch.Tensor.__array__):
                raise TypeError(f"a tensor of a GPU is no array: .cpu() is missing; in {_where()}")
        return func(*args, **kwargs)


@contextmanager
def elsewhere() -> Iterator[list[Wait]]:
    """Gives ``PLACE`` its numbers for a while; the list grows by each wait."""
    global _waits
    autocast = torch.autocast

    def nearby(device_type: str, *args: Any, **kwargs: Any) -> Any:
        return autocast("cpu" if device_type == PLACE.type else device_type, *args, **kwargs)

    before, _waits = _waits, []
    try:
        with mock.patch.object(torch, "autocast", nearby), _Operators(), _Functions():
            yield _waits
    finally:
        _waits = before


# A training there -------------------------------------------------------------------------------------------------------


class NoGPU(CPUAccelerator):
    """An accelerator for any place."""

    def setup_device(self, device: torch.device) -> None:
        """Nothing has to be set up."""


def trainer_on(device: torch.device, **options: Any) -> pl.Trainer:
    """A trainer that logs nothing, on the CPU or on ``PLACE`` (within :func:`elsewhere`)."""
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    strategy = SingleDeviceStrategy(device, accelerator=NoGPU())
    # Tensors of inference mode cannot be wrapped.
    return pl.Trainer(strategy=strategy, inference_mode=False, use_distributed_sampler=False, **(quiet | options))
