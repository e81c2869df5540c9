"""What ``lectern predict`` writes: a picture for each image, and one JSON."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from faster_coco_eval.core import mask as rle
from torch import Tensor

from datamodules.base import DataModule
from datamodules.kinds import Boxes, Map, Masks, Points, Regions, Scalar
from datamodules.resizing import resize_matrix
from datamodules.scene import IGNORE, DatasetMetadata, declared, of_kind
from experiments.runs.writing import plain_values, written_whole
from lightning_modules.distributed import gather_objects

from .drawing import LARGEST_JPEG, draw, write_picture
from .found import draw_found
from .legend import MIN_SCORE, worth_drawing
from .map_files import write_map
from .output_names import OutputPlaces
from .output_names import place_of as place_of


class PredictionWriter(pl.Callback):
    """Writes ``predictions/<image>.jpg`` and ``predictions/predictions.json`` into the run's folder (see :func:`place_of`).

    A picture is the image as it lies on disk, with what was predicted drawn over it. The JSON is a list with one entry an
    image, a line each, sorted by file: its file, size, and what was predicted, with coordinates in pixels of the image as it
    lies on disk. A map of classes is a PNG of class indices of that size (:func:`write_map`), and ``<field>_classes`` names
    those that occur; a map of a quantity is a NumPy array. A predicted image is a PNG of that size, and the picture shows it
    beside the original. Objects are entries as COCO's result format has them: ``bbox`` (x, y, width, height) and, where they
    are predicted, ``segmentation`` (a run-length code), ``keypoints`` (x, y, confidence of each keypoint; counted, as COCO's
    are, from the centre of the first pixel and not from its corner), ``parts`` (a ``bbox`` of each part) and ``caption``.

    Images come with the batch (``DataModule.originals``), and entries are kept on disk until the end: however many images
    there are, the memory holds those of the batches that are under way.

    Args:
        folder: the run's.
        pictures: whether pictures are drawn.
        min_score: objects of a lower score are not drawn; the JSON has them.
    """

    def __init__(self, folder: Path, pictures: bool = True, min_score: float = MIN_SCORE) -> None:
        self.folder, self.pictures, self.min_score = folder / "predictions", pictures, min_score
        self._entries: SortedLines | None = None
        self._places = OutputPlaces(self.folder)

    def on_predict_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Any, *args: Any) -> None:
        if outputs is None:
            return
        data = cast(DataModule, trainer.datamodule)  # type: ignore[attr-defined]
        if self._entries is None:
            self._entries, self._places = (
                SortedLines(self.folder),
                OutputPlaces(self.folder, getattr(trainer, "world_size", 1) > 1),
            )
        for i, prediction in enumerate(outputs):
            name, size = batch["name"][i], batch["size"][i]
            place = self._places.place(name, int(batch["index"][i]))
            matrix = resize_matrix(size, data.image_size, data.resize_mode)
            maps = {field: value for field, _, value in of_kind(prediction, Map)}
            shown = on_disk(worth_drawing(prediction, self.min_score) if self.pictures else maps, matrix, size)
            (self.folder / place).parent.mkdir(parents=True, exist_ok=True)
            entry: dict[str, Any] = {"file": name, "size": list(size)}
            if self.pictures:
                entry["picture"] = self._draw(batch["original"][i], shown, place, pl_module.metadata)
            if (image := prediction.get("image")) is not None:
                path = self.folder / f"{place}_image.png"
                write_picture(image_back(image, matrix, size), path)
                entry["image"] = path.relative_to(self.folder).as_posix()
            for field, kind, value in of_kind(prediction, Map):
                names = pl_module.metadata.names(kind)
                path = write_map(self.folder / f"{place}_{field}", shown[field], names)
                entry[field] = path.relative_to(self.folder).as_posix()
                if names:
                    found = value.unique().tolist()
                    entry[f"{field}_classes"] = {str(k): names[k] for k in found if k < len(names)}
            entry |= as_json(prediction, matrix, size, pl_module.metadata)
            self._entries.add(name, json.dumps(plain_values(entry), allow_nan=False))

    def _draw(self, image: Tensor, shown: Mapping[str, Any], place: str, metadata: DatasetMetadata) -> str:
        """The picture's file, below the folder."""
        drawn = draw_found(image, shown, metadata, self.min_score)
        if "image" in shown:
            drawn = torch.cat([drawn, draw(shown["image"], {}, metadata)], dim=2)
        name = f"{place}.{'jpg' if max(drawn.shape) <= LARGEST_JPEG else 'png'}"
        write_picture(drawn, self.folder / name)
        return name

    def on_predict_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        own, self._entries = self._entries or SortedLines(self.folder), None
        others = gather_objects([] if trainer.is_global_zero else list(own))
        if trainer.is_global_zero:
            for name, line in (entry for part in others for entry in part):
                own.add(name, line)
            path = self.folder / "predictions.json"
            count = own.write(path)
            print(f"predictions  {path} ({count} images)")
        own.close()
        self._places.close()


