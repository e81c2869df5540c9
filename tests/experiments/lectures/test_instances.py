"""The verdicts on masks and keypoints, on runs that nobody made; and what they rest on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.lectures.cs231n import (
    a_mask_branch_beside_the_boxes,
    mask_r_cnn_also_does_pose,
    masks_are_aligned_and_do_not_compete,
)
from experiments.measures.instances import branch_cost, mean_pose
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Check, Level
from lightning_modules.networks import ConvBackbone, KeypointMaskRCNN, MaskRCNN
from tests.support.configurations import printed
from tests.support.made_up_verdicts import Options, Values, three, untuned

# A branch beside the boxes --------------------------------------------------------------------------------------------


def branches(
    mask_ap50: list[float],
    boxes: list[float],
    alone: list[float],
    time: float = 1.2,
    filled: float = 0.3,
    box_ap50: float = 0.7,
) -> dict[str, Values]:
    costs = {"cost/branch_time": three(time), "cost/branch_flop": [1.2] * 3, "cost/detections": [5.0] * 3}
    return {
        "with masks": {
            "test/mAP": boxes,
            "test/mAP50": [box_ap50] * 3,
            "test/mask_mAP50": mask_ap50,
            "test/filled_mask_mAP50": [filled] * 3,
            **costs,
        },
        "boxes alone": {"test/mAP": alone, "test/mAP50": [box_ap50] * 3},
    }


BETTER = [0.52, 0.53, 0.51]
SAME = [0.500, 0.503, 0.497]
WORSE = [0.46, 0.47, 0.46]


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (branches(three(0.70), SAME, SAME), {}, Level.REPRODUCED),
        (branches(three(0.70), BETTER, SAME), {}, Level.REPRODUCED),
        (branches(three(0.70), WORSE, SAME), {}, Level.NOT_REPRODUCED),
        (branches(three(0.50), SAME, SAME), {}, Level.NOT_REPRODUCED),
        (branches(three(0.70), SAME, SAME, time=1.5), {}, Level.NOT_REPRODUCED),
        (branches([0.70, 0.59, 0.59], SAME, SAME), {}, Level.INCONCLUSIVE),
        (branches(three(0.70), [0.50, 0.48, 0.51], SAME), {}, Level.INCONCLUSIVE),
        (branches(three(0.70), SAME, SAME, filled=0.65), {}, Level.INCONCLUSIVE),
        (branches(three(0.70), SAME, SAME, box_ap50=0.05), {}, Level.INCONCLUSIVE),
        (branches(three(0.70), SAME, SAME), untuned("boxes alone"), Level.INCONCLUSIVE),
        (branches([0.7, 0.7, float("nan")], SAME, SAME), {}, Level.INCONCLUSIVE),
    ],
)
def test_a_mask_branch(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert a_mask_branch_beside_the_boxes.verdict(Runs.made_up(variants, **options)).level == level


# Alignment and competition --------------------------------------------------------------------------------------------


def masks(
    align: float, strict: float, softmax: float, spread: float = 0.002, filled: float = 0.2, ap50: float = 0.5
) -> dict[str, Values]:
    """Variants whose AP lies ``align`` and ``softmax``, and AP75 ``strict``, below those of sigmoids with RoIAlign."""

    def variant(below: float, strictly: float) -> Values:
        return {
            "test/mask_mAP": three(0.30 - below, spread if below else 0.0),
            "test/mask_mAP75": three(0.25 - strictly, spread if below else 0.0),
            "test/mask_mAP50": [ap50] * 3,
            "test/filled_mask_mAP50": [filled] * 3,
        }

    return {
        "softmax, RoIAlign": variant(softmax, softmax),
        "one sigmoid, RoIAlign": variant(0.01, 0.01),
        "sigmoids, RoIAlign": variant(0.0, 0.0),
        "sigmoids, RoIPool": variant(align, strict),
    }


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (masks(0.03, 0.05, 0.05), {}, Level.REPRODUCED),
        (masks(0.03, 0.05, -0.02), {}, Level.DIRECTION_ONLY),
        (masks(0.03, 0.02, 0.05), {}, Level.DIRECTION_ONLY),
        (masks(-0.03, -0.05, 0.05), {}, Level.DIRECTION_ONLY),
        (masks(-0.03, -0.05, -0.02), {}, Level.NOT_REPRODUCED),
        (masks(0.03, 0.02, -0.02), {}, Level.NOT_REPRODUCED),
        (masks(0.001, 0.002, -0.001, spread=0.05), {}, Level.INCONCLUSIVE),
        (masks(0.03, 0.05, 0.05, filled=0.45), {}, Level.INCONCLUSIVE),
        (masks(0.03, 0.05, 0.05), untuned("sigmoids, RoIPool"), Level.INCONCLUSIVE),
    ],
)
def test_alignment_and_competition(variants: dict[str, Values], options: Options, level: Level) -> None:
    assert masks_are_aligned_and_do_not_compete.verdict(Runs.made_up(variants, **options)).level == level


# Poses ----------------------------------------------------------------------------------------------------------------


def poses(keypoints: list[float], both: list[float], mean: float = 0.2) -> dict[str, Values]:
    def variant(values: list[float]) -> Values:
        return {"test/keypoint_mAP": values, "test/mean_pose_keypoint_mAP": [mean] * 3}

    return {"keypoints and masks": variant(both), "keypoints": variant(keypoints)}


@pytest.mark.parametrize(
    ("variants", "options", "level"),
    [
        (poses(three(0.60), three(0.61)), {}, Level.REPRODUCED),
        (poses(three(0.60), three(0.50)), {}, Level.REPRODUCED),
        (poses(three(0.40), three(0.61)), {}, Level.NOT_REPRODUCED),
        (poses([0.60, 0.45, 0.60], three(0.60)), {}, Level.INCONCLUSIVE),
        (poses(three(0.60), three(0.61), mean=0.55), {}, Level.INCONCLUSIVE),
        (poses(three(0.60), three(0.25)), {}, Level.INCONCLUSIVE),
        (poses(three(0.60), three(0.61)), untuned("keypoints"), Level.INCONCLUSIVE),
    ],
)
def test_poses(variants: dict[str, Values], options: Options, level: Level) -> None:
    verdict = mask_r_cnn_also_does_pose.verdict(Runs.made_up(variants, **options))
    assert verdict.level == level
    assert len(verdict.checks) == 3 and all(check.holds for check in verdict.checks)


def test_more_than_one_head_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_r_cnn_also_does_pose, "one_head_more", lambda: (Check("modules", "a, b", "a"),))
    assert mask_r_cnn_also_does_pose.verdict(Runs.made_up(poses(three(0.6), three(0.6)))).level == Level.NOT_REPRODUCED


# What they rest on ----------------------------------------------------------------------------------------------------


def test_the_mean_pose_is_taken_in_parts_of_boxes_over_labelled_keypoints() -> None:
    boxes = [torch.tensor([[0.0, 0, 10, 20], [10, 10, 30, 30]]), torch.zeros(0, 4), torch.tensor([[0.0, 0, 4, 4]])]
    keypoints = [
        torch.tensor([[[5.0, 5, 2], [10, 20, 1]], [[20, 20, 2], [0, 0, 0]]]),
        torch.zeros(0, 2, 3),
        torch.tensor([[[0.0, 0, 0], [2.0, 2, 2]]]),
    ]
    assert mean_pose(boxes, keypoints).tolist() == [[0.5, 0.375], [0.75, 0.75]]


def test_a_branch_costs_more_where_it_is_larger_and_nothing_where_nothing_is_found() -> None:
    torch.manual_seed(0)
    build = {"backbone": lambda: ConvBackbone((4, 8), depth=1), "score_threshold": 0.0, "max_detections": 6}
    images = [torch.randn(1, 3, 48, 48) for _ in range(2)]
    one, both = MaskRCNN(2, **build).eval(), KeypointMaskRCNN(2, 14, **build).eval()  # type: ignore[arg-type]
    cost, more = branch_cost(one, images, 1), branch_cost(both, images, 1)
    assert more["cost/branch_flop"] > cost["cost/branch_flop"] > 1 and cost["cost/detections"] == 6
    assert cost["cost/branch_time"] == pytest.approx(cost["cost/ms"] / cost["cost/ms_without"]) and cost["cost/ms"] > 0
    one.score_threshold = 1.0
    none = branch_cost(one, images, 1)
    assert (none["cost/branch_flop"], none["cost/detections"]) == (1, 0)


STUDIES = (
    a_mask_branch_beside_the_boxes.study,
    masks_are_aligned_and_do_not_compete.study,
    mask_r_cnn_also_does_pose.study,
)


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.claim)
def test_the_command_line_takes_every_variant_on_coco(study: Study, tmp_path: Path) -> None:
    for variant in study.variants:
        found = printed(study.job("gpu", variant, 1e-4, 0).settings, tmp_path)
        assert found["data"]["class_path"].startswith("datamodules.COCO")
