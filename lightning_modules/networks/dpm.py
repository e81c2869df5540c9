"""DPM: a mixture of deformable part models on HOG features, which scans a pyramid.

Deck "CNN, R-CNN", "What is Multi Object Detection? - Before Deep Learning": "Deformable part models(DPM)"; Felzenszwalb,
Girshick, McAllester and Ramanan 2010, "Object Detection with Discriminatively Trained Part-Based Models".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torchvision.ops import clip_boxes_to_image

from datamodules.scene import InputError

from ..means import Mean
from .boxes import best_first, first_of_nms, has_area
from .detector import Detections, Detector
from .part_model import PartModel, Placement, Response
from .pyramid import Pyramid, PyramidLayout
from .springs import Quadratic, Spring


class PartDetections(Detections):
    """The objects found in one image, best first, and where their parts are."""

    parts: Tensor
    """float32 (M, P, 4), xyxy in pixels; a part may reach beyond the image. P is 0 before there are parts."""


class Places(NamedTuple):
    """All places of one class in one image."""

    responses: list[Response]
    scores: NDArray[np.float64]
    """float64 (N,), margins, of all responses one after another."""
    boxes: Tensor
    """float32 (N, 4), xyxy in pixels, clipped to the image."""

    def place(self, index: int) -> Placement:
        """The latent values of one of the N."""
        for response in self.responses:
            if index < response.scores.size:
                row, column = divmod(index, response.scores.shape[1])
                parts = [tuple(int(v) for v in moved[:, row, column]) for moved in (response.rows, response.columns)]
                return Placement(response.component, response.level, row, column, parts[0], parts[1])
            index -= response.scores.size
        raise IndexError(index)


class DPM(Detector):
    """Root filters, and parts that move, over all places and sizes of an image.

    The score of a detection is the logistic function of its margin, which is no probability; the box is the root's. It is given
    images as they are, from 0 to 255. No gradient trains it: ``DeformablePartsDetection`` does.

    Args:
        num_classes: of the data set.
        roots: (h, w) in cells of each component's root filter, for each class the same; objects are shared among components by
            the shape of their boxes at first, and then by what fits.
        parts: part filters of a component; 0 is a root alone.
        part: (h, w) of a part filter, in cells of half the size.
        cell: side of a cell in pixels, even.
        interval: levels of the pyramid from one size to half of it.
        octaves: how often the image is doubled before the root looks at it, for objects smaller than the root.
        spring: builds what holds the parts: ``Quadratic`` lets them move, ``Rigid`` does not.
        score_threshold: a box of a lower score is no detection; a margin of -1 is a score of 0.27.
        nms_threshold: see :class:`Detector`.
        max_detections: see :class:`Detector`.
    """

    channels_last = False
    pad = 4
    """Cells beside the image, of each map; the root may reach over half of them."""

    def __init__(
        self,
        num_classes: int,
        *,
        roots: Sequence[tuple[int, int]] = ((10, 9),),
        parts: int = 8,
        part: tuple[int, int] = (6, 6),
        cell: int = 4,
        interval: int = 4,
        octaves: int = 0,
        spring: Callable[[], Spring] = Quadratic,
        score_threshold: float = 0.25,
        nms_threshold: float = 0.5,
        max_detections: int = 100,
    ) -> None:
        super().__init__(
            num_classes, score_threshold=score_threshold, nms_threshold=nms_threshold, max_detections=max_detections
        )
        if not roots or cell < 2 or cell % 2 or interval < 1 or octaves < 0 or parts < 0:
            raise InputError(
                f"DPM: a root, an even cell, an interval of 1 or more and octaves and parts of 0 or more expected, got roots "
                f"{list(roots)}, cell {cell}, interval {interval}, octaves {octaves}, parts {parts}"
            )
        for root in roots:
            if min(root) < 1 or (parts and (part[0] > 2 * root[0] or part[1] > 2 * root[1] or min(part) < 1)):
                raise InputError(f"DPM: parts of {tuple(part)} cells of half the size do not fit a root of {tuple(root)} cells")
        self.cell, self.interval, self.octaves = cell, interval, octaves
        self.finer = interval if parts else 0
        """Levels from the root's map to that of its parts."""
        self.components = nn.ModuleList(
            PartModel(num_classes, root=(root[0], root[1]), parts=parts, part=(part[0], part[1]), spring=spring())
            for root in roots
        )
        self.register_buffer("has_parts", torch.zeros((), dtype=torch.bool))

    has_parts: Tensor
    """bool (): whether the parts have been learned."""

    def layout(self, size: tuple[int, int]) -> PyramidLayout:
        """The pyramid of images of a size (H, W)."""
        sizes = [model.size for model in self.models]
        least = (min(h for h, _ in sizes), min(w for _, w in sizes))
        return PyramidLayout(size, self.cell, self.interval, self.octaves + bool(self.finer), least, self.pad)

    @property
    def models(self) -> list[PartModel]:
        """The components."""
        return [model for model in self.components if isinstance(model, PartModel)]

    def forward(self, images: Tensor) -> Pyramid:
        """The features of images, float (B, 3, H, W) of values from 0 to 255."""
        with torch.autocast(images.device.type, enabled=False):
            return self.layout((images.shape[2], images.shape[3])).of(images.float())

    def losses(
        self, outputs: Pyramid, boxes: list[Tensor], labels: list[Tensor], rngs: Sequence[Generator] | None = None
    ) -> dict[str, Mean]:
        """None: the objective is that of a round, over all images together, and is logged as ``latent/objective``."""
        return {}

    def places(self, pyramid: Pyramid, image: int, c: int) -> Places:
        """All places of class ``c``."""
        with_parts = bool(self.has_parts)
        responses = [
            response
            for component, model in enumerate(self.models)
            for response in model.responses(pyramid, image, c, component, self.finer, with_parts)
        ]
        boxes = [self._root_boxes(pyramid.layout, response) for response in responses]
        scores = [response.scores.reshape(-1) for response in responses]
        if not responses:
            return Places([], np.zeros(0), torch.zeros(0, 4))
        clipped = clip_boxes_to_image(torch.from_numpy(np.concatenate(boxes)).float(), pyramid.layout.size)
        return Places(responses, np.concatenate(scores), clipped)

    def _root_boxes(self, layout: PyramidLayout, response: Response) -> NDArray[np.float64]:
        """float64 (h * w, 4), xyxy in pixels of the image."""
        height, width = self.models[response.component].size
        rows, columns = (np.arange(side) - self.pad // 2 for side in response.scores.shape)
        top, left = np.meshgrid(rows, columns, indexing="ij")
        corners = np.stack([left, top, left + width, top + height], -1).reshape(-1, 4)
        down, across = layout.levels[response.level].scale
        return corners * (self.cell / np.array([across, down, across, down]))

    def part_boxes(self, layout: PyramidLayout, place: Placement) -> Tensor:
        """float32 (P, 4), xyxy in pixels of the image."""
        height, width = self.models[place.component].parts.shape[-2:]
        top, left = (torch.tensor(side, dtype=torch.float32) - self.pad for side in (place.rows, place.columns))
        down, across = layout.levels[place.level - self.finer].scale
        corners = torch.stack([left, top, left + width, top + height], -1).reshape(-1, 4)
        return corners * (self.cell / torch.tensor([across, down, across, down]))

    @torch.no_grad()
    def predict(self, outputs: Pyramid) -> list[Detections]:
        """The detections in each image: :class:`PartDetections`."""
        device = outputs.maps[0].device
        return [
            {name: value.to(device) for name, value in self._detections(outputs, image).items()}  # type: ignore[misc, attr-defined]
            for image in range(len(outputs.maps[0]))
        ]

    def _detections(self, pyramid: Pyramid, image: int) -> PartDetections:
        found = [self.places(pyramid, image, c) for c in range(self.num_classes)]
        margins = torch.cat([torch.from_numpy(each.scores) for each in found])
        labels = torch.cat([torch.full((len(each.scores),), c) for c, each in enumerate(found)])
        starts = np.cumsum([0, *(len(each.scores) for each in found)])
        _, best = best_first(margins, self.candidates)
        scores, boxes, labels = margins[best].float().sigmoid(), torch.cat([each.boxes for each in found])[best], labels[best]
        keep = (has_area(boxes) & (scores > self.score_threshold)).nonzero()[:, 0]
        kept = first_of_nms(
            boxes[keep], scores[keep], labels[keep], pyramid.layout.size, self.nms_threshold, self.max_detections
        )
        rows = keep[kept]
        places = [found[c].place(i - int(starts[c])) for c, i in zip(labels[rows].tolist(), best[rows].tolist(), strict=True)]
        parts = [self.part_boxes(pyramid.layout, place) for place in places]
        return {
            "boxes": boxes[rows],
            "labels": labels[rows],
            "scores": scores[rows],
            "parts": torch.stack(parts) if parts else torch.zeros(0, 0, 4),
        }
