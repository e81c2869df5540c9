"""Many tensors moved to the CPU in one copy, for which an accelerator is waited for once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def on_cpu(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors on the CPU, without gradients: views of one buffer of bytes, which comes over at once.

    Args:
        tensors: of the CPU or of one device, of any shapes and dtypes.
    """
    if not tensors:
        return []
    away = [i for i, tensor in enumerate(tensors) if tensor.device.type != "cpu"]
    if 0 < len(away) < len(tensors):  # what stays on the CPU (Task.on_host) is there already
        here = [tensor.detach() for tensor in tensors]
        for i, tensor in zip(away, on_cpu([tensors[i] for i in away]), strict=True):
            here[i] = tensor
        return here
    places: dict[torch.dtype, list[int]] = {}
    for i, tensor in enumerate(tensors):
        places.setdefault(tensor.dtype, []).append(i)
    # Wider ones first, so that each begins where its dtype may.
    order = sorted(places, key=lambda dtype: -dtype.itemsize)
    parts = [torch.cat([tensors[i].detach().reshape(-1) for i in places[dtype]]).view(torch.uint8) for dtype in order]
    buffer = torch.cat(parts).cpu()
    moved = list(tensors)
    for dtype, part in zip(order, buffer.split([len(part) for part in parts]), strict=True):
        for i, values in zip(places[dtype], part.view(dtype).split([tensors[i].numel() for i in places[dtype]]), strict=True):
            moved[i] = values.view(tensors[i].shape)
    return moved


def fields_on_cpu(
    groups: Sequence[Sequence[dict[str, Tensor]]], fields: Iterable[str], *others: Tensor
) -> tuple[list[list[dict[str, Tensor]]], list[Tensor]]:
    """Those of the fields that are there, of each dict of each group, and other tensors, all in one copy: :func:`on_cpu`."""
    kept = [[{name: values[name] for name in fields if name in values} for values in group] for group in groups]
    moved = iter(on_cpu([tensor for group in kept for values in group for tensor in values.values()] + list(others)))
    here = [[{name: next(moved) for name in values} for values in group] for group in kept]
    return here, list(moved)
