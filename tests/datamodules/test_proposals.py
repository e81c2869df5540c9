"""Proposals: windows, the cache on disk, and their way into a batch."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import box_iou

from datamodules import COCO, ImageFiles, SelectiveSearch, Shapes, SlidingWindows
from datamodules.base import DataModule
from datamodules.proposal_cache import ProposalCache, cache_folder
from datamodules.proposals import Proposer
from datamodules.resizing import ResizeMode
from datamodules.scene import DatasetMetadata, InputError, Scene
from datamodules.transforms import SceneTransform
from tests.support import tiny
from tests.support.random_scenes import AUGMENTATIONS, PAIRS, RESIZE_MODES, counts, random_scene, same, seeds, sizes

NOISE = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 30, 40)).astype(np.uint8))


# Sliding windows ------------------------------------------------------------------------------------------------------


@given(st.integers(8, 90), st.integers(8, 90), st.floats(0.1, 0.6), st.data())
@settings(deadline=None, max_examples=60)
def test_every_box_of_a_windows_size_has_a_window_near(width: int, height: int, step: float, data: st.DataObject) -> None:
    side, ratio = data.draw(st.sampled_from([8.0, 20.0])), data.draw(st.sampled_from([0.5, 1.0, 2.0]))
    windows = SlidingWindows((8, 20), (0.5, 1, 2), step)(torch.zeros(3, height, width, dtype=torch.uint8))
    assert windows.dtype == torch.float32 and len(windows.unique(dim=0)) == len(windows)
    assert (windows >= 0).all() and (windows[:, 2:] <= torch.tensor([width, height]) + 1e-4).all()
    w, h = side * ratio**0.5, side / ratio**0.5
    if w <= width and h <= height:
        x, y = data.draw(st.floats(0, width - w)), data.draw(st.floats(0, height - h))
        off = (1 - step / 2) ** 2  # half a step off in both directions
        best = box_iou(torch.tensor([[x, y, x + w, y + h]]).float(), windows).max()
        assert best > off / (2 - off) - 1e-3
    areas = (windows[:, 2:] - windows[:, :2]).prod(1)
    assert (areas[1:] <= areas[:-1] * (1 + 1e-4)).all()


def test_the_defaults_find_objects_of_many_sizes_and_shapes_with_few_windows() -> None:
    """Boxes as photographs have them: sides from 36 to 400 pixels, 1 : 3 to 3 : 1; earlier defaults had 15,700 windows."""
    rng = torch.Generator().manual_seed(0)
    side, ratio = 36 * (400 / 36) ** torch.rand(2000, generator=rng), 9 ** (torch.rand(2000, generator=rng) - 0.5)
    sides = torch.stack([side * ratio.sqrt(), side / ratio.sqrt()], 1)
    sides = sides[(sides <= torch.tensor([640, 480])).all(1)]
    corners = torch.rand(len(sides), 2, generator=rng) * (torch.tensor([640, 480]) - sides)
    windows = SlidingWindows()(torch.zeros(3, 480, 640, dtype=torch.uint8))
    found = box_iou(torch.cat([corners, corners + sides], 1), windows).max(1).values >= 0.5
    assert len(windows) < 5000 and float(found.float().mean()) > 0.9


def test_an_image_that_holds_no_window_is_one() -> None:
    assert SlidingWindows((50,))(NOISE).tolist() == [[0, 0, 40, 30]]


@pytest.mark.parametrize("options", [{"sides": ()}, {"sides": (0,)}, {"ratios": (1, -1)}, {"step": 0}])
def test_windows_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="above 0"):
        SlidingWindows(**options)


# The cache ------------------------------------------------------------------------------------------------------------


class Counting:
    """A search that counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, image: Any) -> Tensor:
        self.made += 1
        return torch.tensor([[0.0, 0, image.shape[1], image.shape[0]], [0.25, 1.5, 3, 4]])


PIXELS = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


def test_a_search_is_made_once_for_an_image_and_settings(tmp_path: Path) -> None:
    search, cache = Counting(), ProposalCache(str(tmp_path), "a")
    first = cache.get(PIXELS, search)
    again = ProposalCache(str(tmp_path), "a").get(PIXELS.copy(), search)
    assert torch.equal(first, again) and again.dtype == torch.float32 and search.made == 1
    ProposalCache(str(tmp_path), "b").get(PIXELS, search)
    cache.get(PIXELS + np.uint8(1), search)
    cache.get(PIXELS.reshape(5, 4, 3), search)  # the same bytes, another image
    assert search.made == 4


