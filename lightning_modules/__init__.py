"""Lectern's tasks: one problem of the lectures each, as a LightningModule.

In Python a task is made for its data, and trained by Lightning's own trainer (docs/python.md has the twenty lines)::

    data = Shapes(image_size=64)                    # any data module of ``datamodules``
    task = Segmentation(data.metadata)              # its classes, its image size; FCN and AdamW, unless others are named
    pl.Trainer(max_epochs=5).fit(task, data)        # which loads images and masks, and nothing else
"""

from .auxiliary_classification import AuxiliaryClassification
from .classification import Classification, MultiLabelClassification
from .compiling import CompiledNetwork
from .deformable_parts import DeformablePartsDetection
from .denoising import Denoising
from .dense_captioning import DenseCaptioning
from .detection import Detection
from .freezing import FreezeBackbone
from .graphing import GraphedNetwork
from .instance_segmentation import InstanceSegmentation
from .keypoint_detection import KeypointAndMaskDetection, KeypointDetection
from .latent_svm import LatentSVM
from .linear_svms import LinearSVMs
from .localization import Localization
from .margin_classification import MarginClassification, OneVsRestHinge
from .pose import Pose
from .reconstruction import Reconstruction
from .region_detection import RegionDetection
from .ridge_regressors import RidgeRegressors
from .rotation_pretext import RotationPretext
from .segmentation import Segmentation
from .staged_detection import StagedDetection

__all__ = [
    "AuxiliaryClassification",
    "Classification",
    "CompiledNetwork",
    "DeformablePartsDetection",
    "Denoising",
    "DenseCaptioning",
    "Detection",
    "FreezeBackbone",
    "GraphedNetwork",
    "InstanceSegmentation",
    "KeypointAndMaskDetection",
    "KeypointDetection",
    "LatentSVM",
    "LinearSVMs",
    "Localization",
    "MarginClassification",
    "MultiLabelClassification",
    "OneVsRestHinge",
    "Pose",
    "Reconstruction",
    "RegionDetection",
    "RidgeRegressors",
    "RotationPretext",
    "Segmentation",
    "StagedDetection",
]
