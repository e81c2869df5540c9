"""Drawing a scene: background, clutter, objects, light and noise, and all that is annotated in it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..scene import Scene
from . import texture
from .clutter import scatter
from .colors import HUES, mix, rgb
from .figure import KEYPOINTS
from .language import DescribedObject, captions
from .objects import Object, arrange, dress, reveal
from .rng import Rng
from .sprite import Box, lay
from .style import FIGURE, Style

_Image = NDArray[np.int16]
"""(3, H, W), of values from 0 to 255."""


def draw(seed: int, index: int, style: Style) -> Scene:
    """Scene number ``index`` of the drawings of ``seed``: the same on every machine.

    All fields are there but ``difficult``, ``crowd`` and ``area``, and in a scene without an object there is no ``label``.
    The main object comes first. The keypoints of an object that is no figure have v = 0, as have those of a figure that
    lie outside its visible box.

    What there is and where depends on the seed, the index and the style's geometry alone; so two styles that differ in
    texture, clutter, light or noise show the same objects in the same places.
    """
    rng = Rng(seed, index)
    objects = arrange(rng, style)
    front_first = reveal(objects, rng.shuffled(range(len(objects))), style.image_size)
    backdrop = _background(rng, style)
    scatter(backdrop, rng, style.clutter)
    image = backdrop.transpose(2, 0, 1).astype(np.int16, order="C")
    for i in reversed(front_first):
        dress(rng, style, objects[i])
        lay(image, objects[i].sprite)
    scene = _annotated([objects[i] for i in sorted(front_first)], style)
    scene["image"] = torch.from_numpy(_developed(image, rng, style))
    return scene


def _background(rng: Rng, style: Style) -> NDArray[np.uint8]:
    """Two muted colours, joined by a texture: (H, W, 3), as OpenCV draws on it."""
    tile = texture.background(rng, *style.image_size)
    value = rng.uniform(0.1, 0.95)
    # The second colour is clearly lighter or darker than the first, so that a texture is never lost.
    other = value + rng.uniform(0.25, 0.6) * (1 if value < 0.5 else -1)
    first, second = (rgb(rng.uniform(0, len(HUES)), rng.uniform(0, 0.45), v) for v in (value, max(other, 0.05)))
    return texture.palette(first, mix(first, second, style.texture)).take(tile, axis=0)


def _developed(image: _Image, rng: Rng, style: Style) -> NDArray[np.uint8]:
    """The image under uneven light, with the noise of a sensor."""
    height, width = style.image_size
    level, right, down = rng.uniform(-0.5, 0.2), rng.spread(0.35), rng.spread(0.35)
    if style.lighting > 0:
        # In 64ths: 255 times the brightest light, 1.55, is then below 2 ** 15.
        across = np.arange(width, dtype=np.int32) * round(style.lighting * right * 65536 / width)
        along = np.arange(height, dtype=np.int32) * round(style.lighting * down * 65536 / height)
        corner = round((1 + style.lighting * (level - (right + down) / 2)) * 65536)
        image *= (along[:, None] + (across + corner) >> 10).astype(np.int16)
        image >>= 6
    if strength := round(style.noise * 255 * 64):
        image += texture.window(texture.noise(strength), rng, height, width)
    np.minimum(image, 255, out=image)
    return np.maximum(image, 0, out=image).astype(np.uint8)


def _annotated(objects: list[Object], style: Style) -> Scene:
    """Every field but the image, from the visible pixels."""
    height, width = style.image_size
    masks = np.zeros((len(objects), height, width), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    boxes = np.zeros((len(objects), 4), np.float32)
    described = []
    for i, one in enumerate(objects):
        masks[i][one.sprite.where] = one.visible
        mask[one.sprite.where][one.visible] = one.label + 1
        boxes[i] = box = _box(one)
        name = FIGURE if one.keypoints is not None else style.classes[one.label]
        described.append(DescribedObject(box, HUES[one.hue], one.fill, name))
    scene: Scene = {
        "mask": torch.from_numpy(mask),
        "boxes": torch.from_numpy(boxes),
        "labels": torch.from_numpy(np.array([one.label for one in objects], np.int64)),
        "masks": torch.from_numpy(masks),
        "keypoints": torch.from_numpy(_keypoints(objects, boxes)),
        "captions": captions(described, min(height, width)),
    }
    if objects:
        scene["label"] = torch.from_numpy(np.array(objects[0].label))
    return scene


def _box(one: Object) -> Box:
    """The tight box of the visible pixels: their last row and column lie inside it."""
    left, top, width, height = cv2.boundingRect(one.visible.view(np.uint8))
    left, top = left + one.sprite.left, top + one.sprite.top
    return left, top, left + width, top + height


def _keypoints(objects: list[Object], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 14, 3): v = 2 for a keypoint that is seen, 1 for one that is hidden inside the visible box, 0 for one outside it."""
    keypoints = np.zeros((len(objects), len(KEYPOINTS), 3), np.float32)
    for i, one in enumerate(objects):
        if one.keypoints is None:
            continue
        # To within a pixel: the top of the head lies on the figure's rim.
        near = cv2.dilate(one.visible.view(np.uint8), np.ones((3, 3), np.uint8))
        pixels = np.floor(one.keypoints).astype(int) - (one.sprite.left, one.sprite.top)
        columns, rows = pixels.clip(0, np.array(near.shape[::-1]) - 1).T
        within = ((one.keypoints >= boxes[i, :2] - 1) & (one.keypoints <= boxes[i, 2:] + 1)).all(1)
        keypoints[i, :, :2] = one.keypoints
        keypoints[i, :, 2] = 1 + near[rows, columns]
        keypoints[i, ~within] = 0
    return keypoints
