"""AlexNet has 60 million parameters; what its paper says of its parts is measured beside that.

Deck “CNN, R-CNN”, slide “ConvNets - Flavours”: “Alexnet (Alex Krizhevsky et. al., 2012)”; Krizhevsky et al. 2012, sections 3.3
to 3.5 and 4.2. Its errors are of ImageNet: top-5 18.2 % of one net, 16.4 % of five (the slide's chart), 15.3 % with more data.
The recipe ``classification/alexnet_imagenet`` is for them.
"""

from __future__ import annotations

from typing import Any

from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Scale, Variant
from experiments.studies.verdict import Needs, Part
from lightning_modules.networks import AlexNet, Kaiming

from ._architectures import EASY, LOWER, TEST_ERROR, ArchitectureStudy, learns, scenes
from ._counts import alexnet
from ._few_scenes import cifar10

FULL, NO_NORMALIZATION, NO_OVERLAP, NO_DROPOUT = "all parts", "no normalisation", "no overlap", "no dropout"
SAID = {
    NO_NORMALIZATION: ("Response normalization reduces the error (section 3.3).", LOWER, 1.4),
    NO_OVERLAP: ("Overlapping pooling reduces the error (section 3.4).", Needs(high=0), 0.4),
    NO_DROPOUT: ("Dropout reduces overfitting (section 4.2).", LOWER, None),
}
"""By what is taken away: the paper's sentence, its need of the error with − without, and by how many points of top-1 error it
helped there."""


def parts(runs: Runs) -> dict[str, Part]:
    """a, exact: the parameters of each layer and in all, and the operations. b, c, d, beyond the lecture: with response
    normalisation, with overlapping pooling, with dropout the mini-AlexNet has a lower test error than without. Of b and d a
    change within ±1 point counts as none; of c the paper's own effect is smaller than that."""
    found = {"a": Part(says="Alexnet (Alex Krizhevsky et. al., 2012)", checks=alexnet())}
    for letter, (without, (says, needs, paper)) in zip("bcd", SAID.items(), strict=True):
        gain = runs.difference(
            f"test error, with all parts − {without}", FULL, without, TEST_ERROR, needs=needs, paper=paper and -paper
        )
        found[letter] = Part(
            says=says,
            effects=(gain,),
            validity_checks=(runs.tuned(FULL, without), learns(runs, without)),
            because=f"In the mini-AlexNet this part changes the test error by {gain.estimate:+.1f} points.",
            beyond=True,
        )
    return found


def mini(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"groups": 1, "stem": (5, 2, 2), "widths": (16, 32, 48, 48, 32), "hidden": (128, 128)} | changes
    return {"model.network": L(AlexNet)(**arguments, initialization=L(Kaiming)())}


study = ArchitectureStudy(
    claim="D02",
    says="Alexnet (Alex Krizhevsky et. al., 2012)",
    slide="ConvNets - Flavours",
    paper="60 million parameters; ImageNet top-5 error 18.2 % of one net (validation), 16.4 % of five, 15.3 % with more data. "
    "Response normalisation −1.4 points of top-1 error, overlapping pooling −0.4.",
    variants={
        FULL: mini(),
        NO_NORMALIZATION: mini(local_response=False),
        NO_OVERLAP: Variant(mini(pooling=(2, 2)), lr_of=FULL),
        NO_DROPOUT: Variant(mini(dropout=0.0), lr_of=FULL),
    },
    controlled="convolutions, widths, scenes, order, initialization, steps; dropout and pooling share one tuned rate",
    scales={
        "cpu": Scale(
            scenes(32, 600, **EASY),
            deviations=(
                "a mini-AlexNet: a 5 × 5 stem of stride 2, a sixth of the channels, one tower",
                "drawn scenes of 32 × 32 pixels in place of ImageNet; no augmentation, no weight decay",
                "without overlap the last grid is 2 × 2 and not 1 × 1, as windows of 2 lose nothing at the border",
            ),
        ),
        "gpu": Scale(
            cifar10(45_000, 20_000),
            variants={
                name: {"model.network.stem": (5, 1, 2), "model.network.widths": (64, 192, 256, 256, 192)}
                for name in (FULL, *SAID)
            },
            deviations=("CIFAR-10 in place of ImageNet", "a mini-AlexNet with a 5 × 5 stem of stride 1"),
        ),
    },
    parts=parts,
)
