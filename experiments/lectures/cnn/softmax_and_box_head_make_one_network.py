"""One network: a softmax in place of the SVMs loses nothing, and a box head trained beside it makes the classes better too.

Deck “CNN, R-CNN”, slide “Fast R-CNN”, key idea 2; Girshick 2015, tables 6 and 8.
"""

from __future__ import annotations

from experiments.lectures.cs231n._regions import (
    FAST,
    IN_STAGES,
    SOFTMAX,
    SVM,
    TWO_STAGES,
    UNMOVED,
    RegionStudy,
    between,
    fast,
    fast_in_stages,
    fast_in_two_stages,
    learns,
    within,
)
from experiments.studies.results import Runs
from experiments.studies.verdict import Rule, Verdict


def verdict(runs: Runs) -> Verdict:
    """Reproduced: the softmax is at most half a point below SVMs, and training the box head beside it adds to the AP of unmoved
    boxes. Direction only: the first of these."""
    softmax = between(runs, "AP, softmax − SVMs", TWO_STAGES, SOFTMAX, IN_STAGES, SVM, needs="≥ −0.5 points", paper=0.1)
    features = within(runs, "AP, softmax − SVMs, same features", IN_STAGES, SOFTMAX, SVM)
    tasks = between(
        runs,
        "AP of unmoved boxes, trained with a box head − without",
        FAST,
        UNMOVED,
        TWO_STAGES,
        SOFTMAX,
        needs="> 0",
        paper=0.8,
    )
    equal = softmax.above(-0.5)
    return Rule((softmax, tasks, features), (runs.tuned(), learns(runs, FAST, TWO_STAGES, IN_STAGES))).judge(
        reproduced=equal and tasks.above(0),
        direction=equal,
        refuted=softmax.excludes_above(-0.5),
        because=f"The softmax has {softmax.estimate:+.1f} points of AP against SVMs, each at its own best rate; training the "
        f"box head beside it changes what is found at the proposals themselves by {tasks.estimate:+.1f} points.",
    )


study = RegionStudy(
    claim="G16",
    says="The three models (CNN, SVM, regressor) become one network: a softmax layer in place of the SVMs, and a box "
    "regression layer in parallel.",
    slide="Fast R-CNN",
    paper="VGG-16 on VOC 2007: softmax 66.9 %, SVMs 66.8 %; trained with both losses 63.4 %, with the class's alone 62.6 %, "
    "boxes unmoved.",
    variants={TWO_STAGES: fast_in_two_stages(), IN_STAGES: fast_in_stages(), FAST: fast()},
    controlled="network, pre-trained backbone, proposals, data, order, steps",
    deviations=(
        "the SVMs are fitted on features that the log loss alone trained; table 8 has those that both losses trained",
        "the softmax is that of a run without SVMs, tuned by itself; a first draft took it from the run with SVMs, whose rate "
        "suits these, and one pass of it was inconclusive",
    ),
    parts=verdict,
)
