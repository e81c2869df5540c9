"""Segmenters of torchvision: what is taken of stored weights, and any backbone on the way down of an FCN."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import get_model

from lightning_modules.networks import FCN, VGG16, VGGFCN, BackboneEncoder, MaxUnpooling, TorchvisionSegmenter
from lightning_modules.networks.backbones import ConvBackbone, TorchvisionBackbone


def stored(name: str, path: Path, **options: object) -> nn.Module:
    """torchvision's own network with random weights, kept in a file as torchvision keeps its published ones."""
    network: nn.Module = get_model(name, weights=None, **options)
    torch.save(network.state_dict(), path)
    return network


def fresh(network: nn.Module, source: nn.Module) -> set[str]:
    mine, theirs = network.state_dict(), source.state_dict()
    return {key for key in mine if key not in theirs or not torch.equal(mine[key], theirs[key])}


HEADS = {
    "deeplabv3_mobilenet_v3_large": {"classifier.4.weight", "classifier.4.bias"},
    "fcn_resnet50": {"classifier.4.weight", "classifier.4.bias"},
    "lraspp_mobilenet_v3_large": {
        f"classifier.{part}_classifier.{what}" for part in ("low", "high") for what in ("weight", "bias")
    },
}


@pytest.mark.parametrize("name", HEADS)
def test_the_head_is_replaced_and_every_other_tensor_is_the_files(name: str, tmp_path: Path) -> None:
    options = {} if name.startswith("lraspp") else {"aux_loss": True}
    source = stored(name, tmp_path / "w.pth", num_classes=21, weights_backbone=None, **options)
    network = TorchvisionSegmenter(4, name=name, weights=str(tmp_path / "w.pth"))
    assert fresh(network.network, source) == HEADS[name]
    assert network.eval()(torch.randn(1, 3, 33, 40)).shape == (1, 4, 33, 40)


def test_weights_of_as_many_classes_are_taken_whole_and_give_torchvisions_own_scores(tmp_path: Path) -> None:
    name = "lraspp_mobilenet_v3_large"
    source = stored(name, tmp_path / "w.pth", num_classes=4, weights_backbone=None).eval()
    network = TorchvisionSegmenter(4, name=name, weights=str(tmp_path / "w.pth")).eval()
    images = torch.randn(2, 3, 64, 48)
    assert torch.equal(network(images), source(images)["out"])


def test_wrong_names_and_files_are_one_line_errors(tmp_path: Path) -> None:
    stored("lraspp_mobilenet_v3_large", tmp_path / "w.pth", num_classes=4, weights_backbone=None)
    with pytest.raises(ValueError, match="does not hold the weights of deeplabv3_mobilenet_v3_large") as caught:
        TorchvisionSegmenter(4, weights=str(tmp_path / "w.pth"))
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="no segmenter 'fcn_resnet18'; it has fcn_resnet"):
        TorchvisionSegmenter(4, name="fcn_resnet18")


@pytest.mark.parametrize("build", [VGG16, partial(VGGFCN, 4)])
def test_vgg_takes_a_file_as_every_network_does(build: partial[nn.Module], tmp_path: Path) -> None:
    source = stored("vgg16", tmp_path / "w.pth").state_dict()
    blocks = [p for name, p in build(weights=str(tmp_path / "w.pth")).named_parameters() if name.startswith("blocks")]
    features = [value for key, value in source.items() if key.startswith("features")]
    assert len(blocks) == len(features)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(blocks, features, strict=True))


def test_any_backbone_is_the_way_down_of_an_fcn() -> None:
    encoder = partial(BackboneEncoder, partial(TorchvisionBackbone, "resnet18", strides=[2, 4, 8, 16, 32]))
    network = FCN(3, encoder=encoder, skips=(8, 4)).eval()
    assert network(torch.randn(1, 3, 71, 90)).shape == (1, 3, 71, 90)
    assert FCN(3, encoder=partial(BackboneEncoder, partial(ConvBackbone, strides=[2, 4, 8])), skips=()).encoder.widths == (
        16,
        32,
        64,
    )


def test_a_backbone_that_leaves_out_a_stride_and_a_way_up_without_positions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"strides=\[2, 4\]; ConvBackbone hands out \[4, 8\]"):
        BackboneEncoder(partial(ConvBackbone, strides=[4, 8]))
    network = FCN(3, MaxUnpooling, (), partial(BackboneEncoder, partial(ConvBackbone, strides=[2, 4, 8])))
    with pytest.raises(ValueError, match="max unpooling needs a position for each value"):
        network(torch.randn(2, 3, 32, 32))
