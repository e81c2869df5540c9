"""MNIST, CIFAR-10, folders of images: data sets of whole images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from datamodules.base import Split
from datamodules.cifar10 import CIFAR10
from datamodules.image_files import ImageFiles
from datamodules.image_folder import ImageFolder
from datamodules.mnist import MNIST
from datamodules.scene import DatasetMetadata, InputError
from tests.support import tiny

SPLITS: tuple[Split, ...] = ("train", "val", "test")
SMALL: dict[str, Any] = {"workers": 0, "batch_size": 2}


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny data are not the official data, to which torchvision holds CIFAR-10."""
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda path, md5=None: Path(path).is_file())


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_holds_out_the_end_of_training(packed: bool, tmp_path: Path) -> None:
    data = MNIST(str(tiny.write_mnist(tmp_path, train=30, packed=packed)))
    train, val = data.scenes("train"), data.scenes("val")
    assert (len(train), len(val), len(data.scenes("test"))) == (27, 3, 4)
    assert (val[0]["name"], int(val[0]["label"]), int(train[1]["label"])) == ("train/27", 7, 1)
    assert torch.equal(val[0]["image"][0], val[0]["image"][2]) and not torch.equal(val[0]["image"], val[1]["image"])


def test_mnist_names_the_files_that_are_missing(tmp_path: Path) -> None:
    data = MNIST(str(tiny.write_mnist(tmp_path)))
    (tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError, match=r"lacks t10k-labels-idx1-ubyte, packed"):
        data.scenes("test")


def test_cifar10_reads_the_official_batches(tmp_path: Path) -> None:
    data = CIFAR10(str(tiny.write_cifar10(tmp_path, train=50)))
    assert (len(data.scenes("train")), len(data.scenes("val")), len(data.scenes("test"))) == (45, 5, 4)
    raw = torchvision.datasets.CIFAR10(str(tmp_path))
    image, label = raw[48]
    scene = data.scenes("val")[3]
    assert (scene["image"].permute(1, 2, 0).numpy() == np.array(image)).all() and int(scene["label"]) == label
    assert data.metadata.classes == tiny.CIFAR_CLASSES


def test_image_folder_uses_official_splits(tmp_path: Path) -> None:
    data = ImageFolder(str(tiny.write_image_folder(tmp_path, classes=("n02", "n01"), train=3, val=1)))
    assert data.metadata.classes == ("n01", "n02")
    assert [len(data.scenes(split)) for split in SPLITS] == [6, 2, 2]
    scene = data.scenes("test")[1]
    assert scene["name"] == "val/n02/0.jpg" and int(scene["label"]) == 1


def test_image_folder_reads_no_image_for_its_metadata(tmp_path: Path) -> None:
    (tmp_path / "train/cat").mkdir(parents=True)
    (tmp_path / "train/cat/a.jpg").write_text("no image")
    assert ImageFolder(str(tmp_path)).metadata.classes == ("cat",)


@pytest.mark.parametrize("splits", [{}, {"train": 10}])
def test_image_folder_splits_what_has_no_splits(splits: dict[str, int], tmp_path: Path) -> None:
    root = tiny.write_image_folder(tmp_path, **splits)
    data = ImageFolder(str(root))
    names = {split: {*data.scenes(split).items} for split in SPLITS}
    assert sum(map(len, names.values())) == len(set.union(*names.values())) == 20
    tiny.save(root / ("train/cat" if splits else "cat") / "new.jpg", tiny.picture((9, 9), [], 0))
    again = {split: {*ImageFolder(str(root)).scenes(split).items} for split in SPLITS}
    assert all(names[split] <= again[split] for split in SPLITS)  # no image has changed its split


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert ImageFolder(str(tiny.write_image_folder(tmp_path, ("car", "train")))).metadata.classes == (
        "car",
        "train",
    )


@pytest.mark.parametrize(
    ("folders", "split", "message"),
    [
        ((), "train", "has no folders: expected a folder for each class"),
        (("train",), "train", "train has no folders"),
        (("cat", "dog"), "train", "holds no images"),
        (("val/cat",), "train", "has no train/"),
        (("train/cat", "val/dog"), "val", "val/dog: no such class among the 1 of train/"),
    ],
)
def test_image_folder_says_what_is_wrong(folders: tuple[str, ...], split: Split, message: str, tmp_path: Path) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(InputError, match=message):
        ImageFolder(str(tmp_path)).scenes(split)


def test_image_files_are_all_below_a_folder_or_one(tmp_path: Path) -> None:
    tiny.save(tmp_path / "a/b/large.png", tiny.picture((50, 80), [], 0))
    tiny.save(tmp_path / "gray.png", tiny.picture((20, 10), [], 0)[..., 0])
    metadata = DatasetMetadata(name="trained on", image_size=(8, 12), classes=("x",)).as_dict()
    data = ImageFiles(str(tmp_path), metadata, **SMALL)
    (batch,) = [batch for batch in data.predict_dataloader() if batch]
    assert set(batch) == {"image", "index", "name", "size"} and batch["image"].shape == (2, 3, 8, 12)
    assert batch["name"] == ["a/b/large.png", "gray.png"] and batch["size"] == [(50, 80), (20, 10)]
    assert data.metadata.classes == ("x",)
    (one,) = [batch for batch in ImageFiles(str(tmp_path / "gray.png"), metadata, **SMALL).predict_dataloader() if batch]
    assert one["name"] == ["gray.png"]
    with pytest.raises(InputError, match="no annotation to train"):
        data.train_dataloader()
    with pytest.raises(InputError, match="nowhere is not there"):
        ImageFiles(str(tmp_path / "nowhere"), metadata).predict_dataloader()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no images"):
        ImageFiles(str(tmp_path / "empty"), metadata).predict_dataloader()


def test_real_mnist_shows_digits(real_data: Path) -> None:
    """A zero is dark in its middle, a one is bright there."""
    scenes = MNIST(str(real_data / "mnist")).scenes("val")
    middles: dict[int, list[float]] = {0: [], 1: []}
    for i in range(500):
        if int(scenes[i]["label"]) < 2:
            middles[int(scenes[i]["label"])].append(scenes[i]["image"][:, 12:16, 13:15].float().mean().item())
    assert np.mean(middles[0]) < 60 < 150 < np.mean(middles[1])


def test_grayscale_photographs_have_three_channels(real_data: Path) -> None:
    paths = list((real_data / "coco").glob("*2017/*.jpg"))
    gray = [path for path in paths if Image.open(path).mode == "L"]
    assert gray
    data = ImageFiles(str(gray[0]), DatasetMetadata(name="any", image_size=(32, 32)).as_dict(), **SMALL)
    (batch,) = data.predict_dataloader()
    assert batch is not None and batch["image"].shape == (1, 3, 32, 32)
