"""How many joints of a figure are found (PCK, PCKh), and how many pixels off they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from .gather import STEP, CountMetric, ratio, to_steps

FAR = 2.0**20
"""Pixels from which on a joint is not off but lost."""


class PCK(CountMetric):
    """What the kinds of PCK share: the percentage of joints that are nearer to the truth than a part of a length.

    The length is the figure's own: its torso (:class:`TorsoPCK`), box (:class:`BoxPCK`) or head (:class:`PCKh`).
    A joint is right where its distance is at most threshold * length; joints that are not labelled do not count.

    ``compute`` returns float32 scalars, for each threshold t: ``<name><100 t>`` (say ``PCK20``), the share of all
    labelled joints that are right, and ``<name><100 t>/<joint>``, that of one joint (nan where it is never labelled);
    and ``<name>_left_out``, the number of figures that were not judged, because their length is not known or 0.

    Args:
        joints: the names of the K joints.
        thresholds: parts of the length; those usual for the kind if not given.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = True
    name: ClassVar[str]
    usual: ClassVar[tuple[float, ...]]

    def __init__(self, joints: Sequence[str], thresholds: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.joints = tuple(joints)
        self.thresholds = {f"{self.name}{100 * t:g}": t for t in thresholds or self.usual}
        for count in (*self.thresholds, f"{self.name}_labelled"):
            self.add_count(count, len(self.joints))
        self.add_count(f"{self.name}_left_out")

    def _judge(self, keypoints: Tensor, target: Tensor, length: Tensor) -> None:
        """Add B figures of ``length`` (B,) pixels, 0 where it is not known."""
        labelled = target[..., 2] > 0
        judged = labelled & (length > 0)[:, None]
        distance = distances(keypoints, target)
        for key, threshold in self.thresholds.items():
            self.increase(key, ((distance <= threshold * length[:, None]) & judged).sum(0))
        self.increase(f"{self.name}_labelled", judged.sum(0))
        self.increase(f"{self.name}_left_out", (labelled.any(1) & ~judged.any(1)).sum())

    def compute(self) -> dict[str, Tensor]:
        """PCK over all figures: see the class."""
        labelled = getattr(self, f"{self.name}_labelled")
        values = {f"{self.name}_left_out": getattr(self, f"{self.name}_left_out").float()}
        for key in self.thresholds:
            right = getattr(self, key)
            values |= {key: ratio(right.sum(), labelled.sum()), **_by_joint(key, ratio(right, labelled), self.joints)}
        return values


class SegmentPCK(PCK):
    """PCK by the true distance between two joints; a figure where one of them is not labelled is left out.

    Raises:
        ValueError: where ``joints`` lacks one of ``ends``.
    """

    ends: ClassVar[tuple[str, str]]

    def __init__(self, joints: Sequence[str], thresholds: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(joints, thresholds, **kwargs)
        if missing := [end for end in self.ends if end not in self.joints]:
            raise ValueError(f"{self.name} needs the joint {missing[0]!r}; the joints are {', '.join(self.joints)}")

    def update(self, keypoints: Tensor, target: Tensor) -> None:
        """Add B figures.

        Args:
            keypoints: float (B, K, 2 or 3), the joints found: x, y in pixels; a third value is passed over.
            target: float (B, K, 3), the true x, y, v of :class:`~datamodules.scene.Scene`.
        """
        start, end = (target[:, self.joints.index(joint)] for joint in self.ends)
        self._judge(keypoints, target, distances(start, end) * ((start[:, 2] > 0) & (end[:, 2] > 0)))


class TorsoPCK(SegmentPCK):
    """PCK by the torso, from left shoulder to right hip, as LSP is commonly judged: ``PCK10``, ``PCK20``.

    Measuring figures by their torso is due to Sapp and Taskar 2013, "MODEC".
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
    """PCK by the longer side of the figure's box: ``PCKbox10``, ``PCKbox20``.

    Yang and Ramanan 2013, "Articulated Human Detection with Flexible Mixtures of Parts", who named PCK.
    """

    name = "PCKbox"
    usual = (0.1, 0.2)

    def update(self, keypoints: Tensor, target: Tensor, boxes: Tensor) -> None:
        """Add B figures.

        Args:
            keypoints: float (B, K, 2 or 3), the joints found: x, y in pixels; a third value is passed over.
            target: float (B, K, 3), the true x, y, v of :class:`~datamodules.scene.Scene`.
            boxes: float (B, 4), the true boxes, xyxy.
        """
        self._judge(keypoints, target, (boxes[:, 2:] - boxes[:, :2]).amax(1).float())


class JointError(CountMetric):
    """Mean distance, in pixels, between the joints found and the labelled ones.

    ``compute`` returns float32 scalars: ``joint_error`` over all labelled joints and ``joint_error/<joint>``; nan where
    none is labelled, or where one was put beyond all measure (2^20 pixels off, or not finite). Distances are summed in
    steps of 2^-24.

    Args:
        joints: the names of the K joints.
        kwargs: those of ``torchmetrics.Metric``.
    """

    higher_is_better = False

    def __init__(self, joints: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.joints = tuple(joints)
        for count in ("distance", "labelled", "lost"):
            self.add_count(count, len(self.joints))

    def update(self, keypoints: Tensor, target: Tensor) -> None:
        """Add B figures: see :meth:`SegmentPCK.update`."""
        labelled = target[..., 2] > 0
        distance = distances(keypoints, target)
        measured = labelled & (distance < FAR)
        self.increase("distance", to_steps(distance.where(measured, 0)).sum(0))
        self.increase("labelled", labelled.sum(0))
        self.increase("lost", (labelled & ~measured).sum(0))

    def compute(self) -> dict[str, Tensor]:
        """The error over all figures: see the class."""
        mean = ratio(self.distance.sum(), self.labelled.sum()).where(self.lost.sum() == 0, torch.nan) * STEP
        each = ratio(self.distance, self.labelled).where(self.lost == 0, torch.nan) * STEP
        return {"joint_error": mean, **_by_joint("joint_error", each, self.joints)}


def distances(first: Tensor, second: Tensor) -> Tensor:
    """float32 (...): the distance between points (..., 2 or more), of which only x and y are read."""
    offset = first[..., :2].float() - second[..., :2].float()
    return offset.square().sum(-1).sqrt()


def _by_joint(key: str, values: Tensor, joints: tuple[str, ...]) -> dict[str, Tensor]:
    return {f"{key}/{joint}": value for joint, value in zip(joints, values, strict=True)}
