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


@pytest.mark.parametrize("command", ["test", "predict", "export", "fit"])
def test_a_checkpoint_with_the_names_of_before_is_refused_in_one_line(command: str, lectern: Lectern, workdir: Path) -> None:
    network = {"class_path": "ClassAndBox", "init_args": {"trunk": {"class_path": "ConvTrunk"}}}
    model = {"class_path": "Localization", "init_args": {"network": network}}
    experiment = {"model": model, "data": {"class_path": "Shapes", "init_args": {"fit": "letterbox"}}}
    torch.save({"state_dict": {}, "experiment": experiment, "hyper_parameters": {"specification": {}}}, "old.ckpt")
    recipe = ["--config", "localization/small_shapes"] if command == "fit" else []
    result = lectern(command, *recipe, "--ckpt_path", "old.ckpt")
    assert result.code == 2
    assert "old.ckpt: written by an older Lectern" in result.err and "Traceback" not in result.err
