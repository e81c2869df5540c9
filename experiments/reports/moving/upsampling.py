"""Lecture 2, upsampling: each way from a small map to a larger one, value by value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing
from .frame import Frame, MovingPicture, frame

FOUR = (BLUE, ORANGE, GREEN, PINK)


def copies() -> Iterator[Frame]:
    """F12: the slide's line, then a plane: copies of the kernel are added one by one."""
    from experiments.lectures.cs231n.transpose_convolution_sums_weighted_copies import by_copies

    x = np.array([[[10.0, 100.0]]])
    kernel = np.array([1.0, 2.0, 3.0])
    flat = np.zeros((1, 1, 3, 3))
    flat[0, 0, 0] = kernel  # a line is a plane's first row
    for count in (1, 2):
        part = np.where(np.arange(2) < count, x, 0)
        out = by_copies(part, flat, 2, 0, 0)[0, 0]
        sheet = Drawing()
        sheet.text(480, 26, "two values, a kernel of three, stride 2: the slide's example", weight="bold")
        sheet.grid(120, 60, 56, x[0], marks={(0, count - 1): RED})
        sheet.text(176, 138, "a, b", size=18)
        sheet.grid(620, 60, 56, kernel, colour=ORANGE)
        sheet.text(704, 138, "kernel x, y, z", size=18)
        for i in range(count):
            weighted = x[0, 0, i] * kernel
            sheet.grid(340 + 2 * 56 * i, 180 + 66 * i, 56, weighted, colour=FOUR[i])
            sheet.text(330, 208 + 66 * i, f"{x[0, 0, i]:g} × kernel, moved by {2 * i}", anchor="end", size=18)
        sheet.text(330, 348, "sum", anchor="end", weight="bold")
        sheet.grid(340, 320, 56, out, colour=GREEN, marks={(0, 2): RED} if count == 2 else None)
        more = f" Where both copies lie, they are added: 30 + 100 = {out[2]:g}." if count == 2 else ""
        yield frame(sheet, f"Value {count} of 2, {x[0, 0, count - 1]:g}, weighs a copy of the kernel.{more}")
    rng = np.random.default_rng(0)
    values = rng.integers(1, 4, (1, 3, 3)).astype(float)
    weight = np.array([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]])
    for count in range(1, 10):
        i, j = divmod(count - 1, 3)
        part = np.where(np.arange(9).reshape(3, 3) < count, values, 0)
        out = by_copies(part, weight, 2, 0, 0)[0]
        sheet = Drawing()
        sheet.text(480, 24, "a plane of 3 × 3, a kernel of 3 × 3, stride 2", weight="bold")
        sheet.grid(40, 90, 54, values[0], marks={(i, j): RED})
        sheet.text(121, 70, "input", size=18)
        sheet.grid(270, 90, 54, weight[0, 0], colour=ORANGE)
        sheet.text(351, 70, "kernel", size=18)
        sheet.grid(500, 62, 49, out, colour=GREEN)
        sheet.square(500 + 98 * j, 62 + 98 * i, 147, 147, edge=RED, stroke=4)
        sheet.arrow((440, 171), (490, 171))
        sheet.text(200, 300, f"{values[0, i, j]:g} × kernel is added\nin the red frame", size=18)
        yield frame(sheet, f"Copy {count} of 9, weighted by {values[0, i, j]:g}, is added at row {2 * i}, column {2 * j}.")


