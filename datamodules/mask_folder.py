"""Images and their masks, in folders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .base import DataModule, Size, Split
from .files import SceneFiles, below, existing
from .images import read_image
from .mask_pairs import LAYOUT, MaskedImage, pairs_below
from .mask_values import MaskValues, check_ignored, given, guessed, listed_in
from .own_splits import with_held_out, written_name
from .scene import DatasetMetadata, Scene, SceneError


class MaskFolder(DataModule):
    """Photographs in one folder and a mask of each in another, or beside it.

    ``images/`` and ``masks/`` (or ``labels/``, ``annotations/``, ``gt/``, ``SegmentationClass/`` …) lie above or in ``train/``
    and ``val/``, or alone; ``trainannot/`` and ``x_mask.png`` are understood too. A mask has its image's name. A split that is
    not there is held out of the training images.

    A mask is a palette or grayscale image of values, or of colours. Which value is which class says ``classes``, with
    ``values`` where they are not 0, 1, 2 …; or a file of the folder: Roboflow's ``_classes.csv``, CVAT's ``labelmap.txt``, a
    ``class_dict.csv`` (name, r, g, b) or ``classes.txt``. Where nothing does, the masks are looked at and the classes are
    called by their values, which is said. 255 is ignore, where it is no class's value. Any other value stops.

    Args:
        root: the folder.
        classes: names of the classes.
        values: of each class, the value (``[0, 255]``) or colour (``[[0, 0, 0], [128, 0, 0]]``) of its pixels.
        images: the folder of the images below ``root``, where it has another name.
        masks: the folder of the masks below ``root``, where it has another name.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"mask"})

    def __init__(
        self,
        root: str,
        *,
        classes: list[str] | None = None,
        values: list[int | list[int]] | None = None,
        images: str | None = None,
        masks: str | None = None,
        image_size: Size = 256,
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.classes, self.values, self.images, self.masks = Path(root), classes, values, images, masks
        given(classes, values)
        self._checked: list[MaskValues] = []

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(
            name=self.root.resolve().name, image_size=self.image_size, mask_classes=self._mask_values.classes
        )

    @property
    def _mask_values(self) -> MaskValues:
        said = given(self.classes, self.values) or self._found
        if said not in self._checked:
            check_ignored(self.root, self._names_of_masks, said)
            self._checked.append(said)
        return said

    @cached_property
    def _found(self) -> MaskValues:
        if listed := listed_in(existing(self.root, LAYOUT)):
            return listed
        found = guessed(self.root, self._names_of_masks)
        self.remark(
            f"MaskFolder {self.root}: nothing names the classes; by {found.said_by} they are {', '.join(found.classes)}: "
            "--data.classes names them"
        )
        return found

    @property
    def _names_of_masks(self) -> list[str]:
        return [item.mask for items in self._splits.values() for item in items if item.mask]

    @cached_property
    def _splits(self) -> dict[Split, list[MaskedImage]]:
        pairs = pairs_below(existing(self.root, LAYOUT), self.images, self.masks)
        return with_held_out(f"MaskFolder {self.root}", pairs, lambda item: written_name(item.image), self.remark)

    def scenes(self, split: Split) -> SceneFiles[MaskedImage]:
        return SceneFiles(self._splits[split], MaskReader(self.root, self._mask_values).scene)


@dataclass(frozen=True)
class MaskReader:
    """Reads an image and its mask."""

    root: Path
    values: MaskValues

    def scene(self, item: MaskedImage) -> Scene:
        if not item.mask:
            raise SceneError(f"{below(self.root, item.image, self.root)}: no mask of its name")
        return {
            "image": read_image(below(self.root, item.image, self.root)),
            "mask": self.values.read(below(self.root, item.mask, self.root)),
            "name": item.image,
        }
