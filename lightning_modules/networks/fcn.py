"""Fully convolutional networks for semantic segmentation.

CS231n 2017, lecture 11, "Semantic Segmentation Idea: Fully Convolutional"; Long et al. 2015, "Fully Convolutional
Networks for Semantic Segmentation".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from .torchvision_nets import TorchvisionNet
from .upsampling import TransposeConv, Upsampling


class SegmentationNetwork(nn.Module, ABC):
    """A network that scores every class at every pixel; its first argument is the number of classes."""

    channels_last = True
    """Faster in that memory format; see ``channels_last`` of :class:`lightning_modules.base.Task`."""

    @abstractmethod
    def forward(self, image: Tensor) -> Tensor:
        """From ``image`` float (B, 3, H, W), normalised, of any H and W, to logits (B, num_classes, H, W)."""


class EncoderLevel(NamedTuple):
    """What an encoder has after one of its poolings."""

    features: Tensor
    """float (B, C, h, w)."""
    indices: Tensor
    """int64 (B, C, h, w): where in the flattened map that was pooled each maximum stood."""


class Encoder(nn.Module, ABC):
    """A backbone with a 2 x 2 max pooling after each of its blocks: the way down."""

    widths: Sequence[int]
    """Channels after each pooling, that is at strides 2, 4, 8, …"""

    @abstractmethod
    def forward(self, image: Tensor) -> list[EncoderLevel]:
        """From ``image`` float (B, 3, H, W) to a level for each stride, of ceil(H / stride) x ceil(W / stride)."""


def _pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """The maxima of 2 x 2 windows and their indices; an odd last row or column makes windows of its own."""
    pooled, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    return pooled, indices


def _conv(in_channels: int, out_channels: int, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)


def _activation(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


class ConvEncoder(Encoder):
    """A small VGG with batch normalisation: each block is ``depth`` 3 x 3 convolutions of one width.

    Args:
        widths: channels of each block.
        depth: convolutions of each block.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 64, 64), depth: int = 1) -> None:
        super().__init__()
        if not widths or depth < 1:
            raise ValueError(f"ConvEncoder: widths {list(widths)} of depth {depth}; one width and depth 1 are the least")
        self.widths = widths
        self.convs = nn.ModuleList()
        self.activations = nn.ModuleList()
        for before, width in zip((3, *widths), widths, strict=False):
            *first, last = (_conv(*channels) for channels in pairwise((before, *[width] * depth)))
            self.convs.append(nn.Sequential(*(nn.Sequential(conv, _activation(width)) for conv in first), last))
            self.activations.append(_activation(width))

    def forward(self, image: Tensor) -> list[EncoderLevel]:
        x, levels = image, []
        for conv, activation in zip(self.convs, self.activations, strict=True):
            # Pooled before normalisation and ReLU, not after: a quarter of the work, and no ties among the ReLU's zeros,
            # whose remembered positions would mean nothing.
            pooled, indices = _pool(conv(x))
            x = activation(pooled)
            levels.append(EncoderLevel(x, indices))
        return levels


class VGG16(Encoder):
    """The convolutions of VGG-16 (Simonyan & Zisserman 2015), torchvision's.

    Args:
        weights: None, a name of torchvision's or a ``.pth`` file, as :class:`TorchvisionNet` takes it.
    """

    widths = (64, 128, 256, 512, 512)

    def __init__(self, weights: str | None = None) -> None:
        super().__init__()
        self.blocks = _blocks(_vgg16(weights).features)

    def forward(self, image: Tensor) -> list[EncoderLevel]:
        return _descend(self.blocks, image)


def _vgg16(weights: str | None) -> Any:
    return TorchvisionNet(1000, name="vgg16", weights=weights).network


def _blocks(layers: nn.Sequential) -> nn.ModuleList:
    """What stands between the poolings of ``layers``."""
    ends = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    return nn.ModuleList(layers[start:end] for start, end in zip((0, *(end + 1 for end in ends)), ends, strict=False))


def _descend(blocks: nn.ModuleList, x: Tensor) -> list[EncoderLevel]:
    levels = []
    for block in blocks:
        x, indices = _pool(block(x))
        levels.append(EncoderLevel(x, indices))
    return levels


