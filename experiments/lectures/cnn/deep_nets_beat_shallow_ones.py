"""With as many parameters and as wide a view, four convolutions do better than one: on shapes, on noise and on digits.

Deck “CNN, R-CNN”, slides “Deep vs. Shallow(?) Learning Examples”: “Classification”, “Denoising”, “OCR”. They show pictures, and
no figure.
"""

from __future__ import annotations

from typing import Any

import torch

from datamodules import CIFAR10, MNIST, Shapes
from experiments.lectures._length import steps
from experiments.measures.cost import Cost
from experiments.measures.training import TrainingSet
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import ResidualDenoiser, StackClassifier, StackFilter

from ._classical_denoising import classical
from ._small_net import MNIST_SOURCE

CLASSIFICATION, DENOISING, OCR, CLASSICAL = "classification", "denoising", "OCR", "classical denoising"
ERROR, PSNR, NOISY = "test/error", "test/psnr", "test/psnr_noisy"
CHANCE = {CLASSIFICATION: 5 / 6, OCR: 0.9}
"""Error of one guess."""
STACKS: dict[str, dict[str, Any]] = {
    "deep": {"width": 16, "stages": [2, 2], "kernel_size": 3, "pooling": 2},
    "shallow": {"width": 15, "stages": [1], "kernel_size": 13, "pooling": 4},
}
"""An output sees 16 x 16 pixels in both; with ten classes at 14 x 14 pixels they have 8,858 and 8,980 parameters."""
FILTERS: dict[str, dict[str, Any]] = {
    "deep": {"width": 16, "depth": 4, "kernel_size": 3},
    "shallow": {"width": 29, "depth": 1, "kernel_size": 9},
}
"""An output sees 11 x 11 pixels in both; they have 7,843 and 7,862 parameters."""


def name(task: str, depth: str) -> str:
    return f"{task}, {depth}"


def network(task: str, depth: str) -> Any:
    if task == DENOISING:
        return L(ResidualDenoiser)(network=L(StackFilter)(**FILTERS[depth]))
    return L(StackClassifier)(**STACKS[depth])


def variant(task: str, depth: str) -> dict[str, Any] | Variant:
    changes = {"model.network": network(task, depth)}
    if task == CLASSIFICATION:
        return changes
    if task == OCR:
        return changes | {"data": DIGITS}
    own = {"data": SCENES, **steps(300), "trainer.callbacks": SCORED, "trainer.max_epochs": -1, "trainer.limit_val_batches": 0}
    return Variant({**changes, **own}, work=Training("reconstruction/denoising_unet"))


