"""The pose of a person, fourteen keypoints, is regressed as 28 numbers by the same network as a box is.

CS231n 2017, lecture 11, “Human Pose Estimation”; Toshev and Szegedy 2014 (DeepPose), first stage.
"""

from __future__ import annotations

from experiments.studies.results import Runs
from experiments.studies.study import Scale
from experiments.studies.verdict import Rule, Verdict

from ._pose import MEAN_POSE, PCK, PoseStudy, leeds


def verdict(runs: Runs) -> Verdict:
    """Reproduced: PCK of at least 0.9, and the mean pose at most 0.4. Direction only: the mean pose is beaten by 10 points."""
    pck = runs.quantity("PCK@0.2 of the torso", "28 numbers", PCK, needs="≥ 0.9")
    mean = runs.quantity("PCK@0.2 of the mean pose", "28 numbers", MEAN_POSE, needs="≤ 0.4")
    gain = runs.quantity(
        "PCK@0.2, network − mean pose",
        "28 numbers",
        lambda run: run.value(PCK) - run.value(MEAN_POSE),
        scale=100,
        unit="points",
        needs="≥ 10 points",
    )
    return Rule((pck, mean, gain), (runs.tuned(),)).judge(
        reproduced=pck.interval[0] >= 0.9 and mean.interval[1] <= 0.4 and gain.above(10),
        direction=gain.above(10),
        refuted=gain.excludes_above(10),
        because=f"28 numbers from one network find {100 * pck.estimate:.0f} % of the keypoints within a fifth of the torso's "
        f"length; the mean pose, the best constant answer, {100 * mean.estimate:.0f} %.",
    )


study = PoseStudy(
    claim="E07",
    says="A person's pose is fourteen keypoints; the network's output is their coordinates, 28 numbers, with an L2 loss.",
    paper="DeepPose, LSP, strict PCP: about 0.61 after the second and third stage (from memory, unchecked).",
    variants={"28 numbers": {}},
    scales={
        "cpu": Scale(deviations=("drawn figures of 48 × 48 pixels", "three convolutions of 16, 32 and 64 features")),
        "gpu": Scale(
            leeds(200),
            deviations=("Leeds Sports Pose at 128 × 128, ResNet-18 from ImageNet in place of AlexNet", "one stage, no cascade"),
        ),
    },
    deviations=("PCK by the torso, where DeepPose reports PCP", "the cascade and the heat maps of the row are not run"),
    parts=verdict,
)
