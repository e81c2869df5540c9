"""Segmentation of drawn scenes and of streets: what the studies of fully convolutional networks share."""

from __future__ import annotations

from functools import partial

from datamodules import CamVid
from experiments.lectures._augmentations import FLIP
from experiments.studies.lazy import L
from experiments.studies.study import Study, Training, Tune

MIOU, BORDER = "test/miou", "test/border_accuracy"
BASELINE = 0.25
"""mIoU that one class for all pixels cannot exceed, of four."""

SegmentationStudy = partial(
    Study, work=Training("segmentation/small_shapes"), tune=Tune(start=1e-2, by="trainset/miou", greatest=True)
)
"""What the studies of segmentation networks have in common."""

STREETS = L(CamVid)(root="data/camvid", image_size=(360, 480), batch_size=8, augment=[FLIP])
