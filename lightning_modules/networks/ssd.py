"""SSD: default boxes on maps of several scales, each classified and moved in one forward pass.

CS231n 2017, lecture 11, "Detection without Proposals: YOLO / SSD"; Liu et al. 2016, "SSD: Single Shot MultiBox Detector".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSDFeatureExtractorVGG, SSDHead
from torchvision.ops import Conv2dNormActivation, box_iou

from ..means import Mean, full_precision
from ..uploads import uploaded
from .backbones import Backbone, ConvBackbone
from .detector import Detections, Detector
from .torchvision_nets import TorchvisionNet


class SSDOutputs(NamedTuple):
    """What SSD says of B images, on their D default boxes."""

    logits: Tensor
    """float (B, D, 1 + num_classes); the first is the background's."""
    offsets: Tensor
    """float (B, D, 4), from the default box to the object, as R-CNN parametrises them."""
    defaults: Tensor
    """float (D, 4), xyxy in pixels."""
    size: tuple[int, int]
    """(H, W) of the images."""


class SSD(Detector):
    """SSD: at each place of ``scales`` maps, default boxes of one size and several aspect ratios.

    The maps are the backbone's, from fine to coarse, and then those of extra layers of stride 2. Of map k of m a square default
    box has ``s_k = min_scale + (max_scale - min_scale) k / (m - 1)`` of the image's sides, k from 0 (equation 4); each ratio
    r adds boxes of r and 1 / r, and one more square has ``sqrt(s_k s_{k+1})``. The paper's own network has ``SSDBackbone``.

    Args:
        backbone: builds the backbone.
        scales: m, the number of maps; where the backbone hands out more, the finest are used.
        ratios: of each map the aspect ratios beside 1; the last list holds for all further maps.
        min_scale: of equation 4; .2 in the paper's section 2.2.
        max_scale: of equation 4; .9 in the paper's section 2.2.
        box_scales: the m + 1 scales themselves in place of equation 4, as the paper's experiments have them.
        width: channels of the extra layers.
        negatives: of an image's default boxes on background, so many a matched one enter the loss, those with the highest.
        kwargs: see :class:`Detector`.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        backbone: Callable[[], Backbone] = ConvBackbone,
        scales: int = 3,
        ratios: Sequence[Sequence[float]] = ((2.0,),),
        min_scale: float = 0.2,
        max_scale: float = 0.9,
        box_scales: Sequence[float] | None = None,
        width: int = 128,
        negatives: float = 3.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_classes, **kwargs)
        self.backbone = backbone()
        self.scales, self.negatives = scales, negatives
        channels = [*self.backbone.channels, *[width] * scales][:scales]
        # As in the paper without batch normalisation, which cannot train on a map of one cell.
        conv = partial(Conv2dNormActivation, norm_layer=None)
        self.extra = nn.ModuleList(
            nn.Sequential(conv(before, width // 2, 1), conv(width // 2, after, 3, stride=2))
            for before, after in list(pairwise(channels))[len(self.backbone.channels) - 1 :]
        )
        each = [list(ratios[min(k, len(ratios) - 1)]) for k in range(scales)]
        self.generator = DefaultBoxGenerator(each, min_scale, max_scale, None if box_scales is None else list(box_scales))
        self.head = SSDHead(channels, self.generator.num_anchors_per_location(), 1 + num_classes)
        self.coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
        self.match = SSDMatcher(0.5)

    def forward(self, images: Tensor) -> SSDOutputs:
        maps = self.backbone(images)[: self.scales]
        for layer in self.extra:
            maps.append(layer(maps[-1]))
        outputs = self.head(maps)
        height, width = images.shape[-2:]
        # One channel of one image is enough of a map to say where its boxes are, in full precision.
        defaults = self.generator(ImageList(images, [(height, width)]), [full_precision(m[:1, :1]) for m in maps])[0]
        logits, offsets = (full_precision(outputs[name]) for name in ("cls_logits", "bbox_regression"))
        return SSDOutputs(logits, offsets, defaults, (height, width))

    def losses(
        self, outputs: SSDOutputs, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """``class``: softmax over the matched boxes and the hardest negatives; ``box``: smooth L1 over the matched ones.

        Both are divided by the number of matched boxes. Negatives are mined in each image by itself, as in the authors' code
        and in torchvision's. So an image without objects, in which nothing is matched, has none and adds nothing: of N = 0
        matched boxes the paper sets the loss to 0 (section 2.2).
        """
        matches = [self._match(own, outputs.defaults) for own in boxes]
        target = torch.stack([F.pad(1 + own, (0, 1))[match] for own, match in zip(labels, matches, strict=True)])
        positive = target > 0
        matched = positive.sum(1, keepdim=True)
        here = positive.cpu()  # the one copy that is waited for; from it follow all sizes below
        image, default = here.nonzero(as_tuple=True)
        first = torch.tensor([0, *(len(own) for own in boxes)]).cumsum(0)[image]  # among the objects of all images
        image, default, first = (uploaded(place, positive.device) for place in (image, default, first))
        truth = torch.cat(boxes)[first + torch.stack(matches)[image, default]]
        targets = self.coder.encode_single(truth, outputs.defaults[default])
        box = F.smooth_l1_loss(outputs.offsets[image, default], targets, reduction="sum")
        errors = F.cross_entropy(outputs.logits.flatten(0, 1), target.flatten(), reduction="none").view_as(target)
        most = min(int(self.negatives * here.sum(1).max()), errors.shape[1])
        hardest = errors.masked_fill(positive, -torch.inf).topk(most, 1).values
        rank = torch.arange(most, device=hardest.device)
        enters = (rank < (self.negatives * matched).long()) & (hardest != -torch.inf)
        objects, background = errors[image, default].sum(), hardest.where(enters, 0).sum()
        count = matched.sum()
        return {"class": Mean(objects + background, count), "box": Mean(box, count)}

    def _match(self, boxes: Tensor, defaults: Tensor) -> Tensor:
        """int64 (D,): the index of each default box's object, -1 for none. Each object has at least its best one."""
        return self.match(box_iou(boxes, defaults)) if len(boxes) else defaults.new_full((len(defaults),), -1, dtype=torch.long)

    def predict(self, outputs: SSDOutputs) -> list[Detections]:
        scores = outputs.logits.softmax(-1)[..., 1:]
        boxes = [self.coder.decode_single(offsets, outputs.defaults) for offsets in outputs.offsets]
        return [self.select(b, s, outputs.size) for b, s in zip(boxes, scores, strict=True)]


class SSDBackbone(Backbone):
    """VGG-16 as SSD300 extends it: conv4_3, the dilated fc6 and fc7, and the extra layers; 8,732 default boxes at 300 px.

    Liu et al. 2016, section 3: with ``SSD(scales=6, ratios=[[2], [2, 3], [2, 3], [2, 3], [2], [2]], box_scales=[0.1, 0.2,
    0.375, 0.55, 0.725, 0.9, 1.075])``.

    Args:
        weights: of VGG-16, as :class:`TorchvisionNet` takes it.
    """

    channels = (512, 1024, 512, 256, 256, 256)
    strides = (8, 16, 32, 64, 100, 300)

    def __init__(self, *, weights: str | None = None) -> None:
        super().__init__()
        vgg: Any = TorchvisionNet(1000, name="vgg16", weights=weights).network.features
        self.layers = SSDFeatureExtractorVGG(vgg, False)
        original = {layer: f"features.{i}" for i, layer in vgg.named_children()}
        self.torchvision_names = {own: original[layer] for own, layer in self.named_modules() if layer in original}
        """What torchvision calls the layers, by their names here: so weights from elsewhere are found."""

    def forward(self, images: Tensor) -> list[Tensor]:
        return list(self.layers(images).values())
