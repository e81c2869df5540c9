"""Pooling, a batch that two processes share, and networks that go down and come back up: by the studies' own networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .drawing import BLUE, GREEN, ORANGE, PINK, RED, Drawing
from .frame import Frame, MovingPicture, frame

FOUR = (BLUE, ORANGE, GREEN, PINK)


def pooling() -> Iterator[Frame]:
    """B18: each window of 2 × 2 gives its greatest, mean or least value, as torch's functions have it."""
    import torch
    import torch.nn.functional as F

    image = torch.tensor([[[[1.0, 2, 6, 3], [3, 6, 2, 1], [1, 2, 2, 0], [7, 2, 4, 6]]]])
    ways = {
        "greatest": F.max_pool2d(image, 2),
        "mean": F.avg_pool2d(image, 2),
        "least": -F.max_pool2d(-image, 2),
    }
    for count in range(1, 5):
        i, j = divmod(count - 1, 2)
        sheet = Drawing(400)
        sheet.text(480, 24, "a map of 4 × 4, pooled by windows of 2 × 2", weight="bold")
        sheet.grid(40, 90, 62, image[0, 0].numpy())
        sheet.square(40 + 124 * j, 90 + 124 * i, 124, 124, edge=FOUR[count - 1], stroke=4)
        for place, (name, pooled) in enumerate(ways.items()):
            left = 380 + 200 * place
            for k in range(count):
                row, column = divmod(k, 2)
                value = pooled[0, 0, row, column].numpy()
                sheet.grid(left + 80 * column, 130 + 80 * row, 80, value, colour=FOUR[k])
            sheet.text(left + 80, 320, name)
        of_window = ", ".join(f"{float(v):g}" for v in image[0, 0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].flatten())
        found = ", ".join(f"{name} {float(pooled[0, 0, i, j]):g}" for name, pooled in ways.items())
        yield frame(sheet, f"The window {of_window} becomes one value: {found}. Sides are halved.")


def stacked() -> Iterator[Frame]:
    """D04: what an output sees through one, two and three layers of 3 × 3, and the weights beside one larger filter."""
    import torch
    import torch.nn.functional as F

    kernel = torch.ones(1, 1, 3, 3)
    seen = torch.zeros(1, 1, 9, 9)
    seen[..., 4, 4] = 1
    for layers in (1, 2, 3):
        seen = (F.conv2d(seen, kernel, padding=1) > 0).float()
        side = int(seen[0, 0].any(0).sum())
        sheet = Drawing(430)
        sheet.text(480, 24, f"{layers} {'layer' if layers == 1 else 'layers'} of 3 × 3 filters", weight="bold")
        sheet.grid(60, 70, 34, seen[0, 0].numpy(), texts=False, marks={(4, 4): RED})
        sheet.text(213, 402, f"one output sees {side} × {side}", size=18)
        weights = {f"{layers} times 3 × 3": float(layers * 9), f"once {side} × {side}": float(side * side)}
        sheet.text(700, 110, "weights for each pair of channels", size=18)
        sheet.bars(500, 160, 400, weights, most=49)
        saved = 1 - layers * 9 / side**2
        words = f"{layers} of 3 × 3 see {side} × {side} pixels, as one filter of that size does"
        yield frame(
            sheet, f"{words}, with {saved:.0%} fewer weights." if layers > 1 else "One layer of 3 × 3 sees 3 × 3 pixels."
        )


def two_processes() -> Iterator[Frame]:
    """D14: gradients of two parts of a batch, and their mean weighted by the parts' sizes, beside the whole batch's."""
    import torch
    import torch.nn.functional as F

    torch.manual_seed(0)
    x, labels = torch.randn(16, 3).double(), torch.randint(3, (16,))
    weight = torch.zeros(3, 3).double().requires_grad_()

    def gradient(rows: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        (found,) = torch.autograd.grad(F.cross_entropy(x[rows] @ weight.T, labels[rows]), weight)
        return found.numpy()

    whole = gradient(slice(16))
    for first in (8, 11, 15):
        second = 16 - first
        parts = gradient(slice(first)), gradient(slice(first, 16))
        mean = (parts[0] + parts[1]) / 2
        weighted = (first * parts[0] + second * parts[1]) / 16
        sheet = Drawing(430)
        sheet.text(480, 24, f"16 images in two processes: {first} and {second}", weight="bold")
        shown = (
            (f"process 1: {first} images", parts[0], BLUE),
            (f"process 2: {second} {'image' if second == 1 else 'images'}", parts[1], ORANGE),
        )
        for place, (name, values, colour) in enumerate(shown):
            sheet.grid(40, 70 + 180 * place, 48, values, colour=colour, digits=2)
            sheet.text(112, 230 + 180 * place, name, size=18)
        equal = first == second
        results = [("mean of the two", mean), ("by their images", weighted), ("one process", whole)][equal:]
        for place, (name, values) in enumerate(results):
            sheet.grid(300 + 220 * (place + equal), 150, 56, values, colour=GREEN, digits=2)
            sheet.text(384 + 220 * (place + equal), 345, name, size=18)
        off, right = float(np.abs(mean - whole).max()), float(np.abs(weighted - whole).max())
        words = (
            f"With equal shares the mean of both gradients is the whole batch's: they differ by {right:.0e}."
            if equal
            else f"With unequal shares the plain mean is off by {off:.2g}; weighted by the images it is right ({right:.0e})."
        )
        yield frame(sheet, words)


def mirrored() -> Iterator[Frame]:
    """F17: SegNet at its paper's size, block by block: how large the maps are on the way down and up, and how many channels."""
    import torch

    from lightning_modules.networks import SegNet

    sizes: list[tuple[int, int]] = []
    with torch.device("meta"):
        network = SegNet(11).eval()
        hooks = [
            block.register_forward_hook(lambda m, i, out: sizes.append((int(out.shape[1]), int(out.shape[-1]))))
            for block in (*network.encoder, *network.decoder)
        ]
        network(torch.zeros(1, 3, 224, 224))
        for hook in hooks:
            hook.remove()
    half = len(sizes) // 2
    for count in range(1, len(sizes) + 1):
        sheet = Drawing(400)
        sheet.text(480, 24, "SegNet on 224 × 224 pixels", weight="bold")
        for place, (channels, side) in enumerate(sizes[:count]):
            height = 24 + 200 * side / 224
            left = 36 + 90 * place
            colour = BLUE if place < half else GREEN
            edge = RED if place == count - 1 else ""
            sheet.square(left, 190 - height / 2, 70, height, fill=colour, strength=0.35, edge=edge or colour, stroke=3)
            sheet.text(left + 35, 330, f"{side} × {side}", size=16)
            sheet.text(left + 35, 356, f"{channels}", size=18, weight="bold")
        channels, side = sizes[count - 1]
        way = "down: its maxima's places are kept" if count <= half else "up: values go back to where the maxima were"
        yield frame(sheet, f"Block {count} of {len(sizes)}, {way}. {channels} channels of {side} × {side}.")


MOVING = {
    "B18": MovingPicture(pooling, "A map of 4 × 4 and what max, average and min pooling leave of it, computed."),
    "D04": MovingPicture(stacked, "What layers of 3 × 3 filters see together, and their weights beside one larger filter's."),
    "D14": MovingPicture(two_processes, "Gradients of two parts of a batch, put together, beside those of the whole batch."),
    "F17": MovingPicture(mirrored, "SegNet's blocks with the sizes of their maps, down and up again."),
}
