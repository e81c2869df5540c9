"""Caltech's images with one object and one box each."""

from __future__ import annotations

import csv
import io
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch

from .base import DataModule, Size, Split
from .files import SceneFiles, below, existing, read_text, refuse_twice, split_of
from .images import read_image
from .scene import DatasetMetadata, InputError, Scene, UnknownClassError, quoted

_LAYOUT = "images/<class>/*.jpg and annotations/<class>.csv with lines of file,x1,y1,x2,y2,class"

_Item = tuple[str, str, int, tuple[float, ...]]
"""Class, file, label and box."""


class CaltechBoxes(DataModule):
    """Classes of Caltech-101 (Fei-Fei et al. 2004) with a box for the one object of each image.

    There are no official splits: 80/10/10 by a hash of the path.

    Args:
        root: the folder of ``images/<class>/`` and ``annotations/<class>.csv``, with lines of file,x1,y1,x2,y2,class.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"label", "labels", "boxes"})

    def __init__(self, root: str = "data/caltech_boxes", *, image_size: Size = 128, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root = Path(root)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name="Caltech boxes", image_size=self.image_size, classes=self.classes)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of the annotation files, sorted."""
        names = sorted(p.stem for p in existing(self.root / "annotations", _LAYOUT).glob("*.csv"))
        if not names:
            raise InputError(f"{self.root / 'annotations'} has no .csv: expected {_LAYOUT}")
        return tuple(names)

    def scenes(self, split: Split) -> SceneFiles[_Item]:
        items = [item for name in self.classes for item in self._read_class(name)]
        refuse_twice(f"{self.root / 'annotations'}", "image", [f"{name}/{file}" for name, file, _, _ in items])
        return SceneFiles([item for item in items if split_of(f"{item[0]}/{item[1]}") == split], partial(_read, self.root))

    def _read_class(self, name: str) -> list[_Item]:
        path = self.root / "annotations" / f"{name}.csv"
        items: list[_Item] = []
        text = read_text(path, _LAYOUT)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text, columns=6))
        while True:
            try:
                line = next(lines, None)
                if line is None:
                    return items
                if len(line) > 6 or any(value.strip() for value in line):  # Excel ends a table with empty rows
                    items.append(self._item(name, line, lines.dialect.delimiter))
            except (ValueError, csv.Error) as error:
                self._leave_out(f"{path}, line {lines.line_num}: {error}, expected file,x1,y1,x2,y2,class", error)

    def _leave_out(self, text: str, error: Exception) -> None:
        """A broken line; one of a class that nobody knows says that the data are not those meant, and is never passed over."""
        if self.invalid == "error" or isinstance(error, UnknownClassError):
            raise InputError(text) from None
        self._report([text])

    def _item(self, name: str, line: list[str], delimiter: str) -> _Item:
        """A line of the table of class ``name``; ValueError says what is wrong with it."""
        try:
            file, *corners, class_name = (value.strip() for value in line)
            # Where Excel separates columns by a semicolon, it has the comma before a number's fraction.
            x1, y1, x2, y2 = (float(value.replace(",", ".") if delimiter == ";" else value) for value in corners)
        except ValueError:
            raise ValueError(quoted(",".join(line[:7]))) from None
        if class_name not in self.classes:
            raise UnknownClassError(quoted(",".join(line[:7])))
        return name, file, self.classes.index(class_name), (x1, y1, x2, y2)


def separator(text: str, columns: int) -> str:
    """What separates the columns of a table: a semicolon or a tab, as Excel writes it in many countries, or else a comma.

    It is what makes so many ``columns`` of the first line that is not empty.
    """
    first = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")[:4096]
    return next((sign for sign in ";\t" if sign in first and len(next(csv.reader([first], delimiter=sign))) == columns), ",")


def _read(root: Path, item: _Item) -> Scene:
    name, file, label, box = item
    path = below(root / "images" / name, file, root / "annotations" / f"{name}.csv")
    return {
        "image": read_image(path),
        "label": torch.tensor(label),
        "labels": torch.tensor([label]),
        "boxes": torch.tensor([box], dtype=torch.float32),
        "name": f"images/{path.parent.name}/{path.name}",
    }
