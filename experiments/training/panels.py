"""One scene as panels side by side, input, truth, prediction and errors; several scenes as one sheet, with a legend below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from datamodules.kinds import Boxes, Map, Masks, Points
from datamodules.scene import IGNORE, DatasetMetadata, declared, of_kind

from .drawing import draw
from .judging import Judged, grey, judged, verdict
from .legend import MISSED, RIGHT, WRONG, Colour, Label, colour, object_labels, worth_drawing

SHOWN, LETTERS = 640, 14
"""The width at which a sheet is to be read, a column of a page or a phone, and the height of its letters then, in pixels."""
SIDE, WIDEST = 240, 640
"""Of a panel in pixels: smaller images are enlarged by a whole factor, wider pictures made smaller."""
FEW = 8
"""Objects of a panel that are labelled with their names."""
IGNORED = "not judged"
MEANINGS: dict[str, Colour] = {"right": RIGHT, "wrong": WRONG, "missed": MISSED, IGNORED: (30, 30, 30)}
"""The colours of the panel of errors, by what they mean."""


@dataclass(frozen=True)
class Panels:
    """A scene's panels, by their headings, and what stands for what in them."""

    panels: dict[str, Tensor] = field(default_factory=dict)
    """uint8 (3, H, W), all of one size."""
    below: list[Label] = field(default_factory=list)
    """Lines below a scene."""
    legend: dict[str, Colour | None] = field(default_factory=dict)
    """The colours of classes; None for one that is not painted."""
    errors: dict[str, Colour] = field(default_factory=dict)
    """The colours of the panel of errors, by what they mean; see :data:`MEANINGS`."""
    in_a_row: int = 1
    """Scenes in a row of a sheet."""


