"""What is measured of detectors on regions after a training: their answers in parts, corrections of boxes, proposals."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torchvision.ops import box_iou

from datamodules import Shapes
from datamodules.drawing import Style
from datamodules.proposals import SlidingWindows
from experiments.measures.regions import (
    JITTERS,
    AnswersInParts,
    BoxCorrections,
    ProposalRecall,
    TrainingSeconds,
    corrections,
    jittered,
)
from experiments.runs.files import read_metrics
from experiments.runs.folder import RunFolder
from lightning_modules import Detection, RegionDetection, StagedDetection
from lightning_modules.networks import RCNN, ConvBackbone, FasterRCNN, FastRCNN, FullyConnected, SoftmaxHead, StagedHead

STYLE = Style(classes=("circle", "cross"), objects=(1, 2), object_size=(0.4, 0.7), clutter=0.0)
BACKBONE = partial(ConvBackbone, (4, 8, 8), depth=1)
LAYERS = partial(FullyConnected, widths=(16,))


def trained(kind: Any, network: Any, folder: Path, epochs: int = 2) -> tuple[Any, Shapes, dict[str, float]]:
    """A task after a training with every measure, its data, and what is in its log."""
    windows = SlidingWindows(sides=(24,), ratios=(1.0,), step=0.25)
    scenes = Shapes(image_size=48, train=8, val=2, test=6, batch_size=4, workers=0, style=STYLE, proposals=windows)
    torch.manual_seed(0)
    task = kind(
        network=network,
        optimizer=partial(torch.optim.AdamW, lr=0.01),
        metadata=scenes.metadata.as_dict(),
    )
    scenes.require(task.needs)
    measures = [TrainingSeconds(), AnswersInParts(), BoxCorrections(), ProposalRecall()]
    pl.Trainer(
        max_epochs=epochs, logger=RunFolder(folder / "run" / "0", "run"), callbacks=measures, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, use_distributed_sampler=False,
        num_sanity_val_steps=0, log_every_n_steps=1,
    ).fit(task, scenes)  # fmt: skip
    return task, scenes, {key: value for row in read_metrics(folder / "run" / "0") for key, value in row.items()}


def scored(task: Any, scenes: Shapes) -> dict[str, float]:
    """The task's metrics on the test set, as it is."""
    metrics = task.metrics()
    task.eval()
    with torch.no_grad():
        for batch in scenes.test_dataloader():
            metrics.update(**task.metric_inputs(task.predict(task.respond(batch)), batch))
    return {key: float(value) for key, value in metrics.compute().items()}


def test_a_head_in_stages_is_scored_as_it_was_after_each(tmp_path: Path) -> None:
    network = partial(RCNN, backbone=BACKBONE, head=partial(StagedHead, layers=LAYERS))
    task, scenes, values = trained(StagedDetection, network, tmp_path)
    assert task.head.has_svm and task.head.has_regressor
    for name, svm, boxes in (("softmax", False, False), ("svm", True, False), ("softmax_and_boxes", False, True)):
        task.head.has_svm.fill_(svm), task.head.has_regressor.fill_(boxes)
        expected = scored(task, scenes)
        assert {key: values[f"{name}/{key}"] for key in expected} == pytest.approx(expected)
    assert values["softmax/AR100"] != values["softmax_and_boxes/AR100"]
    # The features' epoch and the fits are part of what the training took.
    stages = ("fine_tuning", "features", "svms", "regressors")
    assert values["training/cpu_seconds"] >= 0.9 * sum(values[f"stages/{stage}_cpu_seconds"] for stage in stages)
    assert "corrections/iou_after" in values


def test_fast_rcnn_is_scored_with_boxes_as_they_are_proposed(tmp_path: Path) -> None:
    task, scenes, values = trained(
        RegionDetection, partial(FastRCNN, backbone=BACKBONE, head=partial(SoftmaxHead, layers=LAYERS)), tmp_path, epochs=15
    )
    moved = scored(task, scenes)
    torch.nn.init.zeros_(task.network.head.boxes.weight), torch.nn.init.zeros_(task.network.head.boxes.bias)
    expected = scored(task, scenes)
    assert {key: values[f"unmoved/{key}"] for key in expected} == pytest.approx(expected)
    assert expected["mAP"] > 0 and moved["mAP"] != expected["mAP"]
    found, counts = [], []
    for batch in scenes.test_dataloader():
        assert batch is not None
        found += [box_iou(b, p).max(1).values for b, p in zip(batch["boxes"], batch["proposals"], strict=True)]
        counts += [len(proposals) for proposals in batch["proposals"]]
    best = torch.cat(found)
    for threshold in (50, 70):
        assert values[f"proposals/recall{threshold}"] == pytest.approx(float((best >= threshold / 100).float().mean()))
    assert values["proposals/count"] == sum(counts) / len(counts)


def test_of_a_detector_that_proposes_by_itself_only_what_it_has_is_measured(tmp_path: Path) -> None:
    task, _, values = trained(Detection, partial(FasterRCNN, backbone=BACKBONE, proposals=9), tmp_path, epochs=1)
    assert task.training  # the measures leave it as they found it
    assert 0 < values["proposals/count"] <= 9 and values["training/seconds"] > 0
    assert not any(key.startswith(("corrections/", "unmoved/", "softmax/")) for key in values)


def test_regions_are_drawn_around_their_objects() -> None:
    boxes = torch.tensor([[10.0, 20.0, 30.0, 60.0], [0.0, 0.0, 8.0, 8.0]])
    regions = jittered(boxes, torch.Generator().manual_seed(0))
    assert regions.shape == (2 * JITTERS, 4)
    objects = boxes.repeat_interleave(JITTERS, 0)
    sides, moved = objects[:, 2:] - objects[:, :2], (regions[:, :2] + regions[:, 2:] - objects[:, :2] - objects[:, 2:]) / 2
    growth = (regions[:, 2:] - regions[:, :2]) / sides
    assert (moved.abs() <= 0.2 * sides + 1e-4).all() and (growth > 1 / 1.51).all() and (growth < 1.51).all()
    assert (growth < 1).all(1).any() and (growth > 1).all(1).any()


def test_what_corrections_do_is_counted() -> None:
    objects = torch.tensor([[0.0, 0.0, 10.0, 10.0]]).repeat(3, 1)
    regions = torch.tensor([[2.0, 0.0, 8.0, 10.0], [0.0, 0.0, 20.0, 10.0], [0.0, 0.0, 10.0, 8.0]])
    # Grown outwards to the object; shrunk inwards to it; left alone.
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 8.0]])
    found = corrections(regions, boxes, objects)
    assert found == pytest.approx(
        {
            "iou_before": (0.6 + 0.5 + 0.8) / 3,
            "iou_after": (1 + 1 + 0.8) / 3,
            "outward": 1 / 3,
            "outward_gain": 0.4,
            "small_outward": 0.5,
            "small_gain": 0.2,
        }
    )