@pytest.mark.parametrize("damage", ["empty", "cut", "bits", "other"])
def test_a_damaged_entry_is_replaced(tmp_path: Path, damage: str) -> None:
    search, cache = Counting(), ProposalCache(str(tmp_path), "a")
    boxes = cache.get(PIXELS, search)
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    if damage == "other":
        np.savez(path, something=np.zeros(3))
    for at in range(0, len(whole), 7) if damage in ("cut", "bits") else [0]:
        if damage == "cut":
            path.write_bytes(whole[:at])
        elif damage == "bits":  # wherever it is: what is read is right, or searched for again
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        elif damage == "empty":
            path.write_bytes(b"")
        before = search.made
        assert torch.equal(cache.get(PIXELS, search), boxes)
        assert search.made == before + 1 or damage == "bits"
        assert torch.equal(cache.get(PIXELS, search), boxes) and search.made <= before + 1


def test_a_kill_while_writing_leaves_no_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def half(file: Any, **arrays: Any) -> None:
        file.write(b"PK half of it")
        raise Killed

    search, cache = Counting(), ProposalCache(str(tmp_path), "a")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(np, "savez_compressed", half)
        cache.get(PIXELS, search)
    assert not list(tmp_path.rglob("*/[!.]*.npz"))
    assert torch.equal(cache.get(PIXELS, search), search(PIXELS)) and search.made == 3


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: proposals cannot be written \(.*\); name another folder, or false, in"):
        ProposalCache(str(tmp_path / "file"), "a").get(PIXELS, Counting())


