"""What a stranger may have written: generated names, JSON, tables, files that are none; and what every reader promises of it.

``LECTERN_EXAMPLES`` multiplies the number of generated inputs: 10 takes ten times as long and looks ten times as far.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from datamodules.base import DataModule, PreparedScenes
from datamodules.loading import Skipped
from datamodules.scene import InputError

T = TypeVar("T")
SECONDS = 10.0
"""What reading one input may take at most."""


def examples(count: int) -> Any:
    """The settings of a property that is tried on ``count`` inputs."""
    return settings(
        max_examples=count * int(os.environ.get("LECTERN_EXAMPLES", "1")),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


PAYLOADS = (
    *(
        "../../x.jpg",
        "..",
        "a/../../b.jpg",
        "/tmp/x.jpg",
        "/etc/passwd",
        "C:\\x.jpg",
        "..\\..\\x.jpg",
        "\\\\host\\x.jpg",
        "c:x",
    ),
    *(
        "a\0b.jpg",
        "\x1b[2Jx.jpg",
        "a\nb.jpg",
        "a\u202egpj.exe",
        "\ud800.jpg",
        "x" * 300 + ".jpg",
        "a/" * 3000 + "x.jpg",
        "",
        ".",
    ),
    *("**<img src=x onerror=alert(1)>**", "`code`", "a|b", "[x](javascript:alert(1))", "<script>alert(1)</script>", "$x^2$"),
    *(":red[x]", ":smile:", "![x](http://evil.example/x.png)", "http://evil.example", "www.evil.example", "a@evil.example"),
    *("&lt;img&gt;", "~~gone~~", "\\<b>", "# title", "- item", "1. item", "---", "===", "> quote", "<!-- x -->", "    code"),
    *("[x]: http://evil.example", "[^1]", "mailto:a@b.example", "::leaf{a=b}", ":material/home:", "\\", "\\\\`x`", "||x||"),
)
"""Names and texts that have led somebody's program astray."""

text = st.sampled_from(PAYLOADS) | st.text(st.characters(exclude_categories=[]), max_size=40) | st.text("./\\:a\0", max_size=12)
"""Any text: also lone surrogates, control characters, marks of direction."""

number = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 10**9, 10**30, -(10**400), 1e308, float("nan"), float("inf"), -float("inf")]),
)
scalar = st.none() | st.booleans() | number | text
anything = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12
)
"""Any value of JSON."""


def replaced(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any], others: st.SearchStrategy[Any] = anything) -> Any:
    """A copy of a JSON value in which one place, found by going down, holds something else, or is gone."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        if not draw(st.integers(0, 7)):
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: replaced(value[key], draw, others)}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], replaced(value[at], draw, others), *value[at + 1 :]]
    return draw(others)


def read_or_refused(read: Callable[[], T]) -> T | None:
    """What a reader gives; None where it refuses in one short line that a terminal can show. Anything else fails the test."""
    began = time.monotonic()
    try:
        return read()
    except InputError as error:
        message = str(error)
        assert message.isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in message), message
        assert message and "\n" not in message and len(message) < 2000, message
        message.encode()
        return None
    finally:
        assert time.monotonic() - began < SECONDS


def files_below(folder: Path) -> set[str]:
    """Every file, folder and link below a folder."""
    return {os.fspath(path.relative_to(folder)) for path in folder.rglob("*")}


@contextmanager
def nothing_written(around: Path, within: Path | None = None) -> Iterator[None]:
    """Nothing appears in the folder ``around``, but for what lies below ``within``."""
    before = files_below(around)
    yield
    new = files_below(around) - before
    assert not {name for name in new if within is None or not (around / name).is_relative_to(within)}


OPTIONS: Any = {"image_size": 16, "batch_size": 1, "workers": 0}
"""Of a data module that reads tiny images."""


def all_scenes(data: DataModule, split: str = "train") -> list[Any]:
    """What a split holds, under both policies: under ``skip`` nothing but the whole file may be refused."""
    data.require(data.provides - {"mask"})
    prepared = read_or_refused(lambda: PreparedScenes(data, split, augment=False))  # type: ignore[arg-type]
    found = []
    for invalid in ("error", "skip") if prepared else ():
        prepared.invalid = invalid  # type: ignore[union-attr, assignment]
        for i in range(len(prepared)):  # type: ignore[arg-type]
            scene = read_or_refused(partial(prepared.__getitem__, (0, i)))  # type: ignore[union-attr]
            found.append(scene)
            if scene is not None and not isinstance(scene, Skipped) and "boxes" in scene:
                assert bool(torch.isfinite(scene["boxes"]).all())
    return found


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def device(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


NOT_PLAIN: dict[str, Callable[[Path], None]] = {"pipe": pipe, "folder": folder, "device": device}
