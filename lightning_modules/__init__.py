"""Lectern's tasks: one problem of the lectures each, as a LightningModule."""

from .classification import Classification, MultiLabelClassification
from .deformable_parts import DeformablePartsDetection
from .detection import Detection
from .freezing import FreezeBackbone
from .graphing import GraphedNetwork
from .instance_segmentation import InstanceSegmentation
from .keypoint_detection import KeypointAndMaskDetection, KeypointDetection
from .latent_svm import LatentSVM
from .linear_svms import LinearSVMs
from .localization import Localization
from .pose import Pose
from .region_detection import RegionDetection
from .ridge_regressors import RidgeRegressors
from .segmentation import Segmentation
from .staged_detection import StagedDetection

__all__ = [
    "Classification",
    "DeformablePartsDetection",
    "Detection",
    "FreezeBackbone",
    "GraphedNetwork",
    "InstanceSegmentation",
    "KeypointAndMaskDetection",
    "KeypointDetection",
    "LatentSVM",
    "LinearSVMs",
    "Localization",
    "MultiLabelClassification",
    "Pose",
    "RegionDetection",
    "RidgeRegressors",
    "Segmentation",
    "StagedDetection",
]
