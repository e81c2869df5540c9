"""The gradient of a mini-batch is the whole one plus noise of variance 1/|S|, and reaches a loss with far fewer images.

Deck “CNN, R-CNN”, slide “Dealing with Big Data”; Robbins & Monro 1951.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, grad, vmap

from experiments.lectures._amended import NEW_STATISTICS
from experiments.measures.training import BatchSize
from experiments.studies.lazy import L
from experiments.studies.results import Run, Runs
from experiments.studies.study import Amendment, Measured, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import Kaiming, SmallConvNet

from ._descent import LOSS, descent, slowness, steps_to
from ._scenes import training_images
from ._small_net import CUDA_CONVNET, DEVIATIONS, RECIPE

IMAGES, BATCH = 2048, 128
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
DRAWS = 64
WIDTHS = [8, 16]
THRESHOLD = 1.2
"""Training loss; a guess among six classes has ln 6 = 1.79."""
FULL_STEPS, MINI_STEPS = 120, 1920
"""Steps that a training has at most: the same images for both. It ends when it is at the threshold."""
GRADIENTS, FULL, MINI = "gradients", "full batch", "mini-batch"


def gradient_of_each(seed: int) -> Tensor:
    """The loss's gradient for each of 2,048 training images at a net's initial weights: float32 (images, weights)."""
    images, labels = training_images(RECIPE, IMAGES, train=IMAGES, data_seed=seed)
    torch.manual_seed(seed)
    net = SmallConvNet(6, widths=WIDTHS, initialization=Kaiming())
    with torch.no_grad():
        net(images[:1])  # gives the lazy layer its size
    weights = {name: value.detach() for name, value in net.named_parameters()}

    def loss(values: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(net, values, (image[None],)), label[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0), chunk_size=128)(weights, images, labels)
    return torch.cat([value.flatten(1) for value in each.values()], 1)


def noise(gradients: Tensor, size: int, rng: torch.Generator, *, repeats: bool) -> tuple[float, float]:
    """Of 64 mini-batches: the mean squared distance from the whole gradient over its square, and the mean cosine with it.

    ``repeats``: images are drawn independently, and not as an epoch draws them, each once.
    """
    whole, count = gradients.mean(0), len(gradients)
    if repeats:
        chosen = torch.randint(count, (DRAWS, size), generator=rng)
    else:
        chosen = torch.stack([torch.randperm(count, generator=rng)[:size] for _ in range(DRAWS)])
    shares = torch.zeros(DRAWS, count).scatter_add_(1, chosen, torch.full((DRAWS, size), 1 / size))
    batches = shares @ gradients
    distance = (batches - whole).square().sum(1).mean() / whole.square().sum()
    return float(distance), float(F.cosine_similarity(batches, whole[None]).mean())


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of ln y over ln x."""
    x, y = np.log(np.array(points)).T
    return float(np.polyfit(x, y, 1)[0])


def gradients(*, seed: int, folder: Path) -> Measured:
    each = gradient_of_each(seed)
    rng = torch.Generator().manual_seed(seed)
    found = [(size, *noise(each, size, rng, repeats=True)) for size in SIZES]
    epoch = [(size, noise(each, size, rng, repeats=False)[0]) for size in SIZES if size < IMAGES]
    # Of a finite set without repeats the variance is smaller, by (N − |S|)/(N − 1).
    corrected = [(size, distance * (IMAGES - 1) / (IMAGES - size)) for size, distance in epoch]
    curves = {"relative variance": [(s, d) for s, d, _ in found], "cosine": [(s, c) for s, _, c in found]}
    values = {"slope": slope(curves["relative variance"]), "slope without repeats, corrected": slope(corrected)}
    return Measured(values | {f"cosine of {s}": c for s, _, c in found}, curves)


def images(run: Run) -> float:
    """Training images passed through the net on the way to the loss."""
    return run.value("batch/size") * steps_to(THRESHOLD)(run)


APPROXIMATES = "Instead, approximate the gradient with a mini-batch (subset of examples: 100 ~ 1,000)"
DEAR = "Too expensive when having millions of training examples"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Reproduced: the variance of the mini-batch's gradient falls as |S| to the power of −1 ± 0.1; direction only: it falls.
    b. Reproduced: the whole batch needs 5 times the images of the mini-batch or more; direction only: it needs more."""
    law = runs.quantity("slope of ln variance over ln |S|", GRADIENTS, "slope", needs=Needs(-1.1, -0.9), paper=-1)
    cost = runs.ratio(
        "images to the loss, whole batch / mini-batch", FULL, MINI, images, budget=FULL_STEPS * IMAGES, needs=Needs(low=5)
    )
    cosine = runs.quantity(f"cosine of a mini-batch of {BATCH} with the whole gradient", GRADIENTS, f"cosine of {BATCH}")
    once = runs.quantity("slope without repeats, corrected", GRADIENTS, "slope without repeats, corrected")
    return {
        "a": Part(
            says=APPROXIMATES,
            effects=(law,),
            shown=(cosine, once),
            because=f"The variance of the gradient goes as |S| to the power of {law.estimate:.2f}; a mini-batch of {BATCH} "
            f"has a "
            f"cosine of {cosine.estimate:.2f} with the whole gradient.",
        ),
        "b": Part(
            says=DEAR,
            effects=(cost,),
            validity_checks=(runs.tuned(FULL, MINI),),
            shared_lr=runs.shared_lr_ratio(cost.name, FULL, MINI, images),
            because=f"To the same loss the whole batch of {IMAGES:,} takes {'more than ' if '>' in cost.bounds else ''}"
            f"{cost.estimate:.1f} times the images of batches of {BATCH}. Steps equal in number would make it "
            f"{IMAGES // BATCH}.",
        ),
    }


def batches(size: int, steps: int, every: int) -> dict[str, Any]:
    changes: dict[str, Any] = descent(steps, samples=500, every=every, until={"loss": THRESHOLD})
    changes["trainer.callbacks"] = [*changes["trainer.callbacks"], L(BatchSize)()]
    return {"data.batch_size": size, **changes}


study = Study(
    claim="B15",
    says=f"{DEAR}. {APPROXIMATES}",
    slide="Dealing with Big Data",
    paper="No figure; the mean of |S| independent gradients has 1/|S| of the variance of one.",
    work=Training(RECIPE),
    variants={
        GRADIENTS: Variant(work=Measurement(gradients)),
        FULL: batches(IMAGES, FULL_STEPS, 1),
        MINI: batches(BATCH, MINI_STEPS, 4),
    },
    controlled="net, images, momentum 0.9; as many images seen at most",
    tune=Tune(start=0.0316, by=slowness(THRESHOLD, MINI_STEPS), own_start={FULL: 0.1}),
    scales={
        "cpu": Scale(
            {"data.train": IMAGES, "model.network.widths": WIDTHS},
            deviations=(
                "two convolutions of 8 and 16 filters",
                *DEVIATIONS[1:],
                f"{IMAGES:,} training images, where the slide has millions: the more there are, the dearer is the whole batch",
                "loss measured on 500 of them",
            ),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, "data.train_samples": IMAGES},
            deviations=(f"{IMAGES:,} training images of CIFAR-10",),
        ),
    },
    seeds=6,
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "two parts: the approximation and its price; a run's images are counted by the batches that it saw, and not by its "
            "variant's name; twice the budget, since the whole batch came near to its end, and six seeds, since one may "
            "miss it",
        ),
    ),
    figure=LOSS,
)
