"""COCO's captions: five sentences about each image."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from .base import DataModule, Size, Split
from .files import SceneFiles, below, read_json, refuse_twice
from .holding_out import SHARE, checked_share, divided
from .images import read_image
from .scene import DatasetMetadata, InputError, Scene, quoted
from .visual_genome import words

_LAYOUT = "COCO's train2017/, val2017/ and annotations/captions_*.json, as cocodataset.org/#download has them"


class _Captioned(NamedTuple):
    name: str
    """Of its file, in the folder of its split."""
    captions: list[str]


class COCOCaptions(DataModule):
    """COCO's captions (Chen et al. 2015), ``annotations/captions_*.json``: ``captions`` are of the image as a whole.

    They are sentences in lower case without punctuation. The test split is ``val2017/``, and a part of ``train2017/`` is held
    out for validation.

    Args:
        root: the folder of ``train2017/``, ``val2017/`` and ``annotations/``.
        year: the year in those names.
        min_count: the vocabulary is the words that the captions of ``train2017/`` hold at least so many times.
        hold_out: share of the training images (5,000 at most) that is held out for validation; with 0 it is the test split.
        image_size: side of the square images of a batch, or (H, W).
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"captions"})

    def __init__(
        self,
        root: str = "data/coco",
        *,
        year: int = 2017,
        min_count: int = 5,
        hold_out: float = SHARE,
        image_size: Size = 224,
        **options: Any,
    ) -> None:
        super().__init__(image_size=image_size, **options)
        self.hold_out = checked_share(hold_out, "COCOCaptions")
        self.root, self.year, self.min_count = Path(root), year, min_count

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(name=f"COCO {self.year} captions", image_size=self.image_size, vocabulary=self.vocabulary)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The words of the training captions that occur at least ``min_count`` times, sorted."""
        counts = Counter(word for _, captions in self._read("train") for caption in captions for word in caption.split())
        return tuple(sorted(word for word, count in counts.items() if count >= self.min_count))

    def scenes(self, split: Split) -> SceneFiles[_Captioned]:
        read: list[Split] = []

        def listed(name: Split) -> list[_Captioned]:
            read.append(name)
            return self._read(name)

        def remark(text: str) -> None:
            self.remark(f"{self.root}: {text}")

        splits: tuple[Split, ...] = ("train", "val")
        there = [name for name in splits if self._path(name).is_file()]
        items = divided(split, there, listed, self.hold_out, remark, name=_name_of)
        name = read[-1]  # that they are of
        return SceneFiles(items, partial(_scene, self.root / f"{name}{self.year}", self._path(name)))

    def _path(self, name: str) -> Path:
        return self.root / "annotations" / f"captions_{name}{self.year}.json"

    def _read(self, name: str) -> list[_Captioned]:
        path = self._path(name)
        content = read_json(path, _LAYOUT)
        try:
            refuse_twice(f"{path}: images", "id", [image["id"] for image in content["images"]])
            captions = defaultdict(list)
            for annotation in content["annotations"]:
                captions[annotation["image_id"]].append(" ".join(words(annotation["caption"])))
            images = [_Captioned(i["file_name"], captions.pop(i["id"], [])) for i in content["images"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: not of COCO's format ({type(error).__name__}: {quoted(str(error))})") from None
        if captions:
            raise InputError(f"{path}: a caption names image_id {quoted(next(iter(captions)))}, which is not there")
        return images


def _name_of(item: _Captioned) -> str:
    return str(item.name)


def _scene(folder: Path, annotations: Path, item: _Captioned) -> Scene:
    path = below(folder, item.name, annotations)
    return {"image": read_image(path), "captions": item.captions, "name": f"{path.parent.name}/{path.name}"}
