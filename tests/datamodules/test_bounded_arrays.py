"""Images, joints, packed digits and cached boxes that would hang, swell or run: refused in one line, or made anew."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from hypothesis import given
from hypothesis import strategies as st

from datamodules import LSP, MNIST
from datamodules.images import PIXELS, list_images, read_image, read_mask
from datamodules.proposal_cache import ProposalCache
from datamodules.scene import InputError, SceneError
from tests.support import tiny
from tests.support.hostile import (
    NOT_PLAIN,
    examples,
    pipe,
    read_or_refused,
)


@pytest.mark.parametrize("make", NOT_PLAIN.values(), ids=NOT_PLAIN)
@pytest.mark.parametrize("read", [read_image, read_mask])
def test_an_image_that_is_no_plain_file_is_one_line(make: Callable[[Path], None], read: Any, tmp_path: Path) -> None:
    make(path := tmp_path / "a.png")
    with pytest.raises(SceneError, match=r"a\.png: no plain file"):
        read(path)


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size, and holds one row of it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (PIXELS, 2), (2**31 - 1, 2**31 - 1), (1, PIXELS + 1)])
@pytest.mark.parametrize("read", [read_image, read_mask])
def test_an_image_that_claims_too_many_pixels_is_refused_before_it_is_decoded(
    size: tuple[int, int], read: Any, tmp_path: Path
) -> None:
    (path := tmp_path / "bomb.png").write_bytes(png(*size))
    began = time.monotonic()
    with pytest.raises(SceneError, match=r"bomb\.png: too large an image \(.*limit"):
        read(path)
    assert time.monotonic() - began < 5


def test_no_other_program_is_started_for_an_image(tmp_path: Path) -> None:
    """Pillow opens PostScript with Ghostscript, whatever the file is called."""
    (path := tmp_path / "a.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n")
    with pytest.raises(SceneError, match="not an image that Pillow can read"):
        read_image(path)


def test_links_in_circles_are_followed_once(tmp_path: Path) -> None:
    for i in range(30):  # each holds the next twice: a billion paths
        (tmp_path / "all" / str(i)).mkdir(parents=True)
    for i in range(29):
        for name in ("a", "b"):
            (tmp_path / "all" / str(i) / name).symlink_to(tmp_path / "all" / str(i + 1))
    (tmp_path / "all/29/back").symlink_to(tmp_path)
    (tmp_path / "all/29/x.png").touch()
    began = time.monotonic()
    assert [path.name for path in list_images(tmp_path / "all" / "0")] == ["x.png"]
    assert time.monotonic() - began < 5


def test_a_link_to_a_folder_above_adds_nothing(tmp_path: Path) -> None:
    for name in ("train/egg/0.png", "train/ham/0.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "train/ham/back").symlink_to(tmp_path / "train")
    assert [str(p.relative_to(tmp_path)) for p in list_images(tmp_path / "train/ham")] == ["train/ham/0.png"]
    assert len(list_images(tmp_path / "train")) == 2


MATLAB: dict[str, Any] = {
    "cells in cells": np.array([[np.array([[np.zeros(3)]], object)]], object),
    "text": "joints",
    "a struct": {"joints": np.zeros((3, 14, 2))},
    "another shape": np.zeros((2, 2)),
}


@pytest.mark.parametrize("value", MATLAB.values(), ids=MATLAB)
def test_joints_that_are_no_array_are_one_line(value: Any, tmp_path: Path) -> None:
    scipy.io.savemat(tiny.write_lsp(tmp_path) / "joints.mat", {"joints": value})
    assert read_or_refused(lambda: LSP(str(tmp_path)).scenes("train")) is None


def test_joints_that_would_fill_the_memory_are_one_line(tmp_path: Path) -> None:
    zeros = np.zeros((14, 3, 1_100_000), np.uint8)
    scipy.io.savemat(tiny.write_lsp(tmp_path) / "joints.mat", {"joints": zeros}, do_compression=True)
    assert (tmp_path / "joints.mat").stat().st_size < 100_000
    with pytest.raises(InputError, match=r"claims to be \(14, 3, 1100000\)"):
        LSP(str(tmp_path)).scenes("train")


@given(at=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5))
@examples(100)
def test_damaged_joints_are_read_or_refused(at: list[tuple[int, int]], tmp_path: Path) -> None:
    if not (tmp_path / "joints.mat").exists():
        tiny.write_lsp(tmp_path, count=3, original=True)
        (tmp_path / "whole").write_bytes((tmp_path / "joints.mat").read_bytes())
    content = bytearray((tmp_path / "whole").read_bytes())
    for place, value in at:
        content[place % len(content)] = value
    (tmp_path / "joints.mat").write_bytes(content)
    read_or_refused(lambda: LSP(str(tmp_path)).scenes("train"))


def test_a_packed_file_that_would_fill_the_memory_is_one_line(tmp_path: Path) -> None:
    root = tiny.write_mnist(tmp_path)
    with gzip.open(root / "MNIST/raw/train-labels-idx1-ubyte.gz", "wb", 1) as file:
        file.write(bytes(20_000_000))
    with pytest.raises(InputError, match="not a header of 8 bytes and 1 for each of up to"):
        MNIST(str(root)).scenes("train")


@given(content=st.binary(max_size=60), cut=st.integers(0, 200))
@examples(50)
def test_mnist_is_read_or_refused(content: bytes, cut: int, tmp_path: Path) -> None:
    path = tmp_path / "MNIST/raw/train-labels-idx1-ubyte.gz"
    if not path.exists():
        tiny.write_mnist(tmp_path)
        (tmp_path / "whole").write_bytes(path.read_bytes())
    whole = (tmp_path / "whole").read_bytes()
    path.write_bytes(whole[: cut % len(whole)] + content)
    read_or_refused(lambda: MNIST(str(tmp_path)).scenes("train"))


# The cache ----------------------------------------------------------------------------------------------------------------


class Pickled:
    """Unpickling it would leave a file."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("PWNED"),)


BOXES = torch.tensor([[0.0, 0, 2, 2]])
ENTRIES: dict[str, Callable[[Path], None]] = {
    "pickle": lambda path: np.savez(path, boxes=np.array([Pickled()], object), allow_pickle=True),
    "zeros without end": lambda path: np.savez_compressed(path, boxes=np.zeros((2_000_000, 4), np.float32)),
    "not finite": lambda path: np.savez(path, boxes=np.full((1, 4), np.nan, np.float32)),
    "another shape": lambda path: np.savez(path, boxes=np.zeros((4,), np.float32)),
    "another kind": lambda path: np.savez(path, boxes=np.zeros((1, 4), np.int64)),
    "a pipe": pipe,
}


@pytest.mark.parametrize("write", ENTRIES.values(), ids=ENTRIES)
def test_a_hostile_entry_of_the_cache_is_made_anew(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cache, image = ProposalCache(str(tmp_path / "cache"), "../../x"), np.zeros((4, 5, 3), np.uint8)
    cache.get(image, lambda _: BOXES)
    (path,) = (tmp_path / "cache").rglob("*.npz")
    path.unlink()
    write(path)
    assert torch.equal(cache.get(image, lambda _: BOXES), BOXES)
    assert torch.equal(cache.get(image, lambda _: BOXES + 1), BOXES)  # kept
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache"]