class SortedLines:
    """Lines of text by name that wait on disk, in a file without a name, until they are written in order.

    Args:
        folder: on whose disk they wait; it is made where it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (closed by :meth:`close`)
        self._places: list[tuple[str, int, int]] = []

    def add(self, name: str, line: str) -> None:
        content = line.encode()
        self._places.append((name, self._file.tell(), len(content)))
        self._file.write(content)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Names and lines, sorted by name."""
        for name, start, length in sorted(self._places):
            self._file.seek(start)
            yield name, self._file.read(length).decode()
        self._file.seek(0, os.SEEK_END)

    def write(self, path: Path) -> int:
        """Writes a JSON list of the lines, whole or not at all; returns their number."""
        with written_whole(path) as file:
            for i, (_, line) in enumerate(self):
                file.write(f"{',' if i else '['}\n{line}")
            file.write("\n]\n" if self._places else "[]\n")
        return len(self._places)

    def close(self) -> None:
        self._file.close()


def on_disk(prediction: Mapping[str, Any], matrix: np.ndarray[Any, Any], size: tuple[int, int]) -> dict[str, Any]:
    """A prediction of the resized image in pixels of the original one, of ``size`` (H, W)."""
    moved = dict(prediction)
    if "image" in prediction:
        moved["image"] = image_back(prediction["image"], matrix, size)
    for field, kind, value in declared(prediction):
        match kind:
            case Boxes() | Regions():
                moved[field] = _boxes_back(value, matrix, size)
            case Points():
                moved[field] = _points_back(value, matrix)
            case Map():
                moved[field] = torch.from_numpy(map_back(value, matrix, size, kind.fill))
            case Masks():
                masks = [torch.from_numpy(map_back(mask, matrix, size) == 1) for mask in value]
                moved[field] = torch.stack(masks) if masks else torch.zeros(0, *size, dtype=torch.bool)
    if "parts" in prediction:  # of each object those of a deformable part model, which no data set annotates
        moved["parts"] = _parts_back(prediction["parts"], matrix)
    return moved


def as_json(
    prediction: Mapping[str, Any], matrix: np.ndarray[Any, Any], size: tuple[int, int], metadata: DatasetMetadata
) -> dict[str, Any]:
    """A prediction of the resized image as plain data, in pixels of the original image of ``size`` (H, W)."""
    entry: dict[str, Any] = {}
    for field, scalar, value in of_kind(prediction, Scalar):
        entry[field] = metadata.names(scalar)[int(value)] if scalar.classes else _rounded(value)
    if of_kind(prediction, Boxes):
        entry["objects"] = _objects(prediction, matrix, size, metadata)
    else:
        if (scores := prediction.get("scores")) is not None:
            entry["scores"] = dict(zip(metadata.classes, _rounded(scores), strict=True))
        for field, _, value in of_kind(prediction, Points):
            instances = _rounded(_points_back(value, matrix))
            entry[field] = [dict(zip(metadata.keypoints, instance, strict=True)) for instance in instances]
    for _, a_map, value in of_kind(prediction, Map):
        if names := metadata.names(a_map):
            counts = torch.bincount(value.flatten().int().cpu(), minlength=len(names))
            shares = (counts / counts.sum()).tolist()
            entry["area"] = {n: round(s, 4) for n, s in zip(names, shares, strict=False) if s > 0}
    return entry


