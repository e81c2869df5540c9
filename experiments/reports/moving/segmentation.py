"""Lecture 2, segmentation: what a mask says, what labels cost, and what a window that slides computes again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .drawing import BLUE, GREEN, RED, Drawing
from .frame import Frame, MovingPicture, frame

CLASS_COLOURS = np.array([(0.35, 0.35, 0.35), (0.0, 0.45, 0.7), (0.84, 0.37, 0.0), (0.0, 0.62, 0.45), (0.8, 0.47, 0.65)])
"""Of the page's blue, red, green and pink; the first is the background's grey."""


def painted(numbers: object) -> np.ndarray:
    """Whole numbers (H, W), 0 the background, as colours (H, W, 3)."""
    classes = np.asarray(numbers).astype(int)
    return CLASS_COLOURS[np.where(classes > 0, 1 + (classes - 1) % (len(CLASS_COLOURS) - 1), 0)]


def losses() -> Iterator[Frame]:
    """F01: the same weights after 50 steps, if the rate is divided by what the loss is not divided by."""
    from experiments.lectures.cs231n.summed_or_averaged_loss_is_the_same_descent import apart, trained

    mean = trained("mean", "none")
    cases = {
        "mean over pixels, rate γ": mean,
        "sum over pixels, rate γ / N": trained("sum", "pixels"),
        "sum over pixels, rate γ": trained("sum", "none"),
    }
    for count in range(1, 4):
        sheet = Drawing()
        sheet.text(480, 24, "twelve of the net's weights after 50 steps of SGD", weight="bold")
        for i, (name, weights) in enumerate(list(cases.items())[:count]):
            sheet.text(60, 76 + 118 * i, name, anchor="start")
            sheet.grid(60, 96 + 118 * i, 66, weights[:12].numpy()[None], colour=(BLUE, GREEN, RED)[i], digits=2)
        name = list(cases)[count - 1]
        far = apart(cases[name], mean)
        said = "" if count == 1 else f" Greatest difference from the first, relative: {far:.1e}."
        yield frame(sheet, f"{name[0].upper()}{name[1:]}.{said}")


def touching() -> Iterator[Frame]:
    """F02: a perfect mask of two objects, which is one region where they touch."""
    from experiments.lectures.cs231n.semantic_segmentation_merges_touching_instances import regions, two_objects

    for gap in (0, 1, 2):
        rng = np.random.default_rng(0)
        for number in (1, 2):
            pair = two_objects(rng, gap)
            found = regions(pair > 0)
            sheet = Drawing(460)
            sheet.text(240, 30, "two objects of one class", weight="bold")
            sheet.image(painted(pair), 80, 60, 320, 320)
            sheet.text(720, 30, "their perfect semantic mask", weight="bold")
            sheet.image(painted(pair > 0), 560, 60, 320, 320)
            sheet.text(480, 424, f"{gap} pixels between: {found} region{'s' * (found != 1)} in the mask", size=26)
            what = "merged into one" if found == 1 else "told apart"
            yield frame(sheet, f"Pair {number} with {gap} pixels between its objects: {what}.")


def window() -> Iterator[Frame]:
    """F03: patches that overlap compute the same again; the shared plan computes each feature once."""
    import torch

    from datamodules.drawing import Style, draw
    from experiments.lectures.cs231n.sliding_window_wastes_computation import CLASSES, PATCH, classifier, operations
    from lightning_modules.networks import SlidingWindow

    torch.manual_seed(0)
    side = 48
    scene = draw(7, 3, Style(image_size=(side, side), objects=(2, 2), clutter=0.2))["image"]
    patches = SlidingWindow(CLASSES, classifier).eval()
    with torch.no_grad():
        one = operations(patches.classifier, torch.zeros(1, 3, PATCH, PATCH))
        shared = operations(patches.dense(), torch.zeros(1, 3, side, side))
    seen = np.zeros((side, side), int)
    places = [(y, x) for y in range(0, side - PATCH + 1, 4) for x in range(0, side - PATCH + 1, 2)]
    scale = 360 / side
    for count, (y, x) in enumerate(places, 1):
        seen[y : y + PATCH, x : x + PATCH] += 1
        if count % 5 != 1 and count != len(places):
            continue
        sheet = Drawing(460)
        sheet.image(scene.permute(1, 2, 0).numpy(), 30, 60, 360, 360)
        sheet.square(30 + x * scale, 60 + y * scale, PATCH * scale, PATCH * scale, edge=RED, stroke=4)
        sheet.text(210, 30, "the window slides", weight="bold")
        for value in range(1, int(seen.max()) + 1):
            rows, columns = np.nonzero(seen >= value)
            sheet.square(
                430 + columns.min() * 4, 120 + rows.min() * 4, 4.0 * int(np.ptp(columns) + 1), 4.0 * int(np.ptp(rows) + 1),
                fill=BLUE, strength=min(0.35, 1.2 / len(places)), edge="",
            )  # fmt: skip
        sheet.square(430, 120, side * 4, side * 4)
        sheet.text(526, 90, "how often each\npixel was seen", size=18)
        sheet.text(526, 336, f"up to {seen.max()} times")
        done = count * one / 1e6
        sheet.bars(
            660, 150, 260, {"patch by patch": done, "shared, all pixels": shared / 1e6}, most=len(places) * one / 1e6, unit="M"
        )
        sheet.text(790, 110, "operations", weight="bold")
        yield frame(
            sheet,
            f"{count} of {side**2:,} windows have taken {done:.0f} million operations; one pass that shares features takes "
            f"{shared / 1e6:.0f} million for all of them, {side**2 * one / shared:.0f} times fewer.",
        )


def labels() -> Iterator[Frame]:
    """F07: how many numbers describe a scene, for each task."""
    from datamodules.drawing import Style, draw
    from experiments.lectures.cs231n.every_pixel_needs_a_label import labels as counted

    scene = draw(0, 0, Style(image_size=(360, 480), objects=(2, 2)))
    pixels, label, objects = (int(check.computed) for check in counted())
    shown = {"classification": label, "detection": objects, "segmentation": pixels}
    for count, (task, number) in enumerate(shown.items()):
        sheet = Drawing(450)
        sheet.image(scene["image"][:, ::3, ::3].permute(1, 2, 0).numpy(), 30, 50, 440, 330)
        scale = 440 / 480
        if task == "detection":
            for x1, y1, x2, y2 in scene["boxes"].tolist():
                sheet.square(30 + x1 * scale, 50 + y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale, edge=RED, stroke=4)
        if task == "segmentation":
            sheet.image(painted(scene["mask"].numpy()[::4, ::4]), 30, 50, 440, 330)
        sheet.text(250, 412, task, weight="bold")
        sheet.text(720, 40, "numbers that a person gives an image", weight="bold")
        sheet.bars(520, 110, 400, {name: float(n) for name, n in list(shown.items())[: count + 1]}, most=pixels)
        sheet.text(720, 300, f"{number:,} for {task}", size=28)
        yield frame(sheet, f"For {task} this image of 360 × 480 pixels needs {number:,} label{'s' * (number != 1)}.")


def instances() -> Iterator[Frame]:
    """H03: detection and semantic segmentation together, and where they are not enough."""
    from datamodules.drawing import Style, draw
    from experiments.lectures.cs231n.instance_segmentation_is_detection_and_segmentation import (
        boxes_of,
        instances_of,
        semantics_of,
    )

    scene = draw(0, 4, Style(objects=(3, 3), occlusion=0.0))
    masks, labels = scene["masks"].numpy().astype(bool), scene["labels"].numpy()
    boxes, semantics = boxes_of(masks), semantics_of(masks, labels)
    scale = 280 / 64

    def framed(left: float, which: int = -1) -> list[tuple[float, float, float, float]]:
        chosen = boxes if which < 0 else boxes[: which + 1]
        return [(left + a * scale, 70 + b * scale, (c - a) * scale, (d - b) * scale) for a, b, c, d in chosen.tolist()]

    for stage in range(2 + len(masks)):
        sheet = Drawing(410)
        for left, title in ((20, "boxes and classes"), (340, "class of each pixel"), (660, "instances")):
            sheet.text(left + 140, 36, title, weight="bold")
        sheet.image(scene["image"].permute(1, 2, 0).numpy(), 20, 70, 280, 280)
        for box in framed(20):
            sheet.square(*box, edge=RED, stroke=4)
        if stage:
            sheet.image(painted(semantics), 340, 70, 280, 280)
        if stage > 1:
            cut = instances_of(boxes[: stage - 1], labels[: stage - 1], semantics)
            numbered = sum(((i + 1) * mask for i, mask in enumerate(cut)), np.zeros(semantics.shape, int))
            sheet.image(painted(numbered), 660, 70, 280, 280)
            sheet.square(*framed(340)[stage - 2], edge=RED, stroke=4)
            sheet.square(*framed(660)[stage - 2], edge=RED, stroke=4)
        sheet.text(480, 382, "of each box, the pixels of its class", size=22)
        wrong = int((instances_of(boxes, labels, semantics) != masks).sum())
        words = ("Detection: a box and a class for each object.", "Semantic segmentation: a class for each pixel.")
        last = f"Object {stage - 1}: the pixels of its class in its box. Pixels that differ from the truth, in all: {wrong}."
        yield frame(sheet, words[stage] if stage < 2 else last)
    first, second = np.zeros((16, 16), bool), np.zeros((16, 16), bool)
    first[0:8, 0:8] = second[4:12, 4:12] = True
    sheet = Drawing(410)
    for i, pair in enumerate(((first, second & ~first), (first & ~second, second))):
        left = 120 + 420 * i
        sheet.image(painted(pair[0] + 2 * pair[1]), left, 50, 290, 290)
    sheet.text(480, 374, "two instance segmentations with the same boxes and the same class at each pixel", size=22)
    yield frame(sheet, "Boxes of one class overlap: the 16 shared pixels may belong to either, and nothing tells. Hence masks.")


def skips() -> Iterator[Frame]:
    """F05: FCN-8s on an image of odd sides, map by map: down, up again, and what of the way down is added."""
    import torch

    from lightning_modules.networks import FCN, ConvEncoder

    height, width = 61, 83
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = FCN(4, skips=[16, 8], encoder=lambda: ConvEncoder([4, 4, 4, 4, 4])).eval()
        image = torch.zeros(1, 3, height, width)
        down = [tuple(level.features.shape[-2:]) for level in network.encoder(image)]
        ups: list[tuple[int, ...]] = []
        for up in reversed(network.ups):
            up.register_forward_hook(lambda m, i, out: ups.append(tuple(out.shape[-2:])))
        network(image)
    maps = [("the image", (height, width)), *((f"down, 1/{2 ** (i + 1)}", size) for i, size in enumerate(down))]
    maps += [(f"up, 1/{2 ** (len(ups) - 1 - i)}" if i < len(ups) - 1 else "the output", size) for i, size in enumerate(ups)]
    for count in range(1, len(maps) + 1):
        sheet = Drawing(420)
        sheet.text(480, 24, f"FCN-8s on an image of {height} × {width} pixels", weight="bold")
        for place, (name, (rows, columns)) in enumerate(maps[:count]):
            middle = 50 + 86 * place
            colour = BLUE if place <= len(down) else GREEN
            edge = RED if place == count - 1 else colour
            w, h = (10 + 68 * side / width for side in (columns, rows))
            sheet.square(middle - w / 2, 200 - h / 2, w, h, fill=colour, strength=0.35, edge=edge, stroke=3)
            sheet.text(middle, 290, f"{rows} × {columns}", size=16)
            sheet.text(middle, 322, name.replace(", ", "\n"), size=16)
            stride = 2 ** (len(maps) - 1 - place)
            if place > len(down) and stride in (8, 16):  # the place on the way down of the same stride
                start = 50 + 86 * (stride.bit_length() - 1)
                level = 100 if stride == 8 else 124
                sheet.line((start, 140), (start, level), (middle, level), colour=RED, width=2.5)
                sheet.arrow((middle, level), (middle, 168), colour=RED, width=2.5)
        name, (rows, columns) = maps[count - 1]
        added = "; what was there on the way down is added" if name in ("up, 1/16", "up, 1/8") else ""
        yield frame(sheet, f"{name[0].upper()}{name[1:]}: {rows} × {columns}{added}.")


MOVING = {
    "F01": MovingPicture(losses, "Twelve weights after 50 steps with three losses and rates, computed."),
    "F02": MovingPicture(touching, "Two objects and the mask of both, which two regions tell apart."),
    "F03": MovingPicture(
        window,
        "A window on an image, how often each pixel was seen, and the operations that both plans take.",
    ),
    "F05": MovingPicture(skips, "The maps of FCN-8s, down and up again, and the two that are added on the way up."),
    "F07": MovingPicture(labels, "An image, its mask, and how many numbers each task needs of a person."),
    "H03": MovingPicture(instances, "Two instance segmentations that have the same boxes and the same mask."),
}
