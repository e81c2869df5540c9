"""What a checkpoint is built again by."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.conftest import Lectern


def test_a_checkpoint_needs_no_pretrained_weights_to_be_built_again(
    lectern: Lectern, workdir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """They would be downloaded, only for the checkpoint's own to replace them."""
    backbone = {"class_path": "TorchvisionBackbone", "init_args": {"name": "squeezenet1_1", "weights": "IMAGENET1K_V1"}}
    network = {"class_path": "ClassAndBox", "init_args": {"backbone": backbone}}
    model = {"class_path": "Localization", "init_args": {"network": network}}
    torch.save({"state_dict": {}, "experiment": {"model": model, "data": {"class_path": "Shapes"}}}, "pretrained.ckpt")
    with pytest.raises(SystemExit, match="0"):
        lectern("test", "--ckpt_path", "pretrained.ckpt", "--print_config")
    filled = capfd.readouterr().out
    assert "squeezenet1_1" in filled
    assert "IMAGENET1K_V1" not in filled