def _objects(
    prediction: Mapping[str, Any], matrix: np.ndarray[Any, Any], size: tuple[int, int], metadata: DatasetMetadata
) -> list[dict[str, Any]]:
    boxes = _boxes_back(prediction["boxes"], matrix, size)
    captions = prediction.get("captions")
    if (found := prediction.get("labels")) is not None or captions is not None:
        labels, scores = [] if found is None else found.tolist(), prediction["scores"].tolist()
    else:  # the one box of classification + localization
        labels = [int(prediction["label"])] * len(boxes)
        scores = [float(prediction["scores"].max())] * len(boxes)
    xywh = _rounded(torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1))
    entries: list[dict[str, Any]] = [{"bbox": box, "score": round(score, 5)} for box, score in zip(xywh, scores, strict=True)]
    for entry, label in zip(entries, labels, strict=False):
        entry |= {"category": metadata.classes[label], "category_id": label}
    for entry, caption in zip(entries, captions or (), strict=False):
        entry["caption"] = caption
    # Masks one by one: a hundred of them, of a photograph's size, would fill the memory.
    for entry, mask in zip(entries, prediction.get("masks", ()), strict=False):
        entry["segmentation"] = _run_lengths(map_back(mask, matrix, size) == 1)
    if (keypoints := prediction.get("keypoints")) is not None:
        rows = _rounded((_points_back(keypoints, matrix) - torch.tensor([0.5, 0.5, 0])).flatten(1))
        for entry, row in zip(entries, rows, strict=False):
            entry["keypoints"] = row
    if (parts := prediction.get("parts")) is not None and parts.shape[1]:
        corners = _parts_back(parts, matrix)
        xywh = _rounded(torch.cat([corners[..., :2], corners[..., 2:] - corners[..., :2]], -1))
        for entry, own in zip(entries, xywh, strict=False):
            entry["parts"] = own
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


def image_back(image: Tensor, matrix: np.ndarray[Any, Any], size: tuple[int, int]) -> Tensor:
    """A resized image, uint8 (3, h, w), as (3, H, W) of the original one, interpolated; black where that was cropped away."""
    centres = matrix.copy()
    centres[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5  # as in :func:`map_back`
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = np.ascontiguousarray(image.cpu().permute(1, 2, 0).numpy())
    warped = cv2.warpAffine(pixels, centres, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    seen = map_back(torch.ones(image.shape[1:], dtype=torch.uint8), matrix, size, fill=0)
    return torch.from_numpy(warped * seen[..., None]).permute(2, 0, 1)


def _boxes_back(boxes: Tensor, matrix: np.ndarray[Any, Any], size: tuple[int, int]) -> Tensor:
    """Boxes (N, 4) of the resized image in pixels of the original one, of ``size`` (H, W), and inside it."""
    corners = _back(boxes.cpu().reshape(-1, 2, 2), matrix)
    return corners.clamp(torch.zeros(2), torch.tensor(size[::-1])).reshape(-1, 4)


def _parts_back(parts: Tensor, matrix: np.ndarray[Any, Any]) -> Tensor:
    """Boxes of parts (N, P, 4) of the resized image in pixels of the original one; they may reach beyond it."""
    return _back(parts.cpu().unflatten(-1, (2, 2)), matrix).flatten(-2)


def _points_back(points: Tensor, matrix: np.ndarray[Any, Any]) -> Tensor:
    """Points (N, K, 2 or 3) of the resized image in pixels of the original one; what else is said of each stays."""
    return torch.cat([_back(points[..., :2].cpu(), matrix), points[..., 2:].cpu()], -1)


def _back(points: Tensor, matrix: np.ndarray[Any, Any]) -> Tensor:
    """Points (..., 2) of the resized image in pixels of the original one."""
    scale = torch.tensor([matrix[0, 0], matrix[1, 1]], dtype=torch.float32)
    offset = torch.tensor([matrix[0, 2], matrix[1, 2]], dtype=torch.float32)
    return (points.float() - offset) / scale


def _rounded(values: Tensor) -> Any:
    return np.round(values.cpu().double().numpy(), 4).tolist()
