"""Augmentation of a whole scene.

The only file that knows albumentations: 2.0.8 is its last MIT release and is no longer maintained, so it
must stay easy to replace. ``torchvision.transforms.v2`` (``v2_transforms.py``) may stand in its place, or beside it.
"""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Sequence
from copy import deepcopy
from itertools import groupby
from typing import Any, TypeAlias, cast

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for a newer version at import

import albumentations
import numpy as np
import torch
from albumentations import BaseCompose, BasicTransform
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2

from .kinds import Boxes, Kind, Map, Masks, Points, Regions, Texts
from .layout import to_chw, to_hwc
from .moving import INSIDE, LEAST_SIDE, PROBE, Moving, keypoints_moved, with_objects_left
from .phrases import check_colors, is_cut, mirrored, true_phrases
from .resizing import ResizeMode, resize_scene
from .scene import IGNORE, InputError, Scene, SceneError, declared, keep_objects, of_kind
from .v2_transforms import V2Run

Transform: TypeAlias = BasicTransform | BaseCompose | v2.Transform
"""One entry of a data module's ``augment`` list."""

_TARGETS: dict[type[Kind], str] = {Map: "mask", Masks: "masks", Regions: "bboxes"}
"""What albumentations calls the fields of a kind; the objects' boxes, and points, it knows by names of its own."""


class SceneTransform:
    """Applies a list of transforms (albumentations', torchvision's or both), then the resizing, to a scene's every field.

    A call's randomness comes from its ``seed`` alone, not from what was transformed before. Objects that leave the
    image, or of which less than half a pixel is left, are left out of every object field, and such proposals too; keypoints
    that leave it become unlabelled; a mirrored instance has its left and right keypoints exchanged, by the pairs
    ``flip_pairs``, whichever transform mirrored it. Where they are None nobody knows them, and mirroring keypoints is refused.
    Where a transform shows what lies outside the image, a map has its fill. Maps and masks are sampled (nearest pixel) and not
    blended. Texts stay true (:mod:`datamodules.phrases`): a mirror exchanges their left and right, a crop or a rotation leaves
    "" of those that name a place, a size or a neighbour, and what changes colours is refused where a text names one.

    Keypoints are exact to rounding under flips, rotations, affine maps and crops. albumentations' own resizing
    (RandomResizedCrop, RandomScale) by a factor s moves them by (s - 1) / 2 pixels; ours, the last step, does not.

    Flips, crops and affine maps move 2,000 proposals in a millisecond or two. Distortions (ElasticTransform and its like)
    draw a mask of every box: for 2,000 in an image of 500 pixels that takes seconds and a gigabyte.
    """

    def __init__(
        self,
        augment: Sequence[Transform],
        image_size: tuple[int, int],
        resize_mode: ResizeMode,
        flip_pairs: Sequence[tuple[int, int]] | None = (),
        annotated_areas: bool = False,
    ) -> None:
        self.image_size, self.resize_mode, self.annotated_areas = image_size, resize_mode, annotated_areas
        self.augment = deepcopy(list(augment))  # each has the generator of its list, and may stand in another one too
        self._runs: list[AlbumentationsRun | V2Run] = [
            V2Run(list(run), flip_pairs) if of_torchvision else AlbumentationsRun(list(run), flip_pairs)
            for of_torchvision, run in groupby(self.augment, lambda transform: isinstance(transform, v2.Transform))
        ]
        """Each library's transforms that stand in a row."""

    def __call__(self, scene: Scene, seed: tuple[int, ...]) -> Scene:
        """The transformed scene; ``seed`` is, for example, (seed of the run, epoch, index)."""
        for place, run in enumerate(self._runs):
            scene = run(scene, (*seed, place) if place else seed)
        if self.resize_mode == "crop" and is_cut(tuple(scene["image"].shape[1:]), self.image_size):  # type: ignore[arg-type]
            scene = cast(Scene, {**scene, **{field: true_phrases(texts, None) for field, _, texts in of_kind(scene, Texts)}})
        return resize_scene(scene, self.image_size, self.resize_mode, annotated_areas=self.annotated_areas)


