"""Two predictions of one image: what rounding may change is no difference, and everything else is one."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from experiments.training.agreement import OVERLAP_EDGE, TOLERANCE, differences, pairs
from lightning_modules.networks.detector import Detections, Detector

Found = dict[str, Tensor]


class Bare(Detector):
    """A detector by its thresholds alone."""

    def __init__(self, score_threshold: float = 0.5, max_detections: int = 100) -> None:
        super().__init__(3, score_threshold=score_threshold, nms_threshold=0.5, max_detections=max_detections)

    def forward(self, images: Tensor) -> Any: ...
    def losses(self, outputs: Any, boxes: list[Tensor], labels: list[Tensor]) -> dict[str, Tensor]: ...  # type: ignore[empty-body]
    def predict(self, outputs: Any) -> list[Detections]: ...  # type: ignore[empty-body]


def objects(scores: list[float] | Tensor) -> Found:
    """Boxes of 8 x 8 pixels that do not meet, one a score, with masks."""
    count = len(scores)
    corner = 10.0 * torch.stack([torch.arange(count) % 10, torch.arange(count) // 10], 1)
    masks = torch.randint(0, 2, (count, 40, 40), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    boxes, labels = torch.cat([corner, corner + 8], 1), torch.arange(count) % 3
    return {"boxes": boxes, "labels": labels, "scores": torch.as_tensor(scores, dtype=torch.float32), "masks": masks}


def rows(found: Found, chosen: Tensor | list[int]) -> Found:
    return {name: values[chosen] for name, values in found.items()}


def selected(detector: Bare, found: Found) -> Found:
    """Best first, above the threshold, at most so many."""
    found = rows(found, found["scores"].argsort(descending=True))
    return rows(rows(found, found["scores"] > detector.score_threshold), slice(detector.max_detections))  # type: ignore[arg-type]


CLEAR = objects([0.9, 0.8, 0.7, 0.6])


@given(st.lists(st.one_of(st.floats(0.3, 0.9), st.integers(-9, 9)), max_size=30), st.integers(0, 99), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_what_rounding_moves_over_a_threshold_is_no_difference(ties: list[float], seed: int, most: int) -> None:
    """Integers are scores that so many times 1e-7 part from the threshold."""
    detector = Bare(max_detections=most)
    scores = torch.tensor([0.95, *(0.5 + tie * 1e-7 if isinstance(tie, int) else tie for tie in ties)])
    noise = (torch.rand(len(scores), generator=torch.Generator().manual_seed(seed)) - 0.5) * 1e-6
    own, other = (selected(detector, objects(values)) for values in (scores, scores + noise))
    assert 0 <= max(differences(detector, None, own, other).values()) <= TOLERANCE


@pytest.mark.parametrize("side", ["own", "other"])
@pytest.mark.parametrize("lost", range(4))
def test_one_that_only_one_side_has_is_a_difference(side: str, lost: int) -> None:
    fewer = rows(CLEAR, [i for i in range(4) if i != lost])
    given = (fewer, CLEAR) if side == "own" else (CLEAR, fewer)
    assert differences(Bare(), None, *given)["boxes"] == inf


def test_one_that_is_found_twice_is_a_difference() -> None:
    assert differences(Bare(), None, CLEAR, rows(CLEAR, [0, 0, 1, 2, 3]))["boxes"] == inf


def test_nothing_at_all_agrees_with_nothing_alone() -> None:
    nothing = objects([])
    assert set(differences(Bare(), None, nothing, nothing).values()) == {0.0}
    assert differences(Bare(), None, CLEAR, nothing) == {"boxes": inf}
    assert differences(Bare(), None, nothing, CLEAR) == {"boxes": inf}
    edge = objects([0.50000006] * 2)
    assert differences(Bare(), None, edge, nothing) == {}, "nothing was compared, and that is said"


@pytest.mark.parametrize("score", [0.9, 0.5000005], ids=["clear", "at the threshold"])
def test_fields_of_one_object_are_compared_wherever_its_score_lies(score: float) -> None:
    own = objects([score, 0.5000002])
    moved = own | {"boxes": own["boxes"] + 0.5}
    assert differences(Bare(), None, own, moved)["boxes"] == pytest.approx(0.5)
    assert differences(Bare(), None, own, own | {"scores": own["scores"] + 1e-3})["scores"] == pytest.approx(1e-3, rel=1e-3)
    other = own["masks"].clone()
    other[0, 0, :16] ^= 1
    assert differences(Bare(), None, own, own | {"masks": other})["masks"] == pytest.approx(16 / 3200)


def test_where_all_scores_are_almost_alike_one_too_few_is_a_difference_all_the_same() -> None:
    own = objects([0.50003, 0.50002, 0.50001])
    assert differences(Bare(), None, own, rows(own, [0, 1]))["boxes"] == inf
    off = rows(own, [0, 1]) | {"scores": own["scores"][:2] + 2e-6}
    assert max(differences(Bare(), None, own, off).values()) <= TOLERANCE, "as far as the others' scores are off, it is not"


def test_another_label_or_a_far_box_is_another_object() -> None:
    assert differences(Bare(), None, CLEAR, CLEAR | {"labels": CLEAR["labels"].flip(0).roll(1)})["boxes"] == inf
    assert differences(Bare(), None, CLEAR, CLEAR | {"boxes": CLEAR["boxes"] + 5})["boxes"] == inf


@pytest.mark.parametrize(("beside", "apart"), [(0.0, False), (10 * OVERLAP_EDGE, True), (-10 * OVERLAP_EDGE, True)])
def test_one_that_overlaps_by_the_threshold_of_suppression_may_be_missing(beside: float, apart: bool) -> None:
    overlap = 0.5 + beside
    shift = 80 * (1 - overlap) / (1 + overlap)  # of a square of 80 pixels
    own = objects([0.9, 0.8]) | {"labels": torch.tensor([0, 0])}
    own["boxes"] = torch.tensor([[0.0, 0, 80, 80], [shift, 0, 80 + shift, 80]])
    assert (differences(Bare(), None, own, rows(own, [0])).get("boxes") == inf) == apart


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_pairs_are_one_to_one_and_the_greatest_first(height: int, width: int, seed: int) -> None:
    overlap = torch.rand(height, width, generator=torch.Generator().manual_seed(seed))
    here, there = (side.tolist() for side in pairs(overlap))
    assert len(set(here)) == len(here) == len(set(there)) == len(there)
    found = [float(overlap[i, j]) for i, j in zip(here, there, strict=True)]
    assert found == sorted(found, reverse=True) and all(value > 0.5 for value in found)
    left = [(i, j) for i in range(height) for j in range(width) if i not in here and j not in there]
    assert all(overlap[i, j] <= 0.5 for i, j in left)


@pytest.mark.parametrize(("gap", "agrees"), [(1e-6, True), (1e-2, False)])
def test_a_class_differs_by_how_much_the_one_is_preferred_to_the_other(gap: float, agrees: bool) -> None:
    scores = torch.tensor([0.4, 0.4 - gap, 0.2])
    own, other = ({"label": torch.tensor(i), "scores": scores, "boxes": torch.full((1, 4), float(i))} for i in (0, 1))
    found = differences(nn.Identity(), None, own, other)
    assert found["label"] == pytest.approx(gap, rel=1e-1) and (max(found.values()) <= TOLERANCE) == agrees

    logits = scores[None, :, None, None].repeat(1, 1, 2, 2)
    masks = [{"mask": torch.tensor([[0, i], [0, 0]], dtype=torch.uint8)} for i in (0, 1)]
    assert differences(nn.Identity(), logits, *masks)["mask"] == found["label"]
    assert differences(nn.Identity(), logits, masks[0], {"mask": torch.zeros(1, 4, dtype=torch.uint8)})["mask"] == inf


def test_a_label_may_be_missing_where_its_probability_is_a_half() -> None:
    scores = torch.tensor([0.9, 0.5 + 6e-8, 0.1])
    both, one, none = ({"scores": scores, "labels": torch.tensor(labels)} for labels in ([0, 1], [0], []))
    assert max(differences(nn.Identity(), None, both, one).values()) <= TOLERANCE
    assert differences(nn.Identity(), None, both, none)["labels"] == pytest.approx(0.4)


def test_no_number_agrees_with_no_number() -> None:
    point = {"keypoints": torch.tensor([[[1.0, float("nan"), 1.0]]])}
    assert differences(nn.Identity(), None, point, point)["keypoints"] == inf