def matrices() -> Iterator[Frame]:
    """F13: the same kernel as rows of X, with strides 1 and 2, and what Xᵀ gives back."""
    from experiments.lectures.cs231n.convolution_is_a_matrix_product import conv, matrix

    kernel, a = np.array([2.0, 3.0, 5.0]), np.array([1.0, 0, 2, 1, 0, 3, 1])
    for stride in (1, 2):
        x = matrix(kernel, 7, stride, 1)
        out = conv(a, kernel, stride, 1)
        for row in range(len(x)):
            sheet = Drawing()
            sheet.text(480, 24, f"stride {stride}: X a is the convolution", weight="bold")
            sheet.grid(60, 60, 42, x, marks={(row, int(j)): RED for j in np.flatnonzero(x[row])})
            sheet.grid(400, 60, 42, a[:, None], colour=ORANGE)
            sheet.text(207, 60 + 42 * len(x) + 28, "X: each row is the kernel, moved")
            sheet.text(421, 382, "a")
            sheet.text(500, 204, "=", size=30)
            sheet.grid(540, 60, 42, (x @ a)[: row + 1, None], colour=GREEN, marks={(row, 0): RED})
            sheet.text(561, 60 + 42 * len(x) + 28, "X a")
            sheet.grid(760, 60, 42, out[:, None], colour=GREY)
            sheet.text(781, 60 + 42 * len(x) + 28, "conv1d(a), by torch")
            yield frame(sheet, f"Stride {stride}, row {row}: {' '.join(f'{v:g}' for v in x[row])} times a is {x[row] @ a:g}.")
        back = conv(out, kernel, stride, 1, transposed=True)
        kinds = len({tuple(r[np.flatnonzero(r)]) for r in x.T[1:-1]})
        sheet = Drawing()
        sheet.text(480, 24, f"stride {stride}: Xᵀ b is the transpose convolution", weight="bold")
        sheet.grid(60, 60, 42, x.T)
        sheet.text(60 + 21 * len(x), 382, "Xᵀ")
        sheet.grid(400, 60, 42, out[:, None], colour=ORANGE)
        sheet.text(421, 60 + 42 * len(x) + 28, "b = X a")
        sheet.text(500, 204, "=", size=30)
        sheet.grid(540, 60, 42, (x.T @ out)[:, None], colour=GREEN)
        sheet.text(561, 382, "Xᵀ b")
        sheet.grid(760, 60, 42, back[:, None], colour=GREY)
        sheet.text(781, 382, "conv_transpose1d(b)")
        what = "one kind of row: a convolution again" if kinds == 1 else f"{kinds} kinds of rows: no convolution"
        size = f"{len(out)} values become {len(x.T)}"
        yield frame(sheet, f"Stride {stride}: Xᵀ has {what}. {size}, and they are not a: Xᵀ is not the inverse.")


def _unpooled(title: str, way: str) -> Iterator[Frame]:
    """A 2 × 2 map and what becomes of it, value by value: the slide's example."""
    import torch

    from lightning_modules.networks.upsampling import bed_of_nails, nearest_neighbor

    function = nearest_neighbor if way == "copies" else bed_of_nails
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    for count in range(1, 5):
        i, j = divmod(count - 1, 2)
        part = torch.where(torch.arange(4).view(2, 2) < count, x, 0.0)
        out = function(part)[0, 0].numpy()
        sheet = Drawing(400)
        sheet.text(480, 24, title, weight="bold")
        sheet.grid(120, 120, 80, x[0, 0].numpy(), marks={(i, j): RED})
        sheet.arrow((320, 200), (460, 200))
        sheet.grid(500, 60, 72, out, colour=GREEN)
        sheet.square(500 + 144 * j, 60 + 144 * i, 144, 144, edge=RED, stroke=4)
        sheet.text(200, 310, "2 × 2")
        sheet.text(644, 376, "4 × 4")
        does = "is copied into all four places" if way == "copies" else "stands at the upper left, among zeros"
        yield frame(sheet, f"The value {x[0, 0, i, j]:g} {does} of its window.")


def nearest() -> Iterator[Frame]:
    """F08."""
    return _unpooled("nearest neighbour", "copies")


