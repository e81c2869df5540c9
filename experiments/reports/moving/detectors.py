"""Both lectures, detectors as networks: the stages in which R-CNN learns, and the default boxes of SSD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .drawing import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing
from .frame import Frame, MovingPicture, frame

SIDE, COUNT = 96, 40
"""Pixels of a drawn image's side, and how many images the stages learn from; each has one object."""


class JitteredRegions(NamedTuple):
    """JitteredRegions about the objects of all images."""

    crops: Any
    """float32 (R, 192): each region's 8 × 8 pixels, RGB."""
    boxes: Any
    """float64 (R, 4), xyxy in pixels."""
    truth: Any
    """float64 (R, 4): the object of the region's image."""
    overlaps: Any
    """float64 (R,): their IoU."""


def _regions() -> tuple[Any, JitteredRegions]:
    """The first image (3, H, W), and regions of all of them: the object's box, moved and scaled by a little and by much."""
    import torch
    from torchvision.ops import clip_boxes_to_image, roi_align

    from datamodules.drawing import Style, draw
    from lightning_modules.networks.boxes import paired_iou

    scenes = [draw(7, i, Style(image_size=(SIDE, SIDE), objects=(1, 1), clutter=0.4)) for i in range(COUNT)]
    images = torch.stack([scene["image"] for scene in scenes]).float() / 255
    rng = torch.Generator().manual_seed(0)
    truth = torch.cat([scene["boxes"] for scene in scenes]).double().repeat_interleave(12, 0)
    sides = (truth[:, 2:] - truth[:, :2]).repeat(1, 2)
    far = torch.tensor([0.12] * 6 + [0.7] * 6).repeat(COUNT)[:, None]
    noise = torch.randn(len(truth), 2, 2, generator=rng).double()
    boxes = clip_boxes_to_image(
        truth + far * sides * (noise[:, 0].repeat(1, 2) + 0.5 * noise[:, [1, 1]].flatten(1)), (SIDE, SIDE)
    )
    whole = ((boxes[:, 2:] - boxes[:, :2]) > 4).all(1)
    place = torch.arange(COUNT).repeat_interleave(12)[whole]
    boxes, truth = boxes[whole], truth[whole]
    crops = roi_align(images, torch.cat([place[:, None].float(), boxes.float()], 1), 8, aligned=True).flatten(1)
    return scenes[0]["image"], JitteredRegions(crops, boxes, truth, paired_iou(boxes, truth))


def pipeline() -> Iterator[Frame]:
    """G09: a net is fine-tuned by the log loss, then a linear SVM is fitted to its features, then a regressor of boxes."""
    import torch
    import torch.nn.functional as F
    from sklearn.linear_model import Ridge
    from sklearn.svm import LinearSVC
    from torchvision.models.detection._utils import BoxCoder

    from lightning_modules.networks.boxes import paired_iou

    image, regions = _regions()
    objects = (regions.overlaps >= 0.5).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(regions.crops.shape[1], 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    optimizer, losses = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9), []
    for step in range(121):
        loss = F.cross_entropy(net(regions.crops), objects)
        losses.append((float(step), float(loss.detach())))
        if step in (20, 120):
            sheet = _stage(1, "fine-tuning with the log loss")
            sheet.curves(120, 130, 500, 210, {"log loss": losses}, x_title="steps", limits=(0, 120, 0, losses[0][1] * 1.1))
            yield frame(sheet, f"Stage 1: after {step} steps the log loss of regions is {losses[-1][1]:.2f}.")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    features = net[:2](regions.crops).detach().numpy()
    svm = LinearSVC(loss="hinge", C=1.0, random_state=0, max_iter=20_000).fit(features, objects.numpy())
    margins = svm.decision_function(features)
    for shown in ("before", "after"):
        sheet = _stage(2, "an SVM is fitted to the net's features, which no longer change")
        values = margins if shown == "after" else np.zeros_like(margins)
        for kind, (colour, name) in enumerate(((GREY, "background"), (BLUE, "object"))):
            edges = np.linspace(-4, 4, 17)
            counts = np.histogram(values[objects.numpy() == kind].clip(-3.99, 3.99), edges)[0]
            for count, left in zip(counts / max(1, counts.max()), edges, strict=False):
                sheet.square(480 + 90 * left, 330 - 190 * count, 45, 190 * count, fill=colour, strength=0.5, edge="")
            sheet.text(300 + 360 * kind, 400, f"{'grey' if kind == 0 else 'blue'}: {name}", size=18)
        sheet.line((480, 130), (480, 340), colour=RED, width=3)
        sheet.text(480, 365, "margin 0", size=18)
        right = float(((values > 0) == objects.bool().numpy()).mean())
        yield frame(sheet, f"Stage 2: {shown} the SVM is fitted, {right:.0%} of regions lie on their side of the margin.")
    near = regions.overlaps >= 0.5
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    offsets = coder.encode_single(regions.truth[near], regions.boxes[near])
    crops = regions.crops[near].double()
    ridge = Ridge(10.0).fit(crops.numpy(), offsets.numpy())
    found = torch.from_numpy(ridge.predict(crops.numpy()))
    for part in (0.0, 0.5, 1.0):
        moved = coder.decode_single(part * found, regions.boxes[near])
        sheet = _stage(3, "regressors of boxes are fitted to features of regions near an object")
        sheet.image(image.permute(1, 2, 0).numpy(), 60, 100, 300, 300)
        for boxes, colour in ((regions.truth, GREEN), (regions.boxes, ORANGE), (moved, RED)):
            x1, y1, x2, y2 = (boxes[0] * 300 / SIDE).tolist()
            sheet.square(60 + x1, 100 + y1, x2 - x1, y2 - y1, edge=colour, stroke=3)
        iou = float(paired_iou(moved, regions.truth[near]).mean())
        sheet.bars(440, 180, 440, {"mean IoU with the object": iou}, most=1)
        sheet.text(660, 290, "green: object, orange: region, red: moved", size=18)
        yield frame(sheet, f"Stage 3: boxes moved by {part:.0%} of what the regressors say have a mean IoU of {iou:.2f}.")


