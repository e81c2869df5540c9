"""Nearly all of a training step can be done at once, which is what a GPU is for.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “Scaling: GPUs”. Krizhevsky et al. 2012 trained AlexNet on two GTX 580, of 512
cores each. Where there is no GPU (scale cpu) the operations are counted; images per second are measured at scale gpu.
"""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from experiments.measures.parallelism import WorkAndSpan, work_and_span
from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Scale, Study, Variant
from experiments.studies.verdict import Needs, Part, ValidityCheck
from lightning_modules.networks import AlexNet, SmallConvNet

CORES = 512
"""Of a GTX 580."""
BATCHES = (16, 64, 256)
REPEATS = 5
OPERATIONS, ONE_IMAGE, CPU, GPU = "operations, 128 images", "operations, one image", "CPU", "GPU"
SPEEDUP, IMAGES, THREADS = "speed-up on 512 processors", "images per second", "images per second, two threads"
SAYS = "Scaling: GPUs"


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


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: so much of a training step of AlexNet can be done at once that 512 processors are at least ten times as
    fast as one, by the count of its operations. b. Reproduced: a GPU trains at least ten times the images per second of a CPU
    thread; direction only: more. It is measured at scale gpu alone. Times of the CPU decide nothing."""
    ten = Needs(low=10)
    speedup = runs.quantity(f"{SPEEDUP}, counted", OPERATIONS, SPEEDUP, unit="x", needs=ten)
    single = runs.quantity(f"{SPEEDUP}, counted, one image at a time", ONE_IMAGE, SPEEDUP, unit="x")
    at_once = runs.quantity("operations that can be done at once", OPERATIONS, "operations at once")
    gpu = runs.ratio("images per second, GPU / one thread of the CPU", GPU, CPU, IMAGES, needs=ten)
    threads = runs.combined(
        "images per second, two threads / one",
        lambda by_variant: by_variant[CPU].value(THREADS) / by_variant[CPU].value(IMAGES),
        unit="x",
    )
    there = all(math.isfinite(run.value(IMAGES)) for run in runs.of(GPU))
    return {
        "a": Part(
            says=SAYS,
            effects=(speedup,),
            shown=(single, at_once, threads),
            because=f"In a step of AlexNet with 128 images {at_once.estimate:.2g} operations could be done at once, so that "
            f"{CORES} processors would be {speedup.estimate:.0f} times as fast as one, were memory as fast. It is counted, not "
            f"timed. On this machine two threads train {threads.estimate:.1f} times the images of one.",
        ),
        "b": Part(
            says=f"{SAYS}: measured on one.",
            effects=(gpu,),
            validity_checks=(ValidityCheck("a GPU was measured", there, "" if there else "not at this scale"),),
            because=f"A GPU trains {gpu.estimate:.0f} times the images per second of one thread of the CPU beside it.",
        ),
    }


study = Study(
    claim="D13",
    says=SAYS,
    slide="Conclusions - CNNs",
    paper="No figure in the lecture.",
    work=Measurement(timed),
    variants={
        OPERATIONS: Variant({"batch": 128}, work=Measurement(counted)),
        ONE_IMAGE: Variant({"batch": 1}, work=Measurement(counted)),
        CPU: {"device": "cpu"},
        GPU: {"device": ""},
    },
    controlled="a: AlexNet, 128 images of 224 × 224; b: network, images that are there already, single precision, the best of "
    "three batch sizes",
    scales={
        "cpu": Scale(deviations=("no GPU: what it could do at once is counted",)),
        "gpu": Scale(variants={GPU: {"device": "cuda"}}),
    },
    parts=parts,
    figure_x="images in a step",
)
