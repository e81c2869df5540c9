"""Backbones: the convolutional networks that turn an image into the feature maps a head works on.

CS231n 2017, lecture 11, "Object Detection: Lots of variables": the base network (VGG-16, ResNet, MobileNet, ...) is one
choice, the detector on it another.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation, FeaturePyramidNetwork

from .torchvision_nets import TorchvisionNet


class Backbone(nn.Module, ABC):
    """A network without a head: images in, feature maps out, from fine to coarse."""

    channels: tuple[int, ...]
    """Channels of each map."""
    strides: tuple[int, ...]
    """Pixels of the image that one step in each map is."""

    @abstractmethod
    def forward(self, images: Tensor) -> list[Tensor]:
        """From float (B, 3, H, W), normalised, to one map (B, channels[i], about H / strides[i], about W / strides[i]) each."""


class StagedBackbone(Backbone):
    """Stages in a row, each coarser than the one before, of which some hand out their map.

    Args:
        stages: stride -> (module, channels that it puts out), from fine to coarse.
        strides: the strides of the maps that are handed out; None is the coarsest alone. What is coarser than all of
            them is left out of the network.

    Raises:
        ValueError: there is no map of a stride asked for.
    """

    def __init__(self, stages: Mapping[int, tuple[nn.Module, int]], strides: Sequence[int] | None) -> None:
        super().__init__()
        self.strides = (max(stages),) if strides is None else tuple(sorted(strides))
        if not self.strides or not set(self.strides) <= set(stages):
            known = ", ".join(map(str, stages))
            raise ValueError(f"{type(self).__name__} has maps of stride {known}; strides={list(self.strides)} asks for others")
        self.channels = tuple(stages[stride][1] for stride in self.strides)
        self.stages = nn.ModuleDict({f"stride{k}": module for k, (module, _) in stages.items() if k <= max(self.strides)})

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = {}
        for name, stage in self.stages.items():
            maps[name] = images = stage(images)
        return [maps[f"stride{stride}"] for stride in self.strides]


class ConvBackbone(StagedBackbone):
    """A small backbone for drawn scenes on a CPU: a stage is a 3 x 3 convolution of stride 2 and ``depth - 1`` of stride 1.

    Each is followed by batch normalisation and a ReLU. ``widths`` are the channels of the stages, of stride 2, 4, 8, ...
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 64), *, depth: int = 2, strides: Sequence[int] | None = None) -> None:
        stages = {}
        for k, (before, width) in enumerate(zip((3, *widths), widths, strict=False)):
            down = Conv2dNormActivation(before, width, 3, stride=2)
            on = [Conv2dNormActivation(width, width, 3) for _ in range(depth - 1)]
            stages[2 ** (k + 1)] = nn.Sequential(down, *on), width
        super().__init__(stages, strides)


class TorchvisionBackbone(StagedBackbone):
    """A classifier of torchvision without its head: AlexNet, VGG, ResNet, MobileNet, SqueezeNet, EfficientNet, ...

    A stage ends where the next layer lowers the resolution. So the map of stride 16 is conv5_3 of VGG-16, conv4_x of a
    ResNet, and the last one of SqueezeNet 1.1.

    Args:
        name: of the classifier, as ``torchvision.models.get_model`` takes it.
        weights: None, a name of torchvision's or a ``.pth`` file, as :class:`TorchvisionNet` takes it.
        strides: of the maps that are handed out; None is the coarsest alone.
        frozen: the first so many stages (of stride 2, 4, ...) keep the weights they came with.
        frozen_norm: batch normalisation keeps the statistics and the scale it came with, in all stages.

    Raises:
        ValueError: there is no such classifier, no such weights, or no map of a stride asked for.
    """

    def __init__(
        self,
        name: str = "resnet18",
        *,
        weights: str | None = None,
        strides: Sequence[int] | None = None,
        frozen: int = 0,
        frozen_norm: bool = False,
    ) -> None:
        layers = _layers(TorchvisionNet(1000, name=name, weights=weights).network, name)
        with torch.device("meta"):
            shapes = _shapes(list(_layers(TorchvisionNet(1000, name=name).network, name).values()))
        stages: dict[int, tuple[nn.Sequential, int]] = {}
        names: dict[str, str] = {}
        for (original, layer), (channels, stride) in zip(layers.items(), shapes, strict=True):
            done = stages[stride][0] if stride in stages else nn.Sequential()
            names[f"stages.stride{stride}.{len(done)}"] = original
            stages[stride] = done.append(layer), channels
        super().__init__(stages, strides)
        self.torchvision_names = {own: name for own, name in names.items() if own.split(".")[1] in self.stages}
        """What torchvision calls the layers, by their names here: so weights from elsewhere are found."""
        self._frozen: list[nn.Module] = list(self.stages.values())[:frozen]
        if frozen_norm:
            self._frozen += [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> TorchvisionBackbone:
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


class FPN(Backbone):
    """A feature pyramid on another backbone: its maps, all ``width`` wide, each with what the coarser ones know.

    Lin et al. 2017, "Feature Pyramid Networks for Object Detection", section 3.
    """

    def __init__(self, backbone: Callable[[], Backbone], *, width: int = 256) -> None:
        super().__init__()
        self.backbone = backbone()
        self.strides, self.channels = self.backbone.strides, (width,) * len(self.backbone.strides)
        self.pyramid = FeaturePyramidNetwork(list(self.backbone.channels), width)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = {str(stride): fine for stride, fine in zip(self.strides, self.backbone(images), strict=True)}
        return list(self.pyramid(maps).values())


def _layers(network: nn.Module, name: str) -> dict[str, nn.Module]:
    """The layers of a classifier of torchvision by their names there, in a row, up to its pooling and head."""
    if isinstance(features := getattr(network, "features", None), nn.Sequential):
        return {f"features.{child}": layer for child, layer in features.named_children()}
    if hasattr(network, "layer4"):
        return {child: layer for child, layer in network.named_children() if child not in {"avgpool", "fc"}}
    raise ValueError(f"TorchvisionBackbone: {name} has no feature maps in a row, as VGG, ResNet, MobileNet or SqueezeNet have")


def _shapes(layers: Sequence[nn.Module], side: int = 1024) -> list[tuple[int, int]]:
    """(channels, stride) after each layer; on the meta device, so that it costs nothing."""
    x, shapes = torch.empty(1, 3, side, side, device="meta"), []
    for layer in layers:
        x = layer(x)
        # Unpadded convolutions (AlexNet, SqueezeNet) leave a map a little smaller than the stride says.
        shapes.append((x.shape[1], 2 ** round(math.log2(side / x.shape[-1]))))
    return shapes
