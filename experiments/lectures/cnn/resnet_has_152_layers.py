"""ResNet-152 has 152 layers and fewer operations than VGG-16: what can be computed of it here.

Deck “CNN, R-CNN”, slide “Revolution of Depth”, whose image has ResNet with 152 layers and 3.57 % top-5 error; He et al. 2016,
table 1. That is of six nets on ImageNet's test set; on the validation set one ResNet-152 has 6.7 % (5.7 % with ten crops). That
depth with shortcuts lowers the error is trained and judged as D09, D10 and D11; the recipe
``classification/resnet50_imagenet`` is for the error itself (24.7 % top-1, one crop).
"""

from __future__ import annotations

import torch
from torchvision.models.resnet import Bottleneck

from experiments.studies.study import Exact
from experiments.studies.verdict import Check
from lightning_modules.networks import VGG, TorchvisionNet

from ._counts import layers_of, multiply_adds, parameters_of

OPERATIONS = {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.6, 152: 11.3}
"""Table 1, in 10⁹ multiplications with additions."""


def resnet(depth: int) -> TorchvisionNet:
    """On the meta device. The paper halves a grid in a block's first 1 x 1 convolution, torchvision in the 3 x 3 behind it."""
    with torch.device("meta"):
        network = TorchvisionNet(1000, name=f"resnet{depth}")
    for block in network.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


def checks() -> list[Check]:
    found = []
    for depth, paper in OPERATIONS.items():
        network = resnet(depth)
        operations = multiply_adds(network)
        found += [
            Check(f"layers of ResNet-{depth}", layers_of(network), depth),
            Check(f"10⁹ multiplications with additions of ResNet-{depth}", operations, paper, tolerance=0.02),
        ]
    with torch.device("meta"):
        vgg = multiply_adds(VGG(1000))
    return [
        *found,
        Check("parameters of ResNet-152", parameters_of(network), 60_192_808),
        Check.yes_or_no("ResNet-152 has fewer operations than VGG-16 with its 16 layers", operations < vgg, "yes"),
        Check("its operations over those of VGG-16", operations / vgg, 0.729, tolerance=1e-3),
    ]


study = Exact(
    claim="D06",
    says="Revolution of Depth (slide image, from the paper: ResNet, 152 layers, 3.57 % top-5 error)",
    slide="Revolution of Depth",
    paper="152 layers, 11.3 · 10⁹ multiplications with additions (VGG-16 15.3, VGG-19 19.6). Top-5 error: "
    "3.57 % of six nets (test), 6.7 % of one ResNet-152 (validation, one crop), 5.7 % with ten crops.",
    checks=checks,
    deviations=(
        "layers and operations are counted, and no net is trained: D09, D10 and D11 judge what depth does",
        "3.57 % is the error of an ensemble of six nets; a single net has 6.7 %",
    ),
)
