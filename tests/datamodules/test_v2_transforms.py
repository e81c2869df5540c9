"""torchvision's transforms in ``augment``: every field of a scene together, and the randomness of a seed alone."""

from __future__ import annotations

import pickle
from typing import Any

import albumentations as A
import pytest
import torch
from hypothesis import given, settings
from torchvision.transforms import v2

from datamodules.checking import problems
from datamodules.scene import IGNORE, InputError, Scene
from datamodules.transforms import SceneTransform, Transform
from tests.support.random_scenes import METADATA, OBJECT_FIELDS, PAIRS, counts, random_scene, same, seeds, sizes

NO_PHRASES = tuple(field for field in OBJECT_FIELDS if field != "captions")
FLIPS: list[tuple[Transform, Transform]] = [
    (v2.RandomHorizontalFlip(p=1), A.HorizontalFlip(p=1)),
    (v2.RandomVerticalFlip(p=1), A.VerticalFlip(p=1)),
]


@pytest.mark.parametrize(("torchvisions", "albumentations"), FLIPS, ids=["horizontal", "vertical"])
@given(sizes, counts, seeds)
@settings(deadline=None, max_examples=25)
def test_a_flip_is_albumentations_flip(
    torchvisions: Transform, albumentations: Transform, size: tuple[int, int], count: int, seed: int
) -> None:
    """Of image, mask, boxes, masks and keypoints, whose left and right are exchanged."""
    scene = random_scene(size, count, seed, NO_PHRASES)
    a, b = (SceneTransform([t], size, "stretch", PAIRS)(scene, (0,)) for t in (torchvisions, albumentations))
    assert a.keys() == b.keys()
    for field, value in a.items():
        other: Any = b[field]  # type: ignore[literal-required]
        if isinstance(value, torch.Tensor):
            assert value.dtype == other.dtype
            torch.testing.assert_close(value, other, atol=1e-3, rtol=0)
        else:
            assert value == other


@pytest.mark.parametrize(
    "augment",
    [
        v2.RandomRotation((25, 25)),  # type: ignore[arg-type]
        v2.RandomAffine((-20, -20)),  # type: ignore[arg-type]
        v2.RandomAffine((0, 0), translate=(0.1, 0.1), scale=(0.7, 0.7)),  # type: ignore[arg-type]
        v2.RandomAffine((0, 0), scale=(1.3, 1.3), shear=(10, 10)),  # type: ignore[arg-type]
        v2.RandomPerspective(0.15, p=1),
        v2.RandomZoomOut(p=1, side_range=(1.5, 1.5)),
        v2.RandomCrop((80, 85)),
        v2.Compose([v2.RandomRotation((10, 10)), v2.CenterCrop([84, 90])]),  # type: ignore[arg-type]
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_keypoints_stay_on_what_they_mark(augment: Transform) -> None:
    """The centroids of three spots of light against the keypoints on them, without the resizing."""
    places = torch.tensor([[35.0, 30.0], [70.0, 45.0], [50.0, 60.0]])
    y, x = torch.meshgrid(torch.arange(90) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    spots = [(-((x - a) ** 2 + (y - b) ** 2) / 32).exp() for a, b in places.tolist()]
    keypoints = torch.cat([places, torch.ones(3, 1)], -1)[None]
    scene: Scene = {"image": (torch.stack(spots) * 255).to(torch.uint8), "keypoints": keypoints}
    (run,) = SceneTransform([augment], (90, 100), "stretch")._runs
    moved = run(scene, (0,))
    light = moved["image"].double()
    y, x = torch.meshgrid(torch.arange(light.shape[1]) + 0.5, torch.arange(light.shape[2]) + 0.5, indexing="ij")
    centroids = torch.stack([(light * x).sum((1, 2)), (light * y).sum((1, 2))], -1) / light.sum((1, 2))[:, None]
    # Nearest pixels, torchvision's rule for its affine maps, move what is drawn by up to half a pixel.
    assert (moved["keypoints"][0, :, :2] - centroids).abs().max() < 0.5


@pytest.mark.parametrize(
    "augment",
    [
        [v2.RandomAffine(30, translate=(0.2, 0.2), scale=(0.6, 1.4), fill=114)],
        [v2.RandomIoUCrop(), v2.RandomHorizontalFlip()],
        [v2.RandomZoomOut(fill=1), v2.RandomCrop((20, 20), pad_if_needed=True)],
        [v2.RandomPhotometricDistort(p=1), v2.RandomPerspective(p=1)],
        [v2.RandomApply([v2.RandomRotation((5, 9))], p=0.5), A.HorizontalFlip(p=0.5), v2.RandomVerticalFlip()],
    ],
    ids=["affine", "IoU crop", "zoom out", "perspective", "with albumentations"],
)
@given(sizes, counts, seeds)
@settings(deadline=None, max_examples=15)
def test_a_scene_stays_a_scene_and_depends_on_its_seed_alone(
    augment: list[Transform], size: tuple[int, int], count: int, seed: int
) -> None:
    scene = random_scene(size, count, seed, NO_PHRASES)
    transform = SceneTransform(augment, (24, 32), "letterbox", PAIRS)
    before = torch.random.get_rng_state()
    moved = transform(scene, (1, 2, seed))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert problems(moved, METADATA) == ([], {})
    transform(scene, (7,))
    assert same(pickle.loads(pickle.dumps(transform))(scene, (1, 2, seed)), moved)


@pytest.mark.parametrize("fill", [0, 1, 114])
def test_what_a_transform_shows_of_the_outside_is_no_class_and_no_object(fill: int) -> None:
    scene: Scene = {
        "image": torch.full((3, 20, 20), 200, dtype=torch.uint8),
        "mask": torch.full((20, 20), 3, dtype=torch.uint8),
        "boxes": torch.tensor([[0.0, 0, 20, 20]]),
        "labels": torch.tensor([0]),
        "masks": torch.ones(1, 20, 20, dtype=torch.uint8),
    }
    (run,) = SceneTransform([v2.RandomZoomOut(fill=fill, p=1, side_range=(2, 2))], (40, 40), "stretch")._runs
    moved = run(scene, (0,))
    assert moved["mask"].shape == (40, 40)
    assert sorted(moved["mask"].unique().tolist()) == [3, IGNORE] and int((moved["mask"] == 3).sum()) == 400
    assert int(moved["masks"].sum()) == 400 and bool((moved["masks"][0] == (moved["mask"] == 3)).all())


def test_what_cannot_be_is_one_line_that_names_the_scene() -> None:
    scene: Scene = {"image": torch.zeros(3, 20, 20, dtype=torch.uint8), "name": "a.jpg"}
    with pytest.raises(InputError, match=r"torch\.float32 .*it must stay uint8"):
        SceneTransform([v2.ToDtype(torch.float32)], (20, 20), "stretch")(scene, (0,))
    with pytest.raises(InputError, match=r"a\.jpg: data\.augment: "):
        SceneTransform([v2.RandomIoUCrop()], (20, 20), "stretch")(scene, (0,))


def test_captions_are_refused_and_not_left_untrue() -> None:
    scene = random_scene((20, 20), 2, 0)
    with pytest.raises(InputError, match="do not keep captions true"):
        SceneTransform([v2.RandomHorizontalFlip(p=1)], (20, 20), "stretch", PAIRS)(scene, (0,))