class FCN(SegmentationNetwork):
    """Down by poolings, up by as many learned doublings, with features from the way down added on the way up.

    Departs from Long et al., whose network is :class:`VGGFCN`: every step up doubles, and it carries as many features
    as the level that it reaches, not scores. Max unpooling needs a remembered position for each feature, and so no
    way up is given other work than the rest. The last step, to the image's resolution, gives the scores.

    Args:
        num_classes: classes to score.
        upsampling: the way up, called as ``upsampling(in_channels, out_channels)`` for each step.
        skips: strides whose features are added, through a 1 x 1 convolution, on the way up: any but 1 and the last.
        encoder: the way down.
        zero_skips: whether these convolutions begin at zero, as in the paper: a skip changes nothing before it has learned
            something. Otherwise they begin at random, as PyTorch's do.
    """

    def __init__(
        self,
        num_classes: int,
        upsampling: Callable[[int, int], Upsampling] = TransposeConv,
        skips: Sequence[int] = (8, 4),
        encoder: Callable[[], Encoder] = ConvEncoder,
        zero_skips: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder()
        *inner, last = self.encoder.widths
        widths = {2**i: width for i, width in enumerate(inner, start=1)}  # by stride
        _check_skips(self, skips, widths)
        self.bottom = nn.Sequential(_conv(last, last), _activation(last))
        # Numbered as the encoder's levels: ups[i] undoes its pooling i.
        self.ups = nn.ModuleList(map(upsampling, (*inner, last), (num_classes, *inner)))
        self.skips = nn.ModuleDict({str(stride): nn.Conv2d(widths[stride], widths[stride], 1) for stride in skips})
        if zero_skips:
            for parameter in self.skips.parameters():
                nn.init.zeros_(parameter)
        self.activations = nn.ModuleList(map(_activation, inner))

    def forward(self, image: Tensor) -> Tensor:
        levels = self.encoder(image)
        x = self.bottom(levels[-1].features)
        for i in range(len(levels) - 1, 0, -1):
            below = levels[i - 1].features
            x = self.ups[i](x, levels[i].indices, below.shape[-2:])
            if (stride := str(2**i)) in self.skips:
                x = x + self.skips[stride](below)
            x = self.activations[i - 1](x)
        return self.ups[0](x, levels[0].indices, image.shape[-2:])  # type: ignore[no-any-return]


class VGGFCN(SegmentationNetwork):
    """The network of Long et al. 2015, section 4: VGG-16 made convolutional, its scores enlarged and summed.

    FCN-8s with ``skips=[16, 8]``, FCN-16s with ``[16]``, FCN-32s with ``[]``; the paper trains each from
    the one before. Departs from it in padding each layer and not the image, by 100 pixels, which changes scores near
    the border.

    Args:
        num_classes: classes to score.
        skips: strides, of 2, 4, 8 and 16, whose features are scored and added on the way up.
        weights: as :class:`VGG16`'s; of the classifier, both hidden layers are taken over.
    """

    channels_last = False
    """Unlike the others: a CPU would convert fc6's 4096 x 512 x 7 x 7 weights at each step (.88 x as fast)."""

    def __init__(self, num_classes: int, skips: Sequence[int] = (16, 8), weights: str | None = None) -> None:
        super().__init__()
        widths = {2: 64, 4: 128, 8: 256, 16: 512, 32: 4096}  # by stride, the head's included
        _check_skips(self, skips, (2, 4, 8, 16))
        if weights == "IMAGENET1K_FEATURES":
            raise ValueError("VGGFCN: weights IMAGENET1K_FEATURES lack the linear layers; IMAGENET1K_V1 has them")
        vgg = _vgg16(weights)
        self.blocks = _blocks(vgg.features)
        fc6, *between, fc7, relu, dropout, _ = vgg.classifier
        self.head = nn.Sequential(convolutional(fc6, 7), *between, convolutional(fc7, 1), relu, dropout)
        self.finest = min(skips, default=32)
        steps = [stride for stride in (16, 8, 4, 2) if stride >= self.finest]
        self.ups = nn.ModuleDict({str(s): TransposeConv(num_classes, num_classes, 4, "bilinear") for s in steps})
        self.scores = nn.ModuleDict({str(s): nn.Conv2d(widths[s], num_classes, 1) for s in (*skips, 32)})
        # Zero, as in the paper: a skip changes nothing before it has learned something.
        for parameter in self.scores.parameters():
            nn.init.zeros_(parameter)

    def forward(self, image: Tensor) -> Tensor:
        levels = {str(2**i): level for i, level in enumerate(_descend(self.blocks, image), start=1)}
        x = self.scores["32"](self.head(levels["32"].features))
        for stride, up in self.ups.items():
            features, indices = levels[stride]
            x = up(x, indices, features.shape[-2:])
            if stride in self.scores:
                x = x + self.scores[stride](features)
        # The last enlargement is fixed, as in the paper.
        x = F.interpolate(x, scale_factor=self.finest, mode="bilinear")
        return x[..., : image.shape[-2], : image.shape[-1]]


def _check_skips(network: nn.Module, skips: Sequence[int], strides: Collection[int]) -> None:
    if unknown := set(skips) - set(strides):
        name = type(network).__name__
        raise ValueError(f"{name}: skips {sorted(unknown)} are not on its way up, which passes strides {sorted(strides)}")


def convolutional(linear: nn.Linear, kernel_size: int) -> nn.Conv2d:
    """The convolution that computes ``linear`` at every place of a feature map, padded so that the map keeps its size.

    ``linear`` has flattened features (C, kernel_size, kernel_size) for its input. Its weights are shared, not copied.
    """
    weight = linear.weight.detach().view(linear.out_features, -1, kernel_size, kernel_size)
    conv = nn.Conv2d(weight.shape[1], len(weight), kernel_size, padding=kernel_size // 2, device="meta")
    conv.weight, conv.bias = nn.Parameter(weight), linear.bias
    return conv


class FullResolutionFCN(SegmentationNetwork):
    """3 x 3 convolutions at the image's own resolution and nothing else: what is "too expensive" in the lecture.

    Args:
        num_classes: classes to score.
        width: features at each pixel.
        depth: convolutions, the scoring one included.
        dilations: of each convolution; None is 1 throughout. With (1, 2, 4, 8, 16, 8, 4, 2, 1) the default depth sees
            about as far as the default :class:`FCN`.
    """

    def __init__(self, num_classes: int, width: int = 32, depth: int = 9, dilations: Sequence[int] | None = None) -> None:
        super().__init__()
        dilations = dilations or (1,) * depth
        if not len(dilations) == depth > 0:
            raise ValueError(f"FullResolutionFCN: {len(dilations)} dilations, depth is {depth}: one a convolution expected")
        *inner, last = dilations
        befores = (3, *[width] * len(inner))
        self.features = nn.Sequential(
            *(nn.Sequential(_conv(before, width, d), _activation(width)) for before, d in zip(befores, inner, strict=False))
        )
        self.score = nn.Conv2d(befores[-1], num_classes, 3, padding=last, dilation=last)

    def forward(self, image: Tensor) -> Tensor:
        return self.score(self.features(image))  # type: ignore[no-any-return]
