"""Detectors without given proposals, on one backbone and the same scenes: what the studies of them share."""

from __future__ import annotations

from functools import partial
from typing import Any

from experiments.measures.detection_cost import DetectionCost
from experiments.studies.lazy import L
from experiments.studies.results import Runs
from experiments.studies.study import Study, Training, Tune
from experiments.studies.verdict import ValidityCheck
from lightning_modules import networks

AP, AP50, AP75 = "test/mAP", "test/mAP50", "test/mAP75"
GFLOP, SECONDS = "image/gflop", "image/cpu_seconds"
DRAWN = "drawn scenes of 64 × 64 pixels with up to three objects of six classes"

DetectorStudy = partial(Study, work=Training("detection/small_shapes"), tune=Tune(start=2e-3, by="val/mAP", greatest=True))
"""A study of these detectors: what all have in common."""

COST: dict[str, Any] = {"trainer.callbacks": [L(DetectionCost)()]}

YOLO: dict[str, Any] = {"model.network": networks.YOLO}
SSD: dict[str, Any] = {"model.network": networks.SSD, "model.network.scales": 3}
FASTER: dict[str, Any] = {
    "model.network": networks.FasterRCNN,
    "model.network.anchor_scales": [2.0, 3.0, 4.5],  # of the map's stride 8: 16 to 36 pixels, as the objects are
    "model.network.proposals": 30,
    "model.network.samples": 64,  # of which a quarter may be objects, with up to three of them
    "model.network.background": [0.0, 0.5],  # YOLO and SSD learn from all of it too
    "model.network.head": L(networks.SoftmaxHead)(layers=L(networks.FullyConnected)(widths=[128])),
}


def finds(runs: Runs, control: str, measure: str = AP50) -> ValidityCheck:
    """The control finds objects at all."""
    return runs.beats(measure, 0.0, variants=[control])
