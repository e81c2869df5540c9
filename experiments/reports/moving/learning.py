"""Losses and decay, and what is counted: gradients, half-lives, layers, bytes, and the meaning of a grey value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .drawing import GREEN, GREY, RED, Drawing
from .frame import Frame, MovingPicture, frame


def forgetting() -> Iterator[Frame]:
    """A11: a weight without gradient, under weight decay."""
    import torch
    from torch import Tensor

    from experiments.lectures.cnn.weight_decay_is_gradual_forgetting import LR, half_life, weights_over

    lines: dict[str, list[tuple[float, float]]] = {}
    for decay in (0.3, 0.1, 0.03):

        def sgd(parameters: list[Tensor], decay: float = decay) -> torch.optim.Optimizer:
            return torch.optim.SGD(parameters, lr=LR, weight_decay=decay)

        life, points = half_life(decay), [(float(n), weights_over(n, sgd)) for n in range(0, 2501, 500)]
        for most in (500, 1000, 2500):
            lines[f"λ = {decay:g}"] = [point for point in points if point[0] <= most]
            sheet = Drawing(440)
            sheet.curves(90, 60, 600, 280, lines, limits=(0, 2500, 0, 1), x_title="steps without a gradient", y_title="weight")
            sheet.text(800, 260, f"half-life at\nλ = {decay:g}:\n{life} steps", size=22)
            yield frame(sheet, f"Decay {decay:g}: the weight is {lines[f'λ = {decay:g}'][-1][1]:.3f} after {most} steps.")


def difference() -> Iterator[Frame]:
    """B14: the gradient at the output is p − t, and steps down it bring p to t."""
    import torch
    import torch.nn.functional as F

    y = torch.tensor([[2.0, 0.5, -1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([2])
    t = F.one_hot(target, 4).double()
    for count in range(8):
        p = F.softmax(y, 1)
        loss = F.cross_entropy(y, target)
        gradient = torch.autograd.grad(loss, y)[0]
        apart = float((gradient - (p - t)).detach().abs().max())
        sheet = Drawing()
        for left, title, values, colour in (
            (60, "p, softmax of y", p, GREEN), (380, "t", t, GREY), (700, "gradient, by autograd", gradient, RED),
        ):  # fmt: skip
            sheet.text(left + 100, 26, title, weight="bold")
            for k, value in enumerate(values[0].tolist()):
                height = 120 * abs(value)
                top = 200 - height if value >= 0 else 200
                sheet.square(left + 54 * k, top, 44, max(1, height), fill=colour, strength=0.6)
                sheet.text(
                    left + 54 * k + 22,
                    200 - height - 14 if value >= 0 else 200 + height + 16,
                    f"{value:.2f}".replace("-", "−"),
                    size=18,
                )
            sheet.line((left - 8, 200), (left + 216, 200))
        sheet.text(320, 200, "−", size=34)
        sheet.text(640, 200, "=", size=34)
        sheet.text(480, 390, f"step {count}: loss {float(loss.detach()):.3f}, gradient less (p − t): {apart:.0e}", size=24)
        yield frame(
            sheet, f"After {count} steps the right class has p = {float(p[0, 2].detach()):.2f}; gradient and p − t agree."
        )
        y = (y - 2 * gradient).detach().requires_grad_()


def kinds_of_output() -> Iterator[Frame]:
    """E10: how wrong an answer is, for a class and for a number."""
    import torch
    import torch.nn.functional as F

    sure = torch.full((10,), -20.0, dtype=torch.float64)
    lines: dict[str, list[tuple[float, float]]] = {"cross-entropy of classes": [], "L2 of the number": []}
    for place in range(1, 10):
        entropy = float(F.cross_entropy(sure.scatter(0, torch.tensor(place), 20.0), torch.tensor(0)))
        lines["cross-entropy of classes"].append((float(place), entropy))
        lines["L2 of the number"].append((float(place), float(F.mse_loss(torch.tensor(float(place)), torch.tensor(0.0)))))
        sheet = Drawing(440)
        sheet.curves(90, 60, 560, 280, lines, limits=(1, 9, 0, 81), x_title="answer, where 0 is right", y_title="loss")
        sheet.text(800, 200, f"answer {place}\n\nclasses: {entropy:.0f}\nnumbers: {place**2}", size=22)
        yield frame(
            sheet, f"Answer {place} for 0: a wrong class costs {entropy:.0f}, however far; the number's L2 is {place**2}."
        )


def greys() -> Iterator[Frame]:
    """B02: the light of eight-bit values, read from a PNG that was written byte by byte."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from datamodules.images import read_image
    from experiments.lectures.cnn._grey import grey_png, light

    values = (0, 64, 128, 192, 255)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "greys.png"
        grey_png(path, bytes(values))
        pixels = np.asarray(read_image(path))[0].reshape(-1)[-len(values) :]
    for count in range(1, len(values) + 1):
        sheet = Drawing()
        sheet.text(480, 26, "eight-bit values and the light of each, of white's", weight="bold")
        for k, value in enumerate(values[:count]):
            sheet.image(np.full((2, 2), pixels[k], np.uint8), 60 + 172 * k, 70, 150, 150)
            sheet.text(135 + 172 * k, 250, f"value {value}", size=24)
            sheet.text(135 + 172 * k, 290, f"light {light(float(value)):.3g}")
        sheet.text(480, 380, "the slide: 0 is white, 255 is black", size=22)
        name = {0: ", black", 255: ", white"}.get(values[count - 1], "")
        yield frame(sheet, f"The value {values[count - 1]} gives {light(float(values[count - 1])):.3g} of white's light{name}.")


