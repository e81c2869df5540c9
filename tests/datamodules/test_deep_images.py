"""Images of more than eight bits, and pictures that are not read: told by type, metadata and first bytes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from datamodules.images import list_images, read_image
from datamodules.remarks import Remark
from datamodules.scene import SceneError

RAMP = np.tile(np.linspace(0, 255, 64).round(), (5, 1))
GRAY = RAMP.astype(np.uint8)


def saved(path: Path, values: NDArray[Any], **tags: Any) -> Path:
    named = {"greatest": 341, "max": 281, "zero": 262}
    Image.fromarray(values).save(path, tiffinfo={named[name]: value for name, value in tags.items()})
    return path


def plane(path: Path) -> NDArray[np.uint8]:
    image = read_image(path).numpy()
    assert (image == image[:1]).all()
    found: NDArray[np.uint8] = image[0]
    return found


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ((RAMP / 255).astype(np.float32), {}),
        ((RAMP / 255 + 1e-7).astype(np.float32), {}),  # one rounding too bright
        (RAMP.astype(np.float32), {"greatest": 255.0}),
        (RAMP.astype(np.int32), {"greatest": 255}),
        ((RAMP * 257).astype(np.uint16), {}),
        ((RAMP * 257).astype(np.uint16), {"max": 60_000}),  # the largest that occurs, as many programs write it
        ((RAMP * 4095 / 255).round().astype(np.uint16), {"max": 4095}),
    ],
)
def test_black_and_white_follow_from_type_and_metadata(values: NDArray[Any], tags: dict[str, Any], tmp_path: Path) -> None:
    assert (plane(saved(tmp_path / "a.tif", values, **tags)) == GRAY).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (RAMP.astype(np.float32), r"a value is \d+, and its type has 0 to 1"),
        (np.where(RAMP == 255, np.nan, RAMP / 255).astype(np.float32), "a value is nan"),
        (RAMP.astype(np.int32), "signed whole numbers of 32 bits, and it does not say which of them is white"),
    ],
)
def test_what_they_do_not_say_is_named(values: NDArray[Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=rf"a\.tif.*{message}.*save it with 8 or 16 bits"):
        read_image(saved(tmp_path / "a.tif", values))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 65_535), st.integers(0, 4))
def test_one_pixel_decides_nothing_for_the_others(tmp_path_factory: pytest.TempPathFactory, value: int, row: int) -> None:
    values = (RAMP * 257).astype(np.uint16)
    values[row, 7] = value
    found = plane(saved(tmp_path_factory.getbasetemp() / "one.tif", values))
    values[row, 7], expected = RAMP[row, 7] * 257, GRAY.copy()
    expected[row, 7] = found[row, 7]
    assert (found == expected).all() and abs(int(found[row, 7]) - value / 257) <= 0.5


@pytest.mark.parametrize("greatest", [1023, 4095])
def test_graymaps_of_ten_and_twelve_bits(greatest: int, tmp_path: Path) -> None:
    values = (RAMP * greatest / 255).round().astype(">u2")
    (path := tmp_path / "a.pgm").write_bytes(f"P5 64 5 {greatest}\n".encode() + values.tobytes())
    assert (plane(path) == GRAY).all()


def test_twelve_bits_that_are_packed(tmp_path: Path) -> None:
    """Two values in three bytes, as microscopes write them: Pillow gives numbers to 4095 for it in an image of 16 bits."""
    values = (RAMP * 4095 / 255).round().astype(int)
    first, second = values[:, ::2], values[:, 1::2]
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], -1).astype(np.uint8).tobytes()
    entries = [(256, 64), (257, 5), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 5), (279, len(packed))]
    at = 8 + len(packed)
    table = b"".join(tag.to_bytes(2, "little") + b"\4\0\1\0\0\0" + value.to_bytes(4, "little") for tag, value in entries)
    content = b"II*\0" + at.to_bytes(4, "little") + packed + len(entries).to_bytes(2, "little") + table + bytes(4)
    (path := tmp_path / "a.tif").write_bytes(content)
    assert Image.open(path).mode == "I;16"
    assert (plane(path) == GRAY).all()


def test_white_may_be_zero(tmp_path: Path) -> None:
    assert (plane(saved(tmp_path / "a.tif", ((255 - RAMP) * 257).astype(np.uint16), zero=0)) == GRAY).all()


def test_a_deep_image_is_upright(tmp_path: Path) -> None:
    image = Image.fromarray((RAMP * 257).astype(np.uint16))
    image.save(path := tmp_path / "a.tif", tiffinfo={274: 3})
    assert (plane(path) == GRAY[::-1, ::-1]).all()


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
HEIC_AS_MIF1 = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(100)
NOT_READ = {
    "HEIC image": HEIC,
    "HEIC image: save": HEIC_AS_MIF1,
    "JPEG XL": b"\xff\x0a" + bytes(50),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50),
    "DICOM": bytes(128) + b"DICM",
    "web page": b"\r\n<!DOCTYPE html><html>404",
    "git lfs pull": b"version https://git-lfs.github.com/spec/v1\noid sha256:0",
    "TIFF image of another kind": b"II*\0" + bytes(30),
}


@pytest.mark.parametrize("what", NOT_READ)
def test_a_picture_that_is_not_read_is_called_what_it_is(what: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.jpg").write_bytes(NOT_READ[what])
    with pytest.raises(SceneError, match=rf"a\.jpg: not an image that Pillow can read, but a .*{what}") as error:
        read_image(path)
    assert "\n" not in str(error.value) and ("JPEG or PNG" in str(error.value) or what in ("web page", "git lfs pull"))


def test_a_jpeg_may_be_called_jfif(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (200, 0, 0)).save(content := BytesIO(), "JPEG")
    (tmp_path / "a.JFIF").write_bytes(content.getvalue())
    (path,) = list_images(tmp_path)
    assert read_image(path).shape == (3, 4, 4)


def test_pictures_that_are_not_read_are_counted(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.HEIC", "deep/c.heic", "d.dng", "._e.heic", "__MACOSX/f.heic", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.warns(Remark, match=r"passed over: 1 \.dng, 2 \.heic; save them as JPEG or PNG"):
        assert [path.name for path in list_images(tmp_path)] == ["a.jpg"]
