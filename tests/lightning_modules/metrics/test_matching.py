"""Detections are matched alike by the loops as they are written and compiled, once for COCO and VOC, and little is kept."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_modules.metrics import matching_loops
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.matching import RANGES, THRESHOLDS
from lightning_modules.metrics.matching_loops import PLAIN, compiled_loops
from lightning_modules.metrics.voc import BoxAP, Voc2007AP, Voc2010AP

CLASSES = ("dog", "cat")
Inputs = dict[str, Any]


def image(seed: int, detections: int, objects: int) -> Inputs:
    """Arguments of the loops: boxes on a coarse grid or near it, so that IoUs are tied; crowds, and what is ignored."""
    rng = np.random.default_rng(seed)

    def boxes(count: int) -> Any:
        corner = rng.integers(0, 5, (count, 2)) * 16
        return np.concatenate([corner, corner + rng.integers(0, 8, (count, 2)) * 16], 1).astype(np.float64)

    there = boxes(objects)
    found = np.concatenate([there[rng.integers(0, objects, detections)] if objects else boxes(detections)]).astype(np.float64)
    moved = rng.random(detections) < 0.5
    found[moved] = boxes(int(moved.sum()))
    if rng.random() < 0.5:
        found += rng.random(found.shape).astype(np.float32)
    crowd = rng.random(objects) < 0.25
    return {
        "found": found,
        "there": there,
        "labels": rng.integers(0, 2, detections),
        "classes": rng.integers(0, 2, objects),
        "crowd": crowd,
        "ignored": crowd | (rng.random(objects) < 0.2),
        "areas": (found[:, 2:].astype(np.float64) - found[:, :2]).prod(1),
        "there_areas": (there[:, 2:].astype(np.float64) - there[:, :2]).prod(1) * 0.7,
        "most": int(rng.integers(1, 6)),
    }


def outcomes(loops: matching_loops.Loops, given: Inputs) -> list[Any]:
    boxes = given["found"], given["there"], given["labels"], given["classes"]
    similarity = loops.box_similarity(*boxes, given["crowd"])
    coco = loops.coco_outcomes(
        similarity,
        *(given[name] for name in ("labels", "areas", "there_areas", "ignored", "crowd")),
        THRESHOLDS,
        RANGES,
        given["most"],
    )
    return [similarity, *coco, *loops.voc_outcomes(*boxes, given["ignored"], 0.5)]


@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.integers(0, 6))
@settings(deadline=None, max_examples=40)
def test_compiled_loops_match_as_they_are_written(seed: int, detections: int, objects: int) -> None:
    pytest.importorskip("numba")
    given_image = image(seed, detections, objects)
    assert compiled_loops() != PLAIN
    for compiled, plain in zip(outcomes(compiled_loops(), given_image), outcomes(PLAIN, given_image), strict=True):
        assert compiled.dtype == plain.dtype and np.array_equal(compiled, plain)


def batch(seed: int, images: int = 6) -> Inputs:
    predictions, targets = [], []
    for i in range(images):
        given = image(seed + i, 12, i % 5)
        numbers = np.random.default_rng(seed + i).integers(0, 5, 12) / 5
        boxes, labels = torch.from_numpy(given["found"]).float(), torch.from_numpy(given["labels"])
        predictions.append({"boxes": boxes, "labels": labels, "scores": torch.from_numpy(numbers).float()})
        targets.append({"boxes": torch.from_numpy(given["there"]).float(), "labels": torch.from_numpy(given["classes"])})
        targets[-1]["difficult"] = torch.from_numpy(given["ignored"])
    return {"predictions": predictions, "targets": targets, "index": torch.arange(images)}


def values(metric: Any, given: Inputs) -> dict[str, bytes]:
    metric.update(**given)
    return {name: value.numpy().tobytes() for name, value in metric.compute().items()}


def test_matched_once_boxes_have_the_numbers_of_coco_and_of_both_years_of_voc() -> None:
    given = batch(0)
    alone = [values(metric(CLASSES, per_class=True), given) for metric in (CocoAP, Voc2007AP, Voc2010AP)]
    assert values(BoxAP(CLASSES, per_class=True), given) == {**alone[0], **alone[1], **alone[2]}


def test_a_metric_that_compiles_gives_what_one_gives_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_loops, "_compared", 0)
    plain = values(BoxAP(CLASSES), batch(3))
    monkeypatch.setattr(matching_loops, "WORTH_COMPILING", 0)
    assert values(BoxAP(CLASSES), batch(3)) == plain


def test_what_is_kept_of_a_detection_is_a_few_bytes() -> None:
    """Of 100,000 images with 100 detections each, all processes together hold and send 0.3 GiB."""
    found = {"boxes": torch.rand(100, 4).cumsum(1), "labels": torch.zeros(100, dtype=torch.long), "scores": torch.rand(100)}
    there = {"boxes": torch.rand(7, 4).cumsum(1), "labels": torch.zeros(7, dtype=torch.long)}
    metric = BoxAP(CLASSES)
    metric.update([found], [there], torch.tensor([0]))
    assert len(pickle.dumps(metric.records[0])) < 3_600