def nails() -> Iterator[Frame]:
    """F09: the nails, and the convolution behind them, which is a transpose convolution."""
    import torch
    import torch.nn.functional as F

    from lightning_modules.networks.upsampling import bed_of_nails

    yield from _unpooled("bed of nails", "nails")
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    kernel = torch.tensor([[[[0.0, 1, 0], [1, 2, 1], [0, 1, 0]]]])
    by_conv = F.conv2d(bed_of_nails(x), kernel, padding=1)[0, 0].numpy()
    by_transpose = F.conv_transpose2d(x, kernel.flip(2, 3), stride=2, padding=1, output_padding=1)[0, 0].numpy()
    sheet = Drawing(400)
    sheet.text(480, 24, "a convolution behind the nails is a transpose convolution", weight="bold")
    for left, values, name in ((40, bed_of_nails(x)[0, 0], "bed of nails"), (370, by_conv, "and a 3 × 3 convolution")):
        sheet.grid(left, 80, 60, values, colour=GREEN)
        sheet.text(left + 120, 350, name)
    sheet.grid(700, 80, 60, by_transpose, colour=ORANGE)
    sheet.text(820, 350, "conv_transpose2d, stride 2")
    apart = float(np.abs(by_conv - by_transpose).max())
    yield frame(sheet, f"Both ways give the same values: the greatest difference is {apart:g}.")


