"""The report on a data set: one HTML file with its pictures in it, and the same figures as JSON."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from torch import Tensor

from datamodules.base import DataModule
from datamodules.layout import to_hwc
from datamodules.scene import SceneError
from experiments.runs.writing import plain_json, write_atomically
from experiments.training.drawing import draw

from .reading import SPLITS, Reading, SceneReader

PAGE, FACTS = "report.html", "report.json"
SIDE = 260
"""The longer side of a picture on the page."""
EACH = 6
"""Scenes of each split, pairs of copies and scenes with faults that are shown."""


class Picture(NamedTuple):
    """A scene as the page shows it."""

    title: str
    source: str
    """A data URI."""


def write_report(folder: Path, found: dict[str, Any], data: DataModule, reading: Reading) -> Path:
    """Writes both files, each beside its name and then renamed; returns the page's.

    Raises:
        InputError: they cannot be written.
    """
    write_atomically(folder / FACTS, plain_json(found))
    write_atomically(folder / PAGE, html(found, pictures(found, data, reading)))
    return folder / PAGE


def html(found: dict[str, Any], shown: dict[str, list[Picture]]) -> str:
    """The page, in which all text is escaped."""
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("report.html").render(found=found, shown=shown, splits=SPLITS)


def pictures(found: dict[str, Any], data: DataModule, reading: Reading) -> dict[str, list[Picture]]:
    """Some scenes of each split with their annotations, copies beside each other, and what of a faulty scene can be used."""
    readers = {split: SceneReader(data, split) for split in SPLITS if split not in reading.refused}
    shown: dict[str, list[Picture]] = {}
    for split, reader in readers.items():
        usable = [facts.index for facts in reading.facts if facts.split == split and not facts.unreadable]
        chosen = usable[:: max(1, len(usable) // EACH)][:EACH]
        shown[split] = [picture for index in chosen for picture in _drawn(reader, index, data)]
    groups: Sequence[Any] = found["copies"]["across_splits"][:EACH] or found["copies"]["within_a_split"][:EACH]
    shown["copies"] = [
        picture for group in groups for one in group[:2] for picture in _drawn(readers[one["split"]], one["index"], data)
    ]
    faulty = [facts for facts in reading.facts if facts.wrong and not facts.unreadable][:EACH]
    shown["broken"] = [picture for facts in faulty for picture in _drawn(readers[facts.split], facts.index, data)]
    return shown


def _drawn(reader: SceneReader, index: int, data: DataModule) -> list[Picture]:
    """A scene's picture; nothing of one that cannot be read any more."""
    try:
        scene, _ = reader.scenes.checked(index)
    except SceneError:
        return []
    fields = {key: value for key, value in scene.items() if key not in ("image", "name", "problems")}
    name = scene.get("name", f"scene {index}")
    return [Picture(f"{reader.split}: {name}", _uri(draw(scene["image"], fields, data.metadata)))]


def _uri(picture: Tensor) -> str:
    """A picture (3, H, W) as a JPEG that stands in the page itself."""
    array = to_hwc(picture)
    factor = SIDE / max(array.shape[:2])
    if factor < 1:
        size = (max(1, round(array.shape[1] * factor)), max(1, round(array.shape[0] * factor)))
        array = np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, content = cv2.imencode(".jpg", cv2.cvtColor(array, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}"
