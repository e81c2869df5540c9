"""What a checkpoint is built again by."""

from __future__ import annotations

from pathlib import Path

import torch

from experiments.training.rebuilding import complete


def test_a_checkpoint_needs_no_pretrained_weights_to_be_built_again(workdir: Path) -> None:
    """They would be downloaded, only for the checkpoint's own to replace them."""
    trunk = {"class_path": "TorchvisionTrunk", "init_args": {"name": "squeezenet1_1", "weights": "IMAGENET1K_V1"}}
    network = {"class_path": "ClassAndBox", "init_args": {"trunk": trunk}}
    model = {"class_path": "Localization", "init_args": {"network": network}}
    torch.save({"state_dict": {}, "experiment": {"model": model}}, "pretrained.ckpt")
    _, _, filled, *_ = complete(["test", "--ckpt_path", "pretrained.ckpt"])
    assert "squeezenet1_1" in filled
    assert "IMAGENET1K_V1" not in filled
