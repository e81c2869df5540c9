"""YOLO's own layout of one's own data: a text file an image, with a line for each object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch

from .base import DataModule, Size, Split
from .files import SceneFiles, below, read_text
from .images import read_image
from .own_objects import scene_of
from .own_splits import with_held_out, written_name
from .scene import DatasetMetadata, InputError, Scene, SceneError
from .yolo_labels import LineFormat, read_lines
from .yolo_layout import LAYOUT, YoloLayout, label_file, yolo_layout


class YOLO(DataModule):
    """Data in the layout of YOLO's authors, as Ultralytics, Roboflow, CVAT, Label Studio and labelImg write it.

    ``data.yaml`` names the classes and the folder (or list of images) of each split; where there is none, ``classes.txt`` or
    ``obj.names`` does, and folders called train, val or valid and test are splits. A label file lies below ``labels/``
    where its image lies below ``images/``, or beside its image. A line is a class and a box (centre, width, height) or an
    outline (x, y, x, y …), all in fractions of the image's size. An image without a label file has no objects, but where
    not a single one of a split has one, that is a mistake.

    A split that is not there, and one that is trained on as well, is held out of the training images (``own_splits``).
    ``masks`` are asked for by instance segmentation alone: a line with nothing but a box is then named. ``label`` is the
    class of the largest object; where it is asked for, images without an object are left out.

    (No library reads it: docs/own_data.md says why.)

    Args:
        root: the folder of ``data.yaml``.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.

    Raises:
        InputError: ``data.yaml`` or the folders are not as described; the message names file and key.
    """

    provides = frozenset({"label", "labels", "boxes", "masks", "area"})

    def __init__(self, root: str, *, image_size: Size = 320, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root = Path(root)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name=self.root.resolve().name, image_size=self.image_size, classes=self._layout.names)

    @cached_property
    def _layout(self) -> YoloLayout:
        return yolo_layout(self.root)

    @cached_property
    def _splits(self) -> dict[Split, list[str]]:
        for text in self._layout.remarks:
            self.remark(text)
        return with_held_out(f"{type(self).__name__} {self.root}", self._layout.splits, written_name, self.remark)

    def _form(self) -> LineFormat:
        return LineFormat(self._layout.numbers, self._layout.keypoints, self._layout.dimensions)

    def scenes(self, split: Split) -> SceneFiles[str]:
        """The images of a split, each by its path below ``root``."""
        names = self._splits[split]
        if names and not any(label_file(self.root, name).exists() for name in names):
            where = label_file(self.root, names[0])
            raise InputError(
                f"{self.root}: none of the {len(names)} images of {split} has a label file, such as {where}: {LAYOUT}"
            )
        if "label" in self.fields:
            names = [name for name in names if _has_lines(label_file(self.root, name))]
        reader = YoloReader(self.root, self._form(), self.fields, self.invalid)
        return SceneFiles(names, reader.scene)


def _has_lines(path: Path) -> bool:
    """Whether a label file says anything; a line break takes two bytes at most."""
    try:
        return path.stat().st_size > 2
    except OSError:
        return False


class YOLOPose(YOLO):
    """YOLO's layout with keypoints, which ``kpt_shape`` in ``data.yaml`` counts; see :class:`YOLO`.

    ``flip_idx`` says which keypoints a mirror exchanges. Where it is not there no pair is known, and a flip among the
    transforms leaves left and right as they were. Keypoints are called by ``kpt_names``, or by numbers, and have no skeleton.
    """

    provides = (YOLO.provides - {"masks"}) | {"keypoints"}

    @property
    def metadata(self) -> DatasetMetadata:
        layout = self._layout
        if not layout.keypoints:
            raise InputError(f"{layout.file}: no kpt_shape: the number of keypoints expected, kpt_shape: [17, 3]")
        pairs = tuple((i, other) for i, other in enumerate(layout.flip) if i < other)
        return DatasetMetadata(
            name=self.root.resolve().name,
            image_size=self.image_size,
            classes=layout.names,
            keypoints=layout.named,
            flip_pairs=pairs,
        )


@dataclass(frozen=True)
class YoloReader:
    """Reads an image and its label file."""

    root: Path
    form: LineFormat
    fields: frozenset[str]
    invalid: Literal["error", "skip"]

    def scene(self, name: str) -> Scene:
        image = read_image(below(self.root, name, self.root))
        path = label_file(self.root, name)
        try:
            text = read_text(path, LAYOUT) if path.exists() else ""
        except InputError as error:
            raise SceneError(error) from None
        found = read_lines(text, self.form, *image.shape[1:])
        scene = scene_of(image, name, path, found, self.fields, self.invalid)
        if "keypoints" in self.fields and not len(scene["boxes"]):
            scene["keypoints"] = torch.zeros((0, self.form.keypoints, 3))
        return scene