class AlbumentationsRun:
    """Transforms of albumentations in a row, applied to every field of a scene together: see :class:`SceneTransform`."""

    def __init__(self, transforms: Sequence[Any], flip_pairs: Sequence[tuple[int, int]] | None) -> None:
        self.augment, self.flip_pairs = list(transforms), flip_pairs
        for transform in self.augment:
            _ignore_outside(transform)
        # One pair of generators, reseeded in place: making new ones costs several times as much.
        self._bits = np.random.PCG64()
        self._python_random = random.Random()
        self._compose: albumentations.Compose | None = None
        self._fields: list[str] = []

    def __call__(self, scene: Scene, seed: tuple[int, ...]) -> Scene:
        """The transformed scene.

        Raises:
            SceneError: a transform cannot do this scene.
            InputError: the transforms do what no scene can be used after, or mirror keypoints of which nobody knows the pairs.
        """
        scene = _that_albumentations_takes(scene)
        moving = [entry for entry in declared(scene) if entry[1].moves]
        packed = _pack(scene["image"], moving)
        texts = of_kind(scene, Texts)
        if texts and "keypoints" not in packed:
            packed |= _points_of(scene["image"], np.zeros((0, 2), np.float32))
        for _, _, phrases in texts:
            check_colors(phrases, self.augment)
        compose = self._composed(moving, tracked="keypoints" in packed)
        sequence = np.random.SeedSequence(seed)
        self._bits.state = np.random.PCG64(sequence).state
        self._python_random.seed(int(sequence.generate_state(1)[0]))
        try:
            packed = compose(**packed)
        except Exception as error:  # a crop that is larger than the image, for one
            raise SceneError(f"{scene.get('name', 'a scene')}: data.augment: {error}") from error
        return self._unpack(_with_texts(scene, packed), moving, packed)

    def _composed(self, moving: Moving, tracked: bool) -> albumentations.Compose:
        """The list as one transform of what the scene has; boxes and points cost time even where there are none.

        The scenes of a data set have the same fields, so it is made once.
        """
        fields = [*(field for field, _, _ in moving), *["keypoints"] * tracked]
        if self._compose is None or self._fields != fields:
            self._fields, kinds = fields, {type(kind) for _, kind, _ in moving}
            targets = {field: _TARGETS[type(kind)] for field, kind, _ in moving if type(kind) in _TARGETS}
            if any(kind.fill != IGNORE for _, kind, _ in moving if isinstance(kind, Map)):
                targets[INSIDE] = "mask"
            box = albumentations.BboxParams("pascal_voc", min_width=LEAST_SIDE, min_height=LEAST_SIDE, clip=True)
            point = albumentations.KeypointParams("xy", label_fields=["point"], remove_invisible=False)
            with warnings.catch_warnings():  # of lists that move no boxes
                warnings.simplefilter("ignore")
                self._compose = albumentations.Compose(
                    self.augment,
                    bbox_params=box if kinds & {Boxes, Regions} else None,
                    keypoint_params=point if tracked else None,
                    # Regions stand beside the objects, and not among them: crops that spare objects need not spare them.
                    additional_targets={field: target for field, target in targets.items() if field != target},
                )
            self._compose.set_random_state(np.random.Generator(self._bits), self._python_random)
        return self._compose

    def _unpack(self, scene: Scene, moving: Moving, packed: dict[str, Any]) -> Scene:
        image = packed["image"]
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise InputError(
                f"data.augment turned the image into {image.dtype} {image.shape}; it must stay uint8 (H, W, 3): leave out "
                "Normalize, ToFloat and ToTensorV2"
            )
        moved: dict[str, Any] = {**scene, "image": to_chw(image)}
        for field, kind, value in moving:
            match kind:
                case Map():
                    values = torch.from_numpy(np.ascontiguousarray(packed[field]))
                    if kind.fill != IGNORE:
                        values[torch.from_numpy(packed[INSIDE] != 1)] = kind.fill
                    moved[field] = values
                case Masks():
                    # What lies outside the image is 255 there too, and no part of an object.
                    moved[field] = torch.from_numpy((np.asarray(packed[field]) == 1).view(np.uint8))[: len(value)]
                case Points():
                    moved[field] = self._points(value, packed)
                case Regions():
                    moved[field] = torch.from_numpy(np.array(packed[field], np.float32))
        for field, kind, value in moving:
            if isinstance(kind, Boxes):
                return with_objects_left(moved, field, value, np.asarray(packed["bboxes"], np.float32))
        return cast(Scene, moved)

    def _points(self, keypoints: Tensor, packed: dict[str, Any]) -> Tensor:
        points = _moved_points(packed, len(PROBE) + keypoints.shape[:2].numel())
        return keypoints_moved(keypoints, points, self.flip_pairs)


