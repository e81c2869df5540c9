"""What is counted of the networks that won ImageNet, as their papers built them: parameters, layers, operations.

Networks of full size are on the meta device: no weight is allocated and nothing is computed.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from experiments.studies.verdict import Check
from lightning_modules.networks import VGG, AlexNet, GoogLeNet, LeNet5RBF
from lightning_modules.networks.googlenet import MODULES

LENET = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164, "output": 0}
ALEXNET = (34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000)
VGGS = {
    11: ((1, 1, 2, 2, 2), 132_863_336),
    13: ((2, 2, 2, 2, 2), 133_047_848),
    16: ((2, 2, 3, 3, 3), 138_357_544),
    19: ((2, 2, 4, 4, 4), 143_667_240),
}
"""By depth, the convolutions of each stage (Simonyan & Zisserman 2015, table 1) and the parameters."""
GOOGLENET = {"3a": 159, "3b": 380, "4b": 437}
"""Parameters of the modules in which table 1 of Szegedy et al. 2015 is right, in 1,024. Of 4a, 4c, 4d, 4e, 5a, 5b it is not."""


def parameters_of(network: nn.Module) -> int:
    """Of a network whose lazy layers have their sizes."""
    return sum(p.numel() for p in network.parameters())


def layers_of(network: nn.Module) -> int:
    """Convolutions and linear layers; the projections of a ResNet's shortcuts do not count."""
    kinds = (nn.Conv2d, nn.Linear)
    return sum(isinstance(m, kinds) for name, m in network.named_modules() if "downsample" not in name)


def multiply_adds(network: nn.Module, side: int = 224) -> float:
    """Multiplications with their additions, in 10^9, that an image of ``side`` x ``side`` takes; it sizes lazy layers too."""
    device = next(network.parameters()).device
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(torch.zeros(1, 3, side, side, device=device))
    return counter.get_total_flops() / 2e9


def operations_ratio(network: nn.Module, other: nn.Module, side: int) -> float:
    """Operations of an image of ``side`` x ``side`` in ``network``, over those in ``other``."""
    return multiply_adds(network, side) / multiply_adds(other, side)


@cache
def lenet() -> tuple[Check, ...]:
    """LeCun et al. 1998, section II.B."""
    network = LeNet5RBF(10)
    found = {name: parameters_of(layer) for name, layer in network.layers.named_children()}
    each = [Check(f"trainable parameters of {name}", found[name], count) for name, count in LENET.items()]
    codes = Check("fixed parameters of the output, 84 · 10", network.get_buffer("layers.output.codes").numel(), 840)
    return (*each, codes, Check("trainable parameters in all", parameters_of(network), 60_000))


@cache
def alexnet() -> tuple[Check, ...]:
    """Krizhevsky et al. 2012, section 3.5, in its two towers."""
    with torch.device("meta"):
        network, tower = AlexNet(1000), AlexNet(1000, groups=1)
        operations, in_one = multiply_adds(network), multiply_adds(tower)
    sizes = [parameters_of(m) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    each = [Check(f"parameters of layer {i}", n, count) for i, (n, count) in enumerate(zip(sizes, ALEXNET, strict=True), 1)]
    return (
        *each,
        Check("layers with weights", layers_of(network), 8),
        Check("parameters in all", parameters_of(network), 60_965_224),
        Check("10⁹ multiplications with additions", operations, 0.724, tolerance=1e-3),
        Check("the same in one tower, where every map sees all before it", in_one, 1.135, tolerance=1e-3),
    )


@cache
def vggs() -> tuple[Check, ...]:
    """Simonyan & Zisserman 2015, tables 1 and 2; the operations are those that He et al. 2015 give."""
    checks, operations = [], 0.0
    for depth, (depths, count) in VGGS.items():
        with torch.device("meta"):
            network = VGG(1000, depths=depths)
            operations = multiply_adds(network)
        checks.append(Check(f"layers of VGG-{depth}", layers_of(network), depth))
        checks.append(Check(f"parameters of VGG-{depth}", parameters_of(network), count))
    return (*checks, Check("10⁹ multiplications with additions of VGG-19", operations, 19.6, tolerance=0.01))


@cache
def stacks() -> tuple[Check, ...]:
    """Layers of 3 x 3 against one that sees as far: the sides of what one output's gradient touches, and the weights."""
    checks, channels = [], 8
    for depth, kernel in ((2, 5), (3, 7)):
        small = nn.Sequential(*(nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(depth)))
        large = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
        image = torch.ones(1, channels, 15, 15, requires_grad=True)
        touched = torch.autograd.grad(small(image)[0, 0, 7, 7], image)[0].abs().sum(1)[0] != 0
        checks += [
            Check(f"side of what {depth} layers of 3 × 3 see, in pixels", int(touched.any(0).sum()), kernel),
            Check(f"weights of {depth} layers of 3 × 3, in C²", parameters_of(small) // channels**2, 9 * depth),
            Check(f"weights of one of {kernel} × {kernel}, in C²", parameters_of(large) // channels**2, kernel**2),
            Check(
                f"weights that {depth} layers save, in percent",
                round(100 * (1 - parameters_of(small) / parameters_of(large))),
                {2: 28, 3: 45}[depth],
            ),
        ]
    return tuple(checks)


@cache
def googlenet() -> tuple[Check, ...]:
    """Szegedy et al. 2015, section 5 and table 1, beside AlexNet."""
    with torch.device("meta"):
        network, other = GoogLeNet(1000), AlexNet(1000)
        multiply_adds(other)
        operations = multiply_adds(network)
    weights = {name: sum(p.numel() for p in network.inception[name].parameters() if p.ndim > 1) / 1024 for name in MODULES}
    in_a_row = layers_of(network.stem) + 2 * len(MODULES) + layers_of(network.output)
    ratio = parameters_of(other) / parameters_of(network)
    return (
        Check("layers with parameters in a row: stem, two a module, output", in_a_row, 22),
        *(Check(f"weights of {name}, in 1,024", weights[name], count, tolerance=0.01) for name, count in GOOGLENET.items()),
        Check("weights of the output, in 1,024", network.get_parameter("output.3.weight").numel() / 1024, 1000),
        Check("parameters in all", parameters_of(network), 6_998_552),
        Check("parameters of AlexNet", parameters_of(other), 60_965_224),
        Check.yes_or_no("AlexNet has at least 8 times as many", ratio >= 8, "yes"),
        Check("how many times as many", ratio, 8.711, tolerance=1e-3),
        Check("10⁹ multiplications with additions", operations, 1.583, tolerance=1e-3),
    )
