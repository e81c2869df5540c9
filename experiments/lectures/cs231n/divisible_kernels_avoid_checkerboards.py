"""A kernel whose size the stride divides, 2 × 2 or 4 × 4, avoids the checkerboard of the 3 × 3 one.

CS231n 2017, lecture 11 (said there; neither text has it); Odena et al. 2016, who found that it helps and does not suffice, and
advise to enlarge first and to convolve then.
"""

from __future__ import annotations

import statistics

from experiments.studies.results import Runs
from experiments.studies.study import Amendment
from experiments.studies.verdict import Check, Needs, Part, ValidityCheck

from ._upsampling import CHECKERBOARD_AMENDED, ENERGY, MEASURED, WAYS, WaysStudy, learns, overlaps

K2, K4, BILINEAR, NEAREST, K3 = VARIANTS = (
    "transpose 2 × 2",
    "transpose 4 × 4",
    "bilinear",
    "nearest neighbour",
    "transpose 3 × 3",
)
LESS = Needs(high=1)


def parts(runs: Runs) -> dict[str, Part]:
    """a, reproduced: overlaps are even, and after training the 4 × 4 kernel's checkerboard is below the 3 × 3 one's; b: the
    2 × 2 kernel's is. c, beyond the lecture: that of nearest neighbour and a convolution is. Direction and whole are one, since
    there is no figure."""
    resized = runs.ratio("checkerboard, nearest neighbour and convolution / transpose 3 × 3", NEAREST, K3, ENERGY, needs=LESS)
    there, clean = (statistics.fmean(runs.values(variant, ENERGY)) for variant in (K3, NEAREST))
    shows = ValidityCheck(
        "there is a checkerboard to avoid: the 3 × 3 kernel's is above nearest neighbour's",
        there > clean,
        f"{there:.2g} and {clean:.2g} in the mean",
    )
    found = {}
    for letter, side, variant in (("a", 4, K4), ("b", 2, K2)):
        ratio = runs.ratio(f"checkerboard, transpose {side} × {side} / 3 × 3", variant, K3, ENERGY, needs=LESS)
        least, most = overlaps(side)
        found[letter] = Part(
            says=f"A kernel of {side} × {side} with stride 2 avoids the checkerboard.",
            effects=(ratio,),
            checks=(Check(f"most : least copies summed in an output, kernel {side}, stride 2", most / least, 1),),
            shown=(
                runs.ratio(
                    f"checkerboard, transpose {side} × {side} / nearest neighbour and convolution", variant, NEAREST, ENERGY
                ),
            ),
            validity_checks=(runs.tuned(variant, K3), learns(runs, K3), shows),
            shared_lr=runs.shared_lr_ratio(ratio.name, variant, K3, ENERGY),
            because=f"Overlaps are even, and after training the checkerboard is {ratio.estimate:.2g} times the 3 × 3 one's. "
            f"Even overlap does not make the kernel's four parts equal: training has to.",
        )
    found["c"] = Part(
        says="Does enlarging first and convolving then avoid it, as Odena et al. advise?",
        effects=(resized,),
        shown=(runs.ratio("checkerboard, bilinear and convolution / transpose 3 × 3", BILINEAR, K3, ENERGY),),
        validity_checks=(runs.tuned(NEAREST, K3), learns(runs, K3)),
        because=f"It leaves {resized.estimate:.2g} times the 3 × 3 kernel's checkerboard.",
        beyond=True,
    )
    return found


study = WaysStudy(
    claim="F15",
    says="A kernel that the stride divides (2 × 2 or 4 × 4 with stride 2) avoids the checkerboard.",
    slide="slide image, from the paper (Odena et al. 2016); the notes do not have it",
    paper="A divisible kernel helps and does not guarantee; resize-convolution is clean. No figure.",
    variants={variant: WAYS[variant] for variant in VARIANTS},
    seeds=10,
    deviations=MEASURED,
    erratum="Even overlap is not the absence of artifacts: with any weights but equal ones each of the four phases of a 2 × 2 "
    "or 4 × 4 kernel has a sum of its own.",
    parts=parts,
    amendments=(
        *CHECKERBOARD_AMENDED,
        Amendment(
            "2026-11-26",
            "ten seeds in place of three, since the checkerboards of one kernel differ several times over between seeds; the "
            "4 × 4 and the 2 × 2 kernel are judged each, where the 2 × 2 one was only shown",
        ),
    ),
)
