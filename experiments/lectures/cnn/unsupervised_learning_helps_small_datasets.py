"""Where labels are few, what a net has learned without them beats what it has at random, and what it learns from them alone.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “Generalization on small datasets (curse of dimensionality): …
unsupervised learning”. Hinton & Salakhutdinov 2006; Gidaris et al. 2018.
"""

from __future__ import annotations

from pathlib import Path

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Scale, Study
from experiments.studies.verdict import Needs, Part

from ._few_digits import CHANCE, MNIST_AT, balanced, digits, error, probe_error, seen, taken
from ._pretexts import AUTOENCODER, RANDOM, ROTATION, encoder_of, fine_tuned, shuffled

UNLABELLED, EACH, FEWER = 10_000, 50, 10
SCRATCH = "from labels alone"
PROBE, TUNED = f"error of a probe, n={EACH}", f"error of the whole net, n={EACH}"
PROBE_FEWER, TUNED_FEWER = f"error of a probe, n={FEWER}", f"error of the whole net, n={FEWER}"
PRETEXTS = (AUTOENCODER, ROTATION)


def measure(*, seed: int, folder: Path, pretext: str, permuted: bool = False) -> Measured:
    """Test errors with 50 and 10 labelled digits a class: of a probe on the frozen encoder, and of the whole net trained on."""
    (unlabelled,) = taken(digits(train=True), seed, UNLABELLED)
    test = digits(train=False)
    encoder = encoder_of(pretext, shuffled(unlabelled) if permuted else unlabelled, seed)
    values = {}
    for each, probe, tuned in ((EACH, PROBE, TUNED), (FEWER, PROBE_FEWER, TUNED_FEWER)):
        labelled = balanced(unlabelled, each)
        values[probe] = probe_error(encoder, labelled, test)
        if not permuted:  # of what was learned from no pictures, the features alone are asked for
            values[tuned] = error(fine_tuned(encoder, labelled, seed), test)
    return Measured(values, data=seen(unlabelled))


def of_permuted(pretext: str) -> str:
    return f"{pretext}, permuted pixels"


SAYS = "Generalization on small datasets (curse of dimensionality): unsupervised learning"


def parts(runs: Runs) -> dict[str, Part]:
    """a, of an autoencoder, b, of the rotation pretext, with 50 labels a class. Reproduced: a linear probe on features that
    were learned without labels has a lower test error than one on the same net's random features (direction only: this alone),
    than one on features learned from permuted pixels, and than the same net trained on the labels. c, beyond the lecture's few
    words: the same nets as a beginning, trained on as a whole. What is within ±0.5 points counts as none."""

    def part(pretext: str) -> Part:
        gain = runs.difference(
            f"test error, probe, {pretext} − random", pretext, RANDOM, PROBE, needs=Needs(high=0, margin=0.5)
        )
        pixels = runs.difference(
            f"test error, probe, {pretext} − the same on permuted pixels",
            pretext,
            of_permuted(pretext),
            PROBE,
            needs=Needs(high=0),
        )
        supervised = runs.combined(
            f"test error, probe on {pretext} − net {SCRATCH}",
            lambda by: 100 * (by[pretext].value(PROBE) - by[RANDOM].value(TUNED)),
            unit="points",
            needs=Needs(high=0),
        )
        fewer = runs.difference(f"test error, probe, {pretext} − random, n={FEWER}", pretext, RANDOM, PROBE_FEWER)
        alone = runs.quantity(f"test error, net {SCRATCH}", RANDOM, TUNED, scale=100, unit="%")
        return Part(
            says=SAYS,
            effects=(gain,),
            conditions=(pixels, supervised),
            shown=(fewer, alone),
            validity_checks=(runs.beats(PROBE, CHANCE, greater=False, variants=[RANDOM]),),
            because=f"With {EACH} labels a class a probe on the features of the {pretext} changes the test error by "
            f"{gain.estimate:+.2f} points against random ones, by {pixels.estimate:+.2f} against features of permuted pixels, "
            f"and by {supervised.estimate:+.2f} against the same net trained on the labels.",
        )

    begun = tuple(
        runs.difference(
            f"test error, whole net, {p} − random beginning, n={n}", p, RANDOM, measured, needs=Needs(high=0, margin=0.5)
        )
        for p in PRETEXTS
        for n, measured in ((EACH, TUNED),)
    )
    fewer = tuple(
        runs.difference(f"test error, whole net, {p} − random beginning, n={FEWER}", p, RANDOM, TUNED_FEWER) for p in PRETEXTS
    )
    said = ", ".join(f"{p} {effect.estimate:+.2f}" for p, effect in zip(PRETEXTS, begun, strict=True))
    return {
        "a": part(AUTOENCODER),
        "b": part(ROTATION),
        "c": Part(
            says="Unsupervised learning as the beginning of a training with few labels.",
            effects=begun,
            shown=fewer,
            validity_checks=(runs.beats(TUNED, CHANCE, greater=False, variants=[RANDOM]),),
            because=f"Trained on with {EACH} labels a class, the test error changes by these points: {said}.",
            beyond=True,
        ),
    }


study = Study(
    claim="C07",
    says=SAYS,
    slide="Conclusions - CNNs",
    work=Measurement(measure),
    variants={
        **{of_permuted(p): {"pretext": p, "permuted": True} for p in PRETEXTS},
        **{p: {"pretext": p} for p in PRETEXTS},
        RANDOM: {"pretext": RANDOM},
    },
    controlled="encoder, digits, steps; the probe's C and the whole net's learning rate by cross-validation on the labelled "
    "digits, the pretext's learning rate by its own loss on validation digits of a tuning seed",
    scales={
        "cpu": Scale(
            deviations=(
                "10,000 digits of MNIST at 14 × 14 pixels without labels; the 500 labelled ones are among them",
                "two convolutions of 16 and 32 filters",
            ),
            requires=MNIST_AT,
        )
    },
    seeds=6,
    parts=parts,
)
