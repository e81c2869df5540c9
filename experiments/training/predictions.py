"""What ``lectern predict`` writes: a picture for each image, and one JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from faster_coco_eval.core import mask as rle
from PIL import Image
from torch import Tensor
from torchvision.utils import save_image

from datamodules.base import DataModule, Scenes
from datamodules.kinds import Boxes, Map, Masks, Points, Regions, Scalar
from datamodules.resizing import resize_matrix
from datamodules.scene import FIELDS, IGNORE, Batch, DatasetMetadata, declared, of_kind, printable
from experiments.runs.writing import write_atomically
from lightning_modules.base import Prediction
from lightning_modules.distributed import gather_objects

from .pictures import draw, worth_drawing


class PredictionWriter(pl.Callback):
    """Writes ``predictions/<image>.png`` and ``predictions/predictions.json`` into the run's folder (see :func:`place_of`).

    A picture is the image as it lies on disk, with what was predicted drawn over it. The JSON is a list with one entry an
    image: its file, size, and what was predicted, with coordinates in pixels of the image as it lies on disk. A map of classes
    is a PNG of class indices of that size, a map of a quantity a NumPy array. Objects are entries as COCO's result format has
    them: ``bbox`` (x, y, width, height) and, where they are predicted, ``segmentation`` (a run-length code) and ``keypoints``
    (x, y, confidence of each keypoint; counted, as COCO's are, from the centre of the first pixel and not from its corner).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "predictions"
        self._entries: list[dict[str, Any]] = []
        self._scenes: Scenes | None = None

    def on_predict_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        if outputs is None:
            return
        data = cast(DataModule, trainer.datamodule)  # type: ignore[attr-defined]
        if self._scenes is None:
            self._scenes = data.scenes("test")
        for i, prediction in enumerate(outputs):
            name = batch["name"][i]
            place = place_of(name, int(batch["index"][i]))
            picture = self.folder / f"{place}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            matrix = resize_matrix(batch["size"][i], data.image_size, data.resize_mode)
            shown = on_disk(worth_drawing(prediction), matrix, batch["size"][i])
            image = self._scenes[int(batch["index"][i])]["image"]
            save_image(draw(image, shown, pl_module.metadata).float() / 255, picture)
            entry = {"file": name, "size": list(batch["size"][i]), "picture": f"{place}.png"}
            for field, _, value in of_kind(shown, Map):
                entry[field] = _write_map(self.folder / f"{place}_{field}", value).relative_to(self.folder).as_posix()
            self._entries.append(entry | as_json(prediction, matrix, batch["size"][i], pl_module.metadata))

    def on_predict_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        entries = sorted((e for part in gather_objects(self._entries) for e in part), key=lambda e: str(e["file"]))
        self._entries = []
        if trainer.is_global_zero:
            write_atomically(self.folder / "predictions.json", json.dumps(entries, indent=1) + "\n")
            print(f"predictions  {self.folder / 'predictions.json'} ({len(entries)} images)")


UNNAMED = "unnamed"
"""The folder of the pictures of images whose names cannot be files' names."""


def place_of(name: str, index: int) -> str:
    """Where the picture of an image lies below the folder of predictions, without ``.png``: a function of both alone.

    It is the image's name, its ending included (``a.jpg`` and ``a.png`` are two), where that is a path below any folder, on any
    system, and no name of another file there; otherwise its number, in a folder of its own.

    Args:
        name: the scene's, which may be a stranger's: ``../../x.jpg``, ``C:\\x``, a thousand characters, one that a terminal
            takes for a command.
        index: its place in its split.
    """
    parts = name.split("/")
    # A folder is called like no file there, and a picture like no map.
    like_others = parts[0] == UNNAMED or any(part.endswith((".png", ".npy", ".json")) for part in parts[:-1])
    fits = all(map(_is_file_name, parts)) and len(name.encode()) <= 1000
    return name if fits and not like_others and not name.endswith(_OF_MAPS) else f"{UNNAMED}/{index:06}"


_OF_MAPS = tuple(f"_{field}" for field in FIELDS)
_ODD = re.compile(r'[\\:*?"<>|\t\n]')


def _is_file_name(part: str) -> bool:
    """Whether part of a path can be the name of a file or folder on any system, not hidden, and with room for an ending."""
    is_odd = printable(part) != part or _ODD.search(part) or part.startswith((".", " ")) or part.endswith((".", " "))
    return bool(part) and not is_odd and len(part.encode()) <= 200


def _write_map(path: Path, values: Tensor) -> Path:
    """Writes bytes (H, W) as a PNG, anything else as a NumPy array; returns the file, ``path`` with its ending."""
    if values.dtype == torch.uint8:
        Image.fromarray(values.numpy()).save(path := path.with_name(f"{path.name}.png"))
    else:
        np.save(path := path.with_name(f"{path.name}.npy"), values.numpy())
    return path


def on_disk(prediction: Mapping[str, Any], matrix: np.ndarray[Any, Any], size: tuple[int, int]) -> dict[str, Any]:
    """A prediction of the resized image in pixels of the original one, of ``size`` (H, W)."""
    moved = dict(prediction)
    for field, kind, value in declared(prediction):
        match kind:
            case Boxes() | Regions():
                moved[field] = _boxes_back(value, matrix, size)
            case Points():
                points = value.cpu()
                moved[field] = torch.cat([_back(points[..., :2], matrix), points[..., 2:]], -1)
            case Map():
                moved[field] = torch.from_numpy(map_back(value, matrix, size, kind.fill))
            case Masks():
                masks = [torch.from_numpy(map_back(mask, matrix, size) == 1) for mask in value]
                moved[field] = torch.stack(masks) if masks else torch.zeros(0, *size, dtype=torch.bool)
    return moved


def as_json(
    prediction: Prediction, matrix: np.ndarray[Any, Any], size: tuple[int, int], metadata: DatasetMetadata
) -> dict[str, Any]:
    """A prediction as plain data, in pixels of the original image of ``size`` (H, W)."""
    entry: dict[str, Any] = {}
    for field, scalar, value in of_kind(prediction, Scalar):
        entry[field] = metadata.names(scalar)[int(value)] if scalar.classes else _rounded(value)
    if of_kind(prediction, Boxes):
        entry["objects"] = _objects(prediction, matrix, size, metadata)
    else:
        if (scores := prediction.get("scores")) is not None:
            entry["scores"] = dict(zip(metadata.classes, _rounded(scores), strict=True))
        for field, _, value in of_kind(prediction, Points):
            points = torch.cat([_back(value[..., :2].cpu(), matrix), value[..., 2:].cpu()], -1)
            entry[field] = [dict(zip(metadata.keypoints, _rounded(instance), strict=True)) for instance in points]
    for _, a_map, value in of_kind(prediction, Map):
        if names := metadata.names(a_map):
            counts = torch.bincount(value.flatten().int().cpu(), minlength=len(names))
            shares = (counts / counts.sum()).tolist()
            entry["area"] = {n: round(s, 4) for n, s in zip(names, shares, strict=False) if s > 0}
    return entry


def _objects(
    prediction: Prediction, matrix: np.ndarray[Any, Any], size: tuple[int, int], metadata: DatasetMetadata
) -> list[dict[str, Any]]:
    boxes = _boxes_back(prediction["boxes"], matrix, size)
    if (found := prediction.get("labels")) is not None:
        labels, scores = found.tolist(), prediction["scores"].tolist()
    else:  # the one box of classification + localization
        labels = [int(prediction["label"])] * len(boxes)
        scores = [float(prediction["scores"].max())] * len(boxes)
    entries: list[dict[str, Any]] = [
        {
            "category": metadata.classes[label],
            "category_id": label,
            "bbox": _rounded(_xywh(box)),
            "score": round(score, 5),
        }
        for box, label, score in zip(boxes, labels, scores, strict=True)
    ]
    for entry, mask in zip(entries, prediction.get("masks", ()), strict=False):
        entry["segmentation"] = _run_lengths(map_back(mask, matrix, size) == 1)
    for entry, keypoints in zip(entries, prediction.get("keypoints", ()), strict=False):
        points = torch.cat([_back(keypoints[:, :2].cpu(), matrix) - 0.5, keypoints[:, 2:].cpu()], 1)
        entry["keypoints"] = _rounded(points.flatten())
    return entries


def _run_lengths(mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    """COCO's compressed run-length code of a mask (H, W), as JSON holds it."""
    code: dict[str, Any] = rle.encode(np.asfortranarray(mask, np.uint8))
    return {"size": code["size"], "counts": code["counts"].decode("ascii")}


def map_back(values: Tensor, matrix: np.ndarray[Any, Any], size: tuple[int, int], fill: float = IGNORE) -> np.ndarray[Any, Any]:
    """A map of the resized image as (H, W) of the original one, in its dtype; ``fill`` where that was cropped away."""
    centres = matrix.copy()
    # OpenCV counts from the centre of the first pixel, a scene from its corner.
    centres[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(values.cpu().numpy(), centres, size[::-1], flags=flags, borderValue=(fill,))
    return cast("np.ndarray[Any, Any]", warped)


def _boxes_back(boxes: Tensor, matrix: np.ndarray[Any, Any], size: tuple[int, int]) -> Tensor:
    """Boxes (N, 4) of the resized image in pixels of the original one, of ``size`` (H, W), and inside it."""
    corners = _back(boxes.cpu().reshape(-1, 2, 2), matrix)
    return corners.clamp(torch.zeros(2), torch.tensor(size[::-1])).reshape(-1, 4)


def _xywh(box: Tensor) -> Tensor:
    return torch.cat([box[:2], box[2:] - box[:2]])


def _back(points: Tensor, matrix: np.ndarray[Any, Any]) -> Tensor:
    """Points (..., 2) of the resized image in pixels of the original one."""
    scale = torch.tensor([matrix[0, 0], matrix[1, 1]], dtype=torch.float32)
    offset = torch.tensor([matrix[0, 2], matrix[1, 2]], dtype=torch.float32)
    return (points.float() - offset) / scale


def _rounded(values: Tensor) -> Any:
    return np.round(values.cpu().double().numpy(), 4).tolist()
