"""Proposals through the command line: which pairs they make, and a detector of regions on images without annotation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import datamodules
from datamodules.scene import InputError
from experiments.training.catalog import check_fit, fits, pairs
from lightning_modules import RegionDetection
from tests.conftest import Lectern
from tests.support import tiny
from tests.support.small_runs import last_evaluation

WINDOWS = {"class_path": "datamodules.SlidingWindows", "init_args": {"sides": [12.0, 24.0], "step": 0.5}}
EXPERIMENT = {
    "model": {
        "class_path": "RegionDetection",
        "init_args": {
            "network": {
                "class_path": "lightning_modules.networks.FastRCNN",
                "init_args": {"score_threshold": 0.0, "nms_threshold": 1.0, "max_detections": 1000},
            },
            "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.0}},
        },
    },
    "data": {
        "class_path": "Shapes",
        "init_args": {"image_size": 48, "train": 4, "val": 2, "test": 2, "batch_size": 2, "workers": 0, "proposals": WINDOWS},
    },
    "trainer": {"max_steps": 1, "num_sanity_val_steps": 0, "enable_progress_bar": False, "enable_model_summary": False},
}


def test_every_data_set_of_boxes_feeds_a_detector_of_regions() -> None:
    fed = {data for task, data in pairs() if task == "RegionDetection"}
    assert fed == {data for task, data in pairs() if task == "Detection"} >= {"Shapes", "VOC", "COCO"}
    assert not fits(RegionDetection, datamodules.MNIST)
    with pytest.raises(InputError, match=r"RegionDetection needs boxes and labels; MNIST provides label\. .* both: .*VOC"):
        check_fit("lightning_modules.RegionDetection", "datamodules.MNIST")


def test_prediction_on_images_finds_the_proposals_that_the_training_did(lectern: Lectern, workdir: Path) -> None:
    """Without non-maximum suppression and threshold each proposal is a detection of each class."""
    (workdir / "regions.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    fitted = lectern("fit", "--config", "regions.yaml", "--version", "a")
    assert fitted.code == 0, fitted.err
    tiny.save(workdir / "photos" / "0.png", tiny.picture((30, 40), [(4, 4, 14, 14)], seed=0))
    last = workdir / "runs" / "regions" / "a" / "checkpoints" / "last.ckpt"

    def predicted(*options: str) -> list[object]:
        done = lectern("predict", "--ckpt_path", str(last), "--data", "ImageFiles", "--data.root", "photos", *options)
        assert done.code == 0, done.err
        folder = last_evaluation(workdir / "runs" / "regions" / "a")
        (entry,) = json.loads((folder / "predictions" / "predictions.json").read_text())
        found: list[object] = entry["objects"]
        return found

    as_trained = predicted()
    assert as_trained == predicted("--data.proposals", json.dumps(WINDOWS))
    other = predicted("--data.proposals", "SlidingWindows", "--data.proposals.sides", "[24]", "--data.proposals.ratios", "[1]")
    assert 0 < len(other) < len(as_trained)
