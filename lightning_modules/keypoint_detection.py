"""Keypoint detection: every object's class, box and keypoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from torchmetrics import MetricCollection

from datamodules.scene import DatasetMetadata

from .branched_detection import BranchedDetection
from .defaults import Metadata, default_network, plain_metadata
from .instance_segmentation import InstanceSegmentation
from .metrics.oks import KeypointAP
from .networks.branches import BranchedDetector


class KeypointDetection(BranchedDetection):
    """Every instance's class, box, score and keypoints, however many instances there are (CS231n 2017, lecture 11, "Also does
    pose").

    Where :class:`Pose` regresses the keypoints of one instance, here each instance that is found has its own. Metrics: those of
    :class:`Detection`, and COCO's of the keypoints as ``keypoint_mAP``, ``keypoint_mAP50``, ...; classes without keypoints are
    detected, but do not count in those.

    Args:
        network: called with the numbers of classes and of keypoints, gives a :class:`BranchedDetector` with keypoints, such as
            ``KeypointRCNN``.
        sigmas: how far apart two annotators put a keypoint, by its name; needed of keypoints that neither COCO nor LSP has (see
            :data:`lightning_modules.metrics.oks.SIGMAS`).
        kwargs: see :class:`Task`.

    Raises:
        InputError: a keypoint has no sigma, or the network has no branch for keypoints.
    """

    needs = frozenset({"boxes", "labels", "keypoints"})
    monitor = "val/keypoint_mAP"
    default_network = "lightning_modules.networks.KeypointRCNN"
    learns: ClassVar[tuple[str, ...]] = ("keypoints",)

    def __init__(
        self,
        metadata: Metadata,
        *,
        network: Callable[[int, int], BranchedDetector] | None = None,
        sigmas: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        self.sigmas = sigmas  # before the base class, which makes the metrics
        keypoints = len(DatasetMetadata.from_dict(plain_metadata(metadata)).keypoints)
        build = network or cast("Callable[[int, int], BranchedDetector]", default_network(type(self)))
        super().__init__(metadata, network=lambda num_classes: build(num_classes, keypoints), **kwargs)

    def metrics(self) -> MetricCollection:
        metrics = super().metrics()
        keypoints = KeypointAP(self.metadata.classes, self.metadata.keypoints, sigmas=self.sigmas)
        metrics.add_metrics({"keypoints": keypoints})
        return metrics


class KeypointAndMaskDetection(KeypointDetection, InstanceSegmentation):
    """Every object's class, box, score, keypoints and mask, from one network (He et al. 2017, table 4, "keypoint & mask").

    Args:
        network: called with the numbers of classes and of keypoints, gives a :class:`BranchedDetector` with both, such as
            ``KeypointMaskRCNN``.
        kwargs: see :class:`KeypointDetection`.
    """

    needs = KeypointDetection.needs | InstanceSegmentation.needs
    default_network = "lightning_modules.networks.KeypointMaskRCNN"
    learns = ("keypoints", "masks")
