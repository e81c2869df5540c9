"""A training step's operations, counted; and its time, by a CPU and by a GPU where there is one."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from experiments.measures.parallelism import WorkAndSpan, work_and_span
from experiments.studies.study import Measured
from lightning_modules.networks import AlexNet, SmallConvNet

CORES = 512
"""Of a GTX 580."""
BATCHES = (16, 64, 256)
REPEATS = 5
SPEEDUP, IMAGES, THREADS = "speed-up on 512 processors", "images per second", "images per second, two threads"


def step(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Forward, backward, and a step of plain SGD."""
    network.zero_grad()
    F.cross_entropy(network(images), labels).backward()
    torch.optim.SGD(network.parameters(), lr=1e-3).step()


def count(batch: int) -> WorkAndSpan:
    """Of a training step of AlexNet in one tower; nothing is computed."""
    with torch.device("meta"):
        network = AlexNet(1000, groups=1)
        images, labels = torch.empty(batch, 3, 224, 224), torch.empty(batch, dtype=torch.int64)
        network(images)  # gives the lazy layer its size
        return work_and_span(lambda: step(network, images, labels))


def counted(*, seed: int, folder: Path, batch: int) -> Measured:
    found = count(batch)
    values = {SPEEDUP: found.speedup(CORES), "operations": found.work, "longest chain": found.span}
    return Measured({**values, "operations at once": found.work / found.span})


def seconds(network: nn.Module, batch: int, device: str, threads: int) -> float:
    """Wall time of a step of so many images, all of it computed."""
    images, labels = torch.randn(batch, 3, 32, 32, device=device), torch.randint(10, (batch,), device=device)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    began = time.perf_counter()
    step(network, images, labels)
    if device != "cpu":
        torch.cuda.synchronize()
    taken = time.perf_counter() - began
    torch.set_num_threads(before)
    return taken


def timed(*, seed: int, folder: Path, device: str) -> Measured:
    """Images per second of a training step at the best of three batch sizes: by one thread, and of a CPU by two as well.

    A step is timed five times after one that does not count, the kinds in turn; without a device nothing is measured.
    """
    if not device:
        return Measured({IMAGES: math.nan})
    torch.manual_seed(seed)
    network = SmallConvNet(10).to(device)
    kinds = [(batch, threads) for batch in BATCHES for threads in ((1, 2) if device == "cpu" else (1,))]
    taken = [[seconds(network, batch, device, threads) for batch, threads in kinds] for _ in range(1 + REPEATS)][1:]
    rates = {kind: kind[0] / statistics.median(row[i] for row in taken) for i, kind in enumerate(kinds)}
    names = {1: IMAGES, 2: THREADS}
    threads = sorted({threads for _, threads in kinds})
    values = {names[n]: max(rates[batch, n] for batch in BATCHES) for n in threads}
    return Measured(values, {names[n]: [(float(batch), rates[batch, n]) for batch in BATCHES] for n in threads})
