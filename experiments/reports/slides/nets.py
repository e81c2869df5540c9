"""The lecture's nets, drawn from the real modules: their layers, and the sizes of what each gives, found on the meta device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ..wording import number
from .numbers import Measurements
from .sheet import BLUE, FAINT, GREEN, ORANGE, PINK, RED, Sheet, tint
from .slide import Slide

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetLayer:
    """What a module gives."""

    name: str
    """Of the module in its net."""
    kind: str
    """Its class."""
    shape: tuple[int, ...]
    """Of its output, without the batch."""
    weights: int


def layers_of(network: nn.Module, image: tuple[int, int, int], wanted: Callable[[str, nn.Module], bool]) -> list[NetLayer]:
    """The wanted modules in the order in which they answer, by a pass over an image (C, H, W) that has no pixels.

    ``network`` lies on the meta device.
    """
    import torch

    found: list[NetLayer] = []

    def note(name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def hook(module: nn.Module, _: object, output: torch.Tensor) -> None:
            count = sum(p.numel() for p in module.parameters())
            found.append(NetLayer(name, type(module).__name__, tuple(output.shape[1:]), count))

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in network.named_modules() if wanted(name, module)]
    with torch.no_grad():
        network.eval()(torch.empty(1, *image, device="meta"))
    for hook in hooks:
        hook.remove()
    return found


def weights_of(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def _plain_layer(_: str, module: nn.Module) -> bool:
    return type(module).__name__ in ("Conv2d", "MaxPool2d", "Linear", "AvgPool2d")


@cache
def lenet() -> tuple[list[NetLayer], int]:
    import torch

    from lightning_modules.networks.lenet import LeNet5

    with torch.device("meta"):
        network = LeNet5(10)
    stages = ("c1", "s2", "c3", "s4", "c5", "f6", "output")
    return layers_of(network, (1, 32, 32), lambda name, _: name.removeprefix("layers.") in stages), weights_of(network)


@cache
def torchvision_net(name: str, size: int = 224) -> tuple[list[NetLayer], int]:
    """A classifier of torchvision; of GoogLeNet its stages, without the auxiliary heads, of others their layers."""
    import torch
    from torchvision.models import get_model

    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        network = get_model(name, **options)
    is_stage = (lambda path, _: path and "." not in path) if name == "googlenet" else _plain_layer
    return layers_of(network, (3, size, size), is_stage), weights_of(network)


@cache
def zfnet() -> tuple[list[NetLayer], int]:
    import torch

    from lightning_modules.networks.linear import MultilayerPerceptron
    from lightning_modules.networks.zfnet import ZFNet

    with torch.device("meta"):
        network = ZFNet(1000)
        network.eval()(torch.empty(1, 3, 224, 224))  # its first fully connected layer learns its size
    assert isinstance(network[1], MultilayerPerceptron)
    return layers_of(network, (3, 224, 224), _plain_layer), weights_of(network)


@cache
def resnet152() -> tuple[list[NetLayer], int, tuple[int, ...], int]:
    """Its stages, its weights, how many blocks each stage has, and how many layers there are with weights."""
    import torch
    from torch import nn
    from torchvision.models import resnet152 as build

    with torch.device("meta"):
        network = build()
    blocks = tuple(len(list(child)) for child in network.children() if isinstance(child, nn.Sequential))
    counted = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "downsample" not in name
    ]
    stages = layers_of(network, (3, 224, 224), lambda path, _: path.startswith("layer") and "." not in path)
    return stages, weights_of(network), blocks, len(counted)


def colour_of(layer: NetLayer) -> str:
    """Of convolutions, poolings and what is fully connected; LeNet-5's layers are told by the paper's letters."""
    name = layer.name.removeprefix("layers.")
    if name in ("s2", "s4") or "Pool" in layer.kind:
        return RED
    return GREEN if layer.kind == "Linear" or name == "f6" else BLUE


def row(sheet: Sheet, layers: Sequence[NetLayer], image: tuple[int, int, int], top: float = 40, width: float = 900) -> None:
    """Volumes from left to right: as high as their maps, as thick as they have channels; columns for what is flat."""
    shapes = [image, *(layer.shape for layer in layers)]
    step = width / len(shapes)
    tallest = 150.0
    for i, shape in enumerate(shapes):
        x = 26 + step * i
        colour = FAINT if i == 0 else colour_of(layers[i - 1])
        middle = top + 110
        if len(shape) == 3:
            channels, side = shape[0], shape[-1]
            high = max(16.0, tallest * (side / image[-1]) ** 0.55)
            thick = min(step * 0.62, 5 + 3.6 * channels**0.42)
            sheet.volume(x, middle - high / 2, thick, high, min(step * 0.32, high * 0.3), colour)
            words = f"{channels}\n{side} × {side}"
        else:
            high = min(tallest, 24 + 14 * max(1, shape[0]) ** 0.26)
            sheet.square(x + 4, middle - high / 2, 12, high, fill=tint(colour, 0.5), edgecolor=colour)
            words = number(shape[0])
        sheet.text(x + step * 0.3, top + 222, words, size=min(12.5, step * 0.21))
        name = "image" if i == 0 else _short(layers[i - 1])
        sheet.text(x + step * 0.3, top + 196, name, size=min(13, step * 0.23), weight="bold")


def _short(layer: NetLayer) -> str:
    names = {"Conv2d": "conv", "MaxPool2d": "pool", "AvgPool2d": "pool", "Linear": "FC"}
    return layer.name.removeprefix("layers.").upper() if layer.name.startswith("layers.") else names.get(layer.kind, layer.name)


def _head(sheet: Sheet, name: str, count: int, numbers: Measurements, words: str = "") -> None:
    sheet.text(24, 22, name, size=17, ha="left", weight="bold")
    sheet.text(936, 22, f"{number(count)} weights and biases{words}", size=14, ha="right", color=BLUE, weight="bold")
    found = [f"{variant}: {value}" for variant, value in numbers.variants.items()][:3]
    if found:
        sheet.text(24, sheet.height - 12, f"measured: {' · '.join(found)}", size=13, ha="left", color=GREEN, weight="bold")


def lenet5(sheet: Sheet, numbers: Measurements) -> None:
    layers, count = lenet()
    row(sheet, layers, (1, 32, 32))
    _head(sheet, "LeNet-5 (LeCun 1998)", count, numbers)


def alexnet(sheet: Sheet, numbers: Measurements) -> None:
    layers, count = torchvision_net("alexnet")
    row(sheet, layers, (3, 224, 224))
    _head(sheet, "AlexNet (Krizhevsky et al. 2012)", count, numbers)


def clarifai(sheet: Sheet, numbers: Measurements) -> None:
    """ZFNet, and its stem beside AlexNet's."""
    layers, count = zfnet()
    row(sheet, layers, (3, 224, 224))
    _head(sheet, "ZFNet (Zeiler and Fergus 2013)", count, numbers)
    ours, theirs = layers[0].shape, torchvision_net("alexnet")[0][0].shape
    own, other = (f"{shape[-1]} × {shape[-1]}" for shape in (ours, theirs))
    words = f"stem: 7 × 7 filters by steps of 2 give {own}; AlexNet's 11 × 11 by 4 give {other}"
    sheet.text(480, 294, words, size=13.5, color=ORANGE)


