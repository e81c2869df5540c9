"""Pictures of what a network says, beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor
from torch.nn import functional as F
from torchvision.utils import draw_bounding_boxes, draw_keypoints, draw_segmentation_masks, make_grid, save_image

from datamodules.kinds import Boxes, Map, Masks, Points, Scalar
from datamodules.scene import Batch, DatasetMetadata, keep_objects, of_kind, unbind
from experiments.runs.files import PICTURES
from experiments.runs.folder import folder_of

# Okabe and Ito's colours, told apart by the colour-blind too, then variations of them.
BASE = [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167)]

SIDE = 160
"""The least side of a drawn image in pixels: smaller images are enlarged by a whole factor, so that text can be read."""


MIN_SCORE = 0.3
"""Detections of a lower score are not drawn: a detector gives up to a hundred of them."""


def colour(index: int) -> tuple[int, int, int]:
    """The RGB colour of a class."""
    r, g, b = BASE[index % len(BASE)]
    shade = 1 / (1 + index // len(BASE) * 0.4)
    return (int(r * shade), int(g * shade), int(b * shade))


def draw(image: Tensor, fields: Mapping[str, Any], metadata: DatasetMetadata, scale: Mapping[str, Any] | None = None) -> Tensor:
    """An image with whatever ``fields`` holds of a scene or a prediction drawn over it.

    Args:
        image: uint8 (3, H, W).
        fields: any of a scene's, and ``scores``, in pixels of ``image``.
        metadata: names the classes and bones.
        scale: fields whose least and greatest value are the ends of a quantity's colours: the truth's, beside a
            prediction. Those of ``fields`` themselves, where nothing else is said.

    Returns:
        uint8 (3, H', W'), enlarged by a whole factor where the image is small.
    """
    fields = worth_drawing(fields)
    factor = max(1, -(-SIDE // min(image.shape[1:])))
    canvas = _enlarge(image.cpu(), factor)
    # Lines of two pixels would be lost in a photograph of some thousand.
    pen = max(2, min(canvas.shape[1:]) // 250)
    for field, kind, value in of_kind(fields, Map):
        values = _enlarge(value.cpu(), factor)
        if kind.classes:
            canvas = _draw_classes(canvas, values, metadata.names(kind))
        else:
            canvas = _draw_quantity(canvas, values, (scale or fields).get(field, value))
    for _, _, value in of_kind(fields, Masks):
        if len(value):
            masks = _enlarge(value.cpu(), factor).bool()
            canvas = draw_segmentation_masks(canvas, masks, alpha=0.5, colors=[colour(i) for i in range(len(masks))])
    for _, _, value in of_kind(fields, Boxes):
        if len(value):
            canvas = _draw_boxes(canvas, value.cpu().float() * factor, fields, pen, metadata)
    for _, _, value in of_kind(fields, Points):
        if len(value):
            points, bones = value.cpu().float(), list(metadata.skeleton) or None
            visible = points[..., 2] > 0 if points.shape[-1] > 2 else None
            canvas = draw_keypoints(
                canvas, points[..., :2] * factor, bones, colors=BASE[4], radius=pen + 1, width=pen, visibility=visible
            )
    if (text := _scalars_text(fields, metadata)) and not of_kind(fields, Boxes) and not of_kind(fields, Map):
        canvas = _caption(canvas, text)
    return canvas


def worth_drawing(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the detected objects of too low a score. (Without boxes, scores are those of classes.)"""
    if not {"boxes", "labels", "scores"} <= fields.keys():
        return fields
    shown = [i for i, score in enumerate(fields["scores"].tolist()) if score >= MIN_SCORE]
    rows = torch.tensor(shown, dtype=torch.long, device=fields["labels"].device)
    return {**keep_objects(fields, shown), "scores": fields["scores"][rows]}


def _enlarge(image: Tensor, factor: int) -> Tensor:
    """Repeats each pixel, so that what was a pixel stays visible as one."""
    return image.repeat_interleave(factor, dim=-1).repeat_interleave(factor, dim=-2)


def _draw_quantity(canvas: Tensor, values: Tensor, scale: Tensor) -> Tensor:
    """Over the image in grey, from violet (the least value of ``scale``) to yellow (its greatest); not where it is NaN."""
    ends = scale.float().cpu()
    ends = ends[ends.isfinite()]
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)
    parts = ((values.float() - low) / max(high - low, 1e-12)).nan_to_num().clamp(0, 1)
    colours = cv2.applyColorMap((parts * 255).round().to(torch.uint8).numpy(), cv2.COLORMAP_VIRIDIS)
    over = torch.from_numpy(colours).flip(-1).permute(2, 0, 1)  # OpenCV's order of colours is BGR
    grey = canvas.float().mean(0)  # the image's own colours would be read as other values
    return (grey * 0.3 + over * 0.7).round().to(torch.uint8).where(values.isfinite(), canvas)


