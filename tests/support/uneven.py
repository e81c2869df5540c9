"""Every task with a small network, on scenes of which some count much and some count nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from datamodules import Shapes
from datamodules.base import Scenes, Split
from datamodules.drawing import Style
from datamodules.loading import collate
from datamodules.proposals import Proposer
from datamodules.scene import IGNORE, Batch, Scene
from lightning_modules import (
    AuxiliaryClassification,
    Classification,
    Denoising,
    DenseCaptioning,
    Detection,
    InstanceSegmentation,
    KeypointAndMaskDetection,
    KeypointDetection,
    Localization,
    MarginClassification,
    MultiLabelClassification,
    Pose,
    Reconstruction,
    RegionDetection,
    RotationPretext,
    Segmentation,
    StagedDetection,
)
from lightning_modules.base import Task
from lightning_modules.networks import (
    RCNN,
    SSD,
    AnchorYOLO,
    ClassAndBox,
    DenseCap,
    DetectThenCaption,
    FasterRCNN,
    FastRCNN,
    FullImageCaptioner,
    FullyConnected,
    InceptionNet,
    KeypointBranch,
    KeypointMaskRCNN,
    KeypointRCNN,
    KeypointRegressor,
    MaskBranch,
    MaskRCNN,
    RegionLanguageModel,
    ResidualDenoiser,
    SetRegressor,
    SmallConvNet,
    SoftmaxHead,
    SPPNet,
    StagedHead,
    TorchvisionDetector,
    UNet,
)
from tests.support.plain_backbone import PlainBackbone, PlainFCN, PlainHead, PlainYOLO

# Without batch normalisation, whose statistics are of the images that share a batch.
LAYERS = partial(FullyConnected, widths=(16,))
SOFTMAX, STAGED = partial(SoftmaxHead, layers=LAYERS), partial(StagedHead, layers=LAYERS)
REGIONS: dict[str, Any] = {"backbone": PlainBackbone, "head": SOFTMAX, "samples": 64}
FASTER: dict[str, Any] = {**REGIONS, "anchor_scales": (2.0, 4.0), "rpn_samples": 20, "proposals": 30}
MASKS, KEYPOINTS = partial(MaskBranch, size=4, layers=(4,), hidden=4), partial(KeypointBranch, size=4, layers=(4,))
SPEECH = partial(RegionLanguageModel, embedding=4, hidden=6, max_words=5)
SPOKEN: dict[str, Any] = {**FASTER, "language": SPEECH}
APART: dict[str, Any] = {**SPOKEN, "caption_backbone": PlainBackbone, "caption_layers": LAYERS}
TASKS: dict[str, tuple[type[Task], Callable[..., Any]]] = {
    "classification": (Classification, partial(SmallConvNet, widths=(4, 8))),
    "margin": (MarginClassification, partial(SmallConvNet, widths=(4, 8))),
    "auxiliary": (
        AuxiliaryClassification,
        partial(InceptionNet, stem=4, widths=(16, 16), auxiliary=True, auxiliary_dropout=0.0),
    ),
    "multi-label": (MultiLabelClassification, partial(SmallConvNet, widths=(4, 8))),
    "segmentation": (Segmentation, PlainFCN),
    "reconstruction": (Reconstruction, partial(UNet, widths=(4, 8))),
    "denoising": (Denoising, partial(ResidualDenoiser, network=partial(UNet, widths=(4, 8)))),
    "rotation": (RotationPretext, partial(SmallConvNet, widths=(4, 8))),
    "localization": (Localization, partial(ClassAndBox, backbone=PlainBackbone)),
    "pose": (Pose, partial(KeypointRegressor, backbone=PlainBackbone)),
    "YOLO": (Detection, PlainYOLO),
    "YOLO with base boxes": (Detection, partial(AnchorYOLO, backbone=PlainBackbone, head=PlainHead)),
    "set regressor": (Detection, partial(SetRegressor, backbone=PlainBackbone, hidden=16)),
    "SSD": (Detection, partial(SSD, backbone=PlainBackbone, width=8)),
    "Fast R-CNN": (RegionDetection, partial(FastRCNN, **REGIONS)),
    "R-CNN": (RegionDetection, partial(RCNN, **{**REGIONS, "head": STAGED}, crop=16)),
    "SPP-net": (RegionDetection, partial(SPPNet, **{**REGIONS, "head": STAGED})),
    "R-CNN in stages": (StagedDetection, partial(RCNN, **{**REGIONS, "head": STAGED}, crop=16)),
    "Faster R-CNN": (Detection, partial(FasterRCNN, **FASTER)),
    "torchvision's Faster R-CNN": (Detection, partial(TorchvisionDetector, name="fasterrcnn_mobilenet_v3_large_320_fpn")),
    "Mask R-CNN": (InstanceSegmentation, partial(MaskRCNN, **FASTER, masks=MASKS)),
    "Keypoint R-CNN": (KeypointDetection, partial(KeypointRCNN, **FASTER, keypoints=KEYPOINTS)),
    "DenseCap": (DenseCaptioning, partial(DenseCap, **SPOKEN)),
    "detect then caption": (DenseCaptioning, partial(DetectThenCaption, **APART)),
    "full-image captioner": (DenseCaptioning, partial(FullImageCaptioner, **APART)),
    "keypoints and masks": (KeypointAndMaskDetection, partial(KeypointMaskRCNN, **FASTER, keypoints=KEYPOINTS, masks=MASKS)),
}


class Uneven(Shapes):
    """Drawn scenes of which some are bare.

    Of every four, the second has half of its pixels void, few keypoints labelled and its first object marked difficult; the
    third has no object, and one pixel that is not void.
    """

    provides = Shapes.provides | {"difficult"}

    def scenes(self, split: Split) -> Scenes:
        return _Uneven(super().scenes(split))


class _Uneven:
    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Scene:
        scene: Any = dict(self.scenes[index])
        kind = index % 4
        if "boxes" in scene:
            scene["difficult"] = torch.arange(len(scene["boxes"])) < (kind == 1)
        if "mask" in scene and kind in (1, 2):
            scene["mask"] = scene["mask"].clone()
            scene["mask"].flatten()[scene["mask"].numel() // 2 if kind == 1 else 1 :] = IGNORE
        if "keypoints" in scene and kind == 1:
            scene["keypoints"] = scene["keypoints"].clone()
            scene["keypoints"][:, 3:] = 0
        if kind == 2:
            for field in ("boxes", "labels", "masks", "keypoints", "captions", "difficult"):
                if field in scene:
                    scene[field] = scene[field][:0]
        return scene


class Windows(Proposer):
    """A few windows, the same in every image; more of them in dark images."""

    def __call__(self, image: Tensor) -> Tensor:
        side = image.shape[-1]
        corners = torch.arange(0, side - 8, 7).float()
        grid = torch.stack(torch.meshgrid(corners, corners, indexing="xy"), -1).flatten(0, 1)
        sides = (12, 20) if float(image.float().mean()) < 120 else (16,)
        return torch.cat([torch.cat([grid, grid + length], 1) for length in sides]).clamp(max=side)


def data(batch_size: int = 4, train: int = 8, **kwargs: Any) -> Uneven:
    style = Style(objects=(1, 3), figures=(1, 2))
    return Uneven(
        image_size=48, train=train, val=5, test=4, batch_size=batch_size, workers=0, style=style, proposals=Windows(), **kwargs
    )


def task_on(name: str, scenes: Uneven) -> Any:
    """The task of that name, of the same weights each time."""
    kind, network = TASKS[name]
    torch.manual_seed(0)
    task = kind(network=network, optimizer=partial(torch.optim.SGD, lr=1e-2), metadata=scenes.metadata.as_dict())
    scenes.require(task.needs | (task.uses & scenes.provides))
    return task


def batch_of(scenes: Uneven, indices: range) -> Batch:
    """Training scenes as one batch, in double precision."""
    from datamodules.base import PreparedScenes

    prepared: Any = PreparedScenes(scenes, "train", augment=False)
    return _double(collate([prepared[(0, i)] for i in indices]))  # type: ignore[no-any-return]


def _double(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _double(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_double(v) for v in value]
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value
