"""Lectern's tasks: one problem of the lectures each, as a LightningModule."""

from .classification import Classification, MultiLabelClassification
from .detection import Detection
from .freezing import FreezeTrunk
from .localization import Localization
from .pose import Pose
from .segmentation import Segmentation

__all__ = ["Classification", "Detection", "FreezeTrunk", "Localization", "MultiLabelClassification", "Pose", "Segmentation"]