def panels_of(
    image: Tensor,
    truth: Mapping[str, Any],
    prediction: Mapping[str, Any],
    metadata: DatasetMetadata,
    *,
    least: float,
    given: Tensor | None = None,
) -> Panels:
    """What a scene's picture shows: input, truth, prediction and errors, as far as there is anything of each.

    Maps of classes and masks lie over a grey image, whose own colours would make three of one class; boxes and points over the
    image itself, and need no panel of the input. What is said of the whole image stands below it.

    Args:
        image: uint8 (3, H, W), the scene's.
        truth: the scene's fields.
        prediction: in pixels of the same image; a predicted ``image`` is shown itself.
        metadata: names classes and bones.
        least: detected objects of a lower score are not drawn, and do not count.
        given: what the network was given, of a task that changes its images.
    """
    image = image.cpu()
    if below := verdict(truth, prediction, metadata):
        shown = {"input": image} if given is None else {"image": image, "given": given.cpu()}
        panels = {heading: _reduced(draw(each, {}, metadata, side=SIDE)) for heading, each in shown.items()}
        return Panels(panels, below, in_a_row=4 // len(panels))
    if "image" in prediction:
        shown = {"truth": image} | ({} if given is None else {"given": given.cpu()}) | {"prediction": prediction["image"]}
        panels = {heading: _reduced(draw(each, {}, metadata, side=SIDE)) for heading, each in shown.items()}
        return Panels(panels, in_a_row=2)  # nothing is to be read in them
    maps = [value for _, kind, value in of_kind(truth, Map) if kind.classes]
    painted = any(isinstance(kind, Map | Masks) for _, kind, _ in declared(prediction))
    known = any(isinstance(kind, Map | Boxes | Points) for _, kind, _ in declared(truth))
    errors = judged(image, truth, prediction, metadata, least) if known else None
    columns = painted + known + 1 + (errors is not None)
    text = round(LETTERS * columns * _width(image) / SHOWN)
    painting = partial(draw, metadata=metadata, scale=truth, least=least, text=text, side=SIDE)
    panels = {"input": draw(image, {}, metadata, side=SIDE)} if painted else {}
    ignored = (maps[0] == IGNORE).cpu() if maps else None
    if known:
        panels["truth"] = painting(grey(image, ignored) if painted else image, truth, labels=_short(truth, metadata))
    labels = _short(worth_drawing(prediction, least), metadata)
    panels["prediction"] = painting(grey(image) if painted else image, prediction, labels=labels)
    if errors is not None:
        panels[errors.says] = _drawn(errors, metadata, text)
    legend = _legend(truth, worth_drawing(prediction, least), metadata)
    meanings: dict[str, Colour] = {}
    if errors is not None:
        absent = {
            name
            for name, there in (("missed", "boxes" in truth), (IGNORED, ignored is not None and bool(ignored.any())))
            if not there
        }
        meanings = {name: ink for name, ink in MEANINGS.items() if name not in absent}
    return Panels({heading: _reduced(panel) for heading, panel in panels.items()}, legend=legend, errors=meanings)


def _short(fields: Mapping[str, Any], metadata: DatasetMetadata) -> list[Label] | None:
    """Of many objects the scores alone: the colours say their classes, and the names would hide them all."""
    count = len(fields.get("boxes", ()))
    if count <= FEW or "captions" in fields:
        return None
    scores = fields.get("scores")
    texts = (
        [""] * count
        if scores is None or len(scores) != count
        else [f".{score * 100:02.0f}" if score < 0.995 else "1" for score in scores.tolist()]
    )
    return [Label(text, label.colour) for text, label in zip(texts, object_labels(fields, count, metadata), strict=True)]


def _drawn(errors: Judged, metadata: DatasetMetadata, text: int) -> Tensor:
    boxes = {"boxes": errors.boxes} if len(errors.boxes) else {}
    few = sum(bool(label.text) for label in errors.labels) <= FEW
    labels = [label if few else label._replace(text="") for label in errors.labels]
    drawn = draw(errors.image, boxes, metadata, labels=labels, text=text, side=SIDE)
    canvas, factor = np.ascontiguousarray(drawn.permute(1, 2, 0).numpy()), drawn.shape[1] / errors.image.shape[1]
    pen = max(2, min(canvas.shape[:2]) // 120)
    for begin, end, ink in errors.lines:
        (x1, y1), (x2, y2) = np.clip(np.multiply([begin, end], factor), -(2**14), 2**14).astype(int).tolist()
        cv2.line(canvas, (x1, y1), (x2, y2), ink, pen, cv2.LINE_AA)
        cv2.circle(canvas, (x2, y2), 2 * pen, ink, -1, cv2.LINE_AA)
    return torch.from_numpy(canvas).permute(2, 0, 1)


def _legend(truth: Mapping[str, Any], shown: Mapping[str, Any], metadata: DatasetMetadata) -> dict[str, Colour | None]:
    """The classes that occur."""
    used: dict[str, Colour | None] = {}
    for names, values in _classes(truth, shown, metadata):
        used |= {names[k]: None if names[k] == "background" else colour(k) for k in values if k < len(names)}
    return used


def _classes(
    truth: Mapping[str, Any], shown: Mapping[str, Any], metadata: DatasetMetadata
) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    for fields in (truth, shown):
        for _, kind, value in of_kind(fields, Map):
            if kind.classes:
                yield metadata.names(kind), value.unique().tolist()
        if of_kind(fields, Boxes):
            of_objects = fields.get("labels", fields.get("label"))
            yield metadata.classes, [] if of_objects is None else torch.as_tensor(of_objects).flatten().tolist()


def _width(image: Tensor) -> int:
    """Of what :func:`draw` makes of an image, in pixels."""
    return image.shape[2] * max(1, -(-SIDE // min(image.shape[1:])))


def _reduced(panel: Tensor) -> Tensor:
    height, width = panel.shape[1:]
    if width <= WIDEST:
        return panel
    size = (WIDEST, max(1, round(height * WIDEST / width)))
    small = cv2.resize(np.ascontiguousarray(panel.permute(1, 2, 0).numpy()), size, interpolation=cv2.INTER_AREA)
    return torch.from_numpy(small).permute(2, 0, 1)
