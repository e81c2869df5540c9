"""Reading image files as people have them: grayscale, palette, alpha, 16 bit, rotated by EXIF."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .scene import SceneError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"})
"""Endings, in lower case, of the files that count as images."""


def _open(path: Path, *, upright: bool) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            return ImageOps.exif_transpose(image) if upright else image
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        raise SceneError(f"{path}: {'an empty file' if empty else 'not an image that Pillow can read'}") from None
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        if isinstance(error, OSError) and error.strerror:
            raise SceneError(f"{path}: {error.strerror.lower()}") from None
        raise SceneError(f"{path}: damaged or truncated image ({error})") from None


def read_image(path: Path) -> Tensor:
    """The file as uint8 (3, H, W), RGB, upright.

    Grayscale becomes three equal channels, transparency lies on white, the values of 16-bit grayscale are divided by
    257, and the EXIF orientation is applied. Of an animation it is the first frame.

    Raises:
        SceneError: the file is missing, damaged or no image; the message names it.
    """
    image = _open(path, upright=True)
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bit(image)
    if "transparency" in image.info or "A" in image.getbands():
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    array = np.array(image.convert("RGB"), dtype=np.uint8)
    # A view: the memory stays H x W x 3, which is what OpenCV wants next.
    return torch.from_numpy(array).permute(2, 0, 1)


def _eight_bit(image: Image.Image) -> Image.Image:
    """A grayscale image of 16 or 32 bits (or floats in [0, 1]) at eight bits; Pillow's own convert clips instead."""
    values = np.asarray(image, dtype=np.float64)
    if image.mode == "F" and values.size and values.max() <= 1:
        values = values * 65535
    return Image.fromarray(np.clip(np.rint(np.nan_to_num(values) / 257), 0, 255).astype(np.uint8))


def read_mask(path: Path) -> Tensor:
    """The file as uint8 (H, W) of class indices: a palette image's indices or a grayscale image's values.

    Raises:
        SceneError: the file is missing or damaged, or holds colours in place of indices.
    """
    image = _open(path, upright=False)
    if image.mode not in ("1", "P", "L") and not image.mode.startswith("I"):
        raise SceneError(f"{path}: a mask of class indices (palette or grayscale) expected, this one is {image.mode}")
    values = np.array(image)
    if values.size and (values.min() < 0 or values.max() > 255):
        raise SceneError(f"{path}: mask values go from {values.min()} to {values.max()}, expected 0 to 255")
    return torch.from_numpy(values.astype(np.uint8))


def list_images(folder: Path) -> list[Path]:
    """All image files below a folder, sorted by path; hidden files and folders are passed over."""
    found = []
    for where, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in files if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES)
