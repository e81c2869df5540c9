"""Proposals on disk, found by what the image shows: computed once for all runs, workers and detectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .cache_folder import cache_folder
from .scene import InputError
from .temporary import beside, remove_left

_Image = NDArray[np.uint8]


class ProposalCache:
    """A folder with one small file an image and settings; deleting it, or a part of it, costs the time to search again.

    A file's name is a digest of the settings and the image's pixels: the same image finds it, whatever it is called and
    whichever data set it belongs to, and other settings do not. Processes may share the folder. A file is written beside and
    renamed, so that one that is there is whole; one that is damaged all the same is replaced.

    Args:
        folder: of the files, made with the first of them; true for ``proposals`` in :func:`cache_folder`.
        settings: all that the proposals depend on beside the image.
    """

    def __init__(self, folder: str | bool, settings: str) -> None:
        self.folder = Path(folder).expanduser() if isinstance(folder, str) else cache_folder() / "proposals"
        self.settings = settings
        self._swept: set[Path] = set()

    def get(self, image: _Image, search: Callable[[_Image], Tensor]) -> Tensor:
        """The proposals for an image (H, W, 3): those on disk, or what ``search`` gives, which is kept.

        Raises:
            InputError: the folder cannot be written.
        """
        path = self._path(image)
        # A missing file raises one error, a damaged one whatever numpy, zipfile and zlib are led to.
        with suppress(Exception):
            return _read(path)
        boxes = search(image)
        self._write(path, boxes)
        return boxes

    def _path(self, image: _Image) -> Path:
        digest = hashlib.blake2b(f"{self.settings} {image.shape} ".encode(), digest_size=16)
        digest.update(np.ascontiguousarray(image).data)
        name = digest.hexdigest()
        return self.folder / name[:2] / f"{name[2:]}.npz"  # no folder has too many files

    def _write(self, path: Path, boxes: Tensor) -> None:
        draft = beside(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent not in self._swept:  # once a process and folder: of those who were killed while they wrote
                remove_left(path.parent)
                self._swept.add(path.parent)
            with draft.open("wb") as file:
                np.savez_compressed(file, boxes=boxes.numpy())  # its checksum tells a damaged file when it is read
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise InputError(
                f"{self.folder}: proposals cannot be written ({error.strerror}); name another folder, or false, in "
                "data.proposals.init_args.cache"
            ) from error


LARGEST = 16 * 2**20
"""Bytes of the boxes of one image: a million of them."""


def _read(path: Path) -> Tensor:
    """The boxes in a file; raises something where it holds anything else than :class:`Proposer` may find."""
    if not path.is_file():  # a pipe would wait for ever
        raise FileNotFoundError(path)
    with ZipFile(path) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > LARGEST:  # before it is unpacked
            raise ValueError(path)
    with np.load(path, allow_pickle=False) as kept:
        boxes: NDArray[np.float32] = kept["boxes"]
    if boxes.dtype != np.float32 or boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(path)
    return torch.from_numpy(boxes)
