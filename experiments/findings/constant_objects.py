"""What a constant answer reaches in detection: of each class one object, in every image at the same place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from datamodules.scene import Scene
from experiments.runs.findings import BaselineFinding
from lightning_modules.metrics.coco import CocoAP
from lightning_modules.metrics.detections import DetectionMetric
from lightning_modules.metrics.matching import Arrays, Matched, area_of, matched, ranking, together
from lightning_modules.metrics.oks import KeypointAP
from lightning_modules.metrics.voc import BoxAP

from .inquiry import MeasuredValues, TrainingSample
from .pose import mean_pose

MOST = 20
"""Classes that the constant answer has an object of: the most frequent of the training scenes."""

AREAS = ("small", "medium", "large")
"""What is told apart by area is left out: areas of the annotation are not kept of every data set."""


class TrueObjects(NamedTuple):
    """The objects of an image, as the constant answer is judged by them."""

    arrays: Arrays
    """``boxes`` (G, 4), ``labels`` (G,), ``difficult`` (G,); ``keypoints`` (G, K, 3) where poses are judged."""
    codes: tuple[dict[str, Any], ...] = ()
    """Their masks as run lengths, where masks are judged."""
    size: tuple[int, int] = (0, 0)
    """Height and width of these masks."""

    @classmethod
    def of(cls, objects: Mapping[str, torch.Tensor], arrays: Arrays) -> TrueObjects:
        """Of fields on the CPU; masks (G, H, W) become run lengths, some hundred bytes each."""
        for field in ("keypoints", "area", "scale"):
            if field in objects:
                arrays = arrays | {field: objects[field].numpy()}
        if "masks" not in objects:
            return cls(arrays)
        from faster_coco_eval.core import mask as rle  # brings OpenCV with it

        masks = objects["masks"].numpy()
        height, width = masks.shape[-2:]
        return cls(arrays, tuple(rle.encode(np.asfortranarray(mask, np.uint8)) for mask in masks), (height, width))


class ConstantObjects:
    """The same objects for every image: of each class its mean box, filled as a mask and with the mean pose in it.

    Its score is how often the class occurs, so that it ranks by what is likeliest.

    Args:
        metrics: by which detections are judged; their states are neither read nor changed.
        images: the objects of the evaluated images.
        training: what the means are made of; where it is empty, the evaluated images themselves.
    """

    def __init__(self, metrics: Sequence[DetectionMetric], images: Sequence[TrueObjects], training: TrainingSample) -> None:
        self.metrics, self.images = metrics, images
        self.origin = training if training.scenes else "the evaluated images themselves"
        classes = len(metrics[0].classes)
        known = [_arrays_of(scene) for scene in training.scenes] or [image.arrays for image in images]
        labels = np.concatenate([np.zeros(0, np.int64), *(objects["labels"] for objects in known)]).astype(np.int64)
        frequency = np.bincount(labels, minlength=classes)
        chosen = np.argsort(-frequency, kind="stable")[:MOST]
        chosen = chosen[frequency[chosen] > 0]
        boxes = np.concatenate([np.zeros((0, 4)), *(objects["boxes"].reshape(-1, 4) for objects in known)])
        self.answer: Arrays = {
            "boxes": np.array([boxes[labels == c].mean(0) for c in chosen], np.float32).reshape(-1, 4),
            "labels": chosen.astype(np.int64),
            "scores": (frequency[chosen] / max(1, frequency.sum())).astype(np.float32),
        }
        if len(chosen) and all("keypoints" in objects for objects in known):
            keypoints = torch.from_numpy(np.concatenate([objects["keypoints"] for objects in known]))
            self.answer["keypoints"] = np.stack([mean_pose(keypoints[labels == c]).numpy() for c in chosen])
        self.answer = ranking(self.answer)

    def matched_to(self, metric: DetectionMetric) -> Matched:
        """The answer in every image, matched as a metric does it."""
        if isinstance(metric, KeypointAP):
            if "keypoints" not in self.answer:
                return together([])
            return together([metric.record(self.answer, image.arrays) for image in self.images])
        if isinstance(metric, CocoAP) and metric.iou_type == "segm":
            return together([self._filled(metric, image) for image in self.images])
        box_fields = {"boxes", "labels", "difficult"}  # the boxes' areas tell nothing that is said here
        return together(
            [metric.record(self.answer, {k: v for k, v in image.arrays.items() if k in box_fields}) for image in self.images]
        )

    def values(self, metric: DetectionMetric) -> dict[str, float]:
        """The metric's figures of the constant answer, without those by area and by class; none where it has no answer."""
        if isinstance(metric, KeypointAP) and "keypoints" not in self.answer:
            return {}
        values = metric.values(self.matched_to(metric))
        return {name: value for name, value in values.items() if not name.endswith(AREAS) and "/" not in name}

    def sections(self, measured: MeasuredValues) -> list[BaselineFinding]:
        """Each figure of each metric beside the constant answer's."""
        what = {
            BoxAP: ("constant boxes", f"The mean box of each class (at most {MOST} of them)"),
            CocoAP: (
                "constant boxes, filled",
                f"The mean box of each class (at most {MOST} of them), all of it taken for the object",
            ),
            KeypointAP: ("constant poses", f"The mean pose of each class (at most {MOST} of them)"),
        }
        found = []
        for metric in self.metrics:
            name, note = what[type(metric)]
            note = f"{note}, the same for every image, of {self.origin}."
            found += measured.beside(self.values(metric), name, note=note)
        return found

    def _filled(self, metric: CocoAP, image: TrueObjects) -> Matched:
        """Matching of the constant boxes as masks, by run lengths."""
        from faster_coco_eval.core import mask as rle

        objects = metric.objects(image.arrays, np.array([rle.area(code) for code in image.codes], np.float64))
        labels = self.answer["labels"]
        similarity = np.full((len(labels), len(image.codes)), -1.0)
        if similarity.size:
            corners = self.answer["boxes"].astype(np.float64)
            sides = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
            filled = rle.frPyObjects(sides.tolist(), *image.size)
            same = labels[:, None] == image.arrays["labels"]
            similarity[same] = rle.iou(filled, list(image.codes), objects.crowd.astype(np.uint8).tolist())[same]
        return matched(similarity, self.answer, area_of(self.answer["boxes"]), objects, metric.most[-1])


def _arrays_of(scene: Scene) -> Arrays:
    boxes = scene["boxes"].numpy().reshape(-1, 4)
    labels = scene["labels"].numpy() if "labels" in scene else np.zeros(len(boxes), np.int64)
    return {"boxes": boxes, "labels": labels} | ({"keypoints": scene["keypoints"].numpy()} if "keypoints" in scene else {})