def _draw_classes(canvas: Tensor, mask: Tensor, classes: Sequence[str]) -> Tensor:
    shown = [c for c, name in enumerate(classes) if name != "background"]
    planes = torch.stack([mask == c for c in shown])
    return draw_segmentation_masks(canvas, planes, alpha=0.6, colors=[colour(c) for c in shown])


def _draw_boxes(canvas: Tensor, boxes: Tensor, fields: Mapping[str, Any], pen: int, metadata: DatasetMetadata) -> Tensor:
    if (found := fields.get("labels")) is None:  # the one box of classification + localization
        labels, texts = [int(fields.get("label", 0))] * len(boxes), [_scalars_text(fields, metadata)] * len(boxes)
    else:
        labels = found.tolist()
        texts = fields.get("captions") or [metadata.classes[i] for i in labels]
        if (scores := fields.get("scores")) is not None:
            texts = [f"{text} {score:.2f}" for text, score in zip(texts, scores.tolist(), strict=True)]
    # torchvision asks for x2 >= x1; a prediction may be a point.
    boxes = torch.cat([torch.minimum(boxes[:, :2], boxes[:, 2:]), torch.maximum(boxes[:, :2], boxes[:, 2:])], dim=1)
    return draw_bounding_boxes(canvas, boxes, labels=texts, colors=[colour(i) for i in labels], width=pen)


def _scalars_text(fields: Mapping[str, Any], metadata: DatasetMetadata) -> str:
    """What is said of the image as a whole: its class, with the greatest of the scores, and its quantities by name."""
    texts = []
    for field, kind, value in of_kind(fields, Scalar):
        if kind.classes:
            score = fields.get("scores")
            texts.append(metadata.names(kind)[int(value)] + (f" {float(score.max()):.2f}" if score is not None else ""))
        else:
            texts.append(f"{field} {float(value):.3g}")
    return ", ".join(texts)


def _caption(canvas: Tensor, text: str) -> Tensor:
    frame = torch.tensor([[0.0, 0.0, canvas.shape[2] - 1, canvas.shape[1] - 1]])
    return draw_bounding_boxes(canvas, frame, labels=[text], colors=[BASE[0]])


class Pictures(pl.Callback):
    """After validation, a grid of inputs with truth and prediction: into the run's ``pictures/``, and to W&B.

    Each scene is a pair, the truth on the left and the prediction on the right.

    Args:
        count: scenes in the picture, the first ones of the validation set; 0 draws none.
        every_n_epochs: between two pictures.
    """

    def __init__(self, count: int = 8, every_n_epochs: int = 1) -> None:
        self.count, self.every_n_epochs = count, every_n_epochs
        self._pairs: list[Tensor] = []

    def on_validation_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        self._collect(trainer, pl_module, outputs, batch)

    def on_test_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, batch: Batch, *args: Any) -> None:
        self._collect(trainer, pl_module, outputs, batch)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer, f"epoch_{trainer.current_epoch:04d}")

    def on_test_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer, "test")

    @rank_zero_only
    def _collect(self, trainer: pl.Trainer, task: Any, predictions: Any, batch: Batch) -> None:
        skip = trainer.sanity_checking or not trainer.logger or trainer.current_epoch % self.every_n_epochs
        if skip or predictions is None:
            return
        scenes = unbind(batch)
        for i in range(min(self.count - len(self._pairs), len(predictions))):
            truth = scenes[i]
            pair = [draw(truth["image"], fields, task.metadata, scale=truth) for fields in (truth, predictions[i])]
            self._pairs.append(F.pad(torch.cat(pair, dim=2), (2, 2, 2, 2), value=255))

    @rank_zero_only
    def _write(self, trainer: pl.Trainer, name: str) -> None:
        pairs, self._pairs = self._pairs, []
        folder = folder_of(trainer)
        if not pairs or folder is None:
            return
        grid = make_grid([p.float() / 255 for p in pairs], nrow=2, padding=2, pad_value=1)
        path = folder / PICTURES / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(grid, path)
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("pictures", [str(path)], caption=["truth | prediction"])
