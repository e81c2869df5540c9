"""A batch's gradient in several processes, each with its share of the images, by torch's DistributedDataParallel and gloo."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

Shared = tuple[nn.Module, Sequence[int]]
"""A network, and how many images of the batch each process has."""


def gradients_alone(network: nn.Module, images: Tensor, labels: Tensor) -> list[Tensor]:
    """Of the mean cross-entropy over all images, in one process: a tensor a parameter. The network stays as it is."""
    network = deepcopy(network).train()
    F.cross_entropy(network(images), labels).backward()
    return [p.grad for p in network.parameters() if p.grad is not None]


def gradients_of_processes(shared: Sequence[Shared], images: Tensor, labels: Tensor) -> list[list[Tensor]]:
    """The gradients that DistributedDataParallel leaves in the first process: those of each network, a tensor a parameter.

    Args:
        shared: networks (classes that can be imported, without lazy layers) and the shares of as many processes.
        images: float32 (N, 3, H, W); N is the sum of the shares, which are taken one after another.
        labels: int64 (N,).

    Raises:
        ValueError: shares that are not of one number of processes, or do not add up to the images.
    """
    processes = {len(shares) for _, shares in shared}
    if len(processes) != 1 or any(sum(shares) != len(images) for _, shares in shared):
        raise ValueError(f"shares {[list(s) for _, s in shared]}: one number of processes and {len(images)} images expected")
    with tempfile.TemporaryDirectory() as folder:
        spawn(_process, (processes.copy().pop(), folder, list(shared), images, labels), nprocs=processes.pop())
        found: list[list[Tensor]] = torch.load(Path(folder) / "gradients.pt", weights_only=True)
    return found


def apart(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """The greatest difference of two lists of tensors, relative to the greatest entry of the second."""
    greatest = max(float(tensor.abs().max()) for tensor in expected)
    return max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True)) / greatest


def _process(rank: int, processes: int, folder: str, shared: list[Shared], images: Tensor, labels: Tensor) -> None:
    torch.set_num_threads(1)
    place = Path(folder).absolute().as_uri()
    dist.init_process_group("gloo", init_method=f"{place}/meeting", rank=rank, world_size=processes)
    found = []
    for network, shares in shared:
        first = sum(shares[:rank])
        own = slice(first, first + shares[rank])
        network = deepcopy(network).train()  # what comes to another process shares its memory with all
        parallel = nn.parallel.DistributedDataParallel(network)
        F.cross_entropy(parallel(images[own]), labels[own]).backward()
        found.append([p.grad for p in network.parameters() if p.grad is not None])
    if rank == 0:
        torch.save(found, Path(folder) / "gradients.pt")
    dist.destroy_process_group()