def test_the_folder_is_the_user_s_unless_another_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_CACHE", str(tmp_path / "here"))
    ordinary = SelectiveSearch()(NOISE)
    assert len(list((tmp_path / "here" / "proposals").rglob("*.npz"))) == 1
    assert torch.equal(SelectiveSearch(cache=str(tmp_path / "there"))(NOISE), ordinary)
    assert len(list((tmp_path / "there").rglob("*.npz"))) == 1
    assert torch.equal(SelectiveSearch(cache=False)(NOISE), ordinary)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    SelectiveSearch(count=3)(NOISE)
    assert len(list(tmp_path.rglob("*.npz"))) == 3
    monkeypatch.delenv("LECTERN_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "lectern"


def _searched(folder: str) -> list[list[float]]:
    boxes: list[list[float]] = SelectiveSearch(cache=folder)(NOISE).tolist()
    return boxes


def test_processes_share_a_folder(tmp_path: Path) -> None:
    with get_context("fork").Pool(2) as pool:
        found = pool.map(_searched, [str(tmp_path)] * 6, chunksize=1)
    assert found == [SelectiveSearch(cache=False)(NOISE).tolist()] * 6
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


# Through augmentation into a batch ------------------------------------------------------------------------------------


def with_proposals(scene: Scene, proposals: Tensor) -> Scene:
    return scene | {"proposals": proposals}  # type: ignore[return-value]


@given(
    sizes, sizes, counts, seeds, st.sampled_from(RESIZE_MODES), st.lists(st.sampled_from(range(len(AUGMENTATIONS))), max_size=3)
)
@settings(deadline=None, max_examples=100)
def test_proposals_move_as_boxes_do_and_change_nothing_else(
    size: tuple[int, int], image_size: tuple[int, int], count: int, seed: int, resize_mode: ResizeMode, chosen: list[int]
) -> None:
    scene = random_scene(size, count, seed)
    transform = SceneTransform([AUGMENTATIONS[i] for i in chosen], image_size, resize_mode, PAIRS)
    moved = transform(with_proposals(scene, scene["boxes"].clone()), (seed,))
    assert torch.equal(moved["proposals"], moved["boxes"]) and moved["proposals"].dtype == torch.float32
    assert moved["proposals"].shape[1] == 4
    del moved["proposals"]
    assert same(moved, SceneTransform([AUGMENTATIONS[i] for i in chosen], image_size, resize_mode, PAIRS)(scene, (seed,)))


@given(sizes, counts, seeds)
@settings(deadline=None, max_examples=60)
def test_flips_and_quarter_turns_keep_every_overlap(size: tuple[int, int], count: int, seed: int) -> None:
    scene = random_scene(size, count, seed)
    proposals = random_scene(size, 4, seed + 1)["boxes"]
    moved = SceneTransform([A.D4(p=1)], (size[1], size[1]), "stretch")(with_proposals(scene, proposals), (seed,))
    before = box_iou(scene["boxes"], proposals)
    # A stretch of both sides changes no ratio of areas either.
    assert torch.allclose(box_iou(moved["boxes"], moved["proposals"]), before, atol=1e-4)


def test_a_crop_that_spares_the_objects_need_not_spare_proposals() -> None:
    scene = random_scene((60, 60), 0, 0) | {"boxes": torch.tensor([[25.0, 25, 30, 30]]), "labels": torch.tensor([0])}
    cropped = []
    for extra in ({}, {"proposals": torch.tensor([[0.0, 0, 60, 60], [0, 0, 3, 3], [57, 57, 60, 60], [26, 26, 29, 29]])}):
        small: Any = {k: scene[k] for k in ("image", "boxes", "labels")} | extra  # type: ignore[literal-required]
        cropped.append(SceneTransform([A.RandomSizedBBoxSafeCrop(60, 60, p=1)], (60, 60), "stretch")(small, (4,)))
    plain, proposed = cropped
    assert torch.equal(plain["image"], proposed["image"]) and torch.equal(plain["boxes"], proposed["boxes"])
    assert len(proposed["proposals"]) < 4


def test_proposals_without_objects_are_augmented_too() -> None:
    scene: Scene = {"image": NOISE, "label": torch.tensor(0), "proposals": torch.tensor([[1.0, 2, 11, 22]])}
    moved = SceneTransform([A.HorizontalFlip(p=1)], (30, 40), "stretch")(scene, (0,))
    assert moved["proposals"].tolist() == [[29, 2, 39, 22]] and "boxes" not in moved


class Quarters(Proposer):
    """The image and its quarters; it remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, ...]] = []

    def __call__(self, image: Tensor) -> Tensor:
        self.shown.append(tuple(image.shape))
        height, width = image.shape[1:]
        x, y = width / 2, height / 2
        return torch.tensor([[0, 0, width, height], [0, 0, x, y], [x, 0, width, y], [0, y, x, height], [x, y, width, height]])


def batches(data: DataModule, *fields: str) -> list[Any]:
    data.require(frozenset(fields))
    return list(data.train_dataloader())


def test_proposals_are_found_in_the_image_as_it_lies_on_disk(tmp_path: Path) -> None:
    quarters = Quarters()
    data = COCO(str(tiny.write_coco(tmp_path)), image_size=20, batch_size=4, workers=0, proposals=quarters)
    (batch,) = batches(data, "boxes", "labels", "proposals")
    assert set(quarters.shown) == {(3, 40, 50)} and len(quarters.shown) == 4
    expected = [[0, 0, 20, 20], [0, 0, 10, 10], [10, 0, 20, 10], [0, 10, 10, 20], [10, 10, 20, 20]]
    assert [p.tolist() for p in batch["proposals"]] == [expected] * 4
    # Whoever does not ask for them does not pay for them.
    other = COCO(str(tmp_path), image_size=20, batch_size=4, workers=0, proposals=quarters)
    (plain,) = batches(other, "boxes", "labels")
    assert "proposals" not in plain and len(quarters.shown) == 4
    assert torch.equal(plain["image"], batch["image"]) and same(plain["boxes"][0], batch["boxes"][0])


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_make_the_same_proposals(workers: int, tmp_path: Path) -> None:
    def made(count: int, folder: str) -> list[Any]:
        search = SelectiveSearch(scales=(20,), cache=str(tmp_path / folder))
        augment = [A.RandomResizedCrop((40, 40), p=0.7), A.HorizontalFlip()]
        data = Shapes(image_size=48, train=6, val=1, test=1, batch_size=2, workers=count, proposals=search, augment=augment)
        return batches(data, "boxes", "labels", "proposals")

    alone, shared, cached = made(0, "a"), made(workers, "b"), made(workers, "a")
    assert len(alone) == 3 and all(len(p) for batch in alone for p in batch["proposals"])
    for one, other in ((alone, shared), (alone, cached)):
        for a, b in zip(one, other, strict=True):
            assert torch.equal(a["image"], b["image"])
            assert all(torch.equal(p, q) for field in ("boxes", "proposals") for p, q in zip(a[field], b[field], strict=True))


def test_images_to_predict_on_have_proposals(tmp_path: Path) -> None:
    for i, size in enumerate([(20, 30), (50, 24)]):
        tiny.save(tmp_path / f"{i}.png", tiny.picture(size, [(4, 4, 14, 14)], seed=i))
    metadata = DatasetMetadata(name="shapes", image_size=(40, 40), classes=("a",)).as_dict()
    data = ImageFiles(str(tmp_path), metadata, workers=0, resize_mode="letterbox", proposals=SlidingWindows((10, 20)))
    data.require(frozenset({"proposals"}))
    (batch,) = list(data.predict_dataloader())
    assert batch is not None
    wide, high = batch["proposals"]
    assert wide[:, 1].min() >= 6 and wide[:, 3].max() <= 34  # 20 x 30 became 27 x 40, between bars
    assert high[:, 0].min() >= 10 and high[:, 2].max() <= 30


def test_what_a_data_set_lacks_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mask asked for"):
        COCO(str(tmp_path)).require(frozenset({"mask", "proposals"}))
