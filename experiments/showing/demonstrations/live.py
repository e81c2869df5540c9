"""What the demonstrations share: a small net that is trained on for a while, and several whose curves grow side by side.

``effort`` is the share of a demonstration's steps that are done: 1 is what people are shown, a test takes less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from experiments.measures.small_training import minimise
from experiments.reports.moving.drawing import Coordinates, Drawing
from experiments.reports.moving.frame import Frame, frame

Advance = Callable[[int], float]
"""Trains for so many steps more; returns the mean loss of these steps."""
SEED = 0


def share(steps: int, effort: float, least: int = 1) -> int:
    """So many steps, or the share of them that is asked for, but no fewer than the least."""
    return max(least, round(steps * effort))


def trainee(
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    optimizer: Optimizer,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    schedule: LRScheduler | None = None,
    augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    batch: int = 64,
) -> Advance:
    """A net and its optimizer, ready to go on: batches come epoch by epoch in an order drawn from the one seed."""
    rng = torch.Generator().manual_seed(SEED)
    waiting: list[Tensor] = []

    def of_a_batch() -> Tensor:
        if not waiting:
            waiting.extend(torch.randperm(len(inputs), generator=rng).split(batch))
        chosen = waiting.pop(0)
        images = inputs[chosen]
        return loss(net(images if augment is None else augment(images, rng)), targets[chosen])

    fixed = schedule or LambdaLR(optimizer, lambda step_number: 1.0)
    state = torch.Generator().manual_seed(SEED).get_state()

    def advance(steps: int) -> float:
        nonlocal state
        net.train()
        with torch.random.fork_rng(devices=[]):  # what dropout draws
            torch.set_rng_state(state)
            losses = minimise(of_a_batch, optimizer, fixed, steps)
            state = torch.get_rng_state()
        return sum(losses) / len(losses)

    return advance


def race(
    advances: Mapping[str, Advance],
    measure: Callable[[str, float], float],
    *,
    turns: int,
    steps: int,
    effort: float,
    title: str,
    y_title: str,
    limits: tuple[float, float] = (0, 1),
    log_y: bool = False,
    beside: Callable[[Drawing, str], None] | None = None,
) -> Iterator[Frame]:
    """Trains all of them in turns, and draws a curve for each.

    Args:
        advances: by the curve's name.
        measure: of a name and the mean loss of its last steps, what is drawn.
        turns: points of a curve.
        steps: of training, between two points.
        effort: see above.
        title: above the curves.
        y_title: what is drawn, and its unit.
        limits: of what is drawn.
        log_y: whether its axis is logarithmic.
        beside: draws more, right of the curves, for the name that has just been trained.
    """
    lines: dict[str, list[Coordinates]] = {name: [] for name in advances}
    each = share(steps, effort)
    for turn in range(1, share(turns, effort, 2) + 1):
        for name, advance in advances.items():
            value = measure(name, advance(each))
            lines[name].append((float(turn * each), value))
            sheet = Drawing(440)
            sheet.text(30, 24, title, anchor="start", weight="bold")
            box = (0.0, float(share(turns, effort, 2) * each), *limits)
            sheet.curves(
                90, 76, 480, 280, lines, limits=box, log_y=log_y, x_title="optimizer steps", y_title=y_title
            )  # fmt: skip
            if beside:
                beside(sheet, name)
            now = "; ".join(f"{key} {points[-1][1]:.3g}" for key, points in lines.items() if points)
            yield frame(sheet, f"After {turn * each} steps, {y_title}: {now}.")


def error_of(nets: Mapping[str, nn.Module], inputs: Tensor, targets: Tensor) -> Callable[[str, float], float]:
    """Measures the share of these that a net has wrong, in percent."""

    def measured(name: str, loss: float) -> float:
        net = nets[name].eval()
        with torch.inference_mode():
            return 100 * float((net(inputs).argmax(1) != targets).float().mean())

    return measured


def seeded_nets(makes: Mapping[str, Callable[[], nn.Module]]) -> dict[str, nn.Module]:
    """What each makes, all from the one seed; torch's own generator is left as it was."""
    found = {}
    for name, make in makes.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            found[name] = make()
    return found


@cache
def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """scikit-learn's 8 × 8 digits: 1,200 images (N, 1, 8, 8) from 0 to 1 and labels to train on, 597 of each to test."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = torch.from_numpy(data.images).float()[:, None] / 16
    labels = torch.from_numpy(data.target).long()
    return images[:1200], labels[:1200], images[1200:], labels[1200:]


@cache
def shapes(count: int, side: int = 32, **style: Any) -> dict[str, Tensor]:
    """Drawn scenes of one object: ``image`` float (N, 3, H, W) from 0 to 1, ``label`` (N,), ``mask`` (N, H, W)."""
    from datamodules.drawing import Style, draw

    options: dict[str, Any] = {"objects": (1, 1), "object_size": (0.4, 0.7), "clutter": 0.2, "texture": 0.3} | style
    scenes = [draw(SEED, i, Style(image_size=(side, side), **options)) for i in range(count)]
    return {
        "image": torch.stack([scene["image"] for scene in scenes]).float() / 255,
        "label": torch.stack([scene["label"] for scene in scenes]),
        "mask": torch.stack([scene["mask"] for scene in scenes]).long(),
    }


def perceptron(depth: int, activation: Callable[[], nn.Module], width: int = 64) -> nn.Sequential:
    """A fully connected net for the digits with ``depth`` hidden layers."""
    layers: list[nn.Module] = [nn.Flatten()]
    for i in range(depth):
        layers += [nn.Linear(64 if i == 0 else width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 10))
