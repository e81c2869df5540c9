"""A trained task that is called with pictures, from Python.

::

    predictor = Predictor.load("runs/segmentation/fcn_transpose/…/checkpoints/best.ckpt")
    found = predictor(Image.open("street.jpg"))
    predictor.picture(Image.open("street.jpg"), found).show()
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from datamodules.images import read_image
from datamodules.loading import collate
from datamodules.proposals import Proposer
from datamodules.resizing import ResizeMode, resize_matrix
from datamodules.scene import Batch, InputError, Scene
from datamodules.selective_search import SelectiveSearch
from datamodules.transforms import SceneTransform
from lightning_modules.base import Task

from .checkpoint_io import load
from .found import draw_found
from .legend import MIN_SCORE
from .predictions import on_disk
from .rebuilding import Saved, resize_mode_of, task_of

AnyImage = Image.Image | NDArray[np.uint8] | Tensor | str | Path
"""A PIL image; uint8 (H, W, 3), RGB; uint8 (3, H, W), RGB; or the path of a file."""

READ = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV"})
"""The modes of PIL that have eight bits a channel."""


class Predictor:
    """Calls a task with single pictures of any size, and gives what it finds in the picture's own pixels.

    Args:
        task: a trained one; it is put into evaluation mode, and computes where its weights are.
        resize_mode: how the training's data module made images the size of its batches.
        proposals: finds the regions of a task that needs some; selective search, unless something else is said.
    """

    def __init__(self, task: Task, *, resize_mode: ResizeMode = "stretch", proposals: Proposer | None = None) -> None:
        self.task, self.resize_mode = task.eval(), resize_mode
        self.proposals = proposals or SelectiveSearch()
        self._resize = SceneTransform((), task.metadata.image_size, resize_mode)

    @classmethod
    def load(cls, path: str | Path, *, trusted: Collection[str] = ()) -> Predictor:
        """The task that a checkpoint of ``lectern fit`` holds.

        Args:
            path: the checkpoint's. What it says is data: no function that it names is called.
            trusted: packages of your own, whose classes it may name.

        Raises:
            InputError: there is none, or ``lectern fit`` did not write it.
        """
        path = Path(path)
        content = load(path)
        return cls(task_of(content, path, trusted), resize_mode=resize_mode_of(Saved.of_content(content, path)))

    def __call__(self, picture: AnyImage) -> dict[str, Any]:
        """What the task predicts: ``label`` and ``scores``, ``mask`` (H, W), ``boxes`` (N, 4) with ``labels`` and ``scores``, …

        Names of classes are ``predictor.task.metadata.classes`` (of a mask, ``mask_classes``).

        Raises:
            InputError: it is no picture.
        """
        image = as_image(picture)
        scene: dict[str, Any] = {"image": image}
        if "proposals" in self.task.needs:
            scene["proposals"] = self.proposals(image)
        size = image.shape[1], image.shape[2]
        resized = {**self._resize(cast(Scene, scene), ()), "index": 0, "name": "picture", "size": size}
        batch = cast(Batch, collate([cast(Scene, resized)]))
        with torch.inference_mode():
            batch = self.task.transfer_batch_to_device(batch, self.task.device, 0)
            (found,) = self.task.predict(self.task.respond(batch))
        return on_disk(found, resize_matrix(size, self.task.metadata.image_size, self.resize_mode), size)

    def picture(self, picture: AnyImage, found: Mapping[str, Any], min_score: float = MIN_SCORE) -> Image.Image:
        """The picture with what was found drawn over it; objects of a lower score than ``min_score`` are left out."""
        drawn = draw_found(as_image(picture), found, self.task.metadata, min_score)
        return Image.fromarray(np.ascontiguousarray(drawn.permute(1, 2, 0).numpy()))


def as_image(picture: AnyImage) -> Tensor:
    """A picture as scenes hold it, uint8 (3, H, W), RGB, the right way up.

    Raises:
        InputError: it has another shape, or more than eight bits a channel (whose range only its file says).
    """
    if isinstance(picture, str | Path):
        return read_image(Path(picture))
    if isinstance(picture, Image.Image):
        if picture.mode not in READ:
            raise InputError(
                f"a picture of PIL's mode {picture.mode}: eight bits a channel expected; give the path of its file"
            )
        picture = ImageOps.exif_transpose(picture)
        if picture.has_transparency_data:  # on white, as a file's
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, (255, 255, 255, 255)), picture)
        return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).contiguous()
    image = picture.permute(1, 2, 0) if isinstance(picture, Tensor) and picture.ndim == 3 else torch.as_tensor(picture)
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.numel():
        kind = "a tensor (3, H, W)" if isinstance(picture, Tensor) else "an array (H, W, 3)"
        raise InputError(f"a picture of shape {tuple(picture.shape)} and type {picture.dtype}: {kind} of uint8 expected, RGB")
    return image.permute(2, 0, 1).contiguous()
