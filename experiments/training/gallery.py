"""The scenes of an evaluation that went worst: kept while it runs, drawn when it is over."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from datamodules.scene import Batch, DatasetMetadata, keep_objects, printable, unbind
from experiments.runs.findings import GalleryFinding, GalleryItem
from lightning_modules.distributed import gather_objects
from lightning_modules.transfer import on_cpu

from .drawing import write_picture
from .legend import WRONG, Label
from .panels import panels_of
from .sheet import sheet

OBJECTS = 30
"""Detections of a scene that are kept, those of the highest scores: masks of more would fill the memory."""


class Candidate(NamedTuple):
    """A scene that is among the worst so far."""

    wrong: float
    """How wrong it is; see :class:`~experiments.findings.inquiry.Inquiry`."""
    before: int
    """Less its place in the split: of two that are equally wrong, the earlier counts as the worse."""
    scene: dict[str, Any]
    prediction: dict[str, Any]
    given: Tensor | None


class Worst:
    """The worst scenes of an evaluation, so many and no more: however large a split is, the memory holds these.

    Args:
        count: of scenes.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._kept: list[Candidate] = []

    def offer(self, wrong: list[float], predictions: list[Any], batch: Batch, task: Any) -> None:
        """Takes up the scenes of a batch that are worse than the best of those that are kept."""
        least = self._kept[0][:2] if self._kept and len(self._kept) == self.count else (0.0, 0)
        places = batch["index"].tolist()
        rows = [row for row, value in enumerate(wrong) if value > 0 and (value, -places[row]) > least] if self.count else []
        if not rows:
            return
        scenes, given = unbind(batch), task.given(batch) if hasattr(task, "given") else None
        for row in rows:
            own = None if given is None else given[row].cpu()
            scene = _here(dict(scenes[row]))
            entry = Candidate(wrong[row], -places[row], scene, _here(_best(predictions[row])), own)
            if len(self._kept) < self.count:
                heapq.heappush(self._kept, entry)
            elif entry[:2] > self._kept[0][:2]:
                heapq.heapreplace(self._kept, entry)

    def gather(self) -> list[Candidate]:
        """The worst of all processes, the worst first."""
        every = [entry for part in gather_objects(self._kept) for entry in part]
        self._kept = []
        return sorted(every, key=lambda entry: entry[:2], reverse=True)[: self.count]


def _best(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """A prediction with its best detections alone."""
    scores = prediction.get("scores")
    if scores is None or "boxes" not in prediction or len(scores) != len(prediction["boxes"]) or len(scores) <= OBJECTS:
        return dict(prediction)
    rows = scores.argsort(descending=True, stable=True)[:OBJECTS]
    kept = {**keep_objects(prediction, rows.tolist()), "scores": scores[rows]}
    return kept | ({"parts": prediction["parts"][rows]} if "parts" in prediction else {})


def _here(fields: dict[str, Any]) -> dict[str, Any]:
    """On the CPU, in memory of its own: what is kept must not keep a whole batch."""
    names = [name for name, value in fields.items() if isinstance(value, Tensor)]
    return fields | {name: value.clone() for name, value in zip(names, on_cpu([fields[n] for n in names]), strict=True)}


def draw_gallery(worst: list[Candidate], metadata: DatasetMetadata, folder: Path, least: float) -> GalleryFinding | None:
    """Draws them, a PNG each, as ``worst_00.png`` and on; None where nothing went wrong.

    Args:
        worst: the worst first.
        metadata: names the classes.
        folder: where to; it is there.
        least: detected objects of a lower score are not drawn, and do not count.
    """
    items = []
    for number, entry in enumerate(worst):
        image = entry.scene["image"]
        panels = panels_of(image, entry.scene, entry.prediction, metadata, least=least, given=entry.given)
        file = f"worst_{number:02}.png"
        write_picture(sheet([panels], metadata), folder / file)
        name = entry.scene.get("name") or f"scene {-entry.before}"
        says = ", ".join(_told(label) for label in panels.below) if panels.below else list(panels.panels)[-1]
        caption = f"{printable(str(name))}: {says}" if says not in ("prediction", "input") else printable(str(name))
        items.append(GalleryItem(file=file, caption=caption[:2000]))
    return GalleryFinding(title="The worst scenes", items=tuple(items)) if items else None


def _told(label: Label) -> str:
    """A line below a picture without its colour: of several classes an image, which are wrong is only to be seen in it."""
    return f"not there: {label.text}" if label.colour == WRONG and not label.text.startswith("says: ") else label.text
