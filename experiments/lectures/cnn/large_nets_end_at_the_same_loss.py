"""Ten trainings of a large net end at nearly the same loss, those of a small one do not.

Deck “CNN, R-CNN”, slide “Conclusions - CNNs”: “Don't we get stuck in local minima? No, they are all the same! In large scale
applications, local minima are even less of an issue.” Choromanska et al. 2015, figure 3: the wider the hidden layer, the
narrower the distribution of the test loss. It is the losses that are alike, and not the functions.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Measurement, Study
from experiments.studies.verdict import Needs, Part, ValidityCheck

from ._minima import NETS, SD, of_f, train_ten
from ._perceptrons import CHANCE_ERROR, CHANCE_LOSS

WIDTHS = (4, 8, 16, 32, 64)
NARROW, WIDE = f"width {WIDTHS[0]}", f"width {WIDTHS[-1]}"
SAYS = (
    "Don't we get stuck in local minima? No, they are all the same! "
    "In large scale applications, local minima are even less of an issue."
)


def parts(runs: Runs) -> dict[str, Part]:
    """a. The SD of the test loss over ten nets falls from the narrowest to the widest. Five groups of ten give five ratios, and
    so a t interval; within a group the ratio has the F interval of ten nets, whose low end is an effect of its own. Reproduced:
    it falls at least twofold by both, and is at most 5 % of the loss of a guess in the widest; direction only: it falls.
    b, beyond the lecture: half way between two of the widest nets the loss is higher, so that they are no one minimum."""
    twofold = Needs(low=2)
    falls = runs.ratio(f"{SD}, narrowest / widest", NARROW, WIDE, SD, needs=twofold)
    by_f = runs.combined(
        "the same, low end of the F interval of ten nets",
        lambda by_variant: by_variant[NARROW].value(SD) / by_variant[WIDE].value(SD) / of_f(NETS),
        unit="x",
        needs=twofold,
        variants=(NARROW, WIDE),
    )
    share = runs.quantity(
        f"{SD} of the widest ÷ loss of a guess", WIDE, SD, scale=100 / CHANCE_LOSS, unit="%", needs=Needs(high=5, absolute=True)
    )
    barrier = runs.quantity("test loss half way between two of the widest, above theirs", WIDE, "barrier", needs=Needs(low=0))
    apart = runs.quantity("answers in which two of the widest differ", WIDE, "disagreement", scale=100, unit="%")
    tuned = all(run.value("rate inside") == 1 for variant in runs.variants for run in runs.of(variant))
    checks = (
        runs.beats("training error", CHANCE_ERROR, by=0.85, greater=False, variants=[WIDE]),
        ValidityCheck("every width's best learning rate lies inside those tried", tuned),
    )
    each = tuple(runs.quantity(f"{SD}, {variant}", variant, SD) for variant in runs.variants)
    return {
        "a": Part(
            says=SAYS,
            effects=(falls,),
            conditions=(by_f, share),
            shown=each,
            validity_checks=checks,
            because=f"Over ten trainings on the same data the test loss spreads {falls.estimate:.1f} times less with "
            f"{WIDTHS[-1]} hidden units than with {WIDTHS[0]}, and then by {share.estimate:.2f} % of a guess's loss.",
        ),
        "b": Part(
            says="The same loss is not the same function.",
            effects=(barrier,),
            shown=(apart,),
            validity_checks=checks,
            beyond=True,
            because=f"Half way between two of the widest nets the loss is {barrier.estimate:.2f} above theirs, and they "
            f"answer differently in {apart.estimate:.1f} % of the cases.",
        ),
    }


study = Study(
    claim="D12",
    says=SAYS,
    slide="Conclusions - CNNs",
    paper="Choromanska et al. 2015: on digits of 10 × 10 pixels the test losses of 1,000 nets crowd together as the hidden "
    "layer grows from 25 to 500 units.",
    work=Measurement(train_ten),
    variants={f"width {width}": {"width": width} for width in WIDTHS},
    controlled="the data, which all nets share; steps, images a step, a rate that falls to 0 from what suits each width",
    deviations=("digits of 8 × 8 pixels, 1,000 for training", "4 to 64 hidden units", "ten nets in each of five groups"),
    same_data=True,
    erratum="They are the same in their loss, and only in large nets: small ones end apart, and two large ones are two "
    "functions.",
    parts=parts,
    figure="test loss, nets in order",
    figure_x="net, from the least loss to the greatest",
)
