"""A batch in two processes, and workers that do not wait for each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import nn

from experiments.measures.data_parallel import apart, gradients_alone, gradients_of_processes
from experiments.studies.study import TUNING_SEED, Measured
from lightning_modules.networks import Kaiming, SmallConvNet

from ._perceptrons import best_lr, digits, errors, losses, trained
from ._scenes import training_images
from ._small_net import RECIPE

BATCH = 16
NETS, WIDTH, STEPS = 10, 32, 2000
ERROR, SHARED = "test error", "test error at one worker's rate"


def two_processes(*, seed: int, folder: Path) -> Measured:
    """How far the gradients of two processes are from those of one, in double precision: with equal shares, with unequal ones,
    with a batch normalisation that sees its own share alone."""
    images, labels = training_images(RECIPE, BATCH, train=BATCH, data_seed=seed)
    torch.manual_seed(seed)
    plain = SmallConvNet(6, widths=[8, 16], initialization=Kaiming())
    normalised = SmallConvNet(6, widths=[8, 16], initialization=Kaiming(), normalization=nn.BatchNorm2d)
    for network in (plain, normalised):
        network(images)  # gives the lazy layer its size
        network.double()
    images = images.double()
    shared = {"equal shares": (plain, (8, 8)), "unequal shares": (plain, (11, 5)), "batch normalisation": (normalised, (8, 8))}
    found = gradients_of_processes(list(shared.values()), images, labels)
    alone = [gradients_alone(network, images, labels) for network, _ in shared.values()]
    return Measured({name: apart(a, b) for name, a, b in zip(shared, found, alone, strict=True)})


@cache
def chosen_lr(workers: int) -> tuple[float, bool]:
    """By the mean training loss of ten nets that are not judged."""
    train, _ = digits(TUNING_SEED)
    seeds = range(TUNING_SEED, TUNING_SEED + NETS)
    return best_lr(lambda lr: float(losses(trained(train, seeds, WIDTH, lr, STEPS, workers - 1), *train).mean()))


def asynchronous(*, seed: int, folder: Path, workers: int) -> Measured:
    """Workers in turn: each gradient is applied after those of all others that began before it. At the rate that is best for so
    many workers, and at the one that is best for one."""
    train, test = digits(seed)
    seeds = range(NETS * seed, NETS * (seed + 1))
    (lr, inside), (shared, _) = chosen_lr(workers), chosen_lr(1)
    own, same = (trained(train, seeds, WIDTH, rate, STEPS, workers - 1) for rate in (lr, shared))
    values = {ERROR: float(errors(own, test).mean()), SHARED: float(errors(same, test).mean())}
    values |= {"training loss": float(losses(own, *train).mean()), "rate": lr, "rate inside": float(inside)}
    return Measured(values)
