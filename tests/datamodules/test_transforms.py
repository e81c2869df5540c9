"""Augmentation and resizing move every field of a scene together."""

from __future__ import annotations

import pickle

import albumentations as A
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from datamodules.checking import problems
from datamodules.resizing import ResizeMode, resize_matrix
from datamodules.scene import IGNORE, InputError, Scene
from datamodules.transforms import SceneTransform, Transform
from tests.support.random_scenes import (
    AUGMENTATIONS,
    KEYPOINTS,
    METADATA,
    OBJECT_FIELDS,
    PAIRS,
    RESIZE_MODES,
    counts,
    random_scene,
    same,
    seeds,
    sizes,
)


def extent(mask: Tensor) -> tuple[int, int, int, int]:
    """The box (xyxy) of a 0/1 mask (H, W)."""
    rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@given(sizes, sizes, st.sampled_from(RESIZE_MODES), counts, seeds)
@settings(deadline=None)
def test_points_move_by_resize_matrix(
    size: tuple[int, int], image_size: tuple[int, int], resize_mode: ResizeMode, count: int, seed: int
) -> None:
    scene = random_scene(size, count, seed)
    moved = SceneTransform((), image_size, resize_mode)(scene, (0,))
    matrix = resize_matrix(size, image_size, resize_mode)
    assert moved["image"].shape == (3, *image_size)
    for label, box, keypoints in zip(moved["labels"].tolist(), moved["boxes"], moved["keypoints"], strict=True):
        x1, y1, x2, y2 = scene["boxes"][label].tolist()
        corners = np.array([[x1, y1, 1], [x2, y2, 1]]) @ matrix.T
        assert np.allclose(box.numpy().reshape(2, 2), corners.clip(0, image_size[::-1]), atol=1e-4)
        for before, after in zip(scene["keypoints"][label].numpy(), keypoints.numpy(), strict=True):
            point = matrix @ (*before[:2], 1)
            if before[2] > 0 and (point > 1e-3).all() and (point < np.array(image_size[::-1]) - 1e-3).all():
                assert np.allclose(after, (*point, before[2]), atol=1e-4)
            if before[2] == 0:
                assert not after.any()


@given(sizes, sizes, st.sampled_from(RESIZE_MODES), seeds)
@settings(deadline=None)
def test_pixels_move_by_resize_matrix(
    size: tuple[int, int], image_size: tuple[int, int], resize_mode: ResizeMode, seed: int
) -> None:
    """A pixel takes the class that lies under its centre; beside the image it is black, and ignored."""
    scene = random_scene(size, 1, seed)
    matrix = resize_matrix(size, image_size, resize_mode)
    moved = SceneTransform((), image_size, resize_mode)(scene, (0,))
    for y, x in np.random.default_rng(seed).integers(0, image_size, (10, 2)):
        place = np.linalg.solve(matrix[:, :2], (x + 0.5, y + 0.5) - matrix[:, 2])
        column, row = np.floor(place).astype(int)
        if np.abs(place - np.rint(place)).min() < 1e-6:
            continue  # between two pixels
        if 0 <= row < size[0] and 0 <= column < size[1]:
            assert moved["mask"][y, x] == scene["mask"][row, column]
        else:
            assert moved["mask"][y, x] == IGNORE and not moved["image"][:, y, x].any()


