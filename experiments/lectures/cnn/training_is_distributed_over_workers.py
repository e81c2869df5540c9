"""Two processes that share a batch compute the gradient of one; workers that do not wait for each other need a lower rate.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “Scaling: Distributed framework (Google)”. Dean et al. 2012, “Large scale
distributed deep networks” (DistBelief): in Downpour SGD a worker's gradient is applied to weights that others have moved
meanwhile. Chen et al. 2016, “Revisiting distributed synchronous SGD”, on what such gradients cost.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study, Variant
from experiments.studies.verdict import Check, Needs, Part, ValidityCheck

from ._perceptrons import CHANCE_ERROR
from ._workers import ERROR, SHARED, asynchronous, two_processes

WORKERS = (1, 2, 8, 32)
PROCESSES, ONE, EIGHT, MOST = "two processes", "1 worker", "8 workers", "32 workers"
SAYS = "Scaling: Distributed framework (Google)"


def parts(runs: Runs) -> dict[str, Part]:
    """a. Exact: two processes with half of the batch each have the gradients of one process, within 10⁻⁶ of the greatest.
    b. Reproduced: eight workers that do not wait have a test error at most 1 point above that of one, after as many gradients,
    each at its own best rate. c, beyond the lecture: at the rate of one worker 32 have a higher error than one."""
    checks = []
    for run in runs.of(PROCESSES):
        what = f"gradients of two processes less those of one, relative, seed {run.seed}"
        checks.append(Check(what, run.value("equal shares"), 0.0, 1e-6))
    for run in runs.of(PROCESSES):
        for trap in ("unequal shares", "batch normalisation"):
            what = f"with {trap} they are the same, seed {run.seed}"
            checks.append(Check.yes_or_no(what, run.value(trap) < 1e-3, "no"))
    eight = runs.difference("test error, 8 workers − 1", EIGHT, ONE, ERROR, needs=Needs(high=1))
    most = runs.difference("test error, 32 workers − 1", MOST, ONE, ERROR)
    stale = runs.difference("test error at one worker's rate, 32 workers − 1", MOST, ONE, SHARED, needs=Needs(low=0))
    asked = [f"{workers} worker{'s' if workers > 1 else ''}" for workers in WORKERS]
    tuned = all(run.value("rate inside") == 1 for variant in asked for run in runs.of(variant))
    valid = (
        runs.beats(ERROR, CHANCE_ERROR, by=0.3, greater=False, variants=[ONE]),
        ValidityCheck("every number's best learning rate lies inside those tried", tuned),
    )
    rates = ", ".join(f"{run.value('rate'):g}" for variant in asked for run in runs.of(variant)[:1])
    return {
        "a": Part(
            says=SAYS,
            checks=tuple(checks),
            because="The mean of two halves' mean gradients is the mean of all; it is not where the shares are unequal, or "
            "where batch normalisation sees its own share alone.",
        ),
        "b": Part(
            says=f"{SAYS}: workers that do not wait for each other (Downpour SGD).",
            effects=(eight,),
            shown=(most, *(runs.quantity(f"test error, {name}", name, ERROR, scale=100, unit="%") for name in asked)),
            validity_checks=valid,
            because=f"With eight workers, whose gradients are seven steps old, the test error is {eight.estimate:+.2f} points "
            f"from that with one, each at its own rate. The best rates of {', '.join(map(str, WORKERS))} workers: {rates}.",
        ),
        "c": Part(
            says="A rate that suits one worker does not suit many.",
            effects=(stale,),
            validity_checks=valid[:1],
            beyond=True,
            because=f"At one worker's rate 32 workers have an error {stale.estimate:+.1f} points from its own.",
        ),
    }


study = Study(
    claim="D14",
    says=SAYS,
    slide="Conclusions - CNNs",
    paper="No figure in the lecture; Dean et al. 2012 train with up to 200 workers that do not wait.",
    work=Measurement(asynchronous),
    variants={
        PROCESSES: Variant(work=Measurement(two_processes)),
        **{f"{workers} worker{'s' if workers > 1 else ''}": {"workers": workers} for workers in WORKERS},
    },
    controlled="a: network, batch of 16 scenes; b, c: digits, 32 hidden units, initialization, 2,000 gradients of 50 images",
    deviations=(
        "two processes of one machine, by gloo",
        "workers are simulated in turn, so that a gradient is as old as there are other workers: gradients are counted, and "
        "not time",
        "plain SGD in place of Adagrad",
    ),
    parts=parts,
)
