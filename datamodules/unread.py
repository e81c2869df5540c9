"""Pictures that are not read: by the ending of their name, and by their first bytes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

ENDINGS = (
    *(".heic", ".heif", ".hif", ".avif", ".avifs", ".jxl", ".jp2", ".j2k", ".jpx", ".psd", ".tga", ".exr", ".hdr", ".svg"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".dcm", ".npy", ".nii", ".nii.gz"),
)
"""In lower case, of files that a person may well mean as images. (AVIF is read where Pillow can.)"""

_REMEDY = "save it as JPEG or PNG"
_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"hevx": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}
"""Of files that are boxes (ISO 14496-12), what their brand says."""
_BEGINNINGS = {
    b"\xff\x0a": "a JPEG XL image",
    b"\0\0\0\x0cJXL ": "a JPEG XL image",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image",
    b"\xff\x4f\xff\x51": "a JPEG 2000 image",
    b"8BPS": "a Photoshop document",
    b"v/1\x01": "an OpenEXR image",
    b"#?RADIANCE": "a Radiance image",
    b"\x93NUMPY": "an array of numpy",
    b"%PDF": "a PDF document",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<svg": "an SVG drawing",
    b"version https://git-lfs": "a pointer of Git LFS, whose file was not fetched (git lfs pull)",
    b"II*\0": f"a TIFF image of another kind (bits a value, compression): {_REMEDY}",
    b"MM\0*": f"a TIFF image of another kind (bits a value, compression): {_REMEDY}",
    b"\xff\xd8\xff": f"a JPEG image that is damaged, or of another kind (12 bits a value): {_REMEDY}",
}


def what_it_is(path: Path) -> str:
    """What a file that Pillow does not know is by its first bytes, and what to do with it; empty where that cannot be told."""
    begin = _begin(path)
    if boxed := _boxed(begin):
        return boxed
    if begin[128:132] == b"DICM":
        return f"a DICOM image: {_REMEDY}"
    for first, what in _BEGINNINGS.items():
        if begin.startswith(first) or begin.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(first):
            return what if "(" in what or "web page" in what else f"{what}: {_REMEDY}"
    return ""


def is_heic(path: Path) -> str:
    """What is said of a HEIC image that Pillow took for an AVIF image; empty for another file."""
    return _boxed(_begin(path), ("HEIC",))


def _begin(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(132)
    except OSError:
        return b""


def _boxed(begin: bytes, names: tuple[str, ...] = ("HEIC", "AVIF")) -> str:
    if begin[4:8] != b"ftyp":
        return ""
    # The brand, its version, and the other brands that it is compatible with.
    brands = [begin[i : i + 4] for i in range(8, min(len(begin), int.from_bytes(begin[:4], "big")), 4) if i != 12]
    name = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "")
    return f"{'an' if name == 'AVIF' else 'a'} {name} image: {_REMEDY}" if name in names else ""


def passed_over(folder: Path, endings: Counter[str]) -> str:
    """What is said of the files below a folder that look like pictures and are not read, by their endings; empty for none."""
    if not endings:
        return ""
    kinds = ", ".join(f"{count} {ending}" for ending, count in sorted(endings.items()))
    return f"{folder}: files that are not read are passed over: {kinds}; save them as JPEG or PNG"
