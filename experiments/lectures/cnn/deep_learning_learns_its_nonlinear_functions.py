"""Where two of 64 inputs matter, functions that are learned need half the examples of a kernel's fixed ones, or fewer.

Deck “CNN, R-CNN”, slide “Nonlinear Predictors”: “Learn parametric nonlinear functions”, beside the kernel trick's fixed ones.
The problem is the exclusive or of the kernel's own study, hidden among 62 inputs that say nothing.
"""

from __future__ import annotations

from pathlib import Path

from experiments.studies.results import Runs
from experiments.studies.study import Measured, Measurement, Study
from experiments.studies.verdict import Needs, Part

from ._hidden_exclusive_or import CHANCE, COUNTS, LEARNERS, draw, examples_to

TEST, HALFWAY = 2000, 0.75
"""Accuracy halfway between chance and all."""
LEARNED, KERNEL, FIXED, RELEVANCE = "learned functions", "kernel", "fixed random functions", "kernel with learned relevance"
NEEDED, LAST, BEFORE = "examples to 75 %", f"accuracy at {COUNTS[-1]}", f"accuracy at {COUNTS[-2]}"
CURVE = "test accuracy over examples"


def measure(*, seed: int, folder: Path, learner: str) -> Measured:
    """Test accuracy by number of training examples, of which the smaller sets are the first of the largest."""
    inputs, classes = draw(seed, COUNTS[-1] + TEST)
    test = inputs[COUNTS[-1] :], classes[COUNTS[-1] :]
    fit, counts = LEARNERS[learner]
    curve = [(float(n), fit((inputs[:n], classes[:n]), test, seed)) for n in counts]
    by_count = {f"accuracy at {n:g}": accuracy for n, accuracy in curve}
    return Measured({NEEDED: examples_to(HALFWAY, curve), **by_count}, {CURVE: curve})


SAYS = "Deep Learning: Learn parametric nonlinear functions"


def parts(runs: Runs) -> Part:
    """Reproduced: to put three quarters of new points right, a kernel machine needs twice the examples of a net that learns its
    functions, or more; direction only: it needs more. The condition: nor does the same net learn as fast whose functions are
    drawn and stay as they are."""
    kernel = runs.ratio(f"{NEEDED}, kernel / learned", KERNEL, LEARNED, NEEDED, budget=COUNTS[-1], needs=Needs(low=2))
    fixed = runs.ratio(f"{NEEDED}, fixed random / learned", FIXED, LEARNED, NEEDED, budget=COUNTS[-1], needs=Needs(low=1))
    at_last = runs.difference(f"accuracy at {COUNTS[-1]} examples, learned − kernel", LEARNED, KERNEL, LAST)
    relevance = runs.difference(f"accuracy at {COUNTS[-2]} examples, {RELEVANCE} − {KERNEL}", RELEVANCE, KERNEL, BEFORE)
    own = {name: runs.quantity(f"accuracy, {name}", name, LAST, scale=100, unit="%") for name in (LEARNED, KERNEL, FIXED)}
    said = ", ".join(f"{name} {effect.estimate:.0f} %" for name, effect in own.items())
    return Part(
        says=SAYS,
        effects=(kernel,),
        conditions=(fixed,),
        shown=(at_last, *own.values(), relevance),
        validity_checks=(runs.beats(LAST, CHANCE, by=0.25, variants=[LEARNED]),),
        also=("A kernel with a width of its own for each input, all of them learned, is no fixed function any more.",),
        because=f"The kernel machine needs {'more than ' if '>' in kernel.bounds else ''}{kernel.estimate:.1f} times the "
        f"examples. With {COUNTS[-1]:,}: {said}.",
    )


study = Study(
    claim="A08",
    says=SAYS,
    slide="Nonlinear Predictors",
    work=Measurement(measure),
    variants={name: {"learner": name} for name in (LEARNED, RELEVANCE, FIXED, KERNEL)},
    controlled="points; the kernel's γ and C, and a net's learning rate and weight decay, by three-fold cross-validation on "
    "the training examples",
    seeds=6,
    figure=CURVE,
    figure_axes="log-x",
    figure_x="training examples",
    parts=parts,
)
