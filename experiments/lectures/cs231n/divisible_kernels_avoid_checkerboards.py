"""A kernel whose size the stride divides, 2 × 2 or 4 × 4, avoids the checkerboard of the 3 × 3 one.

CS231n 2017, lecture 11, “Learnable Upsampling: Transpose Convolution” (said, not on the slide); Odena et al. 2016, who found
that it helps and does not suffice, and advise to enlarge first and to convolve then.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Check, Rule, ValidityCheck, Verdict

from ._upsampling import ENERGY, MEASURED, WAYS, WaysStudy, learns, overlaps

K2, K4, BILINEAR, NEAREST, K3 = VARIANTS = (
    "transpose 2 × 2",
    "transpose 4 × 4",
    "bilinear",
    "nearest neighbour",
    "transpose 3 × 3",
)


def verdict(runs: Runs) -> Verdict:
    """Reproduced: after training the 4 × 4 kernel's checkerboard is below the 3 × 3 one's."""
    checks = (
        Check("most : least copies summed in an output, kernel 2, stride 2", _unevenness(2), 1),
        Check("most : least copies summed in an output, kernel 4, stride 2", _unevenness(4), 1),
    )
    static = all(check.holds for check in checks)
    four = runs.ratio("checkerboard, transpose 4 × 4 / 3 × 3", K4, K3, ENERGY, needs="< 1 x")
    two = runs.ratio("checkerboard, transpose 2 × 2 / 3 × 3", K2, K3, ENERGY)
    left = runs.ratio("checkerboard, transpose 4 × 4 / nearest neighbour and convolution", K4, NEAREST, ENERGY)
    resized = runs.ratio("checkerboard, nearest neighbour and convolution / transpose 3 × 3", NEAREST, K3, ENERGY)
    shared_lr = runs.shared_lr_ratio("checkerboard, transpose 4 × 4 / 3 × 3", K4, K3, ENERGY)
    shows = ValidityCheck(
        "there is a checkerboard to avoid: the 3 × 3 kernel's is above nearest neighbour's", resized.below(1), str(resized)
    )
    return Rule((four, two, left, resized), (runs.tuned(), learns(runs, *VARIANTS), shows), shared_lr, checks=checks).judge(
        reproduced=static and four.below(1),
        refuted=not static or four.excludes_below(1),
        because=f"Overlaps are even with kernels 2 and 4, but after training the 4 × 4 kernel's checkerboard is "
        f"{four.estimate:.2g} times, the 2 × 2 one's {two.estimate:.2g} times the 3 × 3 one's; enlarging first and "
        f"convolving then leaves {resized.estimate:.2g} times. Even overlap does not make the kernel's four parts "
        f"equal: training has to.",
    )


def _unevenness(kernel_size: int) -> float:
    least, most = overlaps(kernel_size)
    return most / least


study = WaysStudy(
    claim="F15",
    says="A kernel that the stride divides (2 × 2 or 4 × 4 with stride 2) avoids the checkerboard.",
    slide="Learnable Upsampling: Transpose Convolution",
    paper="A divisible kernel helps and does not guarantee; resize-convolution is clean. No figure.",
    variants={variant: WAYS[variant] for variant in VARIANTS},
    deviations=MEASURED,
    erratum="Even overlap is not the absence of artifacts: with any weights but equal ones each of the four phases of a 2 × 2 "
    "or 4 × 4 kernel has a sum of its own.",
    parts=verdict,
)
