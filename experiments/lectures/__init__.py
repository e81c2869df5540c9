"""The lectures' claims: all of them in ``claims.csv``, the studies in a folder a lecture."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LECTURES = {
    "cnn": "Deck “CNN, R-CNN” (Dankook University, 2018)",
    "cs231n": "Stanford CS231n 2017, lecture 11: detection and segmentation",
}
"""The lectures by the name of their folder."""


@dataclass(frozen=True)
class Row:
    """A line of the list of all claims."""

    id: str
    lecture: str
    """``cnn``, ``cs231n``, or both with a space between."""
    says: str


@cache
def rows() -> dict[str, Row]:
    """Every claim of the two lectures, by id."""
    with (Path(__file__).parent / "claims.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: Row(**row) for row in csv.DictReader(file)}
