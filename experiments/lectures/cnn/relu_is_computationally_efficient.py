"""ReLU takes fewer operations than tanh and the sigmoid, and its slope is 1 however large its input.

Deck “CNN, R-CNN”, slide “Nonlinearity – ReLu function”: “Does not saturate”, “Computationally very efficient”. Neither the
slide nor Krizhevsky et al. 2012 has a figure for the operation.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.measures import float_operations
from experiments.measures.float_operations import operations
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Study
from experiments.studies.verdict import Check, Needs, Part
from lightning_modules.networks import SmallConvNet

FLOATS, BLOCK, REPEATS = 10**7, 10**4, 15
RELU, LEAKY, TANH, SIGMOID = "ReLU", "leaky ReLU", "tanh", "sigmoid"
OPERATIONS_OF_A_FLOAT = "operations"
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


class Timed(NamedTuple):
    """An activation: what is timed, the same as a layer, and as its operations are counted."""

    operation: Operation
    layer: type[nn.Module]
    counted: float_operations.Activation


ACTIVATIONS = {
    RELU: Timed(relu, nn.ReLU, float_operations.relu),
    LEAKY: Timed(leaky, nn.LeakyReLU, float_operations.leaky_relu),
    TANH: Timed(tanh, nn.Tanh, float_operations.tanh),
    SIGMOID: Timed(sigmoid, nn.Sigmoid, float_operations.sigmoid),
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
    operation, layer, counted = ACTIVATIONS[activation]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return Measured(
            {
                OPERATIONS_OF_A_FLOAT: operations(counted),
                IN_MEMORY: cost(operation, seed, FLOATS),
                IN_CACHE: cost(operation, seed, BLOCK),
                STEP: share_of_a_step(layer, seed),
            }
        )
    finally:
        torch.set_num_threads(threads)


def slopes(function: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    x = inputs.clone().requires_grad_()
    return torch.autograd.grad(function(x).sum(), x)[0]


SATURATES, EFFICIENT = "Does not saturate", "Computationally very efficient"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: forward and backward, tanh and the sigmoid take 1.5 times the operations of ReLU or more for each float;
    direction only: they take more. b: for any x > 0 the slope of ReLU is 1."""
    needs = Needs(low=1.5)
    costs = tuple(
        runs.ratio(f"operations, {name} / ReLU", name, RELU, OPERATIONS_OF_A_FLOAT, needs=needs) for name in (TANH, SIGMOID)
    )
    leaky = runs.ratio("operations, leaky ReLU / ReLU", LEAKY, RELU, OPERATIONS_OF_A_FLOAT)
    others = (TANH, SIGMOID, LEAKY)
    in_memory = tuple(runs.ratio(f"CPU time, {name} / ReLU", name, RELU, IN_MEMORY) for name in others)
    in_cache = tuple(runs.ratio(f"CPU time in the cache, {name} / ReLU", name, RELU, IN_CACHE) for name in others)
    shares = {n: runs.quantity(f"share of a step, {n}", n, STEP, scale=100, unit="%") for n in ACTIVATIONS}
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
            effects=costs,
            shown=(leaky, *in_memory, *in_cache, *shares.values()),
            because=f"For each float, forward and backward, tanh takes {costs[0].estimate:.1f} times ReLU's operations, the "
            f"sigmoid {costs[1].estimate:.1f} times. Over 10 million floats, on this processor, tanh takes "
            f"{in_memory[0].estimate:.2f} times ReLU's time, in the cache {in_cache[0].estimate:.2f} times. Of a whole "
            f"training step of a small net ReLU takes {shares[RELU].estimate:.1f} %, tanh {shares[TANH].estimate:.1f} %.",
            also=("CPU times are this processor's; with other instructions their order turns, so they decide nothing.",),
        ),
        "b": Part(says=SATURATES, checks=checks, also=("For x < 0 the slope is 0: there it does saturate.",)),
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
    amendments=(
        Amendment(
            "2026-11-27",
            "operations are judged; before, CPU time, of which tanh took 1.06 times as much as ReLU on an Intel Xeon "
            "(direction only, 1.5 times were needed) and 4.65 times on an AMD EPYC (reproduced): the processor decided",
        ),
    ),
    deviations=(
        "the operations are those of an exponential by range reduction and a polynomial that is exact to float32; a processor "
        "with an instruction for tanh takes fewer",
    ),
)
