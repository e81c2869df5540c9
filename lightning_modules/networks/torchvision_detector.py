"""Any detector of torchvision, with the heads that the data set needs, from scratch or from stored weights."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, cast

import torch.nn.functional as F
import torchvision
from torch import Generator, Tensor, nn
from torchvision.models import get_model, list_models
from torchvision.models.detection import FCOS, FasterRCNN, FasterRCNN_ResNet50_FPN_Weights, KeypointRCNN, RetinaNet
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.ops.misc import FrozenBatchNorm2d

from datamodules.scene import DatasetMetadata, InputError

from ..means import Mean
from ..uploads import numbers
from .boxes import has_area
from .branches import BranchedDetector
from .detector import Detections
from .stored_weights import load_all_but_head, read_weights, sized_by_classes
from .torchvision_dense import FCOSStage, RetinaNetStage, SSDStage
from .torchvision_stages import TwoStages

LEARNS_NORM = ("_v2", "ssdlite")
"""In the names of the networks whose batch normalisation torchvision trains; that of all others is frozen."""

WITHOUT_EPS = tuple(f"{kind}_resnet50_fpn" for kind in ("fasterrcnn", "maskrcnn", "keypointrcnn", "retinanet"))
"""Whose weights were trained with frozen normalisation that adds nothing to the variance."""


_CATEGORIES = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
COCO_IDS = [i for i, category in enumerate(_CATEGORIES) if i and category != "N/A"]
"""The numbers, of torchvision's 91, of the 80 classes that COCO has objects of; 0 is the background."""


