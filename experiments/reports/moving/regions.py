"""Lecture 2, detection: windows, proposals, pooled regions, and boxes that are moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, Drawing
from .frame import Frame, MovingPicture, frame

if TYPE_CHECKING:
    from torch import Tensor

    from datamodules.scene import Scene


def _scene(side: int = 96, index: int = 2) -> Scene:
    from datamodules.drawing import Style, draw

    return draw(7, index, Style(image_size=(side, side), objects=(2, 2), clutter=0.4, object_size=(0.24, 0.45)))


def _boxes(sheet: Drawing, boxes: Tensor, colour: str, side: int, *, stroke: float = 2, left: float = 40, top: float = 60,
           size: float = 360) -> None:  # fmt: skip
    for x1, y1, x2, y2 in (boxes * size / side).tolist():
        sheet.square(left + x1, top + y1, x2 - x1, y2 - y1, edge=colour, stroke=stroke)


def _on_image(scene: Scene, title: str) -> Drawing:
    sheet = Drawing(460)
    sheet.text(220, 30, title, weight="bold")
    sheet.image(scene["image"].permute(1, 2, 0).numpy(), 40, 60, 360, 360)
    return sheet


def windows() -> Iterator[Frame]:
    """G03: windows of each side and shape, and how many have to be looked at until the objects are found."""
    from torchvision.ops import box_iou

    from datamodules import SlidingWindows
    from experiments.lectures.cs231n._windows import RATIOS, SIDES, STEP

    scene, count = _scene(), 0
    found = 0.0
    for side in [s for s in SIDES if s <= 100]:
        boxes = SlidingWindows((side,), RATIOS, STEP)(scene["image"])
        best = box_iou(scene["boxes"], boxes).max(1).values
        found = max(found, float(best.min()))
        count += len(boxes)
        sheet = _on_image(scene, f"windows of about {side:.0f} pixels")
        _boxes(sheet, boxes[:: max(1, len(boxes) // 12)][:12], GREY, 96, stroke=1.5)
        _boxes(sheet, scene["boxes"], GREEN, 96, stroke=3)
        _boxes(sheet, boxes[box_iou(scene["boxes"], boxes).argmax(1)], RED, 96, stroke=4)
        sheet.text(690, 90, f"{count:,} windows so far", size=30)
        sheet.bars(480, 170, 420, {f"IoU of object {i + 1} with the best": float(v) for i, v in enumerate(best)}, most=1)
        sheet.text(690, 330, "five shapes at each place,\nhalf a window apart", size=18)
        sheet.text(690, 400, "green: objects, red: best windows, grey: some others", size=18)
        yield frame(
            sheet,
            f"Windows of about {side:.0f} pixels: {len(boxes):,} more, {count:,} in all; the objects' best IoU with one of "
            f"these is {', '.join(f'{v:.2f}' for v in best.tolist())}.",
        )


def proposals() -> Iterator[Frame]:
    """G05: the first proposals of selective search, and how many objects they find."""
    from torchvision.ops import box_iou

    from datamodules import SelectiveSearch
    from experiments.lectures.cs231n.selective_search_is_noisy_and_misses_little import best_overlaps

    scene = _scene(160, 5)
    boxes = SelectiveSearch("fast", count=100_000, cache=False)(scene["image"])
    truth = scene["boxes"]
    points = []
    for count in [n for n in (1, 3, 10, 30, 100, 300, 1000) if n < len(boxes)] + [len(boxes)]:
        overlaps = best_overlaps([boxes], [truth], count)
        useful = int((box_iou(boxes[:count], truth).max(1).values >= 0.5).sum())
        points.append((float(count), 100 * float((overlaps >= 0.5).double().mean())))
        sheet = _on_image(scene, f"the first {count} of {len(boxes)} proposals")
        _boxes(sheet, boxes[:count][-40:], ORANGE, 160, stroke=1.5)
        _boxes(sheet, truth, GREEN, 160, stroke=3)
        best = boxes[:count][box_iou(truth, boxes[:count]).argmax(1)]
        _boxes(sheet, best[overlaps >= 0.5], RED, 160, stroke=4)
        sheet.curves(
            520, 110, 330, 170, {"": points}, x_title="proposals", y_title="objects found, % (IoU ≥ 0.5)",
            limits=(1, len(boxes), 0, 100), log_x=True,
        )  # fmt: skip
        sheet.text(690, 384, f"{useful} of {count} lie on an object:\nmost are noise", size=22)
        yield frame(
            sheet,
            f"{count} proposals: {useful} overlap an object by half or more, and {int((overlaps >= 0.5).sum())} of "
            f"{len(truth)} objects are found.",
        )


def corrections() -> Iterator[Frame]:
    """G08: a region, the four offsets to its object, and the box that they make, inwards and outwards."""
    import torch
    from torchvision.models.detection._utils import BoxCoder

    from lightning_modules.networks.boxes import paired_iou

    scene = _scene()
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))  # as RidgeRegressors fits them
    x1, y1, x2, y2 = scene["boxes"][0].tolist()
    width, height = x2 - x1, y2 - y1
    kinds = {
        "shifted": (x1 + 0.25 * width, y1 - 0.2 * height, x2 + 0.25 * width, y2 - 0.2 * height),
        "too large": (x1 - 0.2 * width, y1 - 0.2 * height, x2 + 0.2 * width, y2 + 0.2 * height),
        "too small": (x1 + 0.15 * width, y1 + 0.15 * height, x2 - 0.15 * width, y2 - 0.15 * height),
    }
    truth = scene["boxes"][:1].double()
    for name, corners in kinds.items():
        region = torch.tensor([corners], dtype=torch.float64)
        offsets = coder.encode_single(truth, region)
        for part in (0.0, 0.5, 1.0):
            moved = coder.decode_single(part * offsets, region)
            sheet = _on_image(scene, f"a region that is {name}")
            _boxes(sheet, truth, GREEN, 96, stroke=3)
            _boxes(sheet, region, ORANGE, 96, stroke=3)
            _boxes(sheet, moved, RED, 96, stroke=4)
            written = dict(zip(("dx", "dy", "log dw", "log dh"), (part * offsets)[0].tolist(), strict=True))
            sheet.bars(500, 110, 400, written, most=0.5)
            iou = float(paired_iou(moved, truth))
            sheet.text(700, 330, f"IoU {iou:.2f}", size=34)
            sheet.text(700, 400, "green: object, orange: region, red: corrected", size=18)
            way = "outwards" if name == "too small" and part else "as it was proposed" if not part else "corrected"
            yield frame(sheet, f"The region is {name}; with {part:.0%} of its four offsets the box lies {way}, IoU {iou:.2f}.")


def pooling() -> Iterator[Frame]:
    """G15: a region on a map, rounded to cells, cut into parts, and the maximum of each."""
    import torch

    from experiments.lectures.cs231n.roi_pooling_has_a_fixed_size import _part, pooled_by_hand
    from lightning_modules.networks.boxes import RoIPool

    rng = torch.Generator().manual_seed(0)
    features = torch.randint(0, 10, (1, 1, 8, 10), generator=rng).double()
    for region in (torch.tensor([11.0, 13.0, 61.0, 52.0]), torch.tensor([26.0, 4.0, 45.0, 51.0])):
        out = pooled_by_hand(features[0], region, 2, 1 / 8)
        theirs = RoIPool(2)([features], [8], [region[None].double()])[0, 0]
        x1, y1, x2, y2 = (int(v / 8 + 0.5) for v in region.tolist())
        size = 42
        for count in range(6):
            sheet = Drawing()
            sheet.grid(40, 50, size, features[0, 0].numpy(), colour=GREY)
            a, b, c, d = (region * size / 8).tolist()
            sheet.square(40 + a, 50 + b, c - a, d - b, edge=ORANGE, stroke=3)
            if count:
                sheet.square(
                    40 + x1 * size, 50 + y1 * size, (x2 - x1 + 1) * size, (y2 - y1 + 1) * size, edge=BLUE, stroke=4
                )  # fmt: skip
            for k in range(max(0, count - 1)):
                rows, columns = _part(k // 2, 2, y1, y2, 8), _part(k % 2, 2, x1, x2, 10)
                sheet.square(
                    40 + columns.start * size, 50 + rows.start * size, len(columns) * size, len(rows) * size,
                    fill=(BLUE, ORANGE, GREEN, PINK)[k], strength=0.3,
                )  # fmt: skip
            shown = torch.where(torch.arange(4).view(2, 2) < count - 1, out[0], 0)
            sheet.text(250, 26, "a feature map, a region of any size", weight="bold")
            sheet.arrow((480, 210), (580, 210))
            sheet.grid(620, 120, 90, shown.numpy(), colour=GREEN)
            sheet.text(710, 90, "2 × 2, always", weight="bold")
            sheet.text(
                710, 350, f"RoIPool gives {theirs.int().flatten().tolist()}", size=18
            )  # fmt: skip
            words = {0: "The region lies between cells.", 1: f"It is rounded to cells {x1} to {x2}, rows {y1} to {y2}."}
            value = out[0].flatten()[max(0, count - 2)]
            yield frame(sheet, words.get(count, f"Part {count - 1} of 4 keeps its maximum, {float(value):g}."))


def network_or_rules() -> Iterator[Frame]:
    """G20: selective search finds the same boxes each time; a region proposal network's weights have gradients."""
    import torch

    from datamodules import SelectiveSearch
    from datamodules.drawing import Style, draw
    from lightning_modules.networks.faster_rcnn import FasterRCNN

    scene = draw(0, 0, Style(image_size=(48, 48), objects=(2, 2)))
    boxes = SelectiveSearch(cache=False)(scene["image"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = FasterRCNN(3)
    network.train()
    outputs = network(scene["image"][None].float() / 255)
    losses = network.losses(outputs, [scene["boxes"]], [torch.zeros(len(scene["boxes"]), dtype=torch.long)])
    learned = {name: p for name, p in network.rpn.named_parameters() if p.requires_grad}
    loss = losses["rpn_objectness"].value + losses["rpn_box"].value
    sizes = {name: float(g.norm()) for name, g in zip(learned, torch.autograd.grad(loss, list(learned.values())), strict=True)}
    for turn in (1, 2):
        sheet = _on_image(scene, f"selective search, turn {turn}")
        _boxes(sheet, boxes[:30] if turn == 1 else SelectiveSearch(cache=False)(scene["image"])[:30], ORANGE, 48)
        _boxes(sheet, scene["boxes"], GREEN, 48, stroke=3)
        sheet.text(690, 200, f"{len(boxes)} boxes\n0 weights to learn", size=30)
        yield frame(sheet, f"Turn {turn}: fixed rules group segments; the same image gives the same {len(boxes)} boxes.")
    for count in range(1, len(sizes) + 1):
        sheet = _on_image(scene, "region proposal network")
        proposed = outputs.proposals[0] if hasattr(outputs, "proposals") else None
        if proposed is not None:
            _boxes(sheet, proposed[:30].detach(), RED, 48, stroke=1.5)
        _boxes(sheet, scene["boxes"], GREEN, 48, stroke=3)
        sheet.text(690, 60, "length of the loss's gradient", weight="bold")
        sheet.bars(470, 110, 460, dict(list(sizes.items())[:count]), most=max(sizes.values()))
        name, size = list(sizes.items())[count - 1]
        yield frame(sheet, f"{name} of the network learns from boxes: its gradient has the length {size:.3g}.")


def grid_of_cells() -> Iterator[Frame]:
    """G21: one tensor of 7 × 7 × (5 B + C), the cell of each object, and its base boxes moved."""
    import torch

    from lightning_modules.networks import YOLO, AnchorYOLO

    scene = _scene()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        v1, based = YOLO(20).eval(), AnchorYOLO(20).eval()
        shape = tuple(v1(torch.zeros(1, 3, 112, 112)).grid.shape[1:])
    truth = scene["boxes"] / 96
    cell = 360 / 7
    for index, (x1, y1, x2, y2) in enumerate(truth.tolist(), 1):
        centre, side = ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)
        column, row = int(7 * centre[0]), int(7 * centre[1])
        priors = based.priors.tolist()
        chosen = int(based._most_similar(torch.tensor([side]))[0])
        for stage in range(4):
            sheet = _on_image(scene, f"7 × 7 cells, object {index}")
            for k in range(8):
                sheet.line((40 + k * cell, 60), (40 + k * cell, 420), colour=GREY, width=1)
                sheet.line((40, 60 + k * cell), (400, 60 + k * cell), colour=GREY, width=1)
            _boxes(sheet, scene["boxes"], GREEN, 96, stroke=3)
            sheet.square(40 + column * cell, 60 + row * cell, cell, cell, fill=RED, strength=0.35, edge=RED, stroke=3)
            middle = torch.tensor([(column + 0.5) / 7, (row + 0.5) / 7])
            anchors = torch.tensor([[*(middle - torch.tensor(p) / 2), *(middle + torch.tensor(p) / 2)] for p in priors])
            if stage == 1:
                _boxes(sheet, anchors, ORANGE, 1, stroke=3)
            if stage > 1:
                part = (stage - 1) / 2
                moved = anchors[chosen] + part * (truth[index - 1] - anchors[chosen])
                _boxes(sheet, moved[None], RED, 1, stroke=4)
            sheet.text(690, 70, f"tensor: {' × '.join(map(str, shape))}", size=28)
            sheet.text(690, 112, "5 B + C = 5 · 2 + 20", size=20)
            place = (7 * centre[0] - column, 7 * centre[1] - row)
            stretch = [float(torch.tensor(s / p).log()) for s, p in zip(side, priors[chosen], strict=True)]
            if stage > 1:
                sheet.bars(
                    490, 180, 420,
                    {"x in the cell": place[0], "y in the cell": place[1], "log w / base": stretch[0],
                     "log h / base": stretch[1]}, most=1,
                )  # fmt: skip
            words = (
                f"The centre of object {index} lies in row {row}, column {column}: this cell is responsible.",
                "A cell's three base boxes, as the slide's words have them (YOLO v2; v1 has none).",
                f"Base box {chosen + 1} is the most similar, and is moved half of the way.",
                "Moved by all of its offsets, it is the object's box.",
            )
            yield frame(sheet, words[stage])


MOVING = {
    "G03": MovingPicture(windows, "Windows of the last size on an image, and how many there are."),
    "G05": MovingPicture(proposals, "Proposals of selective search on an image, and the share of objects that they find."),
    "G08": MovingPicture(corrections, "A region inside its object, and the box that four offsets make."),
    "G15": MovingPicture(pooling, "A region on a map, its four parts, and the maximum of each."),
    "G20": MovingPicture(
        network_or_rules,
        "Proposals of a region proposal network, and the gradients from which its weights learn.",
    ),
    "G21": MovingPicture(grid_of_cells, "An image in 7 × 7 cells, and a base box moved to its object."),
}
