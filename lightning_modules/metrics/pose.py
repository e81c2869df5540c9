"""How many keypoints of an instance are found (PCK, PCKh), and how many pixels off they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from .gather import STEP, CountMetric, ratio, to_steps

FAR = 2.0**20
"""Pixels from which on a keypoint is not off but lost."""


class PCK(CountMetric):
    """What the kinds of PCK share: the percentage of keypoints that are nearer to the truth than a part of a length.

    The length is the instance's own: its torso (:class:`TorsoPCK`), box (:class:`BoxPCK`) or head (:class:`PCKh`).
    A keypoint is right where its distance is at most threshold * length; keypoints that are not labelled do not count.

    ``compute`` returns float32 scalars, for each threshold t: ``<name><100 t>`` (say ``PCK20``), the share of all
    labelled keypoints that are right, and ``<name><100 t>/<keypoint>``, that of one keypoint (nan where it is never labelled);
    and ``<name>_left_out``, the number of instances that were not judged, because their length is not known or 0.

    Args:
        keypoints: the names of the K keypoints.
        thresholds: parts of the length; those usual for the kind if not given.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True
    name: ClassVar[str]
    usual: ClassVar[tuple[float, ...]]

    def __init__(self, keypoints: Sequence[str], thresholds: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keypoints = tuple(keypoints)
        self.thresholds = {f"{self.name}{100 * t:g}": t for t in thresholds or self.usual}
        for count in (*self.thresholds, f"{self.name}_labelled"):
            self.add_count(count, len(self.keypoints))
        self.add_count(f"{self.name}_left_out")

    def _judge(self, keypoints: Tensor, target: Tensor, length: Tensor) -> None:
        """Add B instances of ``length`` (B,) pixels, 0 where it is not known; all in the annotation's pixels."""
        labelled = target[..., 2] > 0
        judged = labelled & (length > 0)[:, None]
        distance = distances(keypoints, target)
        for key, threshold in self.thresholds.items():
            self.increase(key, ((distance <= threshold * length[:, None]) & judged).sum(0))
        self.increase(f"{self.name}_labelled", judged.sum(0))
        self.increase(f"{self.name}_left_out", (labelled.any(1) & ~judged.any(1)).sum())

    def compute(self) -> dict[str, Tensor]:
        """PCK over all instances: see the class."""
        labelled = getattr(self, f"{self.name}_labelled")
        values = {f"{self.name}_left_out": getattr(self, f"{self.name}_left_out").float()}
        for key in self.thresholds:
            right = getattr(self, key)
            values |= {key: ratio(right.sum(), labelled.sum()), **_by_keypoint(key, ratio(right, labelled), self.keypoints)}
        return values


class SegmentPCK(PCK):
    """PCK by the true distance between two keypoints; an instance where one of them is not labelled is left out.

    Raises:
        ValueError: where ``keypoints`` lacks one of ``ends``.
    """

    ends: ClassVar[tuple[str, str]]

    def __init__(self, keypoints: Sequence[str], thresholds: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(keypoints, thresholds, **kwargs)
        if missing := [end for end in self.ends if end not in self.keypoints]:
            raise ValueError(f"{self.name} needs the keypoint {missing[0]!r}; the keypoints are {', '.join(self.keypoints)}")

    def update(self, keypoints: Tensor, target: Tensor, scale: Tensor | None = None) -> None:
        """Add B instances.

        Args:
            keypoints: float (B, K, 2 or 3), the keypoints found: x, y in pixels; a third value is passed over.
            target: float (B, K, 3), the true x, y, v of :class:`~datamodules.scene.Scene`.
            scale: float (B, 2), where the images were resized: their pixels in one of the annotation, across and down.
                Distances are then the annotation's.
        """
        keypoints, target = annotated(keypoints, scale), annotated(target, scale)
        start, end = (target[:, self.keypoints.index(keypoint)] for keypoint in self.ends)
        self._judge(keypoints, target, distances(start, end) * ((start[:, 2] > 0) & (end[:, 2] > 0)))


class TorsoPCK(SegmentPCK):
    """PCK by the torso, from left shoulder to right hip, as LSP is commonly judged: ``PCK10``, ``PCK20``.

    Measuring instances by their torso is due to Sapp and Taskar 2013, "MODEC".
    """

    name = "PCK"
    usual = (0.1, 0.2)
    ends = ("left_shoulder", "right_hip")


class PCKh(SegmentPCK):
    """PCK by the head, from neck to top: ``PCKh50`` (Andriluka et al. 2014, "2D Human Pose Estimation").

    MPII's own length is 0.6 of the diagonal of a box around the head, which few data sets have.
    """

    name = "PCKh"
    usual = (0.5,)
    ends = ("neck", "head_top")


class BoxPCK(PCK):
    """PCK by the longer side of the instance's box: ``PCKbox10``, ``PCKbox20``.

    Yang and Ramanan 2013, "Articulated Human Detection with Flexible Mixtures of Parts", who named PCK.
    """

    name = "PCKbox"
    usual = (0.1, 0.2)

    def update(self, keypoints: Tensor, target: Tensor, boxes: Tensor, scale: Tensor | None = None) -> None:
        """Add B instances.

        Args:
            keypoints: float (B, K, 2 or 3), the keypoints found: x, y in pixels; a third value is passed over.
            target: float (B, K, 3), the true x, y, v of :class:`~datamodules.scene.Scene`.
            boxes: float (B, 4), the true boxes, xyxy.
            scale: as :meth:`SegmentPCK.update` has it.
        """
        keypoints, target = annotated(keypoints, scale), annotated(target, scale)
        if scale is not None:
            boxes = boxes / scale.repeat(1, 2)
        self._judge(keypoints, target, (boxes[:, 2:] - boxes[:, :2]).amax(1).float())


class KeypointError(CountMetric):
    """Mean distance, in pixels of the annotation, between the keypoints found and the labelled ones.

    ``compute`` returns float32 scalars: ``keypoint_error`` over all labelled keypoints and ``keypoint_error/<keypoint>``; nan
    where none is labelled, or where one was put beyond all measure (2^20 pixels off, or not finite). Distances are summed in
    steps of 2^-24.

    Args:
        keypoints: the names of the K keypoints.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = False

    def __init__(self, keypoints: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keypoints = tuple(keypoints)
        for count in ("distance", "labelled", "lost"):
            self.add_count(count, len(self.keypoints))

    def update(self, keypoints: Tensor, target: Tensor, scale: Tensor | None = None) -> None:
        """Add B instances: see :meth:`SegmentPCK.update`."""
        keypoints, target = annotated(keypoints, scale), annotated(target, scale)
        labelled = target[..., 2] > 0
        distance = distances(keypoints, target)
        measured = labelled & (distance < FAR)
        self.increase("distance", to_steps(distance.where(measured, 0)).sum(0))
        self.increase("labelled", labelled.sum(0))
        self.increase("lost", (labelled & ~measured).sum(0))

    def compute(self) -> dict[str, Tensor]:
        """The error over all instances: see the class."""
        mean = ratio(self.distance.sum(), self.labelled.sum()).where(self.lost.sum() == 0, torch.nan) * STEP
        each = ratio(self.distance, self.labelled).where(self.lost == 0, torch.nan) * STEP
        return {"keypoint_error": mean, **_by_keypoint("keypoint_error", each, self.keypoints)}


def annotated(points: Tensor, scale: Tensor | None) -> Tensor:
    """Points (B, K, 2 or 3) of images that were resized, in pixels of the annotation: see :meth:`SegmentPCK.update`."""
    if scale is None:
        return points
    return torch.cat([points[..., :2] / scale[:, None], points[..., 2:]], -1)


def distances(first: Tensor, second: Tensor) -> Tensor:
    """float32 (...): the distance between points (..., 2 or more), of which only x and y are read."""
    offset = first[..., :2].float() - second[..., :2].float()
    return offset.square().sum(-1).sqrt()


def _by_keypoint(key: str, values: Tensor, keypoints: tuple[str, ...]) -> dict[str, Tensor]:
    return {f"{key}/{keypoint}": value for keypoint, value in zip(keypoints, values, strict=True)}