class TorchvisionDetector(BranchedDetector):
    """Faster, Mask and Keypoint R-CNN, RetinaNet, FCOS, SSD and SSDlite as torchvision has them, in any task that fits.

    ``fasterrcnn_*``, ``retinanet_*``, ``fcos_*`` and ``ssd*`` are networks of ``Detection``, ``maskrcnn_*`` of
    ``InstanceSegmentation`` and ``keypointrcnn_*`` of ``KeypointDetection``. Losses, anchors and the way to detections are
    torchvision's own; its resizing is not used, as images come in one size: its weights were trained on images of 800 pixels
    (SSD 300, SSDlite 320), and find little on images that are much smaller. SSD's last map is gone below 300.

    The heads are what depends on the number of classes: they are fresh where the weights have none for ``num_classes`` and,
    as torchvision counts, a background. Its own weights have 91 numbers for COCO's 80 classes (Keypoint R-CNN's: persons).
    They ask for images that are normalised with ImageNet's mean and std; what SSD and SSDlite want in place of it follows here.

    Args:
        num_classes: of the data set.
        num_keypoints: K, of the data set; for ``keypointrcnn_*``.
        name: as ``torchvision.models.get_model`` takes it.
        weights: None, one of torchvision's names for this network (``DEFAULT``, ``COCO_V1``; fetched once), or the path of a
            ``.pth`` state dict with torchvision's names.
        frozen: the beginnings of the names of weights that are not trained, such as ``backbone.body.layer1``.
        frozen_norm: the backbone's batch normalisation keeps the statistics and the scale it came with; None does as
            torchvision does for its weights: so it is but for ``*_v2`` and SSDlite. False is for a training from scratch.
        coco: the data have COCO's 80 classes in the order of their ids, as the data module ``COCO`` gives them: the heads too
            are taken from weights for its 91 numbers, and the network detects without any training.
        score_threshold: see :class:`Detector`; None is torchvision's.
        nms_threshold: see :class:`Detector`; None is torchvision's.
        max_detections: see :class:`Detector`; None is torchvision's.

    Raises:
        ValueError: torchvision has no such detector or weights, the file does not hold this network's, ``num_keypoints``
            does not go with the network, ``coco`` not with the number of classes, or no weight has a name in ``frozen``.
        MissingWeights: there is no such file, or it could not be fetched; says its name and the folder that it belongs in.
    """

    channels_last = False
    """Not measured."""

    def __init__(
        self,
        num_classes: int,
        num_keypoints: int | None = None,
        *,
        name: str = "fasterrcnn_resnet50_fpn",
        weights: str | None = None,
        frozen: Sequence[str] = (),
        frozen_norm: bool | None = None,
        coco: bool = False,
        score_threshold: float | None = None,
        nms_threshold: float | None = None,
        max_detections: int | None = None,
    ) -> None:
        if coco and num_classes != len(COCO_IDS):
            raise ValueError(f"TorchvisionDetector: coco: the data have {num_classes} classes, and COCO {len(COCO_IDS)}")
        network = _build(name, num_classes, num_keypoints)
        stages = _stages(network)
        own, given = stages.settings, (score_threshold, nms_threshold, max_detections)
        thresholds: list[Any] = [
            getattr(own, there) if value is None else value
            for there, value in zip(("score_thresh", "nms_thresh", "detections_per_img"), given, strict=True)
        ]
        super().__init__(num_classes, score_threshold=thresholds[0], nms_threshold=thresholds[1], max_detections=thresholds[2])
        self.network, self.stages = network, stages
        self.smallest = 300 if name == "ssd300_vgg16" else 1
        self.branches = _branches(network)
        if frozen_norm if frozen_norm is not None else not any(word in name for word in LEARNS_NORM):
            _freeze_norm(network.backbone, 0.0 if name in WITHOUT_EPS else None)
        if weights is not None:
            other = _build(name, num_classes + 1, num_keypoints and num_keypoints + 1)
            where = f"{weights} does not hold the weights of {name}"
            state, head = read_weights(name, weights), sized_by_classes(network, other)
            if coco:
                _take_coco_heads(state, head)
            load_all_but_head(network, state, head, where)
            _check_spread(network.backbone, where)
        for beginning in frozen:
            found = [p for key, p in network.named_parameters() if key.startswith(beginning)]
            if not found:
                raise ValueError(f"TorchvisionDetector: frozen: no weight of {name} has a name that begins with {beginning!r}")
            for parameter in found:
                parameter.requires_grad_(False)

    @property
    def backbone(self) -> nn.Module:
        """What :class:`lightning_modules.FreezeBackbone` freezes."""
        backbone: nn.Module = self.network.backbone
        return backbone

    def forward(self, images: Tensor) -> Any:
        size = (images.shape[-2], images.shape[-1])
        if min(size) < self.smallest:
            raise InputError(f"ssd300_vgg16 takes images of {self.smallest} pixels or more, got {size}: set data.image_size")
        images = _normalised_for(self.network.transform, images)
        step = int(self.network.transform.size_divisible)
        images = F.pad(images, (0, -size[1] % step, 0, -size[0] % step))
        maps = self.network.backbone(images)
        maps = {"0": maps} if isinstance(maps, Tensor) else dict(maps)
        return self.stages.forward(ImageList(images, [size] * len(images)), maps)

    def losses(
        self,
        outputs: Any,
        boxes: list[Tensor],
        labels: list[Tensor],
        rngs: Sequence[Generator] | None = None,
        **objects: list[Tensor],
    ) -> dict[str, Mean]:
        """torchvision's, by our names: see :class:`TwoStages` and :class:`OneStage`.

        Raises:
            InputError: the network learns masks or keypoints, and the task gives none.
        """
        if objects.keys() != self.branches:
            learns, given = (" and ".join(sorted(fields)) or "boxes alone" for fields in (self.branches, objects.keys()))
            raise InputError(f"{type(self.network).__name__} of torchvision learns {learns}; the task gives {given}")
        targets = [{"boxes": own, "labels": 1 + kinds} for own, kinds in zip(boxes, labels, strict=True)]
        for field, values in objects.items():
            for target, value in zip(targets, values, strict=True):
                target[field] = value
        return self.stages.losses(outputs, targets, rngs)

    def predict(self, outputs: Any) -> list[Detections]:
        there = self.stages.settings
        there.score_thresh, there.nms_thresh = self.score_threshold, self.nms_threshold
        there.detections_per_img = self.max_detections
        found: Any = []
        for fields in self.stages.predict(outputs):
            # RetinaNet and FCOS have no background: they leave class 0 without an object, but not without a score. And
            # one-stage detectors keep what clipping to the image left empty.
            kept = ((fields["labels"] > 0) & has_area(fields["boxes"])).nonzero()[:, 0]
            own = {name: values[kept] for name, values in fields.items()}
            found.append({**own, "labels": own["labels"] - 1})
        return cast("list[Detections]", found)


