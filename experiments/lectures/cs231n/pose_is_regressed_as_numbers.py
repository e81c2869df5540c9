"""The pose of a person, fourteen keypoints, is regressed as 28 numbers by the same network as a box is.

CS231n 2017, lecture 11, “Human Pose Estimation”; Toshev and Szegedy 2014 (DeepPose), first stage.
"""

from __future__ import annotations

from experiments.lectures._amended import NEW_STATISTICS
from experiments.studies.results import Runs
from experiments.studies.study import Amendment, Scale
from experiments.studies.verdict import Needs, Part

from ._pose import MEAN_POSE, PCK, PoseStudy, leeds

NUMBERS = "28 numbers"
SAYS = (
    "사람 이미지가 입력으로 들어가면, 출력으로 각 관절의 좌표 값, 사람의 포즈를 예측한다. "
    "예시의 Data Sets은 14개의 관절의 위치로 사람의 포즈를 정의한다."
)


def parts(runs: Runs) -> Part:
    """Direction: the network finds more keypoints than the best constant pose. Reproduced: PCK is at least 0.9 besides, and the
    constant pose's at most 0.4. The thresholds are absolute: to miss them refutes nothing."""
    gain = runs.quantity(
        "PCK@0.2, network − mean pose",
        NUMBERS,
        lambda run: run.value(PCK) - run.value(MEAN_POSE),
        scale=100,
        unit="points",
        needs=Needs(low=0),
    )
    pck = runs.quantity("PCK@0.2 of the torso", NUMBERS, PCK, needs=Needs(low=0.9, absolute=True))
    mean = runs.quantity("PCK@0.2 of the mean pose", NUMBERS, MEAN_POSE, needs=Needs(high=0.4, absolute=True))
    return Part(
        says=SAYS,
        effects=(gain,),
        conditions=(pck, mean),
        validity_checks=(runs.tuned(),),
        because=f"28 numbers from one network find {100 * pck.estimate:.0f} % of the keypoints within a fifth of the torso's "
        f"length; the mean pose, the best constant answer, {100 * mean.estimate:.0f} %.",
    )


study = PoseStudy(
    claim="E07",
    says=SAYS,
    translation="Where an image of a person is the input, the output is the coordinates of each joint, the person's pose. The "
    "data set of the example defines a person's pose by the places of 14 joints.",
    slide="Classification + Localization, …pdf-0052",
    paper="DeepPose, LSP, strict PCP: about 0.61 after the second and third stage (from memory, unchecked).",
    variants={NUMBERS: {}},
    scales={
        "cpu": Scale(deviations=("drawn figures of 48 × 48 pixels", "three convolutions of 16, 32 and 64 features")),
        "gpu": Scale(
            leeds(200),
            deviations=("Leeds Sports Pose at 128 × 128, ResNet-18 from ImageNet in place of AlexNet", "one stage, no cascade"),
        ),
    },
    deviations=("PCK by the torso, where DeepPose reports PCP", "the cascade and the heat maps of the row are not run"),
    parts=parts,
    amendments=(
        NEW_STATISTICS,
        Amendment(
            "2026-11-26",
            "the thresholds are absolute: what lies below them and above the mean pose is direction only, where 10 points "
            "above the mean pose were needed for that",
        ),
    ),
)