def _stage(number: int, says: str) -> Drawing:
    """The three stages in a row, those that are done or under way filled, and what happens in this one."""
    sheet = Drawing()
    for place, name in enumerate(("1. log loss", "2. SVMs", "3. box regressors")):
        here, done = place + 1 == number, place < number
        sheet.square(
            60 + 300 * place, 12, 240, 36, fill=BLUE if done else "", strength=0.5 if here else 0.15, edge=RED if here else GREY
        )
        sheet.text(180 + 300 * place, 30, name, weight="bold" if here else "normal")
        if place:
            sheet.arrow((60 + 300 * place - 54, 30), (60 + 300 * place - 6, 30))
    sheet.text(480, 76, says, size=18)
    return sheet


def default_boxes() -> Iterator[Frame]:
    """G22: the six maps of SSD300, the default boxes at a place of each, and how many there are so far."""
    import torch

    from experiments.lectures.cs231n.ssd_has_boxes_of_several_scales import BOX_SCALES, RATIOS
    from lightning_modules.networks import SSD
    from lightning_modules.networks.ssd import SSDBackbone

    maps: list[tuple[int, int]] = []
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = SSD(20, backbone=SSDBackbone, scales=6, ratios=RATIOS, box_scales=BOX_SCALES).eval()
        network.head.register_forward_pre_hook(lambda m, given: maps.extend(tuple(v.shape[-2:]) for v in given[0]))
        boxes = network(torch.zeros(1, 3, 300, 300)).defaults
    per_place = [2 + 2 * len(ratios) for ratios in RATIOS]
    first = 0
    for k, ((rows, columns), count) in enumerate(zip(maps, per_place, strict=True)):
        middle = first + count * (columns * (rows // 2) + columns // 2)
        sheet = Drawing(460)
        sheet.text(220, 30, f"map {k + 1} of 6: {rows} × {columns} places", weight="bold")
        sheet.square(70, 70, 300, 300, fill=GREY, strength=0.06)
        for i in range(rows + 1):
            at = 300 * i / rows
            sheet.line((70, 70 + at), (370, 70 + at), colour=GREY, width=0.6)
            sheet.line((70 + at, 70), (70 + at, 370), colour=GREY, width=0.6)
        for place, (x1, y1, x2, y2) in enumerate(boxes[middle : middle + count].clamp(-60, 360).tolist()):
            colour = (RED, BLUE, GREEN, PINK, ORANGE, SKY)[place]
            sheet.square(70 + x1, 70 + y1, x2 - x1, y2 - y1, edge=colour, stroke=3)
        sheet.text(220, 444, f"at each place {count} default boxes", size=18)
        first += rows * columns * count
        so_far = {
            f"map {j + 1}: {r} × {c} × {n}": float(r * c * n)
            for j, ((r, c), n) in enumerate(zip(maps, per_place, strict=True)) if j <= k
        }  # fmt: skip
        sheet.bars(470, 90, 430, so_far, most=6000)
        sheet.text(685, 390, f"{first:,} default boxes", size=30)
        yield frame(
            sheet,
            f"Map {k + 1} has {rows} × {columns} places with {count} boxes each, {rows * columns * count:,} in all; "
            f"with the finer maps these are {first:,}.",
        )


MOVING = {
    "G09": MovingPicture(pipeline, "Three stages one after another: log loss, an SVM on the features, a regressor of boxes."),
    "G22": MovingPicture(
        default_boxes, "Default boxes of SSD300 at the middle of each of its six maps, and how many there are."
    ),
}