def googlenet(sheet: Sheet, numbers: Measurements) -> None:
    """Stage by stage, an Inception block as its four branches, in the slide's colours."""
    layers, count = torchvision_net("googlenet")
    alexnets = torchvision_net("alexnet")[1]
    _head(sheet, "GoogLeNet (Szegedy et al. 2014)", count, numbers, f", {alexnets / count:.1f} times fewer than AlexNet")
    step = 912 / len(layers)
    for i, layer in enumerate(layers):
        x, wide = 24 + step * i, step * 0.66
        middle = 150.0
        if i:
            sheet.line((x - step * 0.34, middle), (x, middle), width=1.2)
        if layer.kind == "Inception":
            for b, words in enumerate(("1×1", "3×3", "5×5", "pool")):
                y = middle - 66 + 34 * b
                sheet.box(x, y, wide, 28, words, colour=BLUE if b < 3 else RED, size=min(11, wide * 0.36))
                sheet.line((x - step * 0.17, middle), (x, y + 14), width=0.8, colour=FAINT)
        else:
            colour = (
                RED if "Pool" in layer.kind else GREEN if layer.kind == "Linear" else BLUE if "Conv" in layer.kind else FAINT
            )
            sheet.box(x, middle - 30, wide, 60, colour=colour)
        sheet.text(x + wide / 2, 246, layer.name.removeprefix("inception"), size=12, rotation=90, va="center")
        side = f"{layer.shape[0]}×{layer.shape[-1]}²" if len(layer.shape) == 3 else str(layer.shape[0])
        sheet.text(x + wide / 2, 58, side, size=9.5)
    for i, (name, colour) in enumerate((("convolution", BLUE), ("pooling", RED), ("classifier", GREEN), ("other", FAINT))):
        sheet.circle(40 + 130 * i, 310, 7, fill=tint(colour, 0.6), edgecolor=colour)
        sheet.text(54 + 130 * i, 310, name, ha="left", size=13)


