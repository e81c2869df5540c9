"""DenseCap's AP, on cases worked out by hand and beside the authors' algorithm in plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.drawing.slots import slots
from experiments.measures.captions import SlotAP
from lightning_modules.metrics.dense_captions import MERGED, OVERLAPS, DenseCaptionAP, iou, merged
from lightning_modules.metrics.meteor import meteor

BOX, BESIDE, FAR = [0.0, 0, 10, 10], [0.0, 0, 10, 6], [50.0, 50, 60, 60]
RED, BLUE = "a red ring", "the blue star"


def prediction(*found: tuple[list[float], float, str]) -> dict[str, Any]:
    boxes, scores, captions = zip(*found, strict=True) if found else ((), (), ())
    return {"boxes": torch.tensor(boxes).reshape(-1, 4), "scores": torch.tensor(scores), "captions": list(captions)}


def target(*there: tuple[list[float], str]) -> dict[str, Any]:
    boxes, captions = zip(*there, strict=True) if there else ((), ())
    return {"boxes": torch.tensor(boxes).reshape(-1, 4), "captions": list(captions)}


def scored(*images: tuple[dict[str, Any], dict[str, Any]], metric: Any = None) -> dict[str, float]:
    metric = metric or DenseCaptionAP()
    found, there = zip(*images, strict=True)
    metric.update(list(found), list(there), torch.arange(len(images)))
    return {key: float(value) for key, value in metric.compute().items()}


def test_the_right_box_with_the_right_phrase_is_all_there_is() -> None:
    values = scored((prediction((BOX, 0.9, RED)), target((BOX, RED))))
    assert values["dense_mAP"] == values["dense_box_mAP"] == values["meteor"] == 1.0


def test_a_wrong_phrase_is_wrong_and_its_box_is_not() -> None:
    values = scored((prediction((BOX, 0.9, BLUE)), target((BOX, RED))))
    assert values["dense_mAP"] == 0.0 and values["dense_box_mAP"] == 1.0 and values["meteor"] == 0.0


def test_a_box_counts_at_the_overlaps_that_it_reaches() -> None:
    # IoU .6: right at .3 to .6, wrong at .7.
    assert scored((prediction((BESIDE, 0.9, RED)), target((BOX, RED))))["dense_mAP"] == pytest.approx(4 / 5)


def test_a_phrase_counts_at_the_similarities_that_it_passes() -> None:
    said = "a green"
    assert 0.1 < meteor(said, RED) < 0.15, "of the six thresholds it passes 0, .05 and .1"
    assert scored((prediction((BOX, 0.9, said)), target((BOX, RED))))["dense_mAP"] == pytest.approx(3 / 6)


def test_the_first_claims_its_object_whatever_it_says_and_the_second_is_wrong() -> None:
    values = scored((prediction((BOX, 0.9, BLUE), (BOX, 0.8, RED)), target((BOX, RED))))
    assert values["dense_mAP"] == 0.0 and values["dense_box_mAP"] == 1.0
    # The first covers the object by a tenth alone, and has claimed it all the same.
    assert scored((prediction(([0.0, 0, 10, 1], 0.9, RED), (BOX, 0.8, RED)), target((BOX, RED))))["dense_box_mAP"] == 0.0


def test_precision_is_averaged_over_101_recalls() -> None:
    # One of two objects is found, behind a box on nothing: precision 1/2 up to recall 1/2, at 51 of 101 points.
    values = scored((prediction((FAR, 0.9, RED), (BOX, 0.8, RED)), target((BOX, RED), ([20.0, 20, 30, 30], RED))))
    assert values["dense_mAP"] == pytest.approx(0.5 * 51 / 101)


def test_regions_that_are_one_object_are_merged_and_any_of_their_phrases_will_do() -> None:
    near = [0.0, 0, 10, 8]  # IoU .8
    boxes, phrases = merged(np.array([BOX, FAR, near]), [RED, BLUE, BLUE])
    assert boxes.tolist() == [[0, 0, 10, 9], FAR] and phrases == [(RED, BLUE), (BLUE,)]
    for said in (RED, BLUE):
        assert scored((prediction((BOX, 0.9, said)), target((BOX, RED), (near, BLUE))))["dense_mAP"] == 1.0
    far_enough = [0.0, 0, 10, 6.9]
    assert len(merged(np.array([BOX, far_enough]), [RED, BLUE])[0]) == 2


def test_of_a_chain_the_box_that_most_overlap_takes_its_neighbours() -> None:
    chain = [[0.0, 0, 10, 10], [0.0, 1.5, 10, 11.5], [0.0, 3, 10, 13]]
    assert (iou(np.array(chain), np.array(chain)) >= MERGED).sum() == 7, "the ends are apart"
    boxes, phrases = merged(np.array(chain), ["x", "y", "z"])
    assert len(boxes) == 1 and phrases == [("x", "y", "z")]


def test_an_object_without_a_phrase_is_passed_over() -> None:
    image = prediction((FAR, 0.95, BLUE), (BOX, 0.9, RED)), target((BOX, RED), (FAR, ""))
    assert scored(image)["dense_mAP"] == 1.0
    assert scored((prediction((FAR, 0.95, BLUE)), target((FAR, ""))))["dense_mAP"] == -1.0


def test_nothing_found_is_0_and_nothing_there_is_minus_1() -> None:
    assert scored((prediction(), target((BOX, RED))))["dense_mAP"] == 0.0
    assert scored((prediction((BOX, 0.9, RED)), target()))["dense_mAP"] == -1.0


def test_bleu_and_meteor_are_of_the_phrases_on_objects() -> None:
    said = "a red ring on the left"
    values = scored((prediction((BOX, 0.9, said), (FAR, 0.8, BLUE)), target((BOX, said))))
    assert values["bleu4"] == pytest.approx(1.0) and values["meteor"] == 1.0


def test_a_phrase_a_box_is_expected() -> None:
    wrong = prediction((BOX, 0.9, RED)) | {"captions": []}
    with pytest.raises(ValueError, match="prediction of sample 0: 0 captions of 1 boxes"):
        scored((wrong, target((BOX, RED))))


def test_slots_are_counted_in_quarters() -> None:
    truth = "a small red striped ring left of a large blue square"
    assert slots(truth) == ("small", "red", "striped", "ring", "left")
    shares = {"a small red striped ring": 1.0, "a large red ring": 0.5, "red": 0.25, "": 0.0, "a ring of a ring": 0.25}
    for said, share in shares.items():
        assert slots(said).share(slots(truth)) == share
        expected = {0.0: 0.0, 0.25: 1 / 4, 0.5: 2 / 4, 1.0: 1.0}[share]
        image = prediction((BOX, 0.9, said)), target((BOX, truth))
        assert scored(image, metric=SlotAP())["slot_mAP"] == pytest.approx(expected), said
    assert slots("a red ring").share(slots("a red ring")) == 1.0, "plain is a fill too"


corner = st.integers(0, 12)
box = st.tuples(corner, corner, st.integers(1, 12), st.integers(1, 12)).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]])
phrase = st.lists(st.sampled_from(["a", "red", "blue", "ring", "rings"]), min_size=1, max_size=3).map(" ".join)
image = st.tuples(
    st.lists(st.tuples(box, st.sampled_from([0.1, 0.2, 0.5, 0.9]), phrase), max_size=4),
    st.lists(st.tuples(box, phrase), max_size=4),
)


def by_the_authors(images: Any) -> float:
    """``eval_utils.lua`` of DenseCap, as it stands there, in loops."""
    records, all_scores, positives = [], [], 0
    for found, there in images:
        boxes, references = merged(np.array([b for b, _ in there], float).reshape(-1, 4), [p for _, p in there])
        used = [False] * len(boxes)
        for b, score, said in sorted(found, key=lambda one: -one[1]):
            best, place = 0.0, -1
            for j, other in enumerate(boxes):
                overlap = float(iou(np.array([b], float), other[None])[0, 0])
                if overlap > best:
                    best, place = overlap, j
            ok = place >= 0 and not used[place]
            if place >= 0:
                used[place] = True
            similar = max((meteor(said, r) for r in references[place]), default=0.0) if place >= 0 else 0.0
            records.append((ok, best, similar))
            all_scores.append(score)
        positives += len(boxes)
    order = sorted(range(len(records)), key=lambda i: -all_scores[i])
    each = []
    for least in OVERLAPS:
        for similar in DenseCaptionAP.thresholds:
            right = [int(records[i][0] and records[i][1] >= least and records[i][2] > similar) for i in order]
            precision, recall = [], []
            for n in range(len(right)):
                precision.append(sum(right[: n + 1]) / (n + 1))
                recall.append(sum(right[: n + 1]) / positives)
            points = [
                max((p for p, r in zip(precision, recall, strict=True) if r >= t), default=0.0) for t in np.linspace(0, 1, 101)
            ]
            each.append(sum(points) / 101)
    return sum(each) / len(each)


@given(st.lists(image, min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_it_is_the_authors_algorithm_and_stays_in_its_bounds(images: Any) -> None:
    values = scored(*((prediction(*found), target(*there)) for found, there in images))
    if not any(there for _, there in images):
        assert values["dense_mAP"] == -1.0
        return
    assert values["dense_mAP"] == pytest.approx(by_the_authors(images), abs=1e-6)
    assert 0 <= values["dense_mAP"] <= values["dense_box_mAP"] <= 1
    assert 0 <= values["meteor"] <= 1 and 0 <= values["bleu4"] <= 1 + 1e-6


@given(st.lists(image, min_size=1, max_size=5), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
def test_any_number_of_processes_measures_the_same(images: Any, processes: int) -> None:
    whole, parts = DenseCaptionAP(), [DenseCaptionAP() for _ in range(processes)]
    for place, (found, there) in enumerate(images):
        for metric in (whole, parts[place % processes]):
            metric.update([prediction(*found)], [target(*there)], torch.tensor([place]))
    first, *others = reversed(parts)
    for other in others:
        first.merge_state(other)
    assert {k: v.item() for k, v in first.compute().items()} == {k: v.item() for k, v in whole.compute().items()}
