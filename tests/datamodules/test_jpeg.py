"""JPEG files that are decoded without Pillow: to Pillow's pixels, and nothing that Pillow would refuse."""

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

from datamodules import jpeg
from datamodules.images import PIXELS, read_image
from datamodules.jpeg import decode_jpeg
from datamodules.scene import SceneError

WAVES = (127 * (1 + np.sin(np.arange(90)[:, None, None] / (9, 7, 5) + np.arange(130)[None, :, None] / (11, 4, 8)))).astype(
    np.uint8
)
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colour": {"subsampling": 0},
    "restarts": {"restart_marker_blocks": 3},
    "rgb": {"keep_rgb": True},
    "coarse": {"quality": 5},
    "upright": {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0"},
}


def encoded(mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(WAVES).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


FILES = {f"{kind} {mode}": encoded(mode, **options) for kind, options in KINDS.items() for mode in ("RGB", "L")}


def by_pillow(content: bytes) -> NDArray[np.uint8] | None:
    try:
        with Image.open(BytesIO(content), formats=("JPEG",)) as image:
            return np.array(image.convert("RGB"))
    except Exception:
        return None


@pytest.fixture(params=[jpeg.with_opencv, jpeg.with_simplejpeg], ids=["opencv", "simplejpeg"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is jpeg.with_simplejpeg:
        pytest.importorskip("simplejpeg")
    monkeypatch.setattr(jpeg, "_decoder", lambda: request.param)


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("name", FILES)
def test_the_pixels_are_those_of_pillow(name: str, tmp_path: Path) -> None:
    (path := tmp_path / "a.jpg").write_bytes(FILES[name])
    pixels = decode_jpeg(path, PIXELS)
    assert pixels is not None and np.array_equal(pixels, np.asarray(by_pillow(FILES[name])))
    assert np.array_equal(read_image(path).permute(1, 2, 0).numpy(), pixels)


def turned() -> bytes:
    exif = Image.Exif()
    exif[274] = 6
    return encoded(exif=exif)


LEFT_TO_PILLOW = {
    "CMYK": encoded("CMYK"),
    "turned": turned(),
    "turned by XMP": encoded(xmp=b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'),
    "truncated": FILES["baseline RGB"][:-200],
    "no end": FILES["baseline RGB"][:-2],
    "something behind": FILES["baseline RGB"] + b"\0",
    "two images": FILES["baseline RGB"] * 2,
    "a marker inside": FILES["baseline RGB"][:-200] + b"\xff\xda" + FILES["baseline RGB"][-200:],
    "another format": b"\x89PNG\r\n\x1a\n",
    "nothing": b"",
}


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("content", LEFT_TO_PILLOW.values(), ids=LEFT_TO_PILLOW)
def test_what_is_not_plain_is_left_to_pillow(content: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "a.jpg").write_bytes(content)
    assert decode_jpeg(path, PIXELS) is None


def test_what_claims_too_many_pixels_is_left_to_pillow(tmp_path: Path) -> None:
    (path := tmp_path / "a.jpg").write_bytes(FILES["baseline RGB"])
    assert decode_jpeg(path, WAVES.shape[0] * WAVES.shape[1] - 1) is None
    assert decode_jpeg(path, WAVES.shape[0] * WAVES.shape[1]) is not None
    assert decode_jpeg(tmp_path, PIXELS) is None and decode_jpeg(tmp_path / "nothing", PIXELS) is None


@pytest.mark.parametrize("decode", [jpeg.with_opencv, jpeg.with_simplejpeg])
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(FILES)),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4),
    st.binary(max_size=4),
)
def test_a_damaged_file_is_what_pillow_makes_of_it(
    tmp_path_factory: pytest.TempPathFactory,
    decode: Any,
    name: str,
    at: float,
    changes: list[tuple[float, int]],
    inserted: bytes,
) -> None:
    if decode is jpeg.with_simplejpeg:
        pytest.importorskip("simplejpeg")
    content = bytearray(FILES[name])
    for where, value in changes:
        content[2 + int(where * (len(content) - 5))] = value
    place = 2 + int(at * (len(content) - 4))
    content[place:place] = inserted
    (path := tmp_path_factory.getbasetemp() / "damaged.jpg").write_bytes(content)
    expected = by_pillow(bytes(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jpeg, "_decoder", lambda: decode)
        pixels = decode_jpeg(path, PIXELS)
        if pixels is not None:
            assert expected is not None and np.array_equal(pixels, expected)
        if expected is None:
            with pytest.raises(SceneError, match=r"damaged\.jpg"):
                read_image(path)


def test_real_photographs_have_pillows_pixels(real_data: Path) -> None:
    decoded = 0
    for path in sorted((real_data / "imagenette" / "val").glob("*/*"))[::10]:
        if (pixels := decode_jpeg(path, PIXELS)) is not None:
            decoded += 1
            assert np.array_equal(pixels, np.asarray(by_pillow(path.read_bytes())))
    assert decoded > 10
