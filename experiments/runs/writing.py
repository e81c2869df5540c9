"""Files of a run, written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from datamodules.errors import InputError
from datamodules.temporary import beside

from .files import SUMMARY, read_summary


def write_atomically(path: Path, text: str) -> None:
    """Writes beside the target and renames, so that a reader never sees half a file.

    Raises:
        InputError: the disk is full, the folder read-only, or the like; what was there before is intact.
    """
    with written_whole(path) as file:
        file.write(text)


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """As :func:`write_atomically`, for a text that is written piece by piece; nothing is left of one that breaks off."""
    draft = beside(path)
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with suppress(OSError):  # where the folder is read-only there is nothing to remove
                draft.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system says about a file into one line that names it."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def write_summary(folder: Path, values: dict[str, Any]) -> None:
    """Merges ``values`` into the run's ``summary.json``; numbers that are not finite become null, as JSON asks."""
    write_atomically(folder / SUMMARY, plain_json(read_summary(folder) | values))


def plain_json(values: dict[str, Any]) -> str:
    """``values`` as a JSON file's text; numbers that are not finite become null, as JSON asks."""
    return json.dumps(plain_values(values), indent=2, allow_nan=False) + "\n"


def plain_values(value: Any) -> Any:
    """What JSON can hold of a value: lists for tuples, numbers for tensors of one, null for what is not finite."""
    if isinstance(value, dict):
        return {str(k): plain_values(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(v) for v in value]
    if callable(item := getattr(value, "item", None)):  # a tensor's; torch is not imported, the dashboard writes without it
        value = item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """A table as a file's text, and how many bytes of it come before the last row."""
    text, before = io.StringIO(newline=""), 0
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    for row in rows:
        before = len(text.getvalue().encode()) if row is rows[-1] else 0
        writer.writerow(cells(row))
    return text.getvalue(), before


def ordered(columns: list[str]) -> list[str]:
    """The columns of ``metrics.csv``: what a row is of, then the metrics by name."""
    first = [c for c in ("step", "epoch", "seconds") if c in columns]
    return first + sorted(c for c in columns if c not in first)


def cells(row: Mapping[str, Any]) -> dict[str, str]:
    """A row as text."""
    # repr of a float loses no digit; a whole number is written without a fraction.
    return {key: str(int(v)) if float(v).is_integer() and key in ("step", "epoch") else repr(v) for key, v in row.items()}
