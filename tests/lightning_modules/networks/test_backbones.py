"""Backbones: the maps they promise, torchvision's layers and weights, what is frozen, and the pyramid."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models import get_model
from torchvision.models.feature_extraction import create_feature_extractor

from lightning_modules.networks.backbones import FPN, Backbone, ConvBackbone, TorchvisionBackbone

# Strides and channels of the maps that the papers name: conv5_3 and pool5 of VGG-16, conv2_x to conv5_x of ResNet.
MAPS = {
    "alexnet": {4: 64, 8: 192, 16: 256, 32: 256},
    "vgg16": {2: 128, 4: 256, 8: 512, 16: 512, 32: 512},
    "resnet18": {4: 64, 8: 128, 16: 256, 32: 512},
    "resnet50": {4: 256, 8: 512, 16: 1024, 32: 2048},
    "mobilenet_v2": {8: 32, 16: 96, 32: 1280},
    "mobilenet_v3_large": {8: 40, 16: 112, 32: 960},
    "squeezenet1_1": {4: 128, 8: 256, 16: 512},
}


def _check(backbone: Backbone, height: int, width: int) -> None:
    """The maps have the channels, and within a cell or two at the border the size, that the backbone says."""
    with torch.no_grad():
        maps = backbone.eval()(torch.randn(2, 3, height, width))
    assert len(maps) == len(backbone.channels) == len(backbone.strides)
    for features, channels, stride in zip(maps, backbone.channels, backbone.strides, strict=True):
        assert features.shape[:2] == (2, channels)
        # Without padding each of AlexNet's and SqueezeNet's layers loses up to a cell.
        assert abs(features.shape[2] - height / stride) < 2 and abs(features.shape[3] - width / stride) < 2


@pytest.mark.parametrize("name", MAPS)
def test_torchvision_backbones_have_the_maps_of_their_papers(name: str) -> None:
    backbone = TorchvisionBackbone(name, strides=list(MAPS[name]))
    assert dict(zip(backbone.strides, backbone.channels, strict=True)) == MAPS[name]
    _check(backbone, 96, 128)


def test_without_strides_the_coarsest_map_alone_is_handed_out() -> None:
    assert TorchvisionBackbone("squeezenet1_1").strides == (16,)
    assert ConvBackbone((8, 16)).strides == (4,)


def test_layers_coarser_than_all_maps_are_left_out() -> None:
    sizes = [sum(p.numel() for p in TorchvisionBackbone("resnet18", strides=[s]).parameters()) for s in (8, 16, 32)]
    whole = sum(p.numel() for n, p in get_model("resnet18").named_parameters() if not n.startswith("fc"))
    assert sizes[0] < sizes[1] < sizes[2] == whole


@given(st.integers(33, 150), st.integers(33, 150), st.sampled_from([[8], [4, 8], [2, 8]]))
@settings(max_examples=20, deadline=None)
def test_conv_backbone_takes_images_of_any_size(height: int, width: int, strides: list[int]) -> None:
    backbone = ConvBackbone((4, 6, 8), strides=strides)
    assert backbone.channels == tuple({2: 4, 4: 6, 8: 8}[s] for s in strides)
    _check(backbone, height, width)
    _check(FPN(lambda: backbone, width=5), height, width)


@pytest.mark.parametrize("build", [partial(ConvBackbone, (8, 16)), partial(TorchvisionBackbone, "squeezenet1_1")])
def test_a_stride_that_is_not_there_is_refused_and_the_others_named(build: type[Backbone]) -> None:
    with pytest.raises(ValueError, match=r"stride 2, 4.* strides=\[64\]"):
        build(strides=[64])  # type: ignore[call-arg]


def test_a_classifier_without_maps_in_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="vit_b_16 has no feature maps"):
        TorchvisionBackbone("vit_b_16")


def test_weights_from_a_file_give_torchvisions_own_activations(tmp_path: Path) -> None:
    classifier = get_model("resnet18").eval()
    torch.save(classifier.state_dict(), tmp_path / "resnet18.pth")
    backbone = TorchvisionBackbone("resnet18", weights=str(tmp_path / "resnet18.pth"), strides=[8, 32]).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = create_feature_extractor(classifier, ["layer2", "layer4"])(images)
        maps = backbone(images)
    torch.testing.assert_close(maps, list(expected.values()))


def test_squeezenet_weights_without_a_classifier_load(real_data: Path) -> None:
    path = real_data / "weights" / "squeezenet1_1_features_imagenet.pth"
    backbone = TorchvisionBackbone("squeezenet1_1", weights=str(path))
    stored = torch.load(path, weights_only=True)
    torch.testing.assert_close(next(backbone.parameters()), stored["features.0.weight"], check_dtype=False)
    _check(backbone, 112, 112)


def test_frozen_stages_keep_weights_and_statistics_and_the_others_learn() -> None:
    backbone = TorchvisionBackbone("resnet18", strides=[16], frozen=2).train()
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in backbone.parameters() if p.requires_grad], lr=1.0)
    backbone(torch.randn(2, 3, 64, 64))[-1].square().mean().backward()
    optimizer.step()
    changed = {k.split(".")[1] for k, v in backbone.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"stride8", "stride16"}


def test_frozen_norm_keeps_all_statistics_and_lets_convolutions_learn() -> None:
    backbone = TorchvisionBackbone("resnet18", strides=[8], frozen_norm=True).train()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    backbone(torch.randn(2, 3, 64, 64))[-1].sum().backward()
    assert norms and all(torch.equal(m.running_mean, torch.zeros_like(m.running_mean)) for m in norms)
    assert all(p.grad is None for m in norms for p in m.parameters())
    assert all(m.weight.grad is not None for m in backbone.modules() if isinstance(m, nn.Conv2d))


def test_a_pyramid_is_of_one_width_and_tells_fine_maps_what_coarse_ones_know() -> None:
    backbone = FPN(partial(ConvBackbone, (4, 8, 16), strides=[2, 8]), width=12)
    assert (backbone.strides, backbone.channels) == ((2, 8), (12, 12))
    fine, _ = backbone(torch.randn(2, 3, 32, 32))
    fine.sum().backward()
    coarsest = backbone.get_submodule("backbone.stages.stride8")
    assert all(p.grad is not None for p in coarsest.parameters())
