"""Whole batches of images in memory: the same as scene by scene, and augmented by (seed, epoch, index) alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor
from torch.nn import functional as F

from datamodules.batches import DRAWS, Cutout, Flip, ReflectCrop, augmented, drawn
from datamodules.cifar10 import CIFAR10
from datamodules.errors import InputError
from datamodules.transforms import albumentations
from tests.support.tiny.cifar10 import write_cifar10

TRANSFORMS = [ReflectCrop(4), Flip(), Cutout(8)]
IMAGES = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """torchvision knows the official CIFAR-10 by its checksums, which tiny files cannot have."""
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda path, md5=None: Path(path).is_file())
    monkeypatch.setenv("PL_GLOBAL_SEED", "3")
    return str(write_cifar10(tmp_path, train=50, test=10))


def batches(data: CIFAR10, epoch: int = 0, split: str = "train") -> list[Any]:
    loader = getattr(data, f"{split}_dataloader")()
    loader.sampler.set_epoch(epoch)
    return [data.on_after_batch_transfer(batch, 0) for batch in loader]


def equal(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(torch.equal(v, b[k]) if isinstance(v, Tensor) else v == b[k] for k, v in a.items())


@pytest.mark.parametrize("split", ["val", "test"])
def test_an_evaluation_has_the_batches_that_scenes_make(root: str, split: str) -> None:
    one_by_one = batches(CIFAR10(root, batch_size=4, workers=0), split=split)
    whole = batches(CIFAR10(root, batch_size=4, workers=0, augment_batch=TRANSFORMS), split=split)
    assert len(whole) == len(one_by_one) and all(map(equal, whole, one_by_one))


@pytest.mark.parametrize("options", [{}, {"train_samples": 20}])
def test_a_training_has_the_same_images_in_the_same_order_but_augmented(root: str, options: dict[str, int]) -> None:
    plain = batches(CIFAR10(root, batch_size=5, workers=0, **options), epoch=2)
    whole = batches(CIFAR10(root, batch_size=5, workers=0, augment_batch=[Cutout(0)], **options), epoch=2)
    assert all(map(equal, whole, plain))
    other = batches(CIFAR10(root, batch_size=5, workers=0, augment_batch=TRANSFORMS, **options), epoch=2)
    assert all(a["label"].equal(b["label"]) and not a["image"].equal(b["image"]) for a, b in zip(plain, other, strict=True))


def test_an_image_is_augmented_alike_in_any_batch_and_by_any_number_of_workers(root: str) -> None:
    def images(batch_size: int, workers: int, epoch: int = 1) -> Tensor:
        data = CIFAR10(root, batch_size=batch_size, workers=workers, augment_batch=TRANSFORMS)
        return torch.cat([batch["image"] for batch in batches(data, epoch)])

    assert images(5, 0).equal(images(15, 0)) and images(5, 0).equal(images(5, 1))
    assert not images(5, 0).equal(images(5, 0, epoch=2))


def test_draws_are_uniform_and_differ_by_seed_epoch_index_and_place() -> None:
    numbers = drawn(0, 0, range(20_000), 3)
    assert numbers.dtype == torch.float32 and float(numbers.min()) >= 0 and float(numbers.max()) < 1
    counts = np.histogram(numbers.numpy(), 20, (0, 1))[0]
    assert np.abs(counts - 3000).max() < 5 * 3000**0.5
    correlations = np.corrcoef(np.concatenate([numbers.T, drawn(0, 1, range(20_000), 3).T, drawn(1, 0, range(20_000), 3).T]))
    assert np.abs(correlations - np.eye(9)).max() < 0.04
    assert drawn(0, 0, [7, 3], 3).equal(numbers[[7, 3]])
    assert drawn(0, 0, [], 3).shape == (0, 3)


def test_a_crop_is_that_of_an_image_padded_by_reflection() -> None:
    draws = drawn(0, 0, range(6), 2)
    padded = F.pad(IMAGES.float(), (4, 4, 4, 4), mode="reflect").to(torch.uint8)
    for image, whole, draw in zip(ReflectCrop(4)(IMAGES, draws), padded, draws, strict=True):
        top, left = (int(9 * d) for d in draw)
        assert image.equal(whole[:, top : top + 32, left : left + 32])


def test_a_flip_mirrors_half_of_the_images() -> None:
    flipped = Flip()(IMAGES[:2], torch.tensor([[0.49], [0.5]]))
    assert flipped[0].equal(IMAGES[0].flip(2)) and flipped[1].equal(IMAGES[1])


def test_a_cutout_covers_a_square_and_nothing_else() -> None:
    covered = Cutout(8, fill=7)(IMAGES[:2], torch.tensor([[0.5, 0.5], [0.0, 0.999]]))
    expected = IMAGES[:2].clone()
    expected[0, :, 12:20, 12:20] = 7
    expected[1, :, :4, 27:] = 7
    assert covered.equal(expected)


def test_what_was_drawn_does_not_stay_in_the_batch() -> None:
    batch = {"image": IMAGES, DRAWS: drawn(0, 0, range(6), 5)}
    assert augmented(batch, TRANSFORMS).keys() == {"image"}
    assert augmented(None, TRANSFORMS) is None


def test_scenes_and_batches_are_not_both_augmented(root: str) -> None:
    for options in ({"augment": [albumentations.HorizontalFlip()]}, {"image_size": 16}):
        with pytest.raises(InputError, match="augment_batch"):
            CIFAR10(root, augment_batch=TRANSFORMS, workers=0, batch_size=4, **options).train_dataloader()