def depth() -> Iterator[Frame]:
    """D06: layers and operations of the ResNets, counted on the meta device."""
    from experiments.lectures.cnn._counts import layers_of, multiply_adds
    from experiments.lectures.cnn.resnet_has_152_layers import OPERATIONS, resnet

    layers: dict[str, float] = {}
    operations: dict[str, float] = {}
    for number, paper in OPERATIONS.items():
        network = resnet(number)
        operations[f"ResNet-{number}"] = multiply_adds(network)
        layers[f"ResNet-{number}"] = layers_of(network)
        sheet = Drawing()
        sheet.text(250, 36, "layers with weights", weight="bold")
        sheet.bars(40, 90, 400, layers, most=152)
        sheet.text(720, 36, "10⁹ multiplications with additions", weight="bold")
        sheet.bars(520, 90, 400, operations, most=15.3)
        found = operations[f"ResNet-{number}"]
        yield frame(
            sheet, f"ResNet-{number}: {layers_of(network)} layers; {found:.2f} · 10⁹ operations, the paper has {paper:g}."
        )


def gigabytes() -> Iterator[Frame]:
    """G10: bytes of an image's features as they are written, times the images of VOC 2007."""
    from experiments.lectures.cnn.features_fill_hundreds_of_gigabytes import SIZES, VOC_2007, written

    proposals, width = SIZES[0]
    each = written(proposals, width)
    points = []
    for images in (1, 100, 500, 1000, 2000, 3500, VOC_2007):
        points.append((float(images), images * each / 1e9))
        sheet = Drawing(440)
        sheet.curves(
            110, 60, 480, 280, {"": points}, limits=(0, VOC_2007, 0, 170), x_title="images of VOC 2007", y_title="GB on disk"
        )  # fmt: skip
        sheet.text(780, 130, f"{proposals:,} proposals\n× {width:,} numbers\n× 4 bytes", size=22)
        sheet.text(780, 270, f"{images * each / 1e9:.3g} GB", size=40)
        yield frame(sheet, f"{images:,} images: {images * each / 1e9:.3g} GB; an image takes {each / 1e6:.1f} MB, as written.")


MOVING = {
    "A11": MovingPicture(forgetting, "A weight without gradient under three decays, over 2,500 steps."),
    "B02": MovingPicture(greys, "Five eight-bit values from 0, black, to 255, white."),
    "B14": MovingPicture(difference, "Probabilities, the target, and the gradient, which is their difference."),
    "D06": MovingPicture(depth, "Layers and operations of ResNet-18 to ResNet-152."),
    "E10": MovingPicture(kinds_of_output, "The loss of nine wrong answers, as classes and as numbers."),
    "G10": MovingPicture(gigabytes, "Disk space for R-CNN's features by the number of images."),
}