def _that_albumentations_takes(scene: Scene) -> Scene:
    """The scene without objects that have no area inside the image, in its numbers: it would refuse the whole scene."""
    for _, _, boxes in of_kind(scene, Boxes):
        sides = torch.tensor(scene["image"].shape[:0:-1]).repeat(2)
        inside = (boxes / sides).clamp(0, 1)
        there = (inside[:, 2:] > inside[:, :2]).all(1)
        if not bool(there.all()):
            return keep_objects(scene, there.nonzero().flatten().tolist())
    return scene


def _pack(image: Tensor, moving: Moving) -> dict[str, Any]:
    packed: dict[str, Any] = {"image": to_hwc(image)}
    for field, kind, value in moving:
        match kind:
            case Map():
                packed[field] = value.numpy()
                if kind.fill != IGNORE:
                    packed[INSIDE] = np.ones(value.shape, np.uint8)
            case Masks():
                # Where there is no object an empty mask, since transforms that look for masks have to be given one.
                packed[field] = value.numpy() if len(value) else np.zeros((1, *image.shape[1:]), np.uint8)
            case Boxes():
                # The fifth column tells which objects are left.
                packed["bboxes"] = np.column_stack([value.numpy(), np.arange(len(value), dtype=np.float32)])
            case Regions():
                packed[field] = value.numpy()
            case Points():
                packed |= _points_of(image, value[..., :2].reshape(-1, 2).nan_to_num().numpy())
    return packed


def _points_of(image: Tensor, keypoints: NDArray[np.float32]) -> dict[str, Any]:
    """The probe and the keypoints (N, 2), as albumentations takes them."""
    points = np.concatenate([PROBE * image.shape[:0:-1], keypoints])
    # albumentations counts boxes from a pixel's corner, as we do, and points from its centre (see its hflip).
    return {"keypoints": (points - 0.5).astype(np.float32), "point": np.arange(len(points))}


def _moved_points(packed: dict[str, Any], count: int) -> NDArray[np.float32]:
    """(count, 2): where the points of :func:`_points_of` came to lie; distortions leave out those that they move off the
    image, and these are NaN."""
    points = np.full((count, 2), np.nan, np.float32)
    points[np.asarray(packed["point"], np.int64)] = np.asarray(packed["keypoints"], np.float32).reshape(-1, 2) + 0.5
    return points


def _with_texts(scene: Scene, packed: dict[str, Any]) -> Scene:
    """The scene with its texts as they are true of the image that came out."""
    if not (texts := of_kind(scene, Texts)):
        return scene
    kept = np.asarray(packed["point"], np.int64)
    count = int(kept.max(initial=len(PROBE) - 1)) + 1
    probe = _moved_points(packed, count)[: len(PROBE)] / np.array(packed["image"].shape[1::-1])
    way = mirrored(PROBE, probe)
    return cast(Scene, {**scene, **{field: true_phrases(phrases, way) for field, _, phrases in texts}})


def _ignore_outside(transform: Any) -> None:
    """Makes what a transform shows of the outside ``ignore`` in masks; albumentations makes it class 0."""
    if getattr(transform, "fill_mask", None) == 0:
        transform.fill_mask = IGNORE
    for inner in getattr(transform, "transforms", ()):
        _ignore_outside(inner)
