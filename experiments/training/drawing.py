"""An image with what is known or predicted of it drawn over it, in OpenCV's time: some milliseconds for a photograph.

What is written at things, and in which colours, is :mod:`.legend`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from datamodules.kinds import Boxes, Map, Masks, Points
from datamodules.layout import to_hwc
from datamodules.scene import DatasetMetadata, InputError, of_kind, printable

from .label_places import Rectangle, places
from .legend import (
    BONE,
    EDGE,
    KEYPOINT,
    MIN_SCORE,
    NEITHER,
    Label,
    class_table,
    colour,
    has_labels_of_its_own,
    image_labels,
    nothing,
    object_labels,
    worth_drawing,
)

Canvas = NDArray[np.uint8]
"""uint8 (H, W, 3), RGB; drawn upon in place."""

SIDE = 160
"""The least side of a drawn image in pixels: smaller images are enlarged by a whole factor, so that text can be read."""

LONGEST_TEXT = 60
"""Characters of a label; the rest of a longer one is left out."""

LARGEST_JPEG = 65_500
"""The longest side of a JPEG, in pixels."""

_SUBPIXEL = 4
"""Bits behind the point of a coordinate, for OpenCV."""


def draw(
    image: Tensor,
    fields: Mapping[str, Any],
    metadata: DatasetMetadata,
    scale: Mapping[str, Any] | None = None,
    *,
    least: float = MIN_SCORE,
    labels: Sequence[Label] | None = None,
    text: int = 0,
    side: int = SIDE,
) -> Tensor:
    """An image with whatever ``fields`` holds of a scene or a prediction drawn over it.

    Args:
        image: uint8 (3, H, W); it is not changed.
        fields: any of a scene's, and ``scores``, in pixels of ``image``.
        metadata: names the classes and bones.
        scale: fields whose least and greatest value are the ends of a quantity's colours: the truth's, beside a
            prediction. Those of ``fields`` themselves, where nothing else is said.
        least: detected objects of a lower score are not drawn; where none is left, the picture says so.
        labels: what is said at each box, in place of its class and score.
        text: height of the letters, in pixels of the picture; 0 for one that can be read when the picture is shown 640 pixels
            wide, and less where there are many objects.
        side: the least shorter side of the picture, in pixels.

    Returns:
        uint8 (3, H', W'), enlarged by a whole factor where the image is small; its memory is (H', W', 3).
    """
    every, fields = fields, worth_drawing(fields, least)
    factor = max(1, -(-side // min(image.shape[1:])))
    canvas = _enlarged(to_hwc(image.cpu()), factor, copy=True)
    short = min(canvas.shape[:2])
    pen = max(2, short // 250)  # lines of two pixels would be lost in a photograph of some thousand
    objects = sum(len(value) for _, _, value in of_kind(fields, Boxes))
    text = text or max(11, short // (24 if objects <= 8 else 32 if objects <= 20 else 40))
    for field, kind, value in of_kind(fields, Map):
        values = _enlarged(value.cpu().numpy(), factor)
        if kind.classes:
            _draw_classes(canvas, values, metadata.names(kind))
        else:
            _draw_quantity(canvas, values, (scale or fields).get(field, value))
    for _, _, value in of_kind(fields, Masks):
        classes = fields["labels"].tolist() if "labels" in fields else None
        _draw_masks(canvas, [_enlarged(mask, factor) for mask in value.cpu().numpy()], classes)
    for i, parts in enumerate(fields.get("parts", ())):
        _draw_parts(canvas, parts.cpu().double().numpy() * factor, i)
    for _, _, value in of_kind(fields, Points):
        for instance in value.cpu().double().numpy():
            _draw_instance(canvas, instance, factor, metadata.skeleton, pen)
    for _, _, value in of_kind(fields, Boxes):
        corners = value.cpu().double().numpy() * factor
        said_of_each = object_labels(fields, len(corners), metadata) if labels is None else labels
        _draw_boxes(canvas, corners, said_of_each, pen, text)
    said = [] if has_labels_of_its_own(fields) else image_labels(fields, metadata)
    if none := nothing(every, fields, least):
        said.append(Label(none, NEITHER))
    _draw_lines(canvas, said, text)
    return torch.from_numpy(canvas).permute(2, 0, 1)


def write_picture(picture: Tensor, path: Path) -> None:
    """Writes a picture (3, H, W) as the file's ending says: ``.jpg`` of quality 90, or ``.png``, which loses nothing.

    Raises:
        InputError: it is too large for the format.
    """
    array = np.ascontiguousarray(picture.cpu().permute(1, 2, 0).numpy())
    write_pixels(cv2.cvtColor(array, cv2.COLOR_RGB2BGR), path)


def write_pixels(array: NDArray[Any], path: Path) -> None:
    """As :func:`write_picture`, for pixels as OpenCV has them: uint8 (H, W), or (H, W, 3) in the order blue, green, red."""
    # A picture is written once and looked at once: twice the time would save a tenth of its bytes.
    options = {".jpg": [cv2.IMWRITE_JPEG_QUALITY, 90], ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1]}[path.suffix]
    try:
        done, content = cv2.imencode(path.suffix, array, options)
    except cv2.error:
        done = False
    if not done:
        raise InputError(f"{path}: not written: {array.shape[1]} x {array.shape[0]} pixels (W x H) are too many for the format")
    path.write_bytes(content.tobytes())


def _enlarged(array: NDArray[Any], factor: int, copy: bool = False) -> NDArray[Any]:
    """Each pixel of (H, W, ...) repeated, so that what was a pixel stays visible as one."""
    if factor == 1:
        return array.copy() if copy else np.ascontiguousarray(array)
    return array.repeat(factor, axis=1).repeat(factor, axis=0)


def _draw_classes(canvas: Canvas, mask: NDArray[np.uint8], names: Sequence[str]) -> None:
    colours, drawn = class_table(names)
    over = cv2.applyColorMap(mask, colours.reshape(256, 1, 3))
    cv2.copyTo(cv2.addWeighted(canvas, 0.4, over, 0.6, 0), cv2.LUT(mask, drawn), canvas)


def _draw_quantity(canvas: Canvas, values: NDArray[np.float32], scale: Tensor) -> None:
    """Over the image in grey, from violet (the least value of ``scale``) to yellow (its greatest); not where it is NaN."""
    ends = scale.float().cpu()
    ends = ends[ends.isfinite()]
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)
    known = np.isfinite(values)
    parts = np.where(known, (values - low) / max(high - low, 1e-12), 0).clip(0, 1)
    over = cv2.applyColorMap((parts * 255).round().astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]  # OpenCV's is BGR
    grey = canvas.mean(-1, keepdims=True)  # the image's own colours would be read as other values
    canvas[known] = (grey * 0.3 + over * 0.7).round().astype(np.uint8)[known]


def _draw_masks(canvas: Canvas, masks: Sequence[NDArray[Any]], classes: Sequence[int] | None) -> None:
    """Each in the colour of its class, with an edge that tells it from its neighbour; in its own where no classes are known."""
    for i in reversed(range(len(masks))):  # the best last, on top
        mask = masks[i].astype(np.uint8)
        x, y, width, height = cv2.boundingRect(mask)
        if width:
            part, mask = canvas[y : y + height, x : x + width], mask[y : y + height, x : x + width]
            over = np.full_like(part, colour(i if classes is None else classes[i]))
            cv2.copyTo(cv2.addWeighted(part, 0.5, over, 0.5, 0), mask, part)
            if classes is not None:
                edges = cv2.findContours(np.ascontiguousarray(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
                cv2.drawContours(part, edges, -1, BONE, 1)


def _draw_boxes(canvas: Canvas, boxes: NDArray[np.float64], labels: Sequence[Label], pen: int, text: int) -> None:
    """Outlines of boxes (N, 4) from the first pixel that each covers to the last, and what is said of it above it."""
    height, width = canvas.shape[:2]
    far = [width, height, width, height]
    corners = np.sort(np.nan_to_num(boxes.reshape(-1, 2, 2)), axis=1).reshape(-1, 4)  # a prediction may be anything
    corners = corners.clip(-pen, np.add(far, pen))
    first, last = np.floor(corners[:, :2]).astype(int), np.ceil(corners[:, 2:]).astype(int) - 1
    corners_in = [(*low, *np.maximum(low, high).tolist()) for low, high in zip(first.tolist(), last.tolist(), strict=True)]
    for (x1, y1, x2, y2), label in reversed(list(zip(corners_in, labels, strict=True))):
        cv2.rectangle(canvas, (x1, y1), (x2, y2), label.colour, pen)
    rectangles: list[Rectangle] = [(x1 - pen // 2, y1, x2 + pen, y2 + pen) for x1, y1, x2, y2 in corners_in]
    # The first, the best, is drawn on top and chooses its place first; who has nothing to say needs none.
    rectangles = [rectangle for rectangle, label in zip(rectangles, labels, strict=True) if label.text]
    tiles = [label_tile(label, text)[:height, :width] for label in labels if label.text]
    for tile, (x, y) in zip(tiles, places(rectangles, [t.shape[1::-1] for t in tiles], (width, height)), strict=True):
        canvas[y : y + tile.shape[0], x : x + tile.shape[1]] = tile


def _draw_lines(canvas: Canvas, labels: Sequence[Label], text: int) -> None:
    """What is said of the image as a whole, one below the other in its top left corner, as far as there is room."""
    top = 0
    for label in labels:
        tile = label_tile(label, text)[: canvas.shape[0] - top, : canvas.shape[1]]
        canvas[top : top + tile.shape[0], : tile.shape[1]] = tile
        top += tile.shape[0]


def _draw_parts(canvas: Canvas, parts: NDArray[np.float64], instance: int) -> None:
    """Thin outlines of the parts (P, 4) of one object, one colour an object, below the objects' own boxes."""
    places = np.rint(np.nan_to_num(parts).clip(-(2.0**14), 2.0**14)).astype(int).tolist()
    for x1, y1, x2, y2 in places:
        cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), colour(instance + 1), 1)


