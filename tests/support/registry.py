"""Where the tests of all networks, tasks and data sets take their parameters from: the one place to enter a new one.

- a network: a small one of it in the table of its kind below;
- a task: the configuration of a small network in :data:`TASKS`;
- a task or a detector once more, without batch normalisation, in ``tests/support/uneven.py``;
- a data set: a file of its own beside ``tests/support/tiny/voc.py``, which is found by its place.

A test names what is missing (``test_every_network.py``, ``test_catalog.py``, ``test_datamodules.py``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from lightning_modules.networks import (
    DPM,
    FCN,
    FPN,
    RCNN,
    SSD,
    VGG,
    VGGFCN,
    YOLO,
    AlexNet,
    AnchorYOLO,
    Autoencoder,
    AuxiliaryHead,
    BackboneFCN,
    CifarNet,
    ClassAndBox,
    ConvBackbone,
    ConvReLU,
    DeconvNet,
    DenseCap,
    DenseSlidingWindow,
    DetectThenCaption,
    FasterRCNN,
    FastRCNN,
    FullImageCaptioner,
    FullResolutionFCN,
    GoogLeNet,
    Inception,
    InceptionNet,
    KeypointBranch,
    KeypointMaskRCNN,
    KeypointRCNN,
    KeypointRegressor,
    LeNet5,
    LeNet5RBF,
    LinearClassifier,
    MapsNet,
    MaskBranch,
    MaskRCNN,
    MultilayerPerceptron,
    OneSigmoid,
    PatchClassifier,
    PermutedPixels,
    PixelSoftmax,
    RBFOutput,
    RegionLanguageModel,
    ResidualDenoiser,
    ResNet9,
    SegNet,
    SeparateClassAndBox,
    SetRegressor,
    SlidingWindow,
    SmallConvNet,
    SoftmaxHead,
    SPPNet,
    StackClassifier,
    StackFilter,
    StagedHead,
    TorchvisionDetector,
    TorchvisionNet,
    TorchvisionSegmenter,
    UNet,
    ZFNet,
)
from lightning_modules.networks.backbones import Backbone
from lightning_modules.networks.boxes import RoIPooling
from lightning_modules.networks.branches import Branch, BranchedRCNN
from lightning_modules.networks.detector import Detector
from lightning_modules.networks.fcn import Encoder
from lightning_modules.networks.initialization import Initialization, Kaiming
from lightning_modules.networks.local import FullConnection, LocalConnection, SharedConnection
from lightning_modules.networks.mask_rcnn import MaskChannels
from lightning_modules.networks.pooling import MinPool2d
from lightning_modules.networks.region_heads import FullyConnected, RegionHead
from lightning_modules.networks.regions import RegionDetector
from lightning_modules.networks.set_regressor import SlotAssignment
from lightning_modules.networks.springs import Spring
from lightning_modules.networks.upsampling import Upsampling
from lightning_modules.networks.yolo import FullyConnectedHead

from .tiny import DATA

# Networks, each built with the number of classes (or of keypoints) alone -----------------------------------------------

Small = partial(ConvBackbone, (8, 12, 16), depth=1)
Pyramid = partial(FPN, partial(ConvBackbone, (8, 12, 16), depth=1, strides=[4, 8]), width=16)
Masks, Keypoints = partial(MaskBranch, layers=(8,), hidden=8), partial(KeypointBranch, layers=(8,))
Narrow = partial(FullyConnected, widths=(16,))
Dense = partial(SoftmaxHead, layers=partial(FullyConnected, widths=(32,)))

CLASSIFIERS: dict[str, tuple[Callable[[int], nn.Module], int]] = {
    "linear": (LinearClassifier, 14),
    "mlp": (partial(MultilayerPerceptron, hidden=[32, 16], dropout=0.2), 14),
    "lenet": (LeNet5, 28),
    "lenet-32": (LeNet5, 32),
    "lenet-modern": (partial(LeNet5, activation=nn.ReLU, pooling=nn.MaxPool2d, initialization=Kaiming()), 28),
    "lenet-rbf": (LeNet5RBF, 28),
    "alexnet": (partial(AlexNet, widths=(16, 24, 24, 24, 16), hidden=[32, 32], initialization=Kaiming()), 67),
    "alexnet-small-images": (
        partial(
            AlexNet,
            groups=1,
            stem=(5, 2, 2),
            widths=(16, 24, 24, 24, 16),
            hidden=[32],
            local_response=False,
            pooling=(2, 2),
            initialization=Kaiming(),
        ),
        40,
    ),
    "vgg": (partial(VGG, depths=[1, 2], widths=[8, 12], hidden=[32]), 16),
    "vgg-5": (partial(VGG, depths=[1, 1], widths=[8, 12], kernel=5, hidden=[32], normalization=nn.BatchNorm2d), 16),
    "inception": (partial(InceptionNet, widths=[16, 32]), 16),
    "inception-plain": (partial(InceptionNet, widths=[16, 32], block=ConvReLU), 16),
    "googlenet": (partial(GoogLeNet, width=0.5, initialization=Kaiming()), 64),
    "zfnet": (partial(ZFNet, widths=(16, 24, 24, 24, 16), hidden=[32, 32], initialization=Kaiming()), 224),
    "zfnet-96": (partial(ZFNet, widths=(16, 24, 24, 24, 16), hidden=[32, 32], initialization=Kaiming()), 96),
    "plain": (partial(CifarNet, residual=False), 32),
    "residual": (CifarNet, 32),
    "residual-leaky": (partial(CifarNet, depth=8, activation=nn.LeakyReLU, normalization=nn.Identity), 16),
    "resnet9": (partial(ResNet9, width=4), 32),
    "small": (SmallConvNet, 32),
    "small-regularised": (
        partial(SmallConvNet, hidden=[32], normalization=nn.BatchNorm2d, conv_dropout=0.2, fc_dropout=0.5),
        24,
    ),
    "torchvision": (TorchvisionNet, 64),
    "maps": (partial(MapsNet, image_size=(16, 16)), 16),
    "permuted": (partial(PermutedPixels, network=LinearClassifier, image_size=(16, 16)), 16),
    "stack": (StackClassifier, 16),
    "patches": (partial(PatchClassifier, patch_size=14, widths=(4, 5), hidden=6), 14),
}
"""With the side of the images."""

SEGMENTERS: dict[str, Callable[[int], nn.Module]] = {
    "fcn": FCN,
    "torchvision-segmenter": partial(TorchvisionSegmenter, name="lraspp_mobilenet_v3_large"),
    "vgg-fcn": VGGFCN,
    "segnet": partial(SegNet, widths=(4, 6), depths=(1, 2)),
    "deconvnet": partial(DeconvNet, widths=(4, 6), depths=(1, 2), hidden=8, bottom=2),
    "backbone-fcn": partial(BackboneFCN, backbone=Small, hidden=8),
    "full-resolution": partial(FullResolutionFCN, width=4),
    "u-net": partial(UNet, widths=(4, 8, 12)),
    "stack, at full size": partial(StackFilter, width=4),
    "sliding-window": partial(SlidingWindow, classifier=CLASSIFIERS["patches"][0]),
    "sliding-window-dense": partial(DenseSlidingWindow, classifier=CLASSIFIERS["patches"][0]),
}

IMAGE_NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "autoencoder": partial(Autoencoder, widths=(4, 8), code=6),
    "denoiser": partial(ResidualDenoiser, network=partial(UNet, widths=(4, 8))),
}
"""From images to images of the same channels; those that can score classes too are segmenters."""

REGRESSORS: dict[str, Callable[[int], nn.Module]] = {
    "class-and-box": partial(ClassAndBox, backbone=Small, hidden=16),
    "class-and-box-separate": partial(SeparateClassAndBox, backbone=Small, hidden=16),
    "keypoints": partial(KeypointRegressor, backbone=Small, hidden=16),
}

DETECTORS: dict[str, Callable[[int], Detector]] = {
    "yolo": partial(YOLO, backbone=Small),
    "yolo-paper": partial(YOLO, backbone=Small, head=partial(FullyConnectedHead, hidden=64, dropout=0.0)),
    "yolo-anchors": partial(AnchorYOLO, backbone=Small),
    "set-regressor": partial(SetRegressor, backbone=Small, hidden=16),
    "ssd": partial(SSD, backbone=Small),
    "ssd-pyramid": partial(SSD, backbone=Pyramid, scales=4),
    "faster-rcnn": partial(FasterRCNN, backbone=Small, head=Dense, proposals=20),
    "faster-rcnn-pyramid": partial(FasterRCNN, backbone=Pyramid, head=Dense, proposals=20),
}
"""What is given images and learns from boxes and labels alone."""

REGION_DETECTORS: dict[str, Callable[[int], RegionDetector]] = {
    "R-CNN": partial(RCNN, backbone=partial(ConvBackbone, (4, 8, 8), depth=1), head=partial(StagedHead, layers=Narrow)),
    "SPP-net": partial(SPPNet, backbone=partial(ConvBackbone, (4, 8, 8), depth=1), head=partial(StagedHead, layers=Narrow)),
    "Fast R-CNN": partial(
        FastRCNN, backbone=partial(ConvBackbone, (4, 8, 8), depth=1), head=partial(SoftmaxHead, layers=Narrow)
    ),
}
"""What is given proposals too."""

BRANCHED: dict[str, Callable[[int], BranchedRCNN]] = {
    "masks": partial(MaskRCNN, backbone=Small, head=Dense, masks=Masks),
    "masks, one sigmoid": partial(MaskRCNN, backbone=Small, head=Dense, masks=partial(Masks, masks=OneSigmoid)),
    "masks, softmax": partial(MaskRCNN, backbone=Small, head=Dense, masks=partial(Masks, masks=PixelSoftmax)),
    "masks, pyramid": partial(MaskRCNN, backbone=Pyramid, head=Dense, masks=Masks),
    "keypoints": partial(KeypointRCNN, num_keypoints=5, backbone=Small, head=Dense, keypoints=Keypoints),
    "keypoints, pyramid": partial(KeypointRCNN, num_keypoints=5, backbone=Pyramid, head=Dense, keypoints=Keypoints),
    "both": partial(KeypointMaskRCNN, num_keypoints=5, backbone=Small, head=Dense, keypoints=Keypoints, masks=Masks),
}
"""What learns from masks or keypoints beside the boxes."""

Speech = partial(RegionLanguageModel, embedding=8, hidden=12, max_words=6)
CAPTIONERS: dict[str, Callable[[int], DenseCap]] = {
    "DenseCap": partial(DenseCap, backbone=Small, head=Dense, proposals=20, language=Speech),
    "DenseCap with beams": partial(DenseCap, backbone=Small, head=Dense, language=partial(Speech, beams=3)),
    "detect then caption": partial(
        DetectThenCaption, backbone=Small, head=Dense, caption_backbone=Small, caption_layers=Narrow, language=Speech
    ),
    "full-image captioner": partial(
        FullImageCaptioner, backbone=Small, head=Dense, caption_backbone=Small, caption_layers=Narrow, language=Speech
    ),
}
"""What learns from boxes and phrases, and is built with the number of words."""

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    **{name: build for name, (build, _) in CLASSIFIERS.items()},
    **SEGMENTERS,
    **IMAGE_NETWORKS,
    **REGRESSORS,
    **DETECTORS,
    **REGION_DETECTORS,
    **{f"R-CNN with {name}": build for name, build in BRANCHED.items()},
    "torchvision-detector": partial(TorchvisionDetector, name="ssdlite320_mobilenet_v3_large"),
    **CAPTIONERS,
    "deformable-parts": partial(DPM, roots=((5, 4),), parts=2, part=(4, 4)),
}

PARTS: tuple[type, ...] = (
    *(Backbone, Encoder, Upsampling, RoIPooling, Branch, RegionHead, FullyConnected, MaskChannels, Initialization, MinPool2d),
    *(SlotAssignment, RegionLanguageModel),
    *(SharedConnection, LocalConnection, FullConnection),
    *(ConvReLU, Inception, AuxiliaryHead, RBFOutput, Spring),
)
"""What networks are composed of, itself or its base class; it is tested beside them."""

# Tasks -----------------------------------------------------------------------------------------------------------------

Config = dict[str, Any]

TASKS: dict[str, Config] = {
    "AuxiliaryClassification": {"class_path": "InceptionNet", "init_args": {"widths": [16, 16], "auxiliary": True}},
    "Classification": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
    "MarginClassification": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
    "MultiLabelClassification": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
    "Segmentation": {"class_path": "lightning_modules.networks.FCN"},
    "Localization": {"class_path": "ClassAndBox"},
    "Pose": {"class_path": "KeypointRegressor"},
    "Detection": {"class_path": "lightning_modules.networks.YOLO"},
    "DenseCaptioning": {"class_path": "lightning_modules.networks.DenseCap"},
    "InstanceSegmentation": {"class_path": "lightning_modules.networks.MaskRCNN"},
    "KeypointDetection": {"class_path": "lightning_modules.networks.KeypointRCNN"},
    "KeypointAndMaskDetection": {"class_path": "lightning_modules.networks.KeypointMaskRCNN"},
    "RegionDetection": {"class_path": "lightning_modules.networks.FastRCNN"},
    "StagedDetection": {"class_path": "lightning_modules.networks.RCNN"},
    "Reconstruction": {"class_path": "lightning_modules.networks.UNet", "init_args": {"widths": [4, 8]}},
    "Denoising": {
        "class_path": "lightning_modules.networks.ResidualDenoiser",
        "init_args": {"network": {"class_path": "lightning_modules.networks.UNet", "init_args": {"widths": [4, 8]}}},
    },
    "RotationPretext": {"class_path": "SmallConvNet", "init_args": {"widths": [4, 8]}},
    "DeformablePartsDetection": {
        "class_path": "lightning_modules.networks.DPM",
        "init_args": {"roots": [[5, 4]], "parts": 2, "part": [4, 4], "interval": 1},
    },
}
"""Of each task a small network, as a recipe writes it."""

WITHOUT_OPTIMIZER = ("DeformablePartsDetection",)
"""Tasks that no gradient trains."""

PLAIN = {"class_path": "tests.support.plain_backbone.PlainBackbone"}
SUMS_OVER_IMAGES: dict[str, Config] = {
    "Classification": TASKS["Classification"],
    "Segmentation": {"class_path": "tests.support.plain_backbone.PlainFCN"},
    "Localization": {"class_path": "ClassAndBox", "init_args": {"backbone": PLAIN}},
    "Pose": {"class_path": "KeypointRegressor", "init_args": {"backbone": PLAIN}},
    "Detection": {"class_path": "tests.support.plain_backbone.PlainYOLO"},
    "Denoising": TASKS["Denoising"],
}
"""Networks without batch normalisation, which takes its statistics from a rank's own images: one process and several are the
same sum."""


def experiment(task: str, networks: dict[str, Config] = TASKS, optimizer: Config | None = None) -> Config:
    """A configuration's ``model``: the task with a small network."""
    if task in WITHOUT_OPTIMIZER:
        return {"model": {"class_path": task, "init_args": {"network": networks[task]}}}
    optimizer = optimizer or {"class_path": "torch.optim.AdamW", "init_args": {"lr": 1e-3}}
    return {"model": {"class_path": task, "init_args": {"network": networks[task], "optimizer": optimizer}}}


# Data sets -------------------------------------------------------------------------------------------------------------


def data_arguments(name: str, folder: Path) -> list[str]:
    """What points a data module at tiny files in its official layout, which are written into ``folder``."""
    entry = DATA[name]
    root = [f"--data.root={entry.write(folder / 'data')}"] if entry.write else []
    return [*root, *(f"--data.{option}={json.dumps(value)}" for option, value in entry.options.items())]
