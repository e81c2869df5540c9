"""A transpose convolution with a 3 × 3 kernel and stride 2 sums up to four copies, and leaves a checkerboard.

CS231n 2017, lecture 11, “Learning Upsampling: Transpose Convolution”, question “why are they summed, not averaged?”; Odena et
al. 2016. The static part, how many copies meet in an output, is exact; whether a trained network keeps the pattern is measured.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.verdict import Check, Needs, Part

from ._upsampling import CHECKERBOARD_AMENDED, ENERGY, MEASURED, WAYS, WaysStudy, learns, overlaps

K3, NAILS, NEAREST = VARIANTS = ("transpose 3 × 3", "bed of nails", "nearest neighbour")


def parts(runs: Runs) -> Part:
    """Reproduced: overlaps 4 : 1, and after training at least ten times the checkerboard of nearest neighbour and a
    convolution. Direction only: more than that one's."""
    least, most = overlaps(3)
    ratio = runs.ratio("checkerboard, transpose 3 × 3 / nearest neighbour", K3, NEAREST, ENERGY, needs=Needs(low=10))
    truth = runs.quantity("", NEAREST, "val/phase_energy_of_truth").estimate
    return Part(
        says="Magnitudes depend on how many copies overlap, and 3 × 3 with stride 2 makes checkerboard artifacts.",
        effects=(ratio,),
        checks=(
            Check("copies summed at least in an output, kernel 3, stride 2", least, 1),
            Check("copies summed at most in an output, kernel 3, stride 2", most, 4),
        ),
        shown=(
            runs.ratio("checkerboard, bed of nails / nearest neighbour", NAILS, NEAREST, ENERGY),
            runs.quantity("checkerboard of nearest neighbour and convolution", NEAREST, ENERGY),
        ),
        validity_checks=(runs.tuned(K3, NEAREST), learns(runs, NEAREST)),
        shared_lr=runs.shared_lr_ratio(ratio.name, K3, NEAREST, ENERGY),
        also=(f"The true masks themselves have a share of {truth:.2g} at period 2: what the content alone gives.",),
        because=f"Outputs are sums over {least:.0f} to {most:.0f} copies of the kernel. After training the place in the 2 × 2 "
        f"block explains {ratio.estimate:.1f} times as much of the logits' fine variance as with nearest neighbour and a "
        f"convolution.",
    )


study = WaysStudy(
    claim="F14",
    says="Receptive field의 크기에 따라 Magnitudes이 달라지기 때문에 Sum은 문제가 될 수 있다. 예시처럼 3X3 Stride 2를 "
    "사용하면 Checkerboard Artifacts이 발생하곤 한다.",
    translation="Magnitudes differ with the size of the receptive field, so that the sum can be a problem. With 3 × 3 and "
    "stride 2, as in the example, checkerboard artifacts tend to appear.",
    slide="Learning Upsampling: Transpose Convolution, question after …pdf-0043",
    paper="Uneven overlap wherever the stride does not divide the kernel; in two dimensions 4 : 1 for kernel 3 and stride 2.",
    variants={variant: WAYS[variant] for variant in VARIANTS},
    deviations=MEASURED,
    parts=parts,
    amendments=CHECKERBOARD_AMENDED,
)
