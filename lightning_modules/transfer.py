"""Many tensors moved to the CPU in one copy, for which an accelerator is waited for once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def on_cpu(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors on the CPU, without gradients: views of one buffer of bytes, which comes over at once.

    Args:
        tensors: of one device, of any shapes and dtypes.
    """
    if not tensors:
        return []
    # Wider ones first, so that each begins where its dtype may.
    order = sorted(range(len(tensors)), key=lambda i: -tensors[i].element_size())
    parts = [tensors[i].detach().contiguous().view(-1).view(torch.uint8) for i in order]
    buffer = torch.cat(parts).cpu()
    moved: dict[int, Tensor] = {}
    for i, part in zip(order, buffer.split([len(part) for part in parts]), strict=True):
        moved[i] = part.view(tensors[i].dtype).view(tensors[i].shape)
    return [moved[i] for i in range(len(tensors))]


def fields_on_cpu(
    groups: Sequence[Sequence[dict[str, Tensor]]], fields: Iterable[str], *others: Tensor
) -> tuple[list[list[dict[str, Tensor]]], list[Tensor]]:
    """Those of the fields that are there, of each dict of each group, and other tensors, all in one copy: :func:`on_cpu`."""
    kept = [[{name: values[name] for name in fields if name in values} for values in group] for group in groups]
    moved = iter(on_cpu([tensor for group in kept for values in group for tensor in values.values()] + list(others)))
    here = [[{name: next(moved) for name in values} for values in group] for group in kept]
    return here, list(moved)
