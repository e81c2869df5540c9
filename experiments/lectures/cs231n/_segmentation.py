"""Segmentation of drawn scenes and of streets: what the studies of fully convolutional networks share."""

from __future__ import annotations

from datamodules import CamVid
from experiments.lectures._augmentations import FLIP
from experiments.studies.lazy import L
from experiments.studies.study import Training, Tune

TRAINING = Training("segmentation/small_shapes")
TUNE = Tune(start=1e-2, by="trainset/miou", greatest=True)
MIOU, BORDER = "test/miou", "test/border_accuracy"
TRIVIAL = 0.25
"""mIoU that one class for all pixels cannot exceed, of four."""

STREETS = L(CamVid)(root="data/camvid", image_size=(360, 480), batch_size=8, augment=[FLIP])
