"""A transpose convolution with a 3 × 3 kernel and stride 2 sums up to four copies, and leaves a checkerboard.

CS231n 2017, lecture 11, “Learnable Upsampling: Transpose Convolution”, question “why do we sum, not average?”; Odena et al.
2016. The static part, how many copies meet in an output, is exact; whether a trained network keeps the pattern is measured.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Check, Rule, Verdict

from ._upsampling import ENERGY, MEASURED, WAYS, WaysStudy, learns, overlaps

K3, NAILS, NEAREST = VARIANTS = ("transpose 3 × 3", "bed of nails", "nearest neighbour")


def verdict(runs: Runs) -> Verdict:
    """Reproduced: overlaps 4 : 1, and after training ten times the checkerboard of nearest neighbour and a convolution."""
    least, most = overlaps(3)
    checks = (
        Check("copies summed at least in an output, kernel 3, stride 2", least, 1),
        Check("copies summed at most in an output, kernel 3, stride 2", most, 4),
    )
    static = all(check.holds for check in checks)
    ratio = runs.ratio("checkerboard, transpose 3 × 3 / nearest neighbour", K3, NEAREST, ENERGY, needs="≥ 10 x")
    nails = runs.ratio("checkerboard, bed of nails / nearest neighbour", NAILS, NEAREST, ENERGY)
    control = runs.quantity("checkerboard of nearest neighbour and convolution", NEAREST, ENERGY)
    truth = runs.quantity("", NEAREST, "val/phase_energy_of_truth").estimate
    shared_lr = runs.shared_lr_ratio("checkerboard, transpose 3 × 3 / nearest neighbour", K3, NEAREST, ENERGY)
    also = (f"The true masks themselves have a share of {truth:.2g} at period 2: what the content alone gives.",)
    return Rule((ratio, nails, control), (runs.tuned(), learns(runs, *VARIANTS)), shared_lr, also, checks).judge(
        reproduced=static and ratio.above(1) and ratio.estimate >= 10,
        direction=static and ratio.above(1),
        refuted=not static or ratio.excludes_above(1),
        because=f"Outputs are sums over {least:.0f} to {most:.0f} copies of the kernel. After training the place in the 2 × 2 "
        f"block explains {ratio.estimate:.1f} times as much of the logits' fine variance as with nearest neighbour and a "
        f"convolution.",
    )


study = WaysStudy(
    claim="F14",
    says="Copies of the kernel that overlap are summed and not averaged, so that magnitudes depend on how many overlap; a "
    "3 × 3 kernel with stride 2 makes checkerboard artifacts.",
    slide="Learnable Upsampling: Transpose Convolution",
    paper="Uneven overlap wherever the stride does not divide the kernel; in two dimensions 4 : 1 for kernel 3 and stride 2.",
    variants={variant: WAYS[variant] for variant in VARIANTS},
    deviations=MEASURED,
    parts=verdict,
)
