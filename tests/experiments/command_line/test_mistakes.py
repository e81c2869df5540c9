"""Which exceptions are one line, and which keep their traceback."""

from __future__ import annotations

import errno
import os
import urllib.error
from pathlib import Path

import pytest
import torch
from PIL import Image
from pytorch_lightning import Trainer
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from datamodules import ImageFolder
from datamodules.scene import InputError, SceneError
from experiments.command_line.mistakes import LONGEST, shortened, what_was_wrong


def raised_by(function: object, *arguments: object, **options: object) -> Exception:
    try:
        function(*arguments, **options)  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("data.x: wrong"), "data.x: wrong"),
        (SceneError("a.jpg: torn"), "a.jpg: torn"),
        (MisconfigurationException("no GPU\nhere"), "no GPU here"),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "the GPU's memory is full: lower data.batch_size",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "memory is full: lower data.batch_size"),
        (MemoryError(), "memory is full: lower data.batch_size"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/x"), "runs/x: No space left on device"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "runs"), "runs: Permission denied"),
        (urllib.error.URLError("no route to host"), "a download failed (no route to host)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "not text in UTF-8"),
    ],
)
def test_what_a_person_can_change_is_one_line(error: Exception, said: str) -> None:
    line = what_was_wrong(error)
    assert said in line and "\n" not in line


def test_what_lightning_refuses_is_one_line() -> None:
    for options in ({"strategy": "dpp"}, {"precision": 17}, {"devices": 0, "accelerator": "cpu"}, {"limit_train_batches": 1.5}):
        assert what_was_wrong(raised_by(Trainer, logger=False, **options))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        KeyError("x"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        AssertionError(),
        RecursionError(),
    ],
)
def test_a_fault_of_the_program_is_none(error: Exception) -> None:
    def fail() -> None:
        raise error

    assert what_was_wrong(raised_by(fail)) == ""


def test_a_mistake_behind_another_error_is_found() -> None:
    def fail() -> None:
        try:
            raise InputError("a.jpg: torn")
        except InputError as error:
            raise RuntimeError("the worker died") from error

    assert what_was_wrong(raised_by(fail)) == "a.jpg: torn"


def test_a_long_line_keeps_beginning_and_end() -> None:
    line = shortened("begin " + "x" * 1000 + " end")
    assert len(line) <= LONGEST and line.startswith("begin") and line.endswith("end")
    assert shortened("short") == "short"


def test_a_name_that_is_not_utf_8_is_told_with_its_remedy(tmp_path: Path) -> None:
    """As of a folder that came out of a zip file in CP949."""
    for name in (b"cats", b"dogs"):
        (tmp_path / name.decode()).mkdir()
        for i in range(3):
            Image.new("RGB", (8, 8)).save(tmp_path / name.decode() / f"{i}.png")
    try:
        (tmp_path / "cats/0.png").rename(os.fsdecode(os.fsencode(tmp_path / "cats") + b"/\xbb\xe7.png"))
    except OSError:
        pytest.skip("this file system holds names in UTF-8 alone")
    said = what_was_wrong(raised_by(ImageFolder(str(tmp_path)).scenes, "train"))
    assert (
        r"cats/\udcbb\udce7.png: the name of a file or folder is not UTF-8" in said
        and "rename it" in said
        and said.isprintable()
    )


def test_a_file_of_the_systems_is_named(tmp_path: Path) -> None:
    assert what_was_wrong(raised_by((tmp_path / "gone").read_text)).startswith(f"{tmp_path}/gone: No such file")
