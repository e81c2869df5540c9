"""Reading image files as people have them: grayscale, palette, alpha, 16 bit, rotated by EXIF."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError, features
from torch import Tensor

from .deep_images import Limits, eight_bits, is_deep, limits
from .jpeg import decode_jpeg
from .remarks import say
from .scene import SceneError
from .unread import ENDINGS as UNREAD
from .unread import is_heic, passed_over, what_it_is

_AVIF = ("AVIF",) if features.check("avif") else ()
"""Pillow reads it from 11.3 on, where it was built so."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
    | {f".{name.lower()}" for name in _AVIF}
)
"""Endings, in lower case, of the files that count as images."""
_ENDINGS = tuple(SUFFIXES)

SYSTEM_FOLDERS = frozenset(
    {"__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "system volume information", "lost+found", "__pycache__"}
)
"""Folders, in lower case, that systems and archives leave among a person's own; they are passed over as hidden ones are."""


FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP", *_AVIF)
"""What Pillow may take a file for: all that :data:`SUFFIXES` name, and none that starts another program (EPS) or fetches."""

PIXELS = 178_956_970
"""Of the largest image that is decoded, 0.5 GiB as RGB: Pillow's own limit, twice the size at which it warns. A small file
can claim any size (a PNG of 60,000 x 60,000 black pixels has 4 MB)."""


def _open(path: Path, *, upright: bool) -> tuple[Image.Image, Limits | None]:
    """The image, and where it is ``upright`` and deep, what is black and white in it."""
    if path.exists() and not path.is_file():
        raise SceneError(f"{path}: no plain file, but a folder, a pipe or a device")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # said below, where it is too large
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > PIXELS:
                    raise SceneError(f"{path}: claims {image.width} x {image.height} pixels (W x H), the limit is {PIXELS:,}")
                image.load()
                between = limits(path, image) if upright and is_deep(image) else None  # before the tags are lost
                return (ImageOps.exif_transpose(image) if upright else image), between
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        what = what_it_is(path)
        raise SceneError(f"{path}: {'an empty file' if empty else _UNREAD + (what and f', but {what}')}") from None
    except SceneError:
        raise
    except Image.DecompressionBombError as error:
        raise SceneError(f"{path}: too large an image ({error})") from None
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        if isinstance(error, OSError) and error.strerror:
            raise SceneError(f"{path}: {error.strerror.lower()}") from None
        raise SceneError(f"{path}: {_heic(path) or f'damaged or truncated image ({error})'}") from None


_UNREAD = "not an image that Pillow can read"


def _heic(path: Path) -> str:
    """What is said of a HEIC image that Pillow took for an AVIF image; empty for another file."""
    return f"{_UNREAD}, but {what}" if (what := is_heic(path)) else ""


def read_image(path: Path) -> Tensor:
    """The file as uint8 (3, H, W), RGB, upright.

    Grayscale becomes three equal channels, of more than eight bits by their type (see ``deep_images``), transparency lies on
    white, and the EXIF orientation is applied. Of an animation it is the first frame.

    Raises:
        SceneError: the file is missing, damaged or no image, or does not say which value is white; the message names it.
    """
    if (decoded := decode_jpeg(path, PIXELS)) is not None:
        return torch.from_numpy(decoded).permute(2, 0, 1)
    image, between = _open(path, upright=True)
    if between is not None:
        image = eight_bits(path, image, between)
    if "transparency" in image.info or "A" in image.getbands():
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    array = np.array(image.convert("RGB"), dtype=np.uint8)
    # A view: the memory stays H x W x 3, which is what OpenCV wants next.
    return torch.from_numpy(array).permute(2, 0, 1)


def read_mask(path: Path) -> Tensor:
    """The file as uint8 (H, W) of class indices: a palette image's indices or a grayscale image's values.

    Raises:
        SceneError: the file is missing or damaged, or holds colours in place of indices.
    """
    image, _ = _open(path, upright=False)
    if image.mode not in ("1", "P", "L") and not image.mode.startswith("I"):
        raise SceneError(f"{path}: a mask of class indices (palette or grayscale) expected, this one is {image.mode}")
    values = np.array(image)
    if values.size and (values.min() < 0 or values.max() > 255):
        raise SceneError(f"{path}: mask values go from {values.min()} to {values.max()}, expected 0 to 255")
    return torch.from_numpy(values.astype(np.uint8))


def with_any_ending(path: Path) -> Path:
    """The path of an image, or where there is none, of the one that has its name with another ending of an image.

    Raises:
        SceneError: there are several of them.
    """
    if path.exists():
        return path
    try:
        others = _by_stem(path.parent, path.parent.stat().st_mtime_ns).get(path.stem, ())
    except OSError:
        return path  # whoever reads it says that it is not there
    if len(others) > 1:
        raise SceneError(f"{path}: not there, and {' and '.join(others)} both have its name; one expected")
    return path.parent / others[0] if others else path


@lru_cache(maxsize=8)
def _by_stem(folder: Path, changed: int) -> dict[str, tuple[str, ...]]:
    """The images in a folder itself by their names without ending; ``changed`` is when it was."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(path.name for path in folder.iterdir()):
        stem, dot, ending = name.rpartition(".")
        if stem and f"{dot}{ending}".lower() in SUFFIXES and not is_hidden(name):
            found[stem] = (*found.get(stem, ()), name)
    return found


def list_images(folder: Path) -> list[Path]:
    """All image files below a folder, sorted by path; what is hidden is passed over, and pictures that are not read are named.

    Symbolic links are followed, each folder once: a link back to a folder that it lies in adds nothing.
    """
    unread: Counter[str] = Counter()
    found = [folder / name for name in image_names(folder, unread=unread)]
    say(passed_over(folder, unread))
    return found


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is the system's own, and none of the data."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def image_names(folder: Path, *, seen: set[str] | None = None, unread: Counter[str] | None = None) -> list[str]:
    """The files of :func:`list_images` as names below the folder, with ``/`` between their parts.

    (To make a path of each costs more than to find the files.)

    Args:
        folder: to look through.
        seen: the real paths of folders that are listed elsewhere; those of this one's are added.
        unread: counts the endings of the pictures that are not read.
    """
    found: list[str] = []
    seen = set() if seen is None else seen
    seen.add(os.path.realpath(folder))
    for where, folders, files in os.walk(folder, followlinks=True):
        if folders:
            here = Path(os.path.realpath(where))
            folders[:] = [n for n in sorted(folders) if not is_hidden(n) and _is_new(Path(where, n), here, seen)]
        images = [name for name in files if name.lower().endswith(_ENDINGS) and not name.startswith(".")]
        if images:
            below = os.path.relpath(where, folder).replace(os.sep, "/")
            found += images if below == "." else [f"{below}/{name}" for name in images]
        if unread is not None and len(images) < len(files):
            others = {*files} - {*images}
            unread.update(Path(n).suffix.lower() for n in others if n.lower().endswith(UNREAD) and not n.startswith("."))
    return sorted(found, key=lambda name: name.split("/"))  # by their parts, as paths are sorted


def _is_new(folder: Path, parent: Path, seen: set[str]) -> bool:
    """Whether a folder was not listed yet, and does not hold its ``parent``; it counts as listed from now on."""
    real = os.path.realpath(folder)
    if real in seen or parent.is_relative_to(real):
        return False
    seen.add(real)
    return True