def _draw_instance(
    canvas: Canvas, points: NDArray[np.float64], factor: int, skeleton: Sequence[tuple[int, int]], pen: int
) -> None:
    """The labelled keypoints of an instance (K, 2 or 3), and the bones between them."""
    seen = points[:, 2] > 0 if points.shape[1] > 2 else np.ones(len(points), bool)
    labelled = np.logical_and(np.isfinite(points[:, :2]).all(axis=1), seen).tolist()
    # OpenCV counts from the centre of the first pixel, a scene from its corner.
    places = np.nan_to_num(points[:, :2] * factor - 0.5).clip(-(2.0**14), 2.0**14)
    at = [(int(x), int(y)) for x, y in np.rint(places * 2**_SUBPIXEL)]
    bones = [(at[a], at[b]) for a, b in skeleton if labelled[a] and labelled[b]]
    dots = [place for place, there in zip(at, labelled, strict=True) if there]
    for ink, wider in ((EDGE, 2), (None, 0)):
        for begin, end in bones:
            cv2.line(canvas, begin, end, ink or BONE, pen + wider, cv2.LINE_AA, _SUBPIXEL)
        for dot in dots:
            cv2.circle(canvas, dot, (pen + 1 + wider // 2) << _SUBPIXEL, ink or KEYPOINT, -1, cv2.LINE_AA, _SUBPIXEL)


@lru_cache(1024)
def label_tile(label: Label, size: int) -> Canvas:
    """The label as pixels (h, w, 3) on a ground of its colour; Pillow's font has more letters than OpenCV's, and any size."""
    text = printable(label.text)
    text = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
    font, margin = _font(size), max(2, size // 6)
    ascent, descent = font.getmetrics()
    width = int(font.getlength(text)) + 2 * margin
    tile = Image.new("RGB", (width, ascent + descent + margin), label.colour)
    r, g, b = label.colour
    ink = "black" if 0.299 * r + 0.587 * g + 0.114 * b > 110 else "white"
    ImageDraw.Draw(tile).text((margin, margin // 2), text, fill=ink, font=font)
    return np.array(tile)


@lru_cache(16)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)
