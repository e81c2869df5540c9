"""Faster R-CNN from weights of COCO's shape, offline, on real photographs of other classes, from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from experiments.runs.files import read_metrics
from tests.conftest import Lectern

HEADS = "roi_heads.box_predictor."
"""Of torchvision's names, the layers whose size depends on the number of classes."""


@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_fpn"])
def test_the_heads_are_replaced_and_every_other_tensor_is_the_file_s(
    name: str, real_data: Path, lectern: Lectern, workdir: Path
) -> None:
    """The heads alone are trained here, so that what else changes would have been changed by mistake."""
    torch.manual_seed(0)
    original = get_model(name, weights=None, weights_backbone=None, num_classes=91).state_dict()
    torch.save(original, workdir / "coco.pth")
    done = lectern(
        *("fit", "--config", "detection/faster_rcnn_bccd_torchvision", "--data.root", str(real_data / "bccd")),
        *("--model.network.weights", str(workdir / "coco.pth"), "--model.network.name", name),
        *("--model.network.frozen", "[backbone., rpn., roi_heads.box_head.]", "--data.image_size", "[96, 128]"),
        *("--data.batch_size", "2", "--data.workers", "0", "--data.invalid", "skip", "--trainer.max_steps", "3"),
        *("--trainer.limit_val_batches", "0", "--trainer.log_every_n_steps", "1", "--trainer.enable_progress_bar", "false"),
        *("--wandb", "disabled", "--pictures", "false", "--name", "bccd", "--version", "v"),
    )
    assert done.code == 0, done.err
    folder = workdir / "runs" / "bccd" / "v"
    losses = [row["train/loss"] for row in read_metrics(folder) if "train/loss" in row]
    assert len(losses) == 3 and all(0 < loss < 100 for loss in losses)
    trained = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    trained = {key.removeprefix("network.network."): value for key, value in trained.items() if "network.network." in key}
    original = {key: value for key, value in original.items() if "num_batches_tracked" not in key}  # frozen norms count none
    assert trained.keys() == original.keys()
    differing = {key for key in original if not torch.equal(trained[key], original[key])}
    assert differing == {key for key in original if key.startswith(HEADS)}
    assert trained[f"{HEADS}cls_score.weight"].shape[0] == 4 and trained[f"{HEADS}bbox_pred.weight"].shape[0] == 16
