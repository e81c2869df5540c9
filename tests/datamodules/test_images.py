"""Image files as people have them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from datamodules.images import list_images, read_image, read_mask
from datamodules.scene import SceneError

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
GRAY = RGB[..., 0]
SMOOTH = np.tile(np.linspace(0, 255, 16).astype(np.uint8)[:, None, None], (1, 24, 3))


def read(path: Path) -> NDArray[np.uint8]:
    """The image as H x W x 3."""
    tensor = read_image(path)
    assert tensor.shape[0] == 3
    array: NDArray[np.uint8] = tensor.permute(1, 2, 0).numpy()
    assert array.dtype == np.uint8
    return array


def gray(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(array[..., None], 3, -1)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm"])
def test_rgb(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(RGB).save(path := tmp_path / f"a.{suffix}")
    assert (read(path) == RGB).all()


def test_grayscale_becomes_three_equal_channels(tmp_path: Path) -> None:
    Image.fromarray(GRAY).save(path := tmp_path / "a.png")
    assert (read(path) == gray(GRAY)).all()


def test_one_bit(tmp_path: Path) -> None:
    Image.fromarray(GRAY > 127).save(path := tmp_path / "a.png")
    assert (read(path) == gray((GRAY > 127) * np.uint8(255))).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(GRAY.astype(np.uint16) * 257).save(path := tmp_path / f"a.{suffix}")
    assert (read(path) == gray(GRAY)).all()


def test_floats(tmp_path: Path) -> None:
    Image.fromarray((GRAY / 255).astype(np.float32)).save(path := tmp_path / "a.tif")
    assert (read(path) == gray(GRAY)).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(RGB).convert("L" if mode == "LA" else "RGB")
    alpha = Image.fromarray(np.where(np.arange(7) < 3, 0, 255).astype(np.uint8)[None].repeat(5, 0))
    image.putalpha(alpha)
    assert image.mode == mode
    image.save(path := tmp_path / "a.png")
    found = read(path)
    assert (found[:, :3] == 255).all()
    assert (found[:, 3:] == np.array(image.convert("RGB"))[:, 3:]).all()


def test_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert("L")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(path := tmp_path / "a.png", transparency=1)
    assert read(path).tolist() == [[[10, 20, 30], [255, 255, 255], [70, 80, 90]]]
    image.save(path := tmp_path / "b.gif", transparency=1)
    assert read(path).tolist() == [[[10, 20, 30], [255, 255, 255], [70, 80, 90]]]


def test_cmyk(tmp_path: Path) -> None:
    Image.fromarray(SMOOTH).convert("CMYK").save(path := tmp_path / "a.jpg", quality=100)
    assert np.abs(read(path).astype(int) - SMOOTH).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = RGB
    # What a camera stores for an upright image, by the definition of each orientation (EXIF 2.3, tag 274).
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(np.ascontiguousarray(turned)).save(path := tmp_path / "a.png", exif=exif)
    assert (read(path) == upright).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "an empty file"), (b"not an image", "not an image"), (b"\x89PNG\r\n\x1a\n", "")],
)
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (path := tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SceneError, match=f"a.png.*{message}") as error:
        read_image(path)
    assert "\n" not in str(error.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.png", tmp_path):
        with pytest.raises(SceneError, match=str(path)):
            read_image(path)


def encoded(kind: str) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.tile(SMOOTH, (4, 4, 1))).save(buffer, kind)
    return buffer.getvalue()


FILES = {kind: encoded(kind) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.floats(0, 0.999), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255))))
def test_a_damaged_file_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, kind: str, cut: float, changes: list[tuple[float, int]]
) -> None:
    content = bytearray(FILES[kind][: int(cut * len(FILES[kind]))])
    for where, value in changes:
        if content:
            content[int(where * (len(content) - 1))] = value
    path = tmp_path_factory.getbasetemp() / "damaged.img"
    path.write_bytes(content)
    try:
        assert read_image(path).shape[0] == 3
    except SceneError as error:
        assert "damaged.img" in str(error)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_half_a_file_is_not_taken_for_an_image(tmp_path: Path, kind: str) -> None:
    (path := tmp_path / "a.img").write_bytes(FILES[kind][: len(FILES[kind]) // 2])
    with pytest.raises(SceneError, match=r"a\.img.*truncated"):
        read_image(path)


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "1"])
def test_masks_are_class_indices(tmp_path: Path, mode: str) -> None:
    classes = np.array([[0, 1, 1], [1, 0, 1]]) * (1 if mode == "1" else 21)
    image = Image.fromarray(classes.astype({"I;16": np.uint16, "1": bool}.get(mode, np.uint8)))
    if mode == "P":
        image.putpalette(range(99))
    image.save(path := tmp_path / "a.png")
    mask = read_mask(path)
    assert mask.numpy().dtype == np.uint8
    assert (mask.numpy() == classes).all()


def test_a_mask_of_colours_or_large_values_is_named(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "colours.png")
    Image.fromarray(np.full((2, 2), 256, np.uint16)).save(tmp_path / "large.png")
    with pytest.raises(SceneError, match=r"colours\.png.*RGB"):
        read_mask(tmp_path / "colours.png")
    with pytest.raises(SceneError, match=r"large\.png.*256"):
        read_mask(tmp_path / "large.png")


def test_list_images_is_sorted_and_passes_over_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "b/1.jpeg", "a.png", ".hidden.png", ".trash/c.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in list_images(tmp_path)] == ["a.png", "b/1.jpeg", "b/2.JPG"]