def unpooling() -> Iterator[Frame]:
    """F10: each maximum goes back to where it was."""
    import torch
    import torch.nn.functional as F

    from lightning_modules.networks.upsampling import max_unpool

    image = torch.tensor([[[[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]]])
    pooled, places = F.max_pool2d(image, 2, return_indices=True)
    where = [divmod(int(p), 4) for p in places.flatten()]
    for count in range(5):
        part = torch.where(torch.arange(4).view(2, 2) < count, pooled, 0.0)
        out = max_unpool(part, places, (4, 4))[0, 0].numpy()
        sheet = Drawing(400)
        sheet.text(480, 24, "max pooling remembers where its maxima were", weight="bold")
        sheet.grid(40, 80, 62, image[0, 0].numpy(), marks=dict(zip(where, FOUR, strict=True)))
        sheet.text(164, 356, "before pooling")
        sheet.grid(410, 142, 62, pooled[0, 0].numpy(), marks={divmod(k, 2): FOUR[k] for k in range(4)})
        sheet.text(472, 356, "pooled")
        sheet.grid(650, 80, 62, out, colour=GREEN, marks=dict(list(zip(where, FOUR, strict=True))[:count]))
        sheet.text(774, 356, "max unpooling")
        sheet.arrow((306, 204), (396, 204))
        sheet.arrow((550, 204), (638, 204))
        if count:
            (i, j), value = where[count - 1], float(pooled.flatten()[count - 1])
            yield frame(sheet, f"The value {value:g} goes back to row {i}, column {j}, where its maximum was; zeros elsewhere.")
        else:
            yield frame(sheet, "Each window of 2 × 2 keeps its maximum, and the place that it had.")


def strided() -> Iterator[Frame]:
    """F11: a convolution of stride 2 is one of stride 1 whose every second row and column is dropped."""
    import torch
    import torch.nn.functional as F

    torch.manual_seed(0)
    image = torch.randint(0, 4, (1, 1, 6, 6)).float()
    kernel = torch.tensor([[[[1.0, 0, 1], [0, 1, 0], [1, 0, 1]]]])
    every = F.conv2d(image, kernel, padding=1)[0, 0].numpy()
    strided = F.conv2d(image, kernel, stride=2, padding=1)[0, 0].numpy()
    for count in range(10):
        i, j = divmod(max(0, count - 1), 3)
        sheet = Drawing()
        sheet.text(480, 24, "stride 2 keeps every second row and column of stride 1", weight="bold")
        sheet.grid(30, 70, 50, image[0, 0].numpy(), colour=GREY)
        sheet.text(180, 398, "input")
        sheet.grid(360, 70, 50, every, marks={(2 * a, 2 * b): RED for a, b in [divmod(k, 3) for k in range(count)]})
        sheet.text(510, 398, "stride 1")
        shown = np.where(np.arange(9).reshape(3, 3) < count, strided, 0)
        sheet.grid(720, 145, 50, shown, colour=GREEN, marks={(i, j): RED} if count else None)
        sheet.text(795, 398, "stride 2")
        if count:
            yield frame(sheet, f"Output ({i}, {j}) of stride 2 is output ({2 * i}, {2 * j}) of stride 1: {strided[i, j]:g}.")
        else:
            yield frame(sheet, "A convolution of stride 1 has an output for each of the 36 pixels.")


def overlaps() -> Iterator[Frame]:
    """F14: how many copies of the kernel are summed at each place."""
    from experiments.lectures.cs231n._overlaps import inner_counts, overlap_counts

    for kernel, stride in ((2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (4, 3), (6, 3)):
        counts = overlap_counts(6, kernel, stride).numpy()
        side = len(counts)
        inner = inner_counts(kernel, stride)
        sheet = Drawing(460)
        size = 380 / side
        sheet.text(480, 24, f"kernel {kernel} × {kernel}, stride {stride}", weight="bold")
        sheet.grid(60, 60, size, counts, texts=size > 22)
        sheet.text(700, 150, "copies summed at each place", weight="bold")
        even = "the same everywhere: no checkerboard" if len(inner) == 1 else "uneven: a checkerboard"
        sheet.text(700, 210, f"away from the border: {', '.join(map(str, inner))}\n{even}")
        sheet.text(700, 300, f"{kernel} ÷ {stride} = {kernel / stride:.3g}", size=26)
        what = "divides" if kernel % stride == 0 else "does not divide"
        yield frame(sheet, f"Stride {stride} {what} kernel {kernel}: inner places sum {', '.join(map(str, inner))} copies.")


def half_stride() -> Iterator[Frame]:
    """F16: a convolution that moves by half a pixel finds zeros between pixels."""
    import torch
    import torch.nn.functional as F

    from experiments.lectures.cs231n.transpose_convolution_has_many_names import half_stride as halved

    torch.manual_seed(0)
    x = torch.randint(1, 4, (1, 1, 3, 3)).double()
    weight = torch.tensor([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]], dtype=torch.float64)
    spread = np.zeros((5, 5))
    spread[::2, ::2] = x[0, 0].numpy()
    out = halved(x, weight, 1)[0, 0].numpy()
    theirs = F.conv_transpose2d(x, weight, stride=2, padding=1)[0, 0].numpy()
    padded = np.pad(spread, 1)
    for count in range(26):
        if count % 3 and count != 25:
            continue
        i, j = divmod(max(0, count - 1), 5)
        sheet = Drawing()
        sheet.text(480, 24, "stride ½: between the pixels lie zeros", weight="bold")
        sheet.grid(40, 60, 44, padded, colour=GREY)
        sheet.square(40 + 44 * j, 60 + 44 * i, 132, 132, edge=RED, stroke=4)
        sheet.text(194, 396, "pixels, zeros between and around")
        shown = np.where(np.arange(25).reshape(5, 5) < count, out, 0)
        sheet.grid(400, 104, 44, shown, colour=GREEN, marks={(i, j): RED} if count else None)
        sheet.text(510, 396, "convolution by half pixels")
        sheet.grid(700, 104, 44, theirs, colour=ORANGE)
        sheet.text(810, 396, "conv_transpose2d, stride 2")
        apart = float(np.abs(out - theirs).max())
        end = f" All places done; the greatest difference is {apart:g}." if count == 25 else ""
        yield frame(sheet, f"The kernel has moved by half a pixel {count} times: 3 × 3 becomes 5 × 5.{end}")


MOVING = {
    "F08": MovingPicture(nearest, "Each value of 2 × 2 is copied into a block of 4 × 4."),
    "F09": MovingPicture(
        nails,
        "A bed of nails, a convolution of it, and the transpose convolution that is the same, computed.",
    ),
    "F10": MovingPicture(unpooling, "A map, its maxima, and the map in which each is back at its place."),
    "F11": MovingPicture(strided, "A convolution of stride 1, and that of stride 2 at every second place."),
    "F12": MovingPicture(copies, "A map of 3 × 3, a kernel, and the sum of its nine weighted copies, computed."),
    "F13": MovingPicture(
        matrices,
        "A convolution of stride 2 as a matrix, and its transpose, which turns three values into six and is no convolution.",
    ),
    "F14": MovingPicture(overlaps, "Numbers of kernel copies that a transpose convolution sums at each place."),
    "F16": MovingPicture(
        half_stride,
        "Pixels with zeros between them, a convolution over them, and the transpose convolution, which is the same.",
    ),
}
