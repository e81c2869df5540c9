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
from experiments.studies.verdict import Check, Level, Verdict
from lightning_modules.networks import ConvBackbone, KeypointMaskRCNN, MaskRCNN
from tests.support.configurations import printed
from tests.support.exchange import assert_exchange_turns
from tests.support.five_seeds import NAN, NOT, OPEN, SOME, WHOLE, around, levels
from tests.support.made_up_verdicts import Options, Values, untuned

# A branch beside the boxes (H04) --------------------------------------------------------------------------------------


def branches(
    boxes: list[float],
    masks: list[float] | None = None,
    operations: float = 1.2,
    filled: float = 0.3,
    alone: float = 0.5,
    box_ap50: float = 0.7,
) -> dict[str, Values]:
    costs = {"cost/branch_time": [1.5] * 5, "cost/branch_flop": [operations] * 5, "cost/detections": [5.0] * 5}
    return {
        "with masks": {
            "test/mAP": boxes,
            "test/mAP50": [box_ap50] * 5,
            "test/mask_mAP50": masks or around(0.70),
            "test/filled_mask_mAP50": [filled] * 5,
            **costs,
        },
        "boxes alone": {"test/mAP": around(alone), "test/mAP50": [box_ap50] * 5},
    }


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (branches(around(0.50)), {}, WHOLE),  # whatever the CPU time
        (branches(around(0.52)), {}, WHOLE),
        (branches(around(0.46)), {}, NOT),
        (branches(around(0.49)), {}, OPEN),
        (branches([0.50, 0.47, 0.52, 0.48, 0.53]), {}, OPEN),
        (branches(around(0.50), operations=1.5), {}, NOT),
        (branches(around(0.50), around(0.55)), {}, OPEN),  # a threshold missed refutes nothing
        (branches(around(0.50), [0.7, 0.59, 0.59, 0.6, 0.65]), {}, OPEN),
        (branches(around(0.50), filled=0.65), {}, OPEN),
        (branches(around(0.50), box_ap50=0.05), {}, OPEN),
        (branches(around(0.50)), untuned("boxes alone"), OPEN),
        (branches(around(0.50), [0.7, 0.7, 0.7, 0.7, NAN]), {}, OPEN),
    ],
)
def test_a_mask_branch(variants: dict[str, Values], options: Options, expected: Level) -> None:
    assert levels(a_mask_branch_beside_the_boxes.study, variants, **options) == [expected]


def test_a_mask_branch_with_its_variants_exchanged() -> None:
    """It claims that boxes are not harmed: what is exchanged would have to lack the masks, and has no AP of them."""
    runs = Runs.made_up(branches(around(0.52)))
    study = a_mask_branch_beside_the_boxes.study
    assert Verdict.of(study.parts(runs)).level == WHOLE
    assert Verdict.of(study.parts(runs.exchanged("with masks", "boxes alone"))).level == OPEN


# Alignment and competition (H05) --------------------------------------------------------------------------------------


def masks(align: float, strict: float, softmax: float, pooled: float = 0.5, others: float = 0.5) -> dict[str, Values]:
    """Variants whose AP lies ``align`` and ``softmax``, and AP75 ``strict``, below those of sigmoids with RoIAlign."""

    def variant(below: float, strictly: float, ap50: float) -> Values:
        return {
            "test/mask_mAP": around(0.30 - below),
            "test/mask_mAP75": around(0.25 - strictly),
            "test/mask_mAP50": [ap50] * 5,
            "test/filled_mask_mAP50": [0.2] * 5,
        }

    return {
        "softmax, RoIAlign": variant(softmax, softmax, others),
        "one sigmoid, RoIAlign": variant(0.01, 0.01, 0.5),
        "sigmoids, RoIAlign": variant(0.0, 0.0, others),
        "sigmoids, RoIPool": variant(align, strict, pooled),
    }


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (masks(0.03, 0.05, 0.05), {}, [WHOLE, WHOLE]),
        (masks(0.03, 0.05, -0.02), {}, [NOT, WHOLE]),
        (masks(0.03, 0.05, 0.0), {}, [NOT, WHOLE]),
        (masks(0.03, 0.02, 0.05), {}, [WHOLE, SOME]),
        (masks(-0.03, -0.05, 0.05), {}, [WHOLE, NOT]),
        (masks(-0.03, -0.05, -0.02), {}, [NOT, NOT]),
        (masks(0.03, 0.05, 0.05, pooled=0.2), {}, [WHOLE, WHOLE]),  # that RoIPool fails is the claim
        (masks(0.03, 0.05, 0.05, others=0.25), {}, [OPEN, OPEN]),
        (masks(NAN, 0.05, 0.05), {}, [WHOLE, OPEN]),
        (masks(0.03, 0.05, 0.05), untuned("sigmoids, RoIPool"), [WHOLE, OPEN]),
    ],
)
def test_alignment_and_competition(variants: dict[str, Values], options: Options, expected: list[Level]) -> None:
    assert levels(masks_are_aligned_and_do_not_compete.study, variants, **options) == expected


def test_alignment_and_competition_with_their_variants_exchanged() -> None:
    assert_exchange_turns(masks_are_aligned_and_do_not_compete.study, Runs.made_up(masks(0.03, 0.05, 0.05)))


# Poses (H06) ----------------------------------------------------------------------------------------------------------


def poses(keypoints: list[float], mean: float = 0.2) -> dict[str, Values]:
    def variant(values: list[float]) -> Values:
        return {"test/keypoint_mAP": values, "test/mean_pose_keypoint_mAP": [mean] * 5}

    return {"keypoints and masks": variant(around(0.6)), "keypoints": variant(keypoints)}


@pytest.mark.parametrize(
    ("variants", "options", "expected"),
    [
        (poses(around(0.60)), {}, WHOLE),
        (poses(around(0.40)), {}, SOME),
        (poses([0.60, 0.45, 0.60, 0.55, 0.45]), {}, SOME),
        (poses(around(0.15)), {}, NOT),
        (poses(around(0.20), mean=0.60), {}, NOT),  # the network and the mean pose exchanged
        (poses([0.60, 0.1, 0.60, 0.1, 0.2]), {}, OPEN),
        (poses(around(0.60)), untuned("keypoints"), OPEN),
        (poses(around(0.60)), untuned("keypoints and masks"), WHOLE),
    ],
)
def test_poses(variants: dict[str, Values], options: Options, expected: Level) -> None:
    part = Verdict.of(mask_r_cnn_also_does_pose.study.parts(Runs.made_up(variants, **options))).headline
    assert part.level == expected
    assert len(part.checks) == 3 and all(check.holds for check in part.checks)


def test_more_than_one_head_refutes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_r_cnn_also_does_pose, "one_head_more", lambda: (Check("modules", "a, b", "a"),))
    assert levels(mask_r_cnn_also_does_pose.study, poses(around(0.6))) == [NOT]


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