def _build(name: str, num_classes: int, num_keypoints: int | None) -> Any:
    names = list_models(module=torchvision.models.detection)
    if name not in names:
        near = difflib.get_close_matches(name, names) or names
        raise ValueError(f"TorchvisionDetector: torchvision has no detector {name!r}; it has {', '.join(near)}")
    if name.startswith("keypointrcnn") == (num_keypoints is None):
        wanted = "is a network of KeypointDetection" if num_keypoints is None else "has no keypoints: take keypointrcnn_*"
        raise ValueError(f"TorchvisionDetector: {name} {wanted}")
    options = {} if num_keypoints is None else {"num_keypoints": num_keypoints}
    # Where no weights are asked for, all layers are trained and none is frozen: what is to be is done above.
    return get_model(name, weights=None, weights_backbone=None, num_classes=1 + num_classes, **options)


def _stages(network: Any) -> Any:
    kinds = {FasterRCNN: TwoStages, RetinaNet: RetinaNetStage, FCOS: FCOSStage, SSD: SSDStage}
    return next(stage(network) for kind, stage in kinds.items() if isinstance(network, kind))


def _branches(network: Any) -> frozenset[str]:
    heads = getattr(network, "roi_heads", None)
    has_masks = heads is not None and heads.has_mask()
    return frozenset({"masks"} if has_masks else {"keypoints"} if isinstance(network, KeypointRCNN) else ())


def _take_coco_heads(state: dict[str, Tensor], head: set[str]) -> None:
    """Leaves of heads for COCO's 91 numbers the background and the 80 that are classes, in place."""
    for key in head & state.keys():
        rows, rest = len(state[key]), state[key].shape[1:]
        if rows % len(_CATEGORIES):
            continue  # of keypoints, or of a file that is none of COCO's: what is not of the right shape stays fresh
        # Of Faster R-CNN's boxes the class stands outermost; of all others innermost, behind the anchors of a place.
        outer = 1 if "bbox_pred" in key else rows // len(_CATEGORIES)
        own = state[key].view(outer, len(_CATEGORIES), -1, *rest)[:, [0, *COCO_IDS]]
        state[key] = own.reshape(-1, *rest)


def _freeze_norm(backbone: nn.Module, eps: float | None) -> None:
    for parent in list(backbone.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, FrozenBatchNorm2d(child.num_features, child.eps if eps is None else eps))


def _check_spread(backbone: nn.Module, where: str) -> None:
    for name, module in backbone.named_modules():
        if isinstance(module, FrozenBatchNorm2d) and bool((module.running_var + module.eps <= 0).any()):
            raise ValueError(f"{where}: backbone.{name} has a channel of no variance; give frozen_norm: false")


def _normalised_for(transform: Any, images: Tensor) -> Tensor:
    """Images that are normalised with ImageNet's mean and std, as the network's own weights want them."""
    before, after = (DatasetMetadata.mean, DatasetMetadata.std), (tuple(transform.image_mean), tuple(transform.image_std))
    if before == after:
        return images
    mean, std, own_mean, own_std = (numbers(each, images).view(3, 1, 1) for each in (*before, *after))
    return (images * std + mean - own_mean) / own_std
