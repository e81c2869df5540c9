"""Images without annotation, to predict on."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from .base import DataModule, Split
from .files import SceneFiles, existing
from .images import list_images, read_image
from .scene import DatasetMetadata, InputError, Scene


class ImageFiles(DataModule):
    """All images below a folder, or one file, of any sizes and without annotation.

    Args:
        root: the folder or the file.
        metadata: that of the data set on which a checkpoint was trained, as :meth:`DatasetMetadata.as_dict` has it.
        batch_size: few, as a batch has its images as they lie on disk too, where pictures are drawn: 8 of 12 megapixels
            are 0.3 GiB.
        workers: one reads while the process predicts.
        options: those of :class:`DataModule`, except ``image_size``, which the metadata knows.
    """

    def __init__(self, root: str, metadata: dict[str, Any], *, batch_size: int = 8, workers: int = 1, **options: Any) -> None:
        self.trained_on = DatasetMetadata.from_dict(metadata)
        super().__init__(image_size=self.trained_on.image_size, batch_size=batch_size, workers=workers, **options)
        self.root = Path(root)

    @property
    def metadata(self) -> DatasetMetadata:
        return self.trained_on

    def scenes(self, split: Split) -> SceneFiles[Path]:
        """The images, sorted by path; only ``test``, which prediction reads, is a split of theirs."""
        if split != "test":
            raise InputError(f"ImageFiles has no annotation to train or validate on ({split} asked for)")
        existing(self.root, "an image or a folder of images")
        paths = [self.root] if self.root.is_file() else list_images(self.root)
        if not paths:
            raise InputError(f"{self.root} holds no images (.jpg, .png, .tif …)")
        return SceneFiles(paths, partial(_read, self.root.parent if self.root.is_file() else self.root))


def _read(root: Path, path: Path) -> Scene:
    return {"image": read_image(path), "name": path.relative_to(root).as_posix()}
