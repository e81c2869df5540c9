"""Networks that won ImageNet, built up from our own modules: how large each map is, and where the weights are."""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing
from .frame import Frame, MovingPicture, frame


def inception() -> Iterator[Frame]:
    """D05: the branches of GoogLeNet's module 3a one after another, each with its weights and what a direct way would take."""
    import torch

    from experiments.lectures.cnn._counts import parameters_of
    from lightning_modules.networks import AlexNet, ConvReLU, GoogLeNet, Inception

    channels, one, three, five, pooled = 192, 64, (96, 128), (16, 32), 32
    with torch.device("meta"):
        module = Inception(channels, one, three, five, pooled)
        names = ("1 × 1", f"1 × 1 to {three[0]}, 3 × 3", f"1 × 1 to {five[0]}, 5 × 5", "pooling, 1 × 1")
        outputs = (one, three[1], five[1], pooled)
        direct = {1: ConvReLU(channels, three[1], 3), 2: ConvReLU(channels, five[1], 5)}
        weights = [parameters_of(branch) for branch in module.branches]
        straight = {place: parameters_of(layer) for place, layer in direct.items()}
        found = torch.cat([branch(torch.zeros(1, channels, 28, 28)) for branch in module.branches], 1)
        networks = GoogLeNet(1000), AlexNet(1000)
        for network in networks:
            network.eval()(torch.zeros(1, 3, 224, 224))  # lazy layers get their sizes
        googlenet, alexnet = map(parameters_of, networks)
    colours = (BLUE, ORANGE, GREEN, PINK)
    for count in range(1, 5):
        sheet = Drawing(430)
        sheet.text(480, 24, f"GoogLeNet's module 3a: {channels} maps of 28 × 28 go in", weight="bold")
        for place in range(count):
            top = 70 + 84 * place
            edge = RED if place == count - 1 else colours[place]
            sheet.square(40, top, 300, 54, fill=colours[place], strength=0.35, edge=edge, stroke=3)
            sheet.text(190, top + 27, names[place])
            sheet.arrow((345, top + 27), (385, top + 27))
            sheet.text(450, top + 27, f"{outputs[place]} maps")
            sheet.bars(540, top + 14, 380, {"weights": weights[place]}, most=max(*straight.values(), *weights))
        place = count - 1
        words = f"{names[place]} gives {outputs[place]} maps and has {weights[place]:,} parameters"
        if place in straight:
            words += f"; without the 1 × 1 in front it would have {straight[place]:,}"
        yield frame(sheet, f"{words}.")
    sheet = Drawing(430)
    sheet.text(480, 24, "the four branches beside one another", weight="bold")
    left = 60.0
    for place, maps in enumerate(outputs):
        width = 840 * maps / found.shape[1]
        sheet.square(left, 80, width, 90, fill=colours[place], strength=0.4)
        sheet.text(left + width / 2, 125, maps)
        left += width
    sheet.bars(60, 230, 840, {"parameters of the module": sum(weights), "with 3 × 3 and 5 × 5 done directly":
               weights[0] + weights[3] + sum(straight.values())})  # fmt: skip
    yield frame(sheet, f"Concatenated they are {found.shape[1]} maps of {found.shape[2]} × {found.shape[3]}.")
    sheet = Drawing(300)
    sheet.text(480, 24, "parameters in all", weight="bold")
    sheet.bars(60, 90, 840, {"AlexNet, 8 layers": alexnet, "GoogLeNet, 22 layers": googlenet})
    yield frame(
        sheet, f"Of nine such modules GoogLeNet has {googlenet:,} parameters, AlexNet {alexnet / googlenet:.1f} times as many."
    )


def alexnet() -> Iterator[Frame]:
    """D02: AlexNet layer by layer, at its own size: the maps that leave each layer, and its parameters."""
    import torch
    from torch import nn

    from experiments.lectures.cnn._counts import parameters_of
    from lightning_modules.networks import AlexNet

    rows: list[tuple[str, tuple[int, ...], int]] = []
    with torch.device("meta"):
        network = AlexNet(1000).eval()
        network(torch.zeros(1, 3, 224, 224))  # lazy layers get their sizes
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.register_forward_hook(lambda m, i, out: rows.append((_kind(m), tuple(out.shape[1:]), parameters_of(m))))
        network(torch.zeros(1, 3, 224, 224))
    total, most = sum(count for _, _, count in rows), max(count for _, _, count in rows)
    seen = 0
    for place, (kind, shape, count) in enumerate(rows):
        seen += count
        sheet = Drawing(470)
        sheet.text(480, 24, "AlexNet: an image of 224 × 224", weight="bold")
        for k, (name, size, number) in enumerate(rows[: place + 1]):
            top = 58 + 50 * k
            colour = BLUE if len(size) == 3 else ORANGE
            sheet.square(
                40, top, 190, 40, fill=colour, strength=0.35, edge=RED if k == place else GREY, stroke=3 if k == place else 1
            )
            sheet.text(135, top + 20, name, size=18)
            sheet.text(370, top + 20, " × ".join(map(str, size)), size=18)
            sheet.square(500, top + 10, max(1.5, 270 * number / most), 20, fill=colour, strength=0.85, edge="")
            sheet.text(930, top + 20, f"{number:,}", anchor="end", size=18)
        shape_words = " × ".join(map(str, shape))
        yield frame(
            sheet,
            f"Layer {place + 1}, {kind}: {shape_words} values, {count:,} parameters; {seen / total:.0%} of {total:,} so far.",
        )


def _kind(module: object) -> str:
    from torch import nn

    if isinstance(module, nn.Conv2d):
        return f"convolution {module.kernel_size[0]} × {module.kernel_size[1]}"
    return "fully connected"


MOVING = {
    "D02": MovingPicture(alexnet, "AlexNet's eight layers with their maps and parameters."),
    "D05": MovingPicture(inception, "The branches of an inception module, their maps and their weights."),
}