@pytest.mark.parametrize("resize_mode", RESIZE_MODES)
@pytest.mark.parametrize(("size", "image_size"), [((31, 47), (20, 20)), ((31, 47), (83, 64)), ((40, 40), (17, 55))])
def test_the_image_lies_where_fit_matrix_says(
    size: tuple[int, int], image_size: tuple[int, int], resize_mode: ResizeMode
) -> None:
    """A ramp of brightness from left to right and from top to bottom tells each pixel's place."""
    y, x = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    scene: Scene = {"image": torch.stack([x * 5, y * 5, x * 5]).round().to(torch.uint8)}
    moved = SceneTransform((), image_size, resize_mode)(scene, (0,))["image"].double().numpy() / 5
    matrix = resize_matrix(size, image_size, resize_mode)
    middle = np.stack(np.meshgrid(*(np.arange(n // 2 - 3, n // 2 + 3) for n in image_size[::-1])), -1)
    expected = (middle + 0.5 - matrix[:, 2]) / matrix[:, :2].diagonal()
    found = moved[:2, middle[..., 1], middle[..., 0]].transpose(1, 2, 0)
    assert np.abs(found - expected).max() < 0.25


@pytest.mark.parametrize("resize_mode", RESIZE_MODES)
def test_a_scene_of_the_right_size_is_still_brought_inside(resize_mode: ResizeMode) -> None:
    scene: Scene = {
        "image": torch.zeros(3, 20, 30, dtype=torch.uint8),
        "boxes": torch.tensor([[0.0, 0, 30, 20], [-1, 3, 9, 21]]),
        "area": torch.tensor([600.0, 90]),
        "keypoints": torch.tensor([[[3.0, 4, 2], [5, 6, 0]], [[-0.5, 4, 2], [float("nan"), 6, 0]]]),
    }
    fitted = SceneTransform([], (20, 30), resize_mode)(scene, (0,))
    assert fitted["boxes"].tolist() == [[0, 0, 30, 20], [0, 3, 9, 20]]
    assert fitted["area"].tolist() == [600, 90 * (9 * 17) / (10 * 18)]
    assert fitted["keypoints"].tolist() == [[[3, 4, 2], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert same(SceneTransform([], (20, 30), resize_mode)(fitted, (0,)), fitted)


@given(sizes, counts, seeds)
@settings(deadline=None)
def test_a_flip_moves_everything_together(size: tuple[int, int], count: int, seed: int) -> None:
    scene = random_scene(size, count, seed)
    moved = SceneTransform([A.HorizontalFlip(p=1)], size, "stretch", PAIRS)(scene, (0,))
    width = size[1]
    x1, y1, x2, y2 = scene["boxes"].unbind(1)
    keypoints = scene["keypoints"][:, [1, 0, 3, 2, 4]]
    mirrored = torch.stack([width - keypoints[..., 0], keypoints[..., 1], keypoints[..., 2]], -1).where(
        keypoints[..., 2:] > 0, 0
    )
    assert torch.equal(moved["image"], scene["image"].flip(-1))
    assert torch.equal(moved["mask"], scene["mask"].flip(-1))
    assert torch.equal(moved["masks"], scene["masks"].flip(-1))
    assert torch.allclose(moved["boxes"], torch.stack([width - x2, y1, width - x1, y2], -1), atol=1e-3)
    assert torch.allclose(moved["keypoints"], mirrored, atol=1e-3)
    assert torch.equal(moved["labels"], scene["labels"])


@pytest.mark.parametrize(
    "augment",
    [
        [A.HorizontalFlip(p=1)],
        [A.VerticalFlip(p=1)],
        [A.Transpose(p=1)],
        [A.HorizontalFlip(p=1), A.VerticalFlip(p=1)],
        [A.Transpose(p=1), A.VerticalFlip(p=1)],
        [A.RandomRotate90(p=1)],
        [A.D4(p=1)],
        [A.OneOf([A.HorizontalFlip(p=1), A.NoOp(p=1)], p=1)],
        [A.PadIfNeeded(60, 60, p=1), A.D4(p=1)],
        [A.CoarseDropout(fill=7, p=1), A.D4(p=1)],
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_left_and_right_keypoints_follow_whatever_mirrors(augment: list[Transform], seed: int) -> None:
    """Keypoint k lies on a pixel of brightness 200 + k; after a mirror that pixel's keypoint is its partner."""
    places = torch.tensor([[3, 5], [30, 9], [11, 33], [26, 37], [20, 20]])
    image = torch.zeros((3, 40, 40), dtype=torch.uint8)
    for k, (x, y) in enumerate(places.tolist()):
        image[:, y, x] = 200 + k
    keypoints = torch.cat([places + 0.5, torch.full((KEYPOINTS, 1), 2.0)], -1)[None]
    transform = SceneTransform(augment, (60, 60) if isinstance(augment[0], A.PadIfNeeded) else (40, 40), "stretch", PAIRS)
    moved = transform({"image": image, "keypoints": keypoints}, (seed,))
    found = {k: (moved["image"][0] == 200 + k).nonzero() for k in range(KEYPOINTS)}
    cloud = torch.stack([found[k].flatten().flip(0) for k in range(KEYPOINTS) if len(found[k])]).float()
    before = torch.stack([places[k] for k in range(KEYPOINTS) if len(found[k])]).float()
    turned = torch.linalg.lstsq(before - before.mean(0), cloud - cloud.mean(0)).solution
    partner = [1, 0, 3, 2, 4] if torch.linalg.det(turned) < 0 else list(range(KEYPOINTS))
    for k in range(KEYPOINTS):
        if len(found[k]):
            y, x = found[k].flatten().tolist()
            assert torch.allclose(moved["keypoints"][0, partner[k]], torch.tensor([x + 0.5, y + 0.5, 2]), atol=1e-3)


@pytest.mark.parametrize(
    "augment",
    [
        A.Rotate((25, 25), p=1),
        A.Affine(rotate=(-20, -20), p=1),
        A.Affine(scale=(0.7, 0.7), translate_px={"x": (5, 5), "y": (3, 3)}, p=1),
        A.Affine(scale=(1.3, 1.3), shear={"x": (10, 10), "y": (0, 0)}, p=1),
        A.Perspective(scale=(0.05, 0.05), p=1),
    ],
)
def test_keypoints_stay_on_what_they_mark(augment: Transform) -> None:
    """The centroids of three spots of light against the keypoints on them: exact under affine maps."""
    places = torch.tensor([[35.0, 30.0], [70.0, 45.0], [50.0, 60.0]])
    y, x = torch.meshgrid(torch.arange(90) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    spots = [(-((x - a) ** 2 + (y - b) ** 2) / 32).exp() for a, b in places.tolist()]
    keypoints = torch.cat([places, torch.ones(3, 1)], -1)[None]
    scene: Scene = {"image": (torch.stack(spots) * 255).to(torch.uint8), "keypoints": keypoints}
    moved = SceneTransform([augment], (90, 100), "stretch")(scene, (0,))
    light = moved["image"].double()
    centroids = torch.stack([(light * x).sum((1, 2)), (light * y).sum((1, 2))], -1) / light.sum((1, 2))[:, None]
    tolerance = 0.15 if isinstance(augment, A.Perspective) else 0.02
    assert (moved["keypoints"][0, :, :2] - centroids).abs().max() < tolerance


@given(sizes, sizes, counts, seeds)
@settings(deadline=None)
def test_objects_outside_the_crop_are_left_out_of_every_field(
    size: tuple[int, int], image_size: tuple[int, int], count: int, seed: int
) -> None:
    scene = random_scene(size, count, seed)
    moved = SceneTransform((), image_size, "crop")(scene, (0,))
    matrix = resize_matrix(size, image_size, "crop")
    kept = []
    for i, (x1, y1, x2, y2) in enumerate(scene["boxes"].tolist()):
        corners = (np.array([[x1, y1, 1], [x2, y2, 1]]) @ matrix.T).clip(0, image_size[::-1]).astype(np.float32)
        if (corners[1] > corners[0]).all():
            kept.append(i)
    assert moved["labels"].tolist() == kept
    assert moved["captions"] == [f"object {i}" for i in kept]
    assert {len(moved[field]) for field in OBJECT_FIELDS} == {len(kept)}  # type: ignore[literal-required]
    for mask, box in zip(moved["masks"], moved["boxes"].tolist(), strict=True):
        if mask.any():
            assert np.abs(np.array(extent(mask)) - box).max() <= 1


@given(
    sizes, sizes, counts, seeds, st.sampled_from(RESIZE_MODES), st.lists(st.sampled_from(range(len(AUGMENTATIONS))), max_size=3)
)
@settings(deadline=None, max_examples=150)
def test_what_comes_out_keeps_the_contract(
    size: tuple[int, int], image_size: tuple[int, int], count: int, seed: int, resize_mode: ResizeMode, chosen: list[int]
) -> None:
    scene = random_scene(size, count, seed)
    moved = SceneTransform([AUGMENTATIONS[i] for i in chosen], image_size, resize_mode, PAIRS)(scene, (seed, 1, 2))
    assert problems(moved, METADATA) == ([], {})
    assert moved["image"].shape == (3, *image_size) and moved["image"].is_contiguous()
    assert moved.keys() == scene.keys()
    for field, before in scene.items():
        if isinstance(before, Tensor):
            assert moved[field].dtype == before.dtype  # type: ignore[literal-required]
    assert bool((moved["masks"] <= 1).all())
    keypoints = moved["keypoints"][moved["keypoints"][..., 2] > 0]
    assert ((keypoints[:, :2] >= 0) & (keypoints[:, :2] <= torch.tensor(image_size[::-1]))).all()


@given(sizes, counts, seeds, st.lists(st.tuples(seeds, counts), max_size=3))
@settings(deadline=None, max_examples=30)
def test_the_seed_alone_decides(size: tuple[int, int], count: int, seed: int, earlier: list[tuple[int, int]]) -> None:
    augment = [A.RandomResizedCrop((20, 30), p=1), A.SomeOf([A.D4(p=1), A.Rotate(p=1), A.ColorJitter(p=1)], n=2)]
    scene = random_scene(size, count, seed)
    used, fresh = (SceneTransform(augment, (24, 24), "letterbox", PAIRS) for _ in range(2))
    for other, objects in earlier:
        used(random_scene((9, 14), objects, other), (other,))
        used({"image": random_scene((9, 14), 0, other)["image"]}, (other,))
    expected = fresh(scene, (seed, 3, 4))
    assert same(used(scene, (seed, 3, 4)), expected)
    assert same(pickle.loads(pickle.dumps(used))(scene, (seed, 3, 4)), expected)  # as to a spawned worker


def test_two_lists_with_the_same_transform_do_not_disturb_each_other() -> None:
    """As where a study gives one transform to two data modules, and iterates them in turns."""
    rotate, scene = A.Rotate((-90, 90), p=1), random_scene((40, 40), 2, 0)
    expected = [SceneTransform([A.Rotate((-90, 90), p=1)], (40, 40), "stretch")(scene, (seed,)) for seed in range(6)]
    both = [SceneTransform([rotate], (40, 40), "stretch") for _ in range(2)]
    assert all(same(both[seed % 2](scene, (seed,)), expected[seed]) for seed in range(6))


def test_another_seed_gives_another_result() -> None:
    scene = random_scene((40, 40), 2, 0)
    transform = SceneTransform([A.Rotate((-90, 90), p=1)], (40, 40), "stretch")
    images = [transform(scene, (0, 0, i))["image"] for i in range(10)]
    assert len({image.numpy().tobytes() for image in images}) == 10


def test_the_scene_that_came_in_is_not_changed() -> None:
    scene = random_scene((30, 40), 3, 1)
    before = pickle.loads(pickle.dumps(scene))
    for resize_mode in RESIZE_MODES:
        SceneTransform([A.D4(p=1), A.ColorJitter(p=1)], (20, 20), resize_mode, PAIRS)(scene, (0,))
    assert same(scene, before)


def test_what_lies_beside_the_image_is_left_out_of_its_padding_too() -> None:
    scene: Scene = {
        "image": torch.zeros((3, 20, 40), dtype=torch.uint8),
        "keypoints": torch.tensor([[[5.0, -3, 2], [5, 3, 2], [41, 3, 1], [5, 21, 1]]]),
        "boxes": torch.tensor([[4.0, -1, 10, 21]]),
    }
    moved = SceneTransform((), (40, 40), "letterbox")(scene, (0,))
    assert moved["keypoints"].tolist() == [[[0, 0, 0], [5, 13, 2], [0, 0, 0], [0, 0, 0]]]
    assert moved["boxes"].tolist() == [[4, 10, 10, 30]]


def test_labels_without_boxes_remain() -> None:
    scene = random_scene((30, 40), 3, 0, fields=("labels",))
    scene["label"] = torch.tensor(1)
    moved = SceneTransform([A.RandomCrop(5, 5, p=1)], (20, 20), "crop")(scene, (0,))
    assert moved["labels"].tolist() == [0, 1, 2] and int(moved["label"]) == 1 and "boxes" not in moved


def test_what_a_transform_shows_of_the_outside_is_ignored() -> None:
    scene = random_scene((20, 20), 1, 0)
    augment = [A.Compose([A.Affine(translate_px={"x": (8, 8), "y": (0, 0)}, p=1)])]
    moved = SceneTransform(augment, (20, 20), "stretch")(scene, (0,))
    assert (moved["mask"][:, :8] == IGNORE).all() and (moved["mask"][:, 8:] != IGNORE).all()
    assert not moved["masks"][:, :, :8].any()


def test_area_follows_the_box() -> None:
    scene: Scene = {
        "image": torch.zeros((3, 20, 20), dtype=torch.uint8),
        "boxes": torch.tensor([[0.0, 0, 10, 20], [8, 0, 20, 10]]),
        "area": torch.tensor([100.0, 60.0]),
    }
    halved = SceneTransform((), (10, 10), "stretch")(scene, (0,))
    assert halved["area"].tolist() == [25, 15]
    cut = SceneTransform([A.Crop(0, 0, 10, 20, p=1)], (20, 10), "stretch")(scene, (0,))
    assert torch.allclose(cut["area"], torch.tensor([100, 60 * 2 / 12]))


def test_what_a_transform_cannot_do_is_one_clear_line() -> None:
    scene = random_scene((20, 20), 1, 0)
    with pytest.raises(InputError, match="uint8"):
        SceneTransform([A.Normalize(p=1)], (20, 20), "stretch")(scene, (0,))
    with pytest.raises(InputError, match=r"random: data\.augment: .*[Cc]rop"):
        SceneTransform([A.RandomCrop(30, 30, p=1)], (20, 20), "stretch")(scene, (0,))
