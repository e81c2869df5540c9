"""Adam reaches a training loss in fewer steps than plain gradient descent; so may momentum, Nesterov's momentum and RMSProp.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “Scaling: Better optimization techniques”. Polyak 1964 (momentum), Sutskever et
al. 2013 (Nesterov's), Tieleman & Hinton 2012 (RMSProp), Kingma & Ba 2015 (Adam). Each has its own learning rate, found with as
many tries: with unequal ones any of them can be made to win (Choi et al. 2019).
"""

from __future__ import annotations

from torch.optim import Adam, RMSprop

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Study, Training, Tune
from experiments.studies.verdict import Effect, Needs, Part

from ._descent import LOSS, descent, slowness, steps_to
from ._small_net import CUDA_CONVNET, DEVIATIONS, RECIPE

THRESHOLD = 0.9
"""Training loss: half of what a guess among six classes has, ln 6 = 1.79."""
BUDGET = 600
"""Steps that a training has at most; it ends when it is at the threshold."""
SAYS = "Scaling: Better optimization techniques"
EASY = {"objects": [1, 1], "object_size": [0.5, 0.8], "clutter": 0.2, "texture": 0.3, "thin": 0, "color_cue": 0.6}
SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM = "SGD", "momentum", "Nesterov", "RMSProp", "Adam"


def parts(runs: Runs) -> Part:
    """Reproduced: plain SGD takes more steps to the loss than Adam, each at its own best rate: the ratio is above 1. Direction
    and whole are one, since the lecture has no figure. A run that missed the loss gives a bound. The others are beside it."""
    reached = steps_to(THRESHOLD)

    def ratio(name: str, needs: Needs | None = None) -> Effect:
        return runs.ratio(f"steps to a loss of {THRESHOLD:g}, SGD / {name}", SGD, name, reached, budget=BUDGET, needs=needs)

    adam = ratio(ADAM, Needs(low=1))
    others = tuple(ratio(name) for name in (RMSPROP, NESTEROV, MOMENTUM))
    factors = ", ".join(f"{effect.variants[1]} {effect.estimate:.2f}" for effect in others)
    lrs = ", ".join(f"{variant} {lr:g}" for variant, lr in runs.lrs.items() if lr is not None)
    return Part(
        says=SAYS,
        effects=(adam,),
        shown=others,
        validity_checks=(runs.tuned(SGD, ADAM),),
        shared_lr=runs.shared_lr_ratio(adam.name, SGD, ADAM, reached),
        because=f"Plain SGD takes {adam.estimate:.2f} times the steps of Adam, each at its own best rate. Likewise of others: "
        f"{factors}. Rates: {lrs}.",
    )


study = Study(
    claim="D15",
    says=SAYS,
    slide="Conclusions - CNNs",
    paper="No figure in the lecture.",
    work=Training(RECIPE),
    variants={
        SGD: {"model.optimizer.momentum": 0.0},
        MOMENTUM: {"model.optimizer.momentum": 0.9},
        NESTEROV: {"model.optimizer.momentum": 0.9, "model.optimizer.nesterov": True},
        RMSPROP: {"model.optimizer": L(RMSprop)(alpha=0.9)},
        ADAM: {"model.optimizer": L(Adam)()},
    },
    controlled="net, data, order, initialization, batches of 64, a constant rate; as many tries for the rate of each",
    seeds=6,
    tune=Tune(
        start=0.1, by=slowness(THRESHOLD, BUDGET), own_start={MOMENTUM: 0.01, NESTEROV: 0.01, RMSPROP: 1e-3, ADAM: 0.00316}
    ),
    scales={
        "cpu": Scale(
            {"data.style": EASY, **descent(BUDGET, samples=300, every=5, until={"loss": THRESHOLD})},
            deviations=(
                *DEVIATIONS,
                "one large object an image, its colour a cue to its class",
                f"at most {BUDGET} steps of 64 images",
                "loss measured on 300 training images, every 5 steps",
            ),
        ),
        "gpu": Scale(
            {**CUDA_CONVNET, **descent(5000, samples=5000, every=5, until={"loss": THRESHOLD})},
            deviations=("loss measured on 5,000 training images, every 5 steps",),
        ),
    },
    parts=parts,
    figure=LOSS,
)
