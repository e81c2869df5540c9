"""Lectern's tasks: one problem of the lectures each, as a LightningModule."""

from .classification import Classification, MultiLabelClassification
from .segmentation import Segmentation

__all__ = ["Classification", "MultiLabelClassification", "Segmentation"]