def parts(runs: Runs) -> dict[str, Part]:
    """a, classes of drawn shapes; b, Gaussian noise; c, digits. Reproduced: the deep net has the lower test error (a, c), or
    the higher PSNR (b); direction and whole are one, since the lecture has no figure. As none counts what lies within ±1 point
    (a), ±0.1 dB (b), or ±0.4 points (c), which is a standard deviation over seeds on these digits."""

    def classes(task: str, margin: float) -> Part:
        deep, shallow = name(task, "deep"), name(task, "shallow")
        gain = runs.difference(f"test error, {task}, deep − shallow", deep, shallow, ERROR, needs=Needs(high=0, margin=margin))
        return Part(
            says=f"{SAYS}: {task}",
            effects=(gain,),
            shown=costs(task),
            validity_checks=(runs.tuned(deep, shallow), runs.beats(ERROR, CHANCE[task], greater=False, variants=[shallow])),
            shared_lr=runs.shared_lr(gain.name, deep, shallow, ERROR),
            because=f"Four convolutions change the test error by {gain.estimate:+.2f} points against one as large.",
        )

    def costs(task: str) -> tuple[Any, ...]:
        both = name(task, "deep"), name(task, "shallow")
        counted = (("parameters", "cost/parameters"), ("operations", "cost/gflop"))
        return tuple(runs.ratio(f"{what}, {task}, deep / shallow", *both, measure) for what, measure in counted)

    deep, shallow = name(DENOISING, "deep"), name(DENOISING, "shallow")
    cleaner = runs.difference("PSNR, deep − shallow", deep, shallow, PSNR, scale=1, unit="dB", needs=Needs(low=0, margin=0.1))
    own = {who: runs.quantity(f"PSNR, {who}", who, PSNR, unit="dB") for who in (deep, shallow, CLASSICAL)}
    noisy = runs.quantity("PSNR of the noisy images", deep, NOISY, unit="dB")
    denoised = Part(
        says=f"{SAYS}: {DENOISING}",
        effects=(cleaner,),
        shown=(*own.values(), noisy, *costs(DENOISING)),
        validity_checks=(runs.tuned(deep, shallow), runs.beats(PSNR, 20.5, by=1.0, variants=[shallow])),
        shared_lr=runs.shared_lr(cleaner.name, deep, shallow, PSNR, scale=1, unit="dB"),
        because=f"Of {noisy.estimate:.1f} dB the deep net makes {own[deep].estimate:.2f}, the shallow one "
        f"{own[shallow].estimate:.2f}, the best of three classical methods {own[CLASSICAL].estimate:.2f}.",
    )
    return {"a": classes(CLASSIFICATION, 1.0), "b": denoised, "c": classes(OCR, 0.4)}


SAYS = "Deep vs. Shallow(?) Learning Examples"
SCORED = [L(TrainingSet)(samples=300), L(Cost)()]
SCENES = L(Shapes)(image_size=24, batch_size=16, train=2000, test=300, workers=0)
DIGITS = L(MNIST)(root="data/mnist", image_size=14, batch_size=32, train_samples=4000, workers=0)
PHOTOGRAPHS = L(CIFAR10)(root="data", batch_size=128, workers=8)
ADAMW = L(torch.optim.AdamW)(lr=3e-3, weight_decay=1e-4)
LONG = {**steps(20_000), "trainer.callbacks": SCORED}

study = Study(
    claim="A04",
    says=f"{SAYS}. Classification. Denoising. OCR",
    slide=SAYS,
    work=Training("classification/cuda_convnet_shapes"),
    variants={
        CLASSICAL: Variant(work=Measurement(classical)),
        **{
            name(task, depth): variant(task, depth)
            for task in (CLASSIFICATION, DENOISING, OCR)
            for depth in ("deep", "shallow")
        },
    },
    controlled="parameters within ±5 %, the pixels that an output sees, data, steps, AdamW; not operations, which are shown",
    tune=Tune(start=3.16e-3, by="trainset/loss"),
    scales={
        "cpu": Scale(
            {"model.optimizer": ADAMW, "data.batch_size": 32, **steps(400), "trainer.callbacks": SCORED},
            deviations=(
                "drawn shapes of 16 × 16 pixels, 400 steps of 32; drawn scenes of 24 × 24 with noise of 25 grey levels, 300 "
                "steps of 16; 4,000 digits of MNIST at 14 × 14, 400 steps of 32",
                "one layer of large filters stands for “shallow”, so that both nets see as far",
            ),
            requires={"data/mnist": MNIST_SOURCE},
        ),
        "gpu": Scale(
            {"model.optimizer": ADAMW, "data": PHOTOGRAPHS, **LONG},
            variants={
                **{name(DENOISING, depth): {"data": PHOTOGRAPHS, **LONG} for depth in ("deep", "shallow")},
                **{
                    name(OCR, depth): {"data": L(MNIST)(root="data/mnist", batch_size=128, workers=8)}
                    for depth in ("deep", "shallow")
                },
                CLASSICAL: {"photographs": True},
            },
            deviations=("photographs of CIFAR-10, and all of MNIST, 20,000 steps of 128",),
        ),
    },
    parts=parts,
)
