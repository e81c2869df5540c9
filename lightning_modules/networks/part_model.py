"""One component of a deformable part model: a root filter, and parts at twice its resolution. For each class one.

Felzenszwalb et al. 2010, "Object Detection with Discriminatively Trained Part-Based Models", sections 3.1 and 3.2.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from .distance_transform import Transformed
from .hog import CHANNELS
from .pyramid import Pyramid
from .springs import Spring

Ints = NDArray[np.int64]


class Response(NamedTuple):
    """How well one component fits at every place of one level."""

    component: int
    level: int
    """Of the root filter."""
    scores: NDArray[np.float64]
    """float64 (h, w), the margin with the root's corner at each place; place 0 is half of the padding beside the image."""
    rows: Ints
    """int64 (P, h, w): where each part is then, in cells of the map twice as fine, padding included."""
    columns: Ints


class Placement(NamedTuple):
    """One component at one place: the latent values of an example."""

    component: int
    level: int
    row: int
    column: int
    rows: tuple[int, ...]
    """Of each part, in cells of the map twice as fine, padding included."""
    columns: tuple[int, ...]


class PartModel(nn.Module):
    """A root filter, P part filters with where they are and what moving them costs, and a bias, for each class.

    All of it are buffers, since no gradient trains it.

    Args:
        num_classes: of the data set.
        root: (h, w) of the root filter in cells.
        parts: P, how many.
        part: (h, w) of a part filter, in cells of the map twice as fine; at most twice the root's.
        spring: what holds the parts.
    """

    root: Tensor
    parts: Tensor
    anchors: Tensor
    costs: Tensor
    bias: Tensor

    def __init__(self, num_classes: int, *, root: tuple[int, int], parts: int, part: tuple[int, int], spring: Spring) -> None:
        super().__init__()
        self.spring = spring
        self.register_buffer("root", torch.zeros(num_classes, CHANNELS, *root))
        self.register_buffer("parts", torch.zeros(num_classes, parts, CHANNELS, *part))
        self.register_buffer("anchors", torch.zeros(num_classes, parts, 2, dtype=torch.long))
        self.register_buffer("costs", torch.zeros(num_classes, parts, 4))
        self.register_buffer("bias", torch.full((num_classes,), -10.0))

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the root in cells."""
        return cast("tuple[int, int]", tuple(self.root.shape[-2:]))

    def responses(self, pyramid: Pyramid, image: int, c: int, component: int, finer: int, with_parts: bool) -> list[Response]:
        """Of class ``c``, at each level that the root may be at: the first is ``finer`` levels below the largest.

        Args:
            pyramid: its levels are ``finer`` to the octave, where there are parts.
            image: which of the pyramid's.
            c: the class.
            component: the number of this component, for what is returned.
            finer: levels from the root's to the parts', which are above it; 0 where there are none.
            with_parts: whether the parts are looked for; before they are learned, the root is all.
        """
        found = []
        half = pyramid.layout.pad // 2
        pieces = [self._part_scores(maps[image], c) if with_parts else [] for maps in pyramid.maps[: len(pyramid.maps) - finer]]
        for level in range(finer, len(pyramid.maps)):
            features = pyramid.maps[level][image]
            inner = features[:, half : features.shape[1] - half, half : features.shape[2] - half]
            if inner.shape[1] < self.size[0] or inner.shape[2] < self.size[1]:
                continue
            scores = F.conv2d(inner[None], self.root[c][None])[0, 0].cpu().double().numpy() + float(self.bias[c])
            rows, columns = [np.zeros((0, *scores.shape), np.int64) for _ in range(2)]
            if with_parts and pieces[level - finer]:
                scores, rows, columns = self._with_parts(scores, pieces[level - finer], c)
            found.append(Response(component, level, scores, rows, columns))
        return found

    def _part_scores(self, features: Tensor, c: int) -> list[Transformed]:
        """Of each part, the best place near each place of one map (31, h, w), and its worth."""
        if not len(self.parts[c]) or features.shape[1] < self.parts.shape[-2] or features.shape[2] < self.parts.shape[-1]:
            return []
        scores = F.conv2d(features[None], self.parts[c])[0].cpu().double().numpy()
        return [
            self.spring.moved(map_, costs) for map_, costs in zip(scores, self.costs[c].double().cpu().numpy(), strict=True)
        ]

    def _with_parts(
        self, scores: NDArray[np.float64], pieces: list[Transformed], c: int
    ) -> tuple[NDArray[np.float64], Ints, Ints]:
        """The root's scores (h, w) with those of the parts at their anchors added, and where the parts are."""
        every_row, every_column = 2 * np.arange(scores.shape[0])[:, None], 2 * np.arange(scores.shape[1])[None]
        rows, columns = [], []
        for piece, (down, across) in zip(pieces, self.anchors[c].tolist(), strict=True):
            # A finer map has at least twice the cells; where it has not, the image is smaller than a cell.
            y = np.minimum(every_row + down, piece.values.shape[0] - 1)
            x = np.minimum(every_column + across, piece.values.shape[1] - 1)
            scores = scores + piece.values[y, x]
            rows.append(piece.rows[y, x])
            columns.append(piece.columns[y, x])
        return scores, np.stack(rows), np.stack(columns)

    # What an SVM sees --------------------------------------------------------------------------------------------------

    def features(self, pyramid: Pyramid, image: int, place: Placement, c: int, finer: int) -> NDArray[np.float32]:
        """The vector of an example, float32 (D,), whose product with :meth:`weights` is its margin.

        Root, then the bias' 1, then, where the placement has parts, their filters and the negative moves (dx, dx², dy, dy²).
        """
        half = pyramid.layout.pad // 2
        top, left = place.row + half, place.column + half
        features = pyramid.maps[place.level][image]
        pieces = [features[:, top : top + self.size[0], left : left + self.size[1]].reshape(-1), torch.ones(1)]
        if place.rows:
            finer_map = pyramid.maps[place.level - finer][image]
            height, width = self.parts.shape[-2:]
            moves = []
            for row, column, (down, across) in zip(place.rows, place.columns, self.anchors[c].tolist(), strict=True):
                pieces.append(finer_map[:, row : row + height, column : column + width].reshape(-1))
                dx, dy = column - (2 * place.column + across), row - (2 * place.row + down)
                moves += [-dx, -dx * dx, -dy, -dy * dy]
            pieces.append(torch.tensor(moves, dtype=torch.float32))
        return torch.cat([piece.cpu().float() for piece in pieces]).numpy()

    def weights(self, c: int, with_parts: bool) -> NDArray[np.float64]:
        """float64 (D,), in the order of :meth:`features`."""
        pieces = [self.root[c].flatten(), self.bias[c][None]]
        if with_parts:
            pieces += [self.parts[c].flatten(), self.costs[c].flatten()]
        return torch.cat(pieces).double().cpu().numpy()

    def set_weights(self, c: int, weights: NDArray[np.float64], with_parts: bool) -> None:
        """The inverse of :meth:`weights`."""
        values = torch.from_numpy(weights).to(self.root)
        fields = [self.root[c], self.bias[c], *([self.parts[c], self.costs[c]] if with_parts else [])]
        for field, piece in zip(fields, values.split([field.numel() for field in fields]), strict=True):
            field.copy_(piece.view_as(field))

    def least(self, with_parts: bool) -> NDArray[np.float64]:
        """float64 (D,), the least that each weight may be: minus infinity but for the costs of squared moves."""
        bounds = [np.full(self.root[0].numel() + 1, -np.inf)]
        if with_parts:
            bounds.append(np.full(self.parts[0].numel(), -np.inf))
            bounds.append(np.tile([-np.inf, self.spring.least], 2 * self.parts.shape[1]))
        return np.concatenate(bounds)

    def add_parts(self, c: int, share: float = 0.25) -> None:
        """Parts from the root filter, where it says most: greedily at the window of most energy, which then counts no more.

        Section 5.2 of the paper: the root is brought to twice its resolution, and a window's energy is the square of its
        positive weights. A part begins as what the root has there, times ``share``, since both are added.
        """
        finer = F.interpolate(self.root[c][None], scale_factor=2, mode="bilinear", align_corners=False)[0]
        energy = finer.clamp(min=0).square().sum(0)
        height, width = self.parts.shape[-2:]
        for p in range(self.parts.shape[1]):
            windows = F.avg_pool2d(energy[None, None], (height, width), stride=1)[0, 0]
            down, across = divmod(int(windows.argmax()), windows.shape[1])
            self.anchors[c, p] = torch.tensor([down, across], device=self.anchors.device)
            self.parts[c, p] = share * finer[:, down : down + height, across : across + width]
            energy[down : down + height, across : across + width] = 0
        self.costs[c] = torch.tensor([0, self.spring.initial, 0, self.spring.initial], device=self.costs.device)
