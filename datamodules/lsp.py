"""Leeds Sports Pose: one person an image, with fourteen keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .base import DataModule, Size, Split
from .files import SceneFiles, content, existing, split_of
from .images import list_images, read_image
from .matlab import read_matlab_array
from .scene import DatasetMetadata, InputError, Scene, quoted

KEYPOINTS = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    *("neck", "head_top"),
)
"""In the order of the data set; left and right are the person's own."""

SKELETON = (
    *((0, 1), (1, 2), (2, 8), (2, 3), (3, 9), (3, 4), (4, 5)),  # legs and torso
    *((6, 7), (7, 8), (8, 12), (12, 9), (9, 10), (10, 11), (12, 13)),  # arms, neck and head
)
FLIP_PAIRS = ((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9))


_LAYOUT = "joints.mat and images/im*.jpg, as sam.johnson.io/research/lsp.html has them"


class LSP(DataModule):
    """Leeds Sports Pose (Johnson and Everingham 2010) or its extended training set (2011), told apart by their shape.

    The original, keypoints (3, 14, 2000): its first half is for training, less a tenth of it by a hash of the name for
    validation, and its second half is the test. The third row is 1 where a keypoint is hidden (the page calls it
    "visibility", but converters that compared it with the images agree on the reverse: hmr's lsp_to_tfrecords.py,
    pytorch-pose's gen_lsp.m); all keypoints are labelled. The extended set, keypoints (14, 3, 10000): the third column is 1
    where a keypoint is labelled. It has no official split, and is split 80/10/10 by a hash of the name.

    MATLAB counts pixels' centres from 1, so half a pixel is subtracted.

    Args:
        root: the folder of ``joints.mat`` and ``images/im*.jpg``.
        image_size: side of the square images of a batch, or (H, W).
        person: None keeps the whole photograph. A number cuts out the person: the square about the tight box of the labelled
            keypoints, its side so many times that box's longer one, black where it leaves the photograph. The box comes from
            the annotation, in evaluation too, where DeepPose (section 3.2) takes a detector's; coordinates are the cut-out's.
        options: those of :class:`DataModule`.
    """

    provides = frozenset({"keypoints"})

    def __init__(self, root: str = "data/lsp", *, image_size: Size = 128, person: float | None = None, **options: Any) -> None:
        super().__init__(image_size=image_size, **options)
        self.root, self.person = Path(root), person
        if person is not None and person < 1:
            raise InputError(f"LSP: data.person is {person:g}; the cut-out must be at least as large as the person: 1 or more")

    @property
    def metadata(self) -> DatasetMetadata:
        return DatasetMetadata(
            name="LSP", image_size=self.image_size, keypoints=KEYPOINTS, skeleton=SKELETON, flip_pairs=FLIP_PAIRS
        )

    def scenes(self, split: Split) -> SceneFiles[tuple[Path, Tensor]]:
        path = existing(self.root / "joints.mat", _LAYOUT)
        images = list_images(existing(self.root / "images", _LAYOUT))
        keypoints, original = read_keypoints(path)
        if len(images) != len(keypoints):
            raise InputError(f"{path} has {len(keypoints)} people, {self.root / 'images'} has {len(images)} images")
        splits = [split_of(image.name) for image in images]
        if original:
            half = len(images) // 2
            splits = [("train" if s == "test" else s) if i < half else "test" for i, s in enumerate(splits)]
        return SceneFiles([(p, k) for p, k, s in zip(images, keypoints, splits, strict=True) if s == split], self._read)

    def _read(self, item: tuple[Path, Tensor]) -> Scene:
        path, keypoints = item
        image = read_image(path)
        if self.person is not None:
            image, keypoints = cut_out(image, keypoints, self.person)
        return {"image": image, "keypoints": keypoints[None], "name": f"images/{path.name}"}


LARGEST_ARRAY = 14 * 3 * 1_000_000
"""Numbers: a million people; the extended set has 10,000."""


def read_keypoints(path: Path) -> tuple[Tensor, bool]:
    """The keypoints of N people, float32 (N, 14, 3) as in :class:`Scene`, and whether the file is the original set's.

    Raises:
        InputError: the file is not MATLAB's, or holds no keypoints of either shape.
    """
    try:
        with np.errstate(over="ignore"):  # what is infinite is said of its instance
            values = read_matlab_array(content(path, _LAYOUT), "joints", LARGEST_ARRAY).astype(np.float32)
    except ValueError as error:
        why = quoted(str(error), 200)
        raise InputError(f"{path}: expected a MATLAB file with an array 'joints' of numbers ({why})") from None
    original = values.ndim == 3 and values.shape[:2] == (3, 14)
    if not original and (values.ndim != 3 or values.shape[:2] != (14, 3)):
        raise InputError(f"{path}: keypoints are {values.shape}, expected (3, 14, N) or (14, 3, N)")
    keypoints = torch.from_numpy(values.transpose(2, 1, 0) if original else values.transpose(2, 0, 1)).contiguous()
    flag = keypoints[..., 2]
    keypoints[..., 2] = 2 - flag if original else 2 * flag
    keypoints[..., :2] -= 0.5
    keypoints[keypoints[..., 2] == 0] = 0
    return keypoints, original


def cut_out(image: Tensor, keypoints: Tensor, times: float) -> tuple[Tensor, Tensor]:
    """The square of an image (3, H, W) about a person, and the keypoints (K, 3) in its pixels.

    Its side is ``times`` the longer side of the tight box of the labelled keypoints, rounded to whole pixels, and at least
    one; where it leaves the image it is black. An image in which no keypoint is labelled stays as it is.
    """
    labelled = keypoints[:, 2] > 0
    if not bool(labelled.any()):
        return image, keypoints
    low, high = keypoints[labelled, :2].amin(0), keypoints[labelled, :2].amax(0)
    side = max(1, round(times * float((high - low).max())))
    x, y = ((low + high - side) / 2).round().int().tolist()
    square = image.new_zeros(3, side, side)
    (x1, x2), (y1, y2) = ((max(at, 0), min(at + side, end)) for at, end in ((x, image.shape[2]), (y, image.shape[1])))
    square[:, y1 - y : y2 - y, x1 - x : x2 - x] = image[:, y1:y2, x1:x2]
    moved = keypoints.clone()
    moved[labelled, :2] -= torch.tensor([x, y])
    return square, moved
