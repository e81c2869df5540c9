"""Weights that come from a file: what is taken of them, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.models._api import WeightsEnum

from datamodules.scene import InputError
from lightning_modules.networks.torchvision_nets import TorchvisionNet


@pytest.fixture
def tiny() -> str:
    return "squeezenet1_1"


def save(network: nn.Module, path: Path, drop: str = "-", **changes: Tensor) -> str:
    state = {key: value for key, value in network.state_dict().items() if not key.startswith(drop)}
    torch.save(state | changes, path)
    return str(path)


def equal_parts(a: nn.Module, b: nn.Module) -> set[str]:
    """The keys whose tensors are the same in both."""
    mine, theirs = a.state_dict(), b.state_dict()
    return {key for key in mine.keys() & theirs.keys() if torch.equal(mine[key], theirs[key])}


@pytest.mark.parametrize("drop", ["-", "fc."], ids=["other-head", "no-head"])
def test_all_but_the_head_comes_from_the_file(tmp_path: Path, drop: str) -> None:
    stored = get_model("resnet18", num_classes=9)
    network = TorchvisionNet(4, name="resnet18", weights=save(stored, tmp_path / "w.pth", drop)).network
    assert network.state_dict().keys() - equal_parts(network, stored) == {"fc.weight", "fc.bias"}
    assert network.fc.out_features == 4


def test_a_head_for_as_many_classes_comes_from_the_file(tmp_path: Path, tiny: str) -> None:
    stored = get_model(tiny, num_classes=4)
    network = TorchvisionNet(4, name=tiny, weights=save(stored, tmp_path / "w.pth")).network
    assert equal_parts(network, stored) == set(stored.state_dict())


def test_auxiliary_classifiers_of_a_file_are_left_out_with_what_they_imply(tmp_path: Path) -> None:
    stored = get_model("googlenet", num_classes=9, aux_logits=True, init_weights=False)
    network = TorchvisionNet(4, name="googlenet", weights=save(stored, tmp_path / "w.pth"))
    assert network.network.transform_input
    assert network.network.state_dict().keys() - equal_parts(network.network, stored) == {"fc.weight", "fc.bias"}
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 4)
    assert not TorchvisionNet(4, name="googlenet").network.transform_input


def test_keys_of_torchvisions_old_densenet_files_are_understood(tmp_path: Path) -> None:
    stored = get_model("densenet121", num_classes=9)
    old = {key.replace("norm1", "norm.1").replace("conv2", "conv.2"): v for key, v in stored.state_dict().items()}
    torch.save(old, tmp_path / "w.pth")
    network = TorchvisionNet(4, name="densenet121", weights=str(tmp_path / "w.pth")).network
    assert network.state_dict().keys() - equal_parts(network, stored) == {"classifier.weight", "classifier.bias"}


def test_a_named_weight_is_fetched_and_its_head_replaced(monkeypatch: pytest.MonkeyPatch, tiny: str) -> None:
    stored = get_model(tiny, num_classes=1000)
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda self, *_, **__: stored.state_dict())
    network = TorchvisionNet(4, name=tiny, weights="IMAGENET1K_V1").network
    assert network.state_dict().keys() - equal_parts(network, stored) == {"classifier.1.weight", "classifier.1.bias"}
    assert equal_parts(TorchvisionNet(1000, name=tiny, weights="DEFAULT").network, stored) == set(stored.state_dict())


def test_wrong_files_and_names_are_one_line_errors(tmp_path: Path, tiny: str) -> None:
    def error(**arguments: Any) -> str:
        with pytest.raises(ValueError) as caught:
            TorchvisionNet(4, **arguments)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    stored, path = get_model(tiny, num_classes=4), tmp_path / "w.pth"
    assert "features.0.weight is missing" in error(name=tiny, weights=save(stored, path, drop="features.0.weight"))
    assert "extra is unknown" in error(name=tiny, weights=save(stored, path, extra=torch.zeros(1)))
    bent = {"features.0.bias": torch.zeros(3)}
    assert "features.0.bias is (3,), expected (64,)" in error(name=tiny, weights=save(stored, path, **bent))
    assert f"{path} does not hold the weights of alexnet" in error(name="alexnet", weights=save(stored, path))
    torch.save({"state_dict": {}}, path)
    assert "is no state dict" in error(name=tiny, weights=str(path))
    path.write_text("not a checkpoint")
    assert "is no state dict" in error(name=tiny, weights=str(path))
    assert "neither a .pth file nor one of IMAGENET1K_V1" in error(name=tiny, weights="IMAGENET")
    assert "resnet18" in error(name="resnet19")
    with pytest.raises(FileNotFoundError):
        TorchvisionNet(4, name=tiny, weights=str(tmp_path / "none.pth"))


def test_a_file_that_is_not_there_or_cannot_be_fetched_is_named_with_the_folder_it_belongs_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny: str
) -> None:
    file = "squeezenet1_1-b8a52dc0.pth"
    with pytest.raises(InputError, match=f"none.pth is not there; torchvision's own of {tiny} are {file}"):
        TorchvisionNet(4, name=tiny, weights=str(tmp_path / "none.pth"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))

    def offline(*_: object, **__: object) -> None:
        raise URLError(OSError("Network is unreachable"))

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(InputError) as caught:
        TorchvisionNet(4, name=tiny, weights="IMAGENET1K_V1")
    said = str(caught.value)
    assert f"{file} into {tmp_path / 'hub' / 'checkpoints'}" in said and "Network is unreachable" in said and "\n" not in said


def test_a_file_in_torch_hubs_folder_is_found_and_read_without_unpickling(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny: str
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    stored, path = get_model(tiny, num_classes=1000), tmp_path / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    torch.save(stored.state_dict(), path)
    assert equal_parts(TorchvisionNet(1000, name=tiny, weights="DEFAULT").network, stored) == set(stored.state_dict())
    torch.save({"features.0.weight": Path("anything that is no tensor")}, path)
    with pytest.raises(ValueError, match="no state dict"):
        TorchvisionNet(1000, name=tiny, weights="DEFAULT")


@pytest.mark.skipif("LECTERN_DATA" not in os.environ, reason="LECTERN_DATA names no data folder")
def test_real_imagenet_features_load(tiny: str) -> None:
    path = Path(os.environ["LECTERN_DATA"], "weights", "squeezenet1_1_features_imagenet.pth")
    network = TorchvisionNet(3, name=tiny, weights=str(path))
    stored = torch.load(path, weights_only=True)
    assert all(torch.equal(network.network.state_dict()[key], value) for key, value in stored.items())
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 3)
