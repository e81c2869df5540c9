"""ReLU takes less of a processor's time than tanh and the sigmoid, and its slope is 1 however large its input.

Deck “CNN, R-CNN”, slide “Nonlinearity – ReLu function”: “Does not saturate”, “Computationally very efficient”. Neither the
slide nor Krizhevsky et al. 2012 has a figure for the operation.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import SmallConvNet

FLOATS, BLOCK, REPEATS = 10**7, 10**4, 15
RELU, LEAKY, TANH, SIGMOID = "ReLU", "leaky ReLU", "tanh", "sigmoid"
IN_MEMORY, IN_CACHE, STEP = "cost in memory", "cost in cache", "share of a step"
Operation = Callable[[Tensor, Tensor, Tensor, Tensor], Any]
"""Of input, output, the output's gradient and the input's: forward and backward, into memory that is there already."""
aten: Any = torch.ops.aten


def relu(x: Tensor, y: Tensor, g: Tensor, d: Tensor) -> None:
    torch.clamp_min(x, 0.0, out=y)  # what torch.relu calls
    aten.threshold_backward.grad_input(g, y, 0, grad_input=d)


def leaky(x: Tensor, y: Tensor, g: Tensor, d: Tensor) -> None:
    aten.leaky_relu.out(x, 0.01, out=y)
    aten.leaky_relu_backward.grad_input(g, x, 0.01, False, grad_input=d)


def tanh(x: Tensor, y: Tensor, g: Tensor, d: Tensor) -> None:
    torch.tanh(x, out=y)
    aten.tanh_backward.grad_input(g, y, grad_input=d)


def sigmoid(x: Tensor, y: Tensor, g: Tensor, d: Tensor) -> None:
    torch.sigmoid(x, out=y)
    aten.sigmoid_backward.grad_input(g, y, grad_input=d)


def copy(x: Tensor, y: Tensor, g: Tensor, d: Tensor) -> None:
    """What others are measured against: as much is read and written, and nothing computed."""
    y.copy_(x)
    d.copy_(g)


OPERATIONS: dict[str, tuple[Operation, type[nn.Module]]] = {
    RELU: (relu, nn.ReLU),
    LEAKY: (leaky, nn.LeakyReLU),
    TANH: (tanh, nn.Tanh),
    SIGMOID: (sigmoid, nn.Sigmoid),
}


def against(first: Callable[[], Any], second: Callable[[], Any]) -> float:
    """CPU seconds of the first over those of the second: medians of runs that take turns, after one that does not count."""
    taken: list[list[float]] = [[], []]
    for _ in range(1 + REPEATS):
        for times, run in zip(taken, (first, second), strict=True):
            began = time.process_time()
            run()
            times.append(time.process_time() - began)
    return statistics.median(taken[0][1:]) / statistics.median(taken[1][1:])


def cost(operation: Operation, seed: int, floats: int) -> float:
    """Of forward and backward over 10^7 floats in tensors of ``floats``, as a multiple of copying them."""
    rng = torch.Generator().manual_seed(seed)
    x, g = (torch.randn(floats, generator=rng) for _ in range(2))
    y, d = torch.zeros(floats), torch.zeros(floats)

    def runs(function: Operation) -> Callable[[], Any]:
        return lambda: [function(x, y, g, d) for _ in range(FLOATS // floats)]

    return against(runs(operation), runs(copy))


def share_of_a_step(activation: type[nn.Module], seed: int) -> float:
    """What the activations take of a training step of a small net: 1 less the time of the same net without them."""
    torch.manual_seed(seed)
    images, labels = torch.randn(64, 3, 32, 32), torch.randint(10, (64,))
    nets = [SmallConvNet(10, widths=(16, 16, 32), activation=kind) for kind in (nn.Identity, activation)]

    def step(net: nn.Module) -> Callable[[], None]:
        return lambda: F.cross_entropy(net(images), labels).backward()

    return 1 - against(step(nets[0]), step(nets[1]))


def measure(*, seed: int, folder: Path, activation: str) -> Measured:
    operation, module = OPERATIONS[activation]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return Measured(
            {
                IN_MEMORY: cost(operation, seed, FLOATS),
                IN_CACHE: cost(operation, seed, BLOCK),
                STEP: share_of_a_step(module, seed),
            }
        )
    finally:
        torch.set_num_threads(threads)


def slopes(function: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    x = inputs.clone().requires_grad_()
    return torch.autograd.grad(function(x).sum(), x)[0]


SATURATES, EFFICIENT = "Does not saturate", "Computationally very efficient"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: over 10 million floats, forward and backward, tanh takes 1.5 times the CPU time of ReLU or more; direction
    only: it takes more. b, the order alone, which no machine should turn: where the floats lie in the cache, so that computing
    is what takes the time, tanh and the sigmoid take more than ReLU. c: for any x > 0 the slope of ReLU is 1."""
    large = runs.ratio("CPU time, tanh / ReLU", TANH, RELU, IN_MEMORY, needs=Needs(low=1.5))
    others = tuple(runs.ratio(f"CPU time, {name} / ReLU", name, RELU, IN_MEMORY) for name in (SIGMOID, LEAKY))
    order = tuple(
        runs.ratio(f"CPU time in the cache, {name} / ReLU", name, RELU, IN_CACHE, needs=Needs(low=1))
        for name in (TANH, SIGMOID)
    )
    shares = [runs.quantity(f"share of a step, {n}", n, STEP, scale=100, unit="%") for n in OPERATIONS]
    far = torch.logspace(-3, 6, 100)
    flat = torch.tensor([20.0, 120.0])
    checks = (
        Check("least slope of ReLU at 100 places from 0.001 to 1,000,000", float(slopes(torch.relu, far).min()), 1.0),
        Check("slope of tanh at 20, in float32", float(slopes(torch.tanh, flat)[0]), 0.0),
        Check("slope of the sigmoid at 120, in float32", float(slopes(torch.sigmoid, flat)[1]), 0.0),
    )
    return {
        "a": Part(
            says=EFFICIENT,
            effects=(large,),
            shown=(*others, *shares),
            because=f"Over 10 million floats tanh takes {large.estimate:.2f} times ReLU's time, most of which goes into "
            f"reading and writing. Of a whole training step of a small net ReLU takes {shares[0].estimate:.1f} %, tanh "
            f"{shares[2].estimate:.1f} %.",
            also=("The size of this ratio is the machine's as much as the function's; part b's order is not.",),
        ),
        "b": Part(
            says=EFFICIENT,
            effects=order,
            because=f"In the cache tanh takes {order[0].estimate:.1f} times ReLU's time, the sigmoid {order[1].estimate:.1f} "
            "times.",
        ),
        "c": Part(says=SATURATES, checks=checks, also=("For x < 0 the slope is 0: there it does saturate.",)),
    }


study = Study(
    claim="A16",
    says=f"f(x) = max(0, x). {SATURATES}. {EFFICIENT}",
    slide="Nonlinearity – ReLu function",
    work=Measurement(measure),
    variants={name: {"activation": name} for name in (TANH, SIGMOID, LEAKY, RELU)},
    controlled="tensors, one thread, forward and backward into memory that is there; each takes turns with a copy of the same "
    "size, whose time is the unit",
    seeds=10,
    parts=parts,
)
