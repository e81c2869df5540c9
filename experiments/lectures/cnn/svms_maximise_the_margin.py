"""A linear SVM, trained by stochastic gradients, finds the separating line of the greatest margin; a perceptron finds just any.

Deck “CNN, R-CNN”, slide “Classification Problems”; Boser et al. 1992, Shalev-Shwartz et al. 2007 (Pegasos). The margin is the
least distance of a training point from the line, on its own side; the greatest there is comes from the quadratic program, by
two solvers.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Check, Needs, Part

from ._margins import EXACT, LOGISTIC, MARGIN, PERCEPTRON, SLSQP, SVM, find_a_line

SAYS = "Find a hyperplane that divides the space into half (binary classification) ⇒ SVM tries to maximize the margin."


def parts(runs: Runs) -> Part:
    """Reproduced: the margin of the line that stochastic gradients find for the SVM's loss is at least 0.98 of the greatest
    that there is, and greater than the perceptron's; the greatest one comes out of two solvers alike."""
    share = runs.ratio("margin, SVM by SGD ÷ the greatest there is", SVM, EXACT, MARGIN, needs=Needs(low=0.98))
    ahead = runs.ratio("margin, SVM by SGD ÷ perceptron", SVM, PERCEPTRON, MARGIN, needs=Needs(low=1))
    soft = runs.ratio("margin, SVM by SGD ÷ logistic loss", SVM, LOGISTIC, MARGIN)
    return Part(
        says=SAYS,
        effects=(share, ahead),
        checks=tuple(
            Check(f"greatest margin by LIBSVM, seed {run.seed}", run.value(MARGIN), run.value(SLSQP), tolerance=1e-5)
            for run in runs.of(EXACT)
        ),
        shown=(soft, *(runs.quantity(f"margin, {method}", method, MARGIN) for method in (SVM, LOGISTIC, PERCEPTRON, EXACT))),
        because=f"The SVM's margin is {share.estimate:.3f} of the greatest that there is, and {ahead.estimate:.1f} times "
        f"that of a perceptron, which stops as soon as no training point is wrong.",
    )


study = Study(
    claim="A06",
    says=SAYS,
    slide="Classification Problems",
    paper="No figure; Shalev-Shwartz et al. 2007: Pegasos comes as near as one likes to the quadratic program's solution.",
    work=Measurement(find_a_line),
    variants={method: {"method": method} for method in (LOGISTIC, PERCEPTRON, SVM, EXACT)},
    controlled="200 points that a line separates by 0.1 on either side; λ, steps, batches of both losses",
    deviations=("points of the plane, in the units in which they are drawn",),
    seeds=10,
    parts=parts,
)
