"""What went wrong in an evaluation, and where: the file ``findings/findings.json`` that it leaves, and its pictures.

It lies in the folder of a run (the test at its end) or of an evaluation. It is one document of sections, each a table, a
confusion matrix, curves, a gallery or a figure beside its baseline; who shows it needs to know no more than these five. It is
checked when it is read: a file that is damaged, larger than any of ours, or none at all reads as none, and sections of a kind
that a newer version added are passed over. Names of classes and files in it are a stranger's: they are escaped where they are
shown (:mod:`.markup`, Jinja2).

A number that is not finite, is beyond all that a float can count, or was not measured, is null. Nothing here imports torch or
Lightning.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from .bounded import bounded_bytes
from .files import own_file

FINDINGS = "findings"
"""The folder, in a run's or an evaluation's."""
DOCUMENT = "findings.json"
VERSION = 1
"""Raised where a document of before cannot be read any more."""

LARGEST = 4 * 2**20
"""Bytes of a document; one of a hundred classes has some hundred thousand."""
LONGEST = 2_000
"""Characters of a text; the rest of a longer one is left out."""
MOST_PICTURES = 100
MOST_NAMES = 101
"""Rows of a matrix: a hundred classes, and the background."""

_FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,80}\.png$"


LARGEST_COUNT = 2**53
"""Up to which whole numbers are floats too; JSON has them of any length."""


def _finite(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > LARGEST_COUNT:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _writable(value: Any) -> Any:
    """A text that UTF-8 can hold, and not without end: classes are called as folders are, which may be called anything."""
    return value.encode("utf-8", "replace").decode()[:LONGEST] if isinstance(value, str) else value


_Text: TypeAlias = Annotated[str, BeforeValidator(_writable)]
_Number: TypeAlias = Annotated[float | None, BeforeValidator(_finite)]
_Cell: TypeAlias = Annotated[int | float | _Text | None, BeforeValidator(_finite)]
_Count: TypeAlias = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
_Points: TypeAlias = Annotated[tuple[_Number, ...], Field(max_length=2_000)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _FindingSection(_Document):
    title: _Text
    note: _Text = ""
    """What is to be known to read it, in a sentence or two; empty where there is nothing."""


class TableFinding(_FindingSection):
    """Numbers by name, such as the accuracy of each class."""

    kind: Literal["table"] = "table"
    columns: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=32)]
    rows: Annotated[tuple[tuple[_Cell, ...], ...], Field(max_length=2_000)]
    """A cell for each column; shares are from 0 to 1."""

    @model_validator(mode="after")
    def _check(self) -> TableFinding:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has not one cell for each column")
        return self


class MatrixFinding(_FindingSection):
    """How often each class is taken for each: a confusion matrix of counts."""

    kind: Literal["matrix"] = "matrix"
    names: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=MOST_NAMES)]
    """Of rows and of columns alike."""
    rows: Annotated[tuple[tuple[_Count, ...], ...], Field(max_length=MOST_NAMES)]
    """Rows are the truth, columns what was predicted."""

    @model_validator(mode="after")
    def _check(self) -> MatrixFinding:
        if len(self.rows) != len(self.names) or any(len(row) != len(self.names) for row in self.rows):
            raise ValueError("the matrix is not square, a row and a column for each name")
        return self


class CurveSeries(_Document):
    """One line of :class:`CurvesFinding`."""

    name: _Text
    x: _Points
    y: _Points

    @model_validator(mode="after")
    def _check(self) -> CurveSeries:
        if len(self.x) != len(self.y):
            raise ValueError("x and y are not of one length")
        return self


class CurvesFinding(_FindingSection):
    """Lines over one pair of axes, such as precision over recall."""

    kind: Literal["curves"] = "curves"
    x: _Text
    """What the axis shows."""
    y: _Text
    series: Annotated[tuple[CurveSeries, ...], Field(max_length=64)]


class GalleryItem(_Document):
    """A picture of :class:`GalleryFinding`."""

    file: Annotated[str, Field(pattern=_FILE_NAME)]
    """Its name in the folder of the document: a PNG, and never a path."""
    caption: _Text


class GalleryFinding(_FindingSection):
    """Pictures, the worst first."""

    kind: Literal["gallery"] = "gallery"
    items: Annotated[tuple[GalleryItem, ...], Field(max_length=MOST_PICTURES)]


class BaselineFinding(_FindingSection):
    """A figure, and what an answer that never looks at the image reaches."""

    kind: Literal["baseline"] = "baseline"
    metric: _Text
    """Such as ``test/accuracy``."""
    value: _Number
    baseline: _Number
    name: _Text
    """Of the baseline, such as ``the most frequent class of the training split``."""
    higher_is_better: bool = True


Finding: TypeAlias = Annotated[
    TableFinding | MatrixFinding | CurvesFinding | GalleryFinding | BaselineFinding, Field(discriminator="kind")
]
KINDS = frozenset({"table", "matrix", "curves", "gallery", "baseline"})


class Findings(_Document):
    """What went wrong in one evaluation, and where."""

    version: Literal[1] = 1
    split: Literal["val", "test"]
    checkpoint: _Text
    """``best`` or ``last`` of the run; otherwise the file's name, or empty where there was none."""
    scenes: _Count = 0
    """How many were judged."""
    sections: Annotated[tuple[Finding, ...], Field(max_length=64)] = ()

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        """Without the sections of a kind that a newer version added."""
        if isinstance(value, Mapping) and isinstance(value.get("sections"), list):
            return {**value, "sections": [s for s in value["sections"] if not isinstance(s, Mapping) or s.get("kind") in KINDS]}
        return value

    def as_json(self) -> str:
        """The document's text."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) + "\n"


def read_findings(folder: Path) -> Findings | None:
    """What an evaluation found, from the folder of a run or of an evaluation; None where it left nothing that can be read.

    The pictures of a gallery lie beside the document: :func:`finding_picture` gives their paths.
    """
    path = own_file(folder, f"{FINDINGS}/{DOCUMENT}")
    if path is None:
        return None
    try:
        return Findings.model_validate(json.loads(bounded_bytes(path, LARGEST)))
    except (OSError, ValueError, RecursionError, ValidationError):
        return None


def chart_name(place: int) -> str:
    """The file, in the same folder, of the chart of the matrix or the curves at this place of a document's sections."""
    return f"section_{place:02}.png"


def finding_picture(folder: Path, item: GalleryItem) -> Path | None:
    """The file of a gallery's picture; None where it is gone, or leads out of the folder."""
    return own_file(folder, f"{FINDINGS}/{item.file}")
