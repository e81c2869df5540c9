"""Reading image files as people have them: grayscale, palette, alpha, 16 bit, rotated by EXIF."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .jpeg import decode_jpeg
from .scene import SceneError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"})
"""Endings, in lower case, of the files that count as images."""
_ENDINGS = tuple(SUFFIXES)


FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""What Pillow may take a file for: all that :data:`SUFFIXES` name, and none that starts another program (EPS) or fetches."""

PIXELS = 178_956_970
"""Of the largest image that is decoded, 0.5 GiB as RGB: Pillow's own limit, twice the size at which it warns. A small file
can claim any size (a PNG of 60,000 x 60,000 black pixels has 4 MB)."""


def _open(path: Path, *, upright: bool) -> Image.Image:
    if path.exists() and not path.is_file():
        raise SceneError(f"{path}: no plain file, but a folder, a pipe or a device")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # said below, where it is too large
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > PIXELS:
                    raise SceneError(f"{path}: claims {image.width} x {image.height} pixels (W x H), the limit is {PIXELS:,}")
                image.load()
                return ImageOps.exif_transpose(image) if upright else image
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        raise SceneError(f"{path}: {'an empty file' if empty else 'not an image that Pillow can read'}") from None
    except SceneError:
        raise
    except Image.DecompressionBombError as error:
        raise SceneError(f"{path}: too large an image ({error})") from None
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
    if (decoded := decode_jpeg(path, PIXELS)) is not None:
        return torch.from_numpy(decoded).permute(2, 0, 1)
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
    array = np.asarray(image)
    times = 65535 if image.mode == "F" and array.size and array.max() <= 1 else 1
    eight = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), 256):  # in bands: eight bytes a pixel of a large image would fill the memory
        values = np.nan_to_num(array[start : start + 256].astype(np.float64) * times)
        eight[start : start + 256] = np.clip(np.rint(values / 257), 0, 255)
    return Image.fromarray(eight)


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
    """All image files below a folder, sorted by path; hidden files and folders are passed over.

    Symbolic links are followed, each folder once: a link back to a folder that it lies in adds nothing.
    """
    return [folder / name for name in image_names(folder)]


def image_names(folder: Path) -> list[str]:
    """The files of :func:`list_images` as names below the folder, with ``/`` between their parts.

    (To make a path of each costs more than to find the files.)
    """
    found: list[str] = []
    seen = {os.path.realpath(folder)}
    for where, folders, files in os.walk(folder, followlinks=True):
        if folders:
            here = Path(os.path.realpath(where))
            folders[:] = [n for n in sorted(folders) if not n.startswith(".") and _is_new(Path(where, n), here, seen)]
        images = [name for name in files if name.lower().endswith(_ENDINGS) and not name.startswith(".")]
        if images:
            below = os.path.relpath(where, folder).replace(os.sep, "/")
            found += images if below == "." else [f"{below}/{name}" for name in images]
    return sorted(found, key=lambda name: name.split("/"))  # by their parts, as paths are sorted


def _is_new(folder: Path, parent: Path, seen: set[str]) -> bool:
    """Whether a folder was not listed yet, and does not hold its ``parent``; it counts as listed from now on."""
    real = os.path.realpath(folder)
    if real in seen or parent.is_relative_to(real):
        return False
    seen.add(real)
    return True
