"""Behind sigmoids all incoming weights of a neuron are pushed the same way.

Deck “CNN, R-CNN”, slide “Sigmoid function”: “not zero-centered ⇒ restriction on the gradient directions”; LeCun et al. 1998,
“Efficient BackProp”, section 4.3. It holds for the gradient of one example; a mini-batch's mean is not so restricted. Whether
training takes longer for it is LeCun's question, and not the deck's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Measured, Measurement, Scale, Study, Training, Tune, Variant
from experiments.studies.verdict import Check, Needs, Part, ValidityCheck
from lightning_modules.networks import MultilayerPerceptron, Xavier
from lightning_modules.networks.activations import ScaledTanh

from ._descent import LOSS, descent, slowness, steps_to
from ._scenes import training_images
from ._small_net import PHOTOGRAPHS

RECIPE = "classification/perceptron_shapes"
HIDDEN = [64, 64]
EXAMPLES, BATCH = 256, 64
THRESHOLD = 1.2
"""Training loss; a guess among ten classes has ln 10 = 2.30."""
BUDGET = 1500
"""Steps that a training has at most; it ends when it is at the threshold."""
SIGNS, SIGMOID, CENTRED, DOUBLE = "signs", "sigmoid", "sigmoid − ½", "2 sigmoid − 1"


def one_sign(weights: Tensor) -> float:
    """The share of neurons whose incoming weights, in (…, out, in), have gradients of one sign, zeros being of either."""
    return float(((weights >= 0).all(-1) | (weights <= 0).all(-1)).float().mean())


def shares(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Shares of neurons with one sign, over all layers whose inputs are activations: for single examples, and for batches."""
    weights = {name: value.detach() for name, value in net.named_parameters()}

    def loss(values: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(functional_call(net, values, (image[None],)), label[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0), chunk_size=32)(weights, images, labels)
    inner = [value for name, value in each.items() if value.ndim == 3][1:]  # the first layer sees the image
    batches = [value.unflatten(0, (-1, BATCH)).mean(1) for value in inner]
    return tuple(sum(one_sign(v) * v.shape[1] for v in part) / sum(v.shape[1] for v in part) for part in (inner, batches))  # type: ignore[return-value]


def signs(*, seed: int, folder: Path) -> Measured:
    images, labels = training_images(RECIPE, EXAMPLES, data_seed=seed)
    values = {}
    activations: dict[str, Callable[[], nn.Module]] = {SIGMOID: nn.Sigmoid, CENTRED: centred}
    for name, activation in activations.items():
        torch.manual_seed(seed)
        net = MultilayerPerceptron(10, hidden=HIDDEN, activation=activation, initialization=Xavier(4))
        with torch.no_grad():
            net(images[:1])  # gives the lazy layer its size
        values[name], values[f"{name}, batches"] = shares(net, images, labels)
    return Measured(values)


def centred() -> ScaledTanh:
    return ScaledTanh(0.5, 0.5)


SAYS = "Sigmoid outputs are not zero-centered ⇒ Restriction on the gradient directions"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Exact: for one example every neuron behind sigmoids has gradients of one sign; the control, behind centred outputs,
    has them in fewer than 1 of 100.
    b, beyond the lecture (LeCun et al. 1998). Reproduced: sigmoids take more steps than both centred forms."""
    share = runs.quantity("neurons with gradients of one sign, sigmoid", SIGNS, SIGMOID, scale=100, unit="%")
    other = runs.quantity("neurons with gradients of one sign, centred", SIGNS, CENTRED, scale=100, unit="%")
    mean = runs.quantity(f"sigmoid, mean gradient of {BATCH}", SIGNS, f"{SIGMOID}, batches", scale=100, unit="%")
    steps = steps_to(THRESHOLD)
    speed = runs.ratio("steps, sigmoid / sigmoid − ½", SIGMOID, CENTRED, steps, budget=BUDGET, needs=Needs(low=1))
    double = runs.ratio("steps, sigmoid / (2 sigmoid − 1)", SIGMOID, DOUBLE, steps, budget=BUDGET, needs=Needs(low=1))
    return {
        "a": Part(
            says=SAYS,
            checks=tuple(
                Check(f"share of neurons with gradients of one sign, sigmoid, seed {run.seed}", run.value(SIGMOID), 1.0)
                for run in runs.of(SIGNS)
            ),
            validity_checks=(
                ValidityCheck("every seed was measured", share.is_finite and other.is_finite),
                ValidityCheck("behind centred outputs fewer than 1 % have", other.estimate < 1, f"{other.estimate:.1f} %"),
            ),
            shown=(other, mean),
            because=f"For one example {share.estimate:.0f} % of the neurons behind sigmoids have gradients of one sign, behind "
            f"centred outputs {other.estimate:.1f} %; in the mean over {BATCH} it is {mean.estimate:.0f} % behind sigmoids.",
        ),
        "b": Part(
            says="Convergence is usually faster if the average of each input variable is close to zero (LeCun et al. 1998).",
            effects=(speed, double),
            validity_checks=(runs.tuned(),),
            shared_lr=runs.shared_lr_ratio(speed.name, SIGMOID, CENTRED, steps),
            because=f"At its own best rate the sigmoid takes {speed.estimate:.2f} times the steps of the same curve "
            f"centred, and "
            f"{double.estimate:.2f} times those of 2σ − 1.",
            beyond=True,
        ),
    }


def perceptron(activation: Any, gain: float) -> dict[str, Any]:
    """Changes: two hidden layers with this activation, and the initialization that suits its slope."""
    initialization = L(Xavier)(gain=gain)
    return {"model.network": L(MultilayerPerceptron)(hidden=HIDDEN, activation=activation, initialization=initialization)}


study = Study(
    claim="A15",
    says=SAYS,
    slide="Nonlinearity – Sigmoid function",
    paper="LeCun et al. 1998: convergence is usually faster if the average of each input is close to zero.",
    work=Training(RECIPE),
    variants={
        SIGNS: Variant(work=Measurement(signs)),
        SIGMOID: perceptron(L(nn.Sigmoid)(), 4.0),
        DOUBLE: perceptron(L(ScaledTanh)(amplitude=1.0, slope=0.5), 2.0),
        CENTRED: perceptron(L(ScaledTanh)(amplitude=0.5, slope=0.5), 4.0),
    },
    controlled="between sigmoid and sigmoid − ½ all but the ½: slope, initialization, data, order, momentum 0.9",
    tune=Tune(start=0.0316, by=slowness(THRESHOLD, BUDGET)),
    scales={
        "cpu": Scale(
            descent(BUDGET, samples=500, every=5, until={"loss": THRESHOLD}),
            deviations=(
                "a perceptron with two hidden layers of 64",
                "drawn scenes of 16 × 16 pixels",
                "loss measured on 500 training images",
            ),
        ),
        "gpu": Scale(
            {"data": PHOTOGRAPHS, **descent(20_000, samples=5000, every=100, until={"loss": THRESHOLD})},
            deviations=("a perceptron with two hidden layers of 64", "loss measured on 5,000 training images"),
        ),
    },
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "the signs, which the lecture states, are judged as an identity of every neuron and seed; the steps of a "
            "training, which "
            "are LeCun's and not the lecture's, are a part of their own",
        ),
    ),
    figure=LOSS,
    erratum="The restriction is that of one example's gradient; the mean over a mini-batch is not bound to it.",
)
