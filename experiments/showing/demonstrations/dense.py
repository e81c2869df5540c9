"""Lecture 2: an output for each pixel, and targets that are numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.measures.segmentation import phase_energy
from experiments.reports.moving.drawing import BLUE, GREEN, GREY, RED, Drawing
from experiments.reports.moving.frame import Frame, frame
from experiments.reports.moving.segmentation import painted

from .live import SEED, seeded_nets, shapes, share, trainee


class DownAndUp(nn.Module):
    """A small net that pools twice and comes back by one way up; it hands that way the positions of its maxima."""

    def __init__(self, way: type[nn.Module], classes: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU()) for i, o in ((3, 16), (16, 24))
        )
        self.up = nn.ModuleList([way(24, 16), way(16, classes)])
        self.between = nn.BatchNorm2d(16)

    def forward(self, images: Tensor) -> Tensor:
        """From float (B, 3, H, W) to logits (B, classes, H, W)."""
        x, passed = images, []
        for layer in self.down:
            x = layer(x)
            size = (x.shape[2], x.shape[3])
            x, places = F.max_pool2d(x, 2, return_indices=True)
            passed.append((places, size))
        for i, layer in enumerate(self.up):
            places, size = passed[-1 - i]
            x = layer(F.relu(self.between(x)) if i else x, places, size)
        return x


def upsampling(effort: float = 1) -> Iterator[Frame]:
    """F10: the same way down, three ways up, and the masks that come of it."""
    from lightning_modules.networks.upsampling import BedOfNails, MaxUnpooling, NearestNeighbor

    count = share(240, max(effort, 0.1))
    data = shapes(count + 32)
    objects = (data["mask"] > 0).long()
    images, masks = data["image"][count:], objects[count:]
    ways = {"max unpooling": MaxUnpooling, "nearest neighbour": NearestNeighbor, "bed of nails": BedOfNails}
    nets = seeded_nets({name: partial(DownAndUp, way, 2) for name, way in ways.items()})
    advances = {
        name: trainee(net, data["image"][:count], objects[:count], torch.optim.AdamW(net.parameters(), 1e-2), batch=24)
        for name, net in nets.items()
    }
    right: dict[str, float] = {}
    for turn in range(1, share(16, effort, 2) + 1):
        for name, net in nets.items():
            advances[name](share(12, effort))
            net.eval()
            with torch.inference_mode():
                found = net(images).argmax(1)
            hit, either = ((found > 0) & (masks > 0)).sum(), ((found > 0) | (masks > 0)).sum()
            right[name] = 100 * float(hit / either.clamp(min=1))
        sheet = Drawing(470)
        for row in (0, 1):
            sheet.image(images[row].permute(1, 2, 0).numpy(), 20, 50 + 210 * row, 170, 170)
            sheet.image(painted(masks[row]), 205, 50 + 210 * row, 170, 170)
        sheet.text(105, 26, "image", weight="bold")
        sheet.text(290, 26, "truth", weight="bold")
        for i, (name, net) in enumerate(nets.items()):
            sheet.text(480 + 185 * i, 26, name, weight="bold", size=18)
            with torch.inference_mode():
                found = net(images[:2]).argmax(1)
            for row in (0, 1):
                sheet.image(painted(found[row]), 395 + 185 * i, 50 + 210 * row, 170, 170)
            sheet.text(480 + 185 * i, 450, f"IoU {right[name]:.0f} %", size=20)
        said = ", ".join(f"{name} {value:.0f} %" for name, value in right.items())
        yield frame(sheet, f"After {turn * share(12, effort)} steps, IoU of objects on new scenes: {said}.")


def checkerboard(effort: float = 1) -> Iterator[Frame]:
    """F14: a smooth picture is learned; what a transpose convolution of 3 × 3 leaves on it."""
    from lightning_modules.networks.upsampling import NearestNeighbor, TransposeConv

    ways = {
        "transpose 3 × 3": lambda i, o: TransposeConv(i, o, 3, "random"),
        "transpose 4 × 4": lambda i, o: TransposeConv(i, o, 4, "random"),
        "nearest, then 3 × 3": NearestNeighbor,
    }

    class Up(nn.Module):
        def __init__(self, way: object) -> None:
            super().__init__()
            self.layers = nn.ModuleList([way(8, 8), way(8, 8), way(8, 3)])  # type: ignore[operator]

        def forward(self, x: Tensor) -> Tensor:
            for i, layer in enumerate(self.layers):
                x = F.relu(x) if i else x
                x = layer(x, torch.zeros(0, dtype=torch.long), (2 * x.shape[2], 2 * x.shape[3]))
            return x

    nets = seeded_nets({name: partial(Up, way) for name, way in ways.items()})
    rng = torch.Generator().manual_seed(SEED)
    codes = torch.randn(48, 8, 6, 6, generator=rng)
    pictures = F.interpolate(torch.rand(48, 3, 3, 3, generator=rng), size=(48, 48), mode="bicubic").clamp(0, 1)
    codes[:, :3] = F.interpolate(pictures, size=(6, 6), mode="area") * 4 - 2  # what is to be drawn is in them
    advances = {
        name: trainee(net, codes, pictures, torch.optim.Adam(net.parameters(), 3e-3), loss=F.mse_loss, batch=16)
        for name, net in nets.items()
    }
    for turn in range(share(18, effort) + 1):
        sheet = Drawing(470)
        said = []
        for i, (name, net) in enumerate(nets.items()):
            if turn:
                advances[name](share(12, effort))
            with torch.inference_mode():
                drawn = net.eval()(codes)
            out, board = drawn[0].clamp(0, 1), 100 * float(phase_energy(drawn))  # the study's own measure
            sheet.text(140 + 235 * i, 26, name, weight="bold", size=18)
            sheet.image(out.permute(1, 2, 0).numpy(), 30 + 235 * i, 50, 220, 220)
            detail = out[:, 16:28, 16:28]
            low, high = float(detail.min()), float(detail.max())
            sheet.image(((detail - low) / (high - low + 1e-9)).permute(1, 2, 0).numpy(), 80 + 235 * i, 290, 120, 120)
            sheet.text(140 + 235 * i, 440, f"board {board:.2g} %", size=20)
            said.append(f"{name} {board:.2g} %")
        sheet.text(845, 26, "to be drawn", weight="bold", size=18)
        sheet.image(pictures[0].permute(1, 2, 0).numpy(), 735, 50, 220, 220)
        sheet.text(845, 350, "below: a detail,\nits contrast stretched", size=18)
        yield frame(
            sheet, f"After {turn * share(12, effort)} steps, share of fine variance in a checkerboard: {', '.join(said)}."
        )


def pose(effort: float = 1) -> Iterator[Frame]:
    """E07: fourteen keypoints as 28 numbers."""
    from datamodules.drawing import Style, draw, metadata

    style = Style(image_size=(48, 48), objects=(0, 0), figures=(1, 1), clutter=0.1, articulation=0.2, texture=0.1)
    skeleton = metadata(style).skeleton
    scenes = [draw(SEED, i, style) for i in range(share(600, max(effort, 0.1)))]
    images = torch.stack([scene["image"] for scene in scenes]).float() / 255
    points = torch.stack([scene["keypoints"][0, :, :2] for scene in scenes]) / 48
    held = len(images) * 5 // 6
    nets = seeded_nets(
        {
            "pose": lambda: nn.Sequential(
                nn.Conv2d(3, 16, 5, 2, 2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32),
                nn.ReLU(), nn.Conv2d(32, 48, 3, 2, 1), nn.BatchNorm2d(48), nn.ReLU(), nn.Flatten(), nn.Linear(1728, 28),
                nn.Unflatten(1, (14, 2)),
            )
        }
    )  # fmt: skip
    net = nets["pose"]
    advance = trainee(
        net, images[:held], points[:held], torch.optim.AdamW(net.parameters(), 3e-3), loss=F.smooth_l1_loss, batch=30
    )  # fmt: skip
    for turn in range(share(24, effort) + 1):
        if turn:
            advance(share(30, effort))
        with torch.inference_mode():
            found = net.eval()(images[held:])
        apart = 48 * float((found - points[held:]).norm(dim=-1).mean())
        sheet = Drawing(440)
        for k in range(3):
            left = 20 + 315 * k
            sheet.image(images[held + k].permute(1, 2, 0).numpy(), left, 50, 300, 300)
            for joints, colour in ((points[held + k], GREEN), (found[k], RED)):
                spots = [(left + 300 * float(x), 50 + 300 * float(y)) for x, y in joints]
                for a, b in skeleton:
                    sheet.line(spots[a], spots[b], colour=colour, width=3)
                for x, y in spots:
                    if left - 5 < x < left + 305:
                        sheet.circle(x, y, 4, fill=colour, strength=1, edge=colour)
        sheet.text(480, 24, "new figures: truth green, 28 numbers of the net red", weight="bold")
        sheet.text(480, 396, f"mean distance {apart:.1f} of 48 pixels", size=26)
        yield frame(sheet, f"After {turn * share(30, effort)} steps the keypoints lie {apart:.1f} pixels off in the mean.")


def robust_losses(effort: float = 1) -> Iterator[Frame]:
    """E08: a line through points of which a fifth is wrong, by three losses."""
    rng = torch.Generator().manual_seed(SEED)
    x = torch.rand(60, generator=rng) * 2 - 1
    y = 0.8 * x + 0.05 * torch.randn(60, generator=rng)
    y[:12] = 1.4 + 0.4 * torch.rand(12, generator=rng)
    losses = {"L2": F.mse_loss, "L1": F.l1_loss, "smooth L1": lambda a, b: F.smooth_l1_loss(a, b, beta=0.1)}
    lines = {name: torch.zeros(2, requires_grad=True) for name in losses}
    optimizers = {name: torch.optim.Adam([line], 0.05) for name, line in lines.items()}
    for turn in range(share(30, effort) + 1):
        for name, loss in losses.items():
            for _ in range(share(10, effort) if turn else 0):
                optimizers[name].zero_grad()
                loss(lines[name][0] * x + lines[name][1], y).backward()  # type: ignore[no-untyped-call, operator]
                optimizers[name].step()
        sheet = Drawing(450)
        sheet.square(60, 30, 520, 390)
        for k, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
            place = 320 + 250 * a, 270 - 120 * b
            if k < 12:
                sheet.square(place[0] - 5, place[1] - 5, 10, 10, fill=GREY, strength=0.9, edge=GREY)
            else:
                sheet.circle(*place, 5, fill=GREY, strength=0.6)
        off = {}
        for i, (name, line) in enumerate(lines.items()):
            slope, bias = line.tolist()
            off[name] = float((slope * x[12:] + bias - 0.8 * x[12:]).abs().mean())
            ends = [(320 + 250 * a, 270 - 120 * (slope * a + bias)) for a in (-1.0, 1.0)]
            sheet.line(*ends, colour=(RED, BLUE, GREEN)[i], width=3, dash=("", "9 5", "3 4")[i])
            sheet.line(
                (620, 110 + 80 * i), (670, 110 + 80 * i), colour=(RED, BLUE, GREEN)[i], width=4, dash=("", "9 5", "3 4")[i]
            )
            sheet.text(686, 110 + 80 * i, f"{name}: {off[name]:.2f} off", anchor="start", size=22)
        sheet.text(770, 370, "squares: wrong targets", size=18)
        said = ", ".join(f"{name} {value:.2f}" for name, value in off.items())
        yield frame(sheet, f"After {turn * share(10, effort)} steps the lines lie off the right one by {said}.")
