"""Segmentation by a classifier slid over the image, executed patch by patch or fully convolutionally.

CS231n 2017, lecture 11, "Semantic Segmentation Idea: Sliding Window": "Problem: Very inefficient! Not reusing shared
features between overlapping patches".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lightning_modules.networks.fcn import SegmentationNetwork


class PatchClassifier(nn.Sequential):
    """A small convnet for patches: 3 x 3 convolutions, each with ReLU and 2 x 2 pooling, and two linear layers.

    From float (N, 3, patch_size, patch_size) to logits (N, num_classes). It pads nowhere, since what lies beyond a
    patch is image and not zero, and normalises over no batch, since the plans of execution batch differently.

    Args:
        num_classes: classes to score.
        patch_size: height and width of its input, in pixels.
        widths: channels of each convolution.
        hidden: features between the linear layers.
    """

    def __init__(self, num_classes: int, patch_size: int = 32, widths: Sequence[int] = (16, 32, 64), hidden: int = 64) -> None:
        layers: list[nn.Module] = []
        size = patch_size
        for before, width in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(before, width, 3), nn.ReLU(), nn.MaxPool2d(2)]
            size = (size - 2) // 2
        if size < 1:
            raise ValueError(f"PatchClassifier: patch_size {patch_size} leaves nothing after {len(widths)} poolings")
        head = nn.Flatten(), nn.Linear(widths[-1] * size**2, hidden), nn.ReLU(), nn.Linear(hidden, num_classes)
        super().__init__(*layers, *head)
        self.patch_size = patch_size


class SlidingWindow(SegmentationNetwork):
    """Scores each pixel by classifying the patch around it: H * W patches an image, and nothing shared between them.

    The image is padded with zeros, its mean colour; in a patch of even size the pixel is the one right of and below
    the middle. Training remembers what every patch computed: train :meth:`dense` instead, it has the same weights.

    Args:
        num_classes: classes to score.
        classifier: of patches, called as ``classifier(num_classes)``.
        chunk: patches classified at a time; it bounds the memory of a prediction.
    """

    def __init__(
        self, num_classes: int, classifier: Callable[[int], PatchClassifier] = PatchClassifier, chunk: int = 4096
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.classifier = classifier(num_classes)
        self.chunk = chunk

    def forward(self, image: Tensor) -> Tensor:
        size = self.classifier.patch_size
        patches = _pad(image, size).unfold(2, size, 1).unfold(3, size, 1).permute(0, 2, 3, 1, 4, 5)  # a view
        where = torch.cartesian_prod(*(torch.arange(n, device=image.device) for n in patches.shape[:3]))
        logits = torch.cat([self.classifier(patches[tuple(chunk.T)]) for chunk in torch.split(where, self.chunk)])
        return logits.view(*patches.shape[:3], self.num_classes).permute(0, 3, 1, 2)

    def dense(self) -> DenseSlidingWindow:
        """The same classifier, its weights shared and not copied, executed fully convolutionally."""
        return DenseSlidingWindow(self.num_classes, lambda num_classes: self.classifier)


class DenseSlidingWindow(SegmentationNetwork):
    """:class:`SlidingWindow`'s logits, and its gradients, with each feature computed once and shared by all patches.

    Args:
        num_classes: classes to score.
        classifier: of patches, called as ``classifier(num_classes)``.
    """

    def __init__(self, num_classes: int, classifier: Callable[[int], PatchClassifier] = PatchClassifier) -> None:
        super().__init__()
        self.classifier = classifier(num_classes)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        return slide(self.classifier, _pad(image, self.classifier.patch_size))[..., :height, :width]


def slide(classifier: nn.Sequential, image: Tensor) -> Tensor:
    """What ``classifier`` gives for the window at every place of ``image``, with each feature computed once.

    A layer of stride s is executed at every place, and all layers after it look s times as far apart ("à trous",
    Long et al. 2015, section 3.1: the same outputs as shift-and-stitch). A linear layer is a convolution whose kernel
    covers its input.

    Args:
        classifier: unpadded square ``Conv2d`` and ``MaxPool2d``, ``Flatten``, ``Linear``, ``Dropout`` and activations.
        image: float (B, C, H, W).

    Returns:
        float (B, classes, H', W'): [b, :, y, x] belongs to the window whose top left pixel is (x, y). A classifier that
        leaves out a last row of its windows gives as many rows more than there are windows.

    Raises:
        ValueError: a layer is of another kind.
    """
    x, apart = image, 1
    for layer in classifier:
        if isinstance(layer, nn.Conv2d) and layer.padding in ((0, 0), "valid"):
            x = F.conv2d(x, layer.weight, layer.bias, dilation=apart * _side(layer.dilation), groups=layer.groups)
            apart *= _side(layer.stride)
        elif isinstance(layer, nn.MaxPool2d) and layer.padding in (0, (0, 0)) and not layer.ceil_mode:
            x = F.max_pool2d(x, layer.kernel_size, stride=1, dilation=apart * _side(layer.dilation))
            apart *= _side(layer.stride)
        elif isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // x.shape[1])
            x = F.conv2d(x, layer.weight.view(layer.out_features, -1, side, side), layer.bias, dilation=apart)
        elif isinstance(layer, nn.ReLU | nn.Tanh | nn.Sigmoid | nn.Dropout):
            x = layer(x)
        elif not isinstance(layer, nn.Flatten):
            raise ValueError(f"slide: no layer does to an image what {layer} does to its patches; leave it out")
    return x


def _side(setting: int | tuple[int, ...]) -> int:
    """The one number in a layer's setting, which PyTorch keeps as a number or as a pair."""
    sides = {setting} if isinstance(setting, int) else set(setting)
    if len(sides) > 1:
        raise ValueError(f"slide: a setting of {setting} differs in height and width; one number expected")
    return sides.pop()


def _pad(image: Tensor, patch_size: int) -> Tensor:
    """``image`` with as many zeros around it that the patches of its pixels fit."""
    before, after = patch_size // 2, patch_size - 1 - patch_size // 2
    return F.pad(image, (before, after, before, after))