def resnet(sheet: Sheet, numbers: Measurements) -> None:
    """152 layers: a stem, and 3, 8, 36 and 3 blocks of three layers each."""
    stages, count, blocks, counted = resnet152()
    _head(sheet, "ResNet-152 (He et al. 2015)", count, numbers)
    colours = (BLUE, ORANGE, GREEN, PINK)
    size = 860 / (3 * sum(blocks) + 2 + 5 * len(blocks))
    x = 36.0
    sheet.square(x, 76, size * 0.8, 120, fill=tint(FAINT, 0.6), linewidth=0.6)
    x += 5 * size
    for stage, depth, colour in zip(stages, blocks, colours, strict=True):
        start = x
        for _ in range(depth):
            for _ in range(3):
                sheet.square(x, 76, size * 0.8, 120, fill=tint(colour, 0.6), edgecolor=colour, linewidth=0.5)
                x += size
            sheet.arrow((x - 3 * size, 76), (x - 0.2 * size, 76), colour=colour, width=0.9, bend=-0.7, mutation_scale=4)
        middle = (start + x) / 2
        channels, side = stage.shape[0], stage.shape[-1]
        sheet.text(middle, 216, f"{depth} blocks", size=12, weight="bold", color=colour)
        sheet.text(middle, 234, f"{channels}\n{side} × {side}", size=11, va="top")
        x += 4.2 * size
    sheet.square(x, 76, size * 0.8, 120, fill=tint(RED, 0.6), linewidth=0.6)
    sheet.text(480, 276, f"1 + 3 × ({' + '.join(map(str, blocks))}) + 1 = {counted} layers with weights", size=15)


def _slide(draw: Callable[[Sheet, Measurements], None], says: str, height: float = 300) -> Slide:
    return Slide(draw, says, height=height)


SLIDES = {
    "D01": _slide(lenet5, "LeNet-5, layer by layer, with the maps and units that each gives, as the real module has them."),
    "D02": _slide(
        alexnet, "AlexNet, layer by layer, with the maps and units that each gives, as torchvision's module has them."
    ),
    "D03": _slide(
        clarifai,
        "ZFNet, layer by layer, with the maps and units that each gives; its first filters are of 7 × 7 by steps of 2, where "
        "AlexNet's are of 11 × 11 by steps of 4.",
        height=330,
    ),
    "D05": _slide(
        googlenet,
        "GoogLeNet, stage by stage, each Inception block as its four branches: convolutions of 1 × 1, 3 × 3 and 5 × 5, and a "
        "pooling.",
        height=350,
    ),
    "D06": _slide(
        resnet,
        "ResNet-152 as a row of its layers: a stem, 3, 8, 36 and 3 blocks of three layers each with a shortcut, a classifier.",
        height=310,
    ),
}
