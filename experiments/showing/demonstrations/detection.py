"""Lecture 2: from R-CNN to Faster R-CNN, a grid of cells, and boxes that suppress each other."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import box_iou, nms, roi_pool

from experiments.reports.moving.drawing import GREEN, GREY, ORANGE, RED, Drawing
from experiments.reports.moving.frame import Frame, frame

from .live import SEED, seeded_nets, share


def rcnn_to_faster(effort: float = 1) -> Iterator[Frame]:
    """G19: seconds of an image, by crops, by one shared map, and without a search for regions; timed here and now."""
    from datamodules import SelectiveSearch
    from datamodules.drawing import Style, draw

    scene = draw(7, 5, Style(image_size=(160, 160), objects=(3, 3)))
    nets = seeded_nets(
        {
            "backbone": lambda: nn.Sequential(
                nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
                nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(),
            ),
            "head": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64 * 49, 64), nn.ReLU(), nn.Linear(64, 21)),
            "proposer": lambda: nn.Sequential(nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 9 * 5, 1)),
        }
    )  # fmt: skip
    backbone, head, proposer = nets.values()
    image = scene["image"][None].float() / 255
    search = SelectiveSearch("fast", count=100_000, cache=False)
    search(scene["image"][:, :32, :32])  # its loops are compiled before a clock runs
    with torch.inference_mode():
        head(roi_pool(backbone(image), [torch.tensor([[0.0, 0, 80, 80]])], 7, 1 / 4))
        began = time.perf_counter()
        regions = search(scene["image"])
        seconds = {"search for regions": time.perf_counter() - began}
        spent: dict[str, float] = {}
        count = share(len(regions), min(1.0, effort))
        crops = max(1, count // 16)

        def drawn(words: str, shown: Tensor) -> Frame:
            sheet = Drawing(460)
            sheet.image(scene["image"].permute(1, 2, 0).numpy(), 30, 60, 340, 340)
            for x1, y1, x2, y2 in (shown * 340 / 160).tolist():
                sheet.square(30 + x1, 60 + y1, x2 - x1, y2 - y1, edge=ORANGE, stroke=1.5)
            sheet.text(200, 30, f"{count} regions of an image", weight="bold")
            sheet.text(660, 30, "milliseconds of one image, timed here", weight="bold")
            sheet.bars(410, 90, 500, {name: 1000 * value for name, value in spent.items()}, unit="ms")
            return frame(sheet, words)

        for first in range(0, count, crops):
            began = time.perf_counter()
            for x1, y1, x2, y2 in regions[first : min(count, first + crops)].tolist():
                crop = image[..., int(y1) : int(y2) + 1, int(x1) : int(x2) + 1]
                head(roi_pool(backbone(F.interpolate(crop, (56, 56))), [torch.tensor([[0.0, 0, 56, 56]])], 7, 1 / 4))
            name = "R-CNN: search, a net a region"
            spent[name] = spent.get(name, seconds["search for regions"]) + time.perf_counter() - began
            done = min(count, first + crops)
            yield drawn(f"R-CNN has warped {done} of {count} regions and put each through the net.", regions[first:done])
        began = time.perf_counter()
        maps = backbone(image)
        head(roi_pool(maps, [regions[:count]], 7, 1 / 4))
        shared = time.perf_counter() - began
        spent["Fast R-CNN: search, one map"] = seconds["search for regions"] + shared
        yield drawn("Fast R-CNN computes the convolutions once, and cuts all regions out of one map.", regions[:count])
        began = time.perf_counter()
        maps = backbone(image)
        proposer(maps)
        head(roi_pool(maps, [regions[:count]], 7, 1 / 4))
        spent["Faster R-CNN: proposes itself"] = time.perf_counter() - began
        yield drawn("Faster R-CNN proposes regions from the same map, without a search.", regions[:count])
        slow, fast, faster = spent.values()
        yield drawn(f"Here: R-CNN ÷ Fast {slow / fast:.1f}, Fast ÷ Faster {fast / faster:.1f}.", regions[:0])


def yolo_grid(effort: float = 1) -> Iterator[Frame]:
    """G21: a small YOLO learns two objects a scene; the confidence of its cells, and its boxes."""
    from datamodules.drawing import Style, draw
    from lightning_modules.networks import YOLO

    style = Style(image_size=(64, 64), objects=(1, 2), clutter=0.1, object_size=(0.25, 0.5), texture=0.2)
    scenes = [draw(SEED, i, style) for i in range(share(160, max(effort, 0.1)))]
    pixels = torch.stack([scene["image"] for scene in scenes])
    images = pixels.float() / 64 - 2
    net = seeded_nets({"yolo": lambda: YOLO(6, score_threshold=-1.0)})["yolo"]
    assert isinstance(net, YOLO)
    rng = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    each = share(40, effort)
    for turn in range(share(22, effort) + 1):
        net.train()
        for _ in range(each if turn else 0):
            chosen = torch.randint(len(images), (12,), generator=rng)
            outputs = net(images[chosen])
            boxes, labels = ([scenes[i][key] for i in chosen.tolist()] for key in ("boxes", "labels"))
            loss = sum(mean.value for mean in net.losses(outputs, boxes, labels).values())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[union-attr, no-untyped-call]
            optimizer.step()
        with torch.inference_mode():
            outputs = net.eval()(images[:2])
            found = net.predict(outputs)
        sheet, ious = Drawing(470), []
        sheet.text(480, 24, "a tensor of 7 × 7 × (5 · 2 + 6), a forward pass", weight="bold")
        for k in range(2):
            left = 30 + 470 * k
            sheet.image(pixels[k].permute(1, 2, 0).numpy(), left, 50, 360, 360)
            sure = outputs.grid[k, :, :, [4, 9]].amax(-1).clamp(0, 1)
            for (row, column), value in ((divmod(i, 7), float(v)) for i, v in enumerate(sure.flatten())):
                sheet.square(
                    left + 360 * column / 7, 50 + 360 * row / 7, 360 / 7, 360 / 7, fill=RED, strength=0.6 * value, stroke=0.6
                )  # fmt: skip
            best = found[k]["boxes"][: len(scenes[k]["boxes"])]  # as many as there are objects, the best scores first
            overlap = box_iou(scenes[k]["boxes"], best)
            ious.append(float(overlap.max(1).values.mean()) if overlap.numel() else 0.0)
            for rows, colour in ((scenes[k]["boxes"], GREEN), (best, RED)):
                for x1, y1, x2, y2 in (rows.clamp(0, 64) * 360 / 64).tolist():
                    sheet.square(left + x1, 50 + y1, x2 - x1, y2 - y1, edge=colour, stroke=4)
        sheet.text(480, 440, "green: objects; red: the best boxes, and the confidence of each cell", size=20)
        said = " and ".join(f"{iou:.2f}" for iou in ious)
        yield frame(sheet, f"After {turn * each} steps the best boxes of these two training scenes have IoUs of {said}.")


def suppression(effort: float = 1) -> Iterator[Frame]:
    """Non-maximum suppression, box by box: of two that overlap too much the better stays."""
    from datamodules.drawing import Style, draw

    scene = draw(7, 2, Style(image_size=(96, 96), objects=(2, 2), object_size=(0.24, 0.45)))
    rng = torch.Generator().manual_seed(SEED)
    around = scene["boxes"].repeat_interleave(6, 0)
    boxes = (around + 4 * torch.randn(around.shape, generator=rng)).clamp(0, 96)
    scores = box_iou(boxes, scene["boxes"]).max(1).values.mul(0.9).add(0.1 * torch.rand(len(boxes), generator=rng))
    order = scores.argsort(descending=True)
    boxes, scores = boxes[order], scores[order]
    alive, kept = torch.ones(len(boxes), dtype=torch.bool), []
    while bool(alive.any()):
        best = int(alive.nonzero()[0])
        overlaps = box_iou(boxes[best : best + 1], boxes)[0]
        falls = alive & (overlaps > 0.5)
        falls[best] = False
        kept.append(best)
        for stage in (0, 1):
            sheet = Drawing(460)
            sheet.image(scene["image"].permute(1, 2, 0).numpy(), 40, 60, 360, 360)
            for i, (x1, y1, x2, y2) in enumerate((boxes * 360 / 96).tolist()):
                if i in kept or alive[i]:
                    colour = RED if i in kept else GREY if stage and falls[i] else ORANGE
                    sheet.square(40 + x1, 60 + y1, x2 - x1, y2 - y1, edge=colour, stroke=4 if i in kept else 2)
            sheet.text(220, 30, f"{int(alive.sum())} boxes left, {len(kept)} kept", weight="bold")
            shown = {f"IoU with box {i + 1}": float(overlaps[i]) for i in alive.nonzero().flatten().tolist()[:7] if i != best}
            sheet.text(690, 70, f"best score left: {float(scores[best]):.2f}", size=24)
            sheet.bars(480, 130, 420, shown, most=1)
            words = f"Box {best + 1} has the best score, {float(scores[best]):.2f}, and is kept."
            yield frame(sheet, words if not stage else f"{int(falls.sum())} boxes overlap it by more than half, and go.")
            if stage:
                alive &= ~falls
                alive[best] = False
    same = torch.equal(torch.tensor(kept), nms(boxes, scores, 0.5))
    sheet = Drawing(460)
    sheet.image(scene["image"].permute(1, 2, 0).numpy(), 40, 60, 360, 360)
    for x1, y1, x2, y2 in (boxes[kept] * 360 / 96).tolist():
        sheet.square(40 + x1, 60 + y1, x2 - x1, y2 - y1, edge=RED, stroke=4)
    sheet.text(690, 200, f"{len(boxes)} boxes, {len(kept)} kept", size=30)
    sheet.text(690, 260, f"torchvision's nms keeps the same: {'yes' if same else 'no'}", size=20)
    yield frame(sheet, f"Of {len(boxes)} boxes {len(kept)} are kept; torchvision keeps {'the same' if same else 'others'}.")
