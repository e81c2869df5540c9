"""Lecture 1, convolutions: which weights there are, what each output sees, and how maps come of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing
from .frame import Frame, MovingPicture, frame


def billions() -> Iterator[Frame]:
    """B03: weights of a fully connected layer on images of growing side, counted on the meta device."""
    from torch import nn

    points = []
    for side in (10, 20, 50, 100, 150, 200):
        count = nn.Linear(side**2, side**2, bias=False, device="meta").weight.numel()
        points.append((float(side), float(count)))
        sheet = Drawing()
        sheet.text(480, 28, f"{side} × {side} pixels to {side**2:,} units", weight="bold", size=26)
        sheet.curves(
            110, 90, 500, 240, {"": points}, limits=(10, 200, 1e4, 4e9), log_y=True,
            x_title="pixels of a side", y_title="weights (logarithmic)",
        )  # fmt: skip
        sheet.text(790, 170, f"{count:,}\nweights", size=30)
        sheet.text(790, 270, f"{count * 4 / 1e9:.3g} GB in float32", size=22)
        end = " The slide says “~2B parameters”." if side == 200 else ""
        yield frame(sheet, f"{side**2:,} pixels, each connected to each of {side**2:,} units: {count:,} weights.{end}")


def local() -> Iterator[Frame]:
    """B04: a unit sees a patch, with weights of its own; by the gradient of a locally connected layer."""
    import torch

    from experiments.lectures.cnn.local_connections_need_four_million_weights import FIELD, SIDE, locally_connected

    torch.manual_seed(0)
    rows, columns, k = 9, 11, 4
    own = torch.randn((rows - k + 1) * (columns - k + 1), 1, k, k, dtype=torch.float64)
    image = torch.randn(1, 1, rows, columns, dtype=torch.float64, requires_grad=True)
    out = locally_connected(image, own)[0]
    for place in ((0, 0), (0, 3), (2, 5), (5, 7)):
        touched = torch.autograd.grad(out[place], image, retain_graph=True)[0][0, 0].numpy()
        sheet = Drawing()
        sheet.text(210, 26, "pixels that the unit depends on", weight="bold")
        sheet.grid(20, 60, 35, (touched != 0).astype(float), texts=False, colour=ORANGE)
        sheet.text(590, 26, "its own 4 × 4 weights", weight="bold")
        sheet.grid(500, 90, 48, own[place[0] * (columns - k + 1) + place[1], 0].numpy(), digits=2)
        sheet.text(840, 26, "units", weight="bold")
        sheet.grid(730, 90, 26, np.zeros(tuple(out.shape)), texts=False, marks={place: RED})
        sheet.text(480, 404, f"at full size: {SIDE}² units × {FIELD}² weights = {SIDE**2 * FIELD**2:,}", size=22)
        seen = int((touched != 0).sum())
        yield frame(sheet, f"The unit at {place} sees {seen} of {rows * columns} pixels, through weights that no other has.")


def shared() -> Iterator[Frame]:
    """B05: one filter at all places: the outputs grow, the weights do not."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.manual_seed(0)
    image = torch.randint(0, 3, (1, 1, 8, 8)).double()
    kernel = torch.tensor([[[[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]]], dtype=torch.float64)
    out = F.conv2d(image, kernel)[0, 0].numpy()
    filters = nn.Conv2d(1, 100, 10, device="meta").weight.numel()
    for count in range(1, 37, 5):
        i, j = divmod(count - 1, 6)
        sheet = Drawing()
        sheet.text(180, 26, "image", weight="bold")
        sheet.grid(20, 60, 40, image[0, 0].numpy(), colour=GREY)
        sheet.square(20 + 40 * j, 60 + 40 * i, 120, 120, edge=RED, stroke=4)
        sheet.text(460, 26, "one filter", weight="bold")
        sheet.grid(390, 130, 46, kernel[0, 0].numpy(), colour=ORANGE)
        sheet.text(770, 26, "outputs", weight="bold")
        sheet.grid(640, 60, 44, np.where(np.arange(36).reshape(6, 6) < count, out, 0), colour=GREEN, marks={(i, j): RED})
        sheet.text(480, 402, f"{count} outputs, 9 weights; 100 filters of 10 × 10: {filters:,} weights", size=22)
        yield frame(sheet, f"Place {count} of 36 uses the same nine weights as all others.")


def size_formula() -> Iterator[Frame]:
    """B08: a filter slides by steps of one, two and three."""
    import torch
    import torch.nn.functional as F

    from experiments.lectures.cnn.output_size_is_a_formula import of_the_slide, whole

    image = torch.from_numpy(np.random.default_rng(2).integers(0, 4, (1, 1, 7, 7)).astype(float))
    kernel = torch.tensor([[[[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]]], dtype=torch.float64)
    for stride in (1, 2, 3):
        out = F.conv2d(image, kernel, stride=stride)[0, 0].numpy()
        columns = len(out)
        assert columns == whole(7, 3, stride, 0, 1)
        for count in range(1, columns + 1):
            sheet = Drawing()
            sheet.text(480, 26, f"W = 7, F = 3, S = {stride}", weight="bold", size=24)
            sheet.grid(60, 60, 46, image[0, 0].numpy(), colour=GREY)
            sheet.square(60 + 46 * stride * (count - 1), 60, 138, 138, edge=RED, stroke=4)
            sheet.arrow((410, 200), (480, 200))
            shown = np.where((np.arange(columns) < count)[None] & (np.arange(columns) == 0)[:, None], out, 0)
            sheet.grid(520, 60, 52, shown, colour=GREEN, marks={(0, count - 1): RED})
            slide = of_the_slide(7, 3, stride)
            sheet.text(480, 402, f"(7 − 3) / {stride} + 1 = {slide:.3g}", size=26)
            end = f" There is no room for more: {columns} columns." if count == columns else ""
            rounded = " The formula is rounded down." if count == columns and slide != columns else ""
            yield frame(sheet, f"Stride {stride}: place {count} of the first row gives {out[0, count - 1]:g}.{end}{rounded}")


def receptive_field() -> Iterator[Frame]:
    """B09: what an output depends on, by its gradient: 5 × 5 pixels, and all three channels."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    conv, full = nn.Conv2d(3, 1, 5), nn.Linear(14 * 14 * 3, 1)
    image = torch.randn(1, 3, 14, 14, requires_grad=True)
    out = conv(image)
    for place in (None, (0, 0), (0, 4), (3, 6), (9, 9)):
        value = full(image.flatten(1))[0, 0] if place is None else out[0, 0][place]
        touched = (torch.autograd.grad(value, image, retain_graph=True)[0][0] != 0).numpy()
        sheet = Drawing()
        for channel, name in enumerate(("red", "green", "blue")):
            sheet.text(145 + 225 * channel, 32, f"channel {channel + 1}: {name}")
            sheet.grid(
                40 + 225 * channel, 60, 15, touched[channel].astype(float), texts=False, colour=(RED, GREEN, BLUE)[channel]
            )  # fmt: skip
        if place:
            sheet.text(840, 32, "output")
            sheet.grid(760, 60, 16, np.zeros((10, 10)), texts=False, marks={place: RED})
        weights = (full if place is None else conv).weight.numel()
        sheet.text(480, 320, f"{int(touched.sum())} inputs, {weights} weights", size=34)
        who = "A fully connected unit" if place is None else f"The output at {place}"
        how = "everywhere" if place is None else "5 × 5 pixels, and all of the depth"
        yield frame(sheet, f"{who} depends on {int(touched.sum())} numbers: {how}.")


def filters() -> Iterator[Frame]:
    """B10: each filter makes a map, and the maps are stacked."""
    import torch
    import torch.nn.functional as F

    from experiments.lectures.cnn.filters_stack_along_depth import by_loops

    rng = np.random.default_rng(0)
    image, kernels = rng.normal(size=(3, 12, 14)), rng.normal(size=(6, 3, 5, 5))
    maps = by_loops(image, kernels, 1)
    apart = np.abs(F.conv2d(torch.from_numpy(image)[None], torch.from_numpy(kernels))[0].numpy() - maps).max()
    colours = (BLUE, ORANGE, GREEN, PINK, RED, GREY)
    for count in range(1, 7):
        sheet = Drawing()
        sheet.text(130, 26, "3 channels", weight="bold")
        for channel in (2, 1, 0):
            sheet.grid(30 + 22 * channel, 150 - 22 * channel, 13, image[channel], texts=False, colour=GREY)
        sheet.text(400, 26, f"filter {count}: 3 × 5 × 5", weight="bold")
        for channel in range(3):
            sheet.grid(345, 60 + 115 * channel, 21, kernels[count - 1, channel], texts=False, colour=colours[count - 1])
        sheet.arrow((480, 220), (540, 220))
        sheet.text(760, 26, "maps, stacked along depth", weight="bold")
        for k in reversed(range(count)):
            sheet.grid(570 + 38 * k, 240 - 34 * k, 17, maps[k], texts=False, colour=colours[k])
        sheet.text(760, 410, f"depth {count}", size=24)
        end = f" Less torch's convolution: {apart:.0e}." if count == 6 else ""
        yield frame(sheet, f"Filter {count} is a dot product with every patch, and gives map {count}.{end}")


def vectorised() -> Iterator[Frame]:
    """B20: a fully connected layer is a convolution as large as its input, and slides over a larger one."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    from lightning_modules.networks.fcn import convolutional

    torch.manual_seed(0)
    linear = nn.Linear(2 * 3 * 3, 4, dtype=torch.float64)
    features = torch.randint(0, 4, (1, 2, 3, 3)).double()
    with torch.no_grad():
        scores = linear(features.flatten(1))[0]
        by_conv = F.conv2d(features, linear.weight.view(4, 2, 3, 3), linear.bias)[0, :, 0, 0]
        wide = convolutional(linear, 3)(F.pad(features, (2, 2, 2, 2)))[0]
        chances = F.softmax(scores, 0)
    for count in range(1, 5):
        sheet = Drawing()
        sheet.text(130, 26, "features, 2 × 3 × 3", weight="bold")
        sheet.grid(60, 60, 46, features[0, 0].numpy())
        sheet.grid(60, 230, 46, features[0, 1].numpy(), colour=ORANGE)
        sheet.text(420, 26, f"row {count} of the matrix as a kernel", weight="bold")
        kernel = linear.weight.detach().view(4, 2, 3, 3)[count - 1].numpy()
        sheet.grid(350, 60, 46, kernel[0], digits=1)
        sheet.grid(350, 230, 46, kernel[1], digits=1, colour=ORANGE)
        sheet.text(780, 26, "scores", weight="bold")
        sheet.grid(640, 80, 62, scores[:count, None].numpy(), digits=2, colour=GREEN)
        sheet.grid(800, 80, 62, by_conv[:count, None].numpy(), digits=2, colour=GREY)
        sheet.text(671, 370, "linear")
        sheet.text(831, 370, "conv2d")
        yield frame(sheet, f"Score {count}: both are {float(scores[count - 1]):.4g}.")
    sheet = Drawing()
    sheet.text(250, 26, "slid over a larger map: score 1 at each place", weight="bold")
    sheet.grid(60, 60, 48, wide[0].numpy(), digits=2, colour=GREEN, marks={(3, 3): RED})
    sheet.bars(520, 90, 400, {f"p, class {k + 1}": float(p) for k, p in enumerate(chances)}, most=1)
    sheet.text(720, 320, f"softmax sums to {float(chances.sum()):g}", size=24)
    yield frame(sheet, "At the middle it is the layer's own score; softmax makes probabilities of the scores.")


MOVING = {
    "B03": MovingPicture(billions, "The number of weights of a fully connected layer grows."),
    "B04": MovingPicture(local, "The patch that one of many units sees, and its own weights."),
    "B05": MovingPicture(shared, "A filter at all places of an image, and its outputs."),
    "B08": MovingPicture(size_formula, "A filter of three on seven pixels with stride 3, at its last place."),
    "B09": MovingPicture(receptive_field, "The pixels of three channels that one output depends on."),
    "B10": MovingPicture(filters, "Six maps, stacked along depth, one a filter."),
    "B20": MovingPicture(vectorised, "The scores of a fully connected layer, slid over a larger map."),
}
