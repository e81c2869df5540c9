"""Every data module, on tiny data in the official layouts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torchvision
import yaml
from pytorch_lightning.cli import LightningArgumentParser

import datamodules
from datamodules.base import DataModule, Split
from datamodules.caltech_boxes import CaltechBoxes
from datamodules.camvid import CamVid
from datamodules.checking import problems
from datamodules.cifar10 import CIFAR10
from datamodules.coco import COCO
from datamodules.image_folder import ImageFolder
from datamodules.lsp import LSP
from datamodules.mnist import MNIST
from datamodules.scene import DatasetMetadata, InputError
from datamodules.visual_genome import VisualGenome
from datamodules.voc import VOC
from experiments.training.catalog import data_modules
from tests.support import tiny

SPLITS: tuple[Split, ...] = ("train", "val", "test")
SMALL: dict[str, Any] = {"workers": 0, "batch_size": 2}


ON_DISK = [name for name, entry in tiny.DATA.items() if entry.write]


def tiny_data(name: str, root: Path) -> DataModule:
    """The data module on its tiny files."""
    entry = tiny.DATA[name]
    assert entry.write
    size = {} if entry.image_size is None else {"image_size": entry.image_size}
    data: DataModule = getattr(datamodules, name)(str(entry.write(root)), **entry.options, **size, **SMALL)
    return data


def test_every_data_set_is_entered_where_the_tests_find_it() -> None:
    for name, kind in data_modules().items():
        module = kind.__module__.rsplit(".", 1)[-1]
        known = name in tiny.DATA or not kind.provides  # one that provides images alone is there to be predicted on
        assert known, f"{name}: enter it in a file tests/support/tiny/{module}.py: TINY = {{'{name}': Tiny(write_{module})}}"


@pytest.fixture(autouse=True)
def no_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny data are not the official data, to which torchvision holds CIFAR-10."""
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda path, md5=None: Path(path).is_file())


@pytest.mark.parametrize("name", ON_DISK)
def test_every_split_keeps_the_contract(name: str, tmp_path: Path) -> None:
    data = tiny_data(name, tmp_path)
    data.prepare_data()
    metadata = data.metadata
    assert DatasetMetadata.from_dict(metadata.as_dict()) == metadata
    seen: dict[str, set[str]] = {}
    for split in SPLITS:
        scenes = data.scenes(split)
        seen[split] = {scenes[i]["name"] for i in range(len(scenes))}
        assert len(seen[split]) == len(scenes) > 0
        for i in range(len(scenes)):
            scene = scenes[i]
            assert problems(scene, metadata) == ([], {})
            assert data.provides <= scene.keys()
            assert "index" not in scene
    assert not seen["train"] & seen["val"] and not seen["train"] & seen["test"]
    for loader in (data.train_dataloader(), data.val_dataloader(), data.test_dataloader()):
        for batch in loader:
            assert batch is not None
            assert batch["image"].shape[1:] == (3, *metadata.image_size)
            assert set(batch) - {"image", "index", "name", "size"} == data.provides


@pytest.mark.parametrize("name", ON_DISK)
def test_what_is_missing_is_said_in_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: Any, **options: Any) -> None:
        raise URLError("no network")

    (root := tmp_path / "data").mkdir()
    data = tiny_data(name, root)
    shutil.rmtree(root)
    for downloaded in ("MNIST", "CIFAR10"):
        monkeypatch.setattr(getattr(torchvision.datasets, downloaded), "download", offline)
    with pytest.raises(InputError, match=str(root)) as error:
        data.prepare_data()
        data.scenes("train")
    assert "\n" not in str(error.value)
    assert not isinstance(data, MNIST | CIFAR10) or "no network" in str(error.value)


@pytest.mark.parametrize("image_size", [64, [48, 64]])
@pytest.mark.parametrize("name", ["camvid.CamVid", "lsp.LSP", "voc.VOC", "coco.COCO", "image_folder.ImageFolder"])
def test_a_recipe_builds_it_and_is_dumped_as_it_was(name: str, image_size: Any, tmp_path: Path) -> None:
    parser = LightningArgumentParser()
    parser.add_lightning_class_args(DataModule, "data", subclass_mode=True)
    flip = {"class_path": "albumentations.HorizontalFlip", "init_args": {"p": 0.25}}
    several = {"class_path": "albumentations.OneOf", "init_args": {"transforms": [flip], "p": 1.0}}
    options = {
        "root": "somewhere",
        "image_size": image_size,
        "augment": [flip, several],
        "resize_mode": "crop",
        "batch_size": 3,
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({"data": {"class_path": f"datamodules.{name}", "init_args": options}}))
    parser.add_argument("--config", action="config")
    config = parser.parse_args(["--config", str(path), "--data.init_args.batch_size", "5"])
    data = parser.instantiate(config).data
    assert data.image_size == ((64, 64) if image_size == 64 else (48, 64))
    assert [type(t).__name__ for t in data.augment] == ["HorizontalFlip", "OneOf"] and data.augment[0].p == 0.25
    assert (data.resize_mode, data.batch_size) == ("crop", 5)
    path.write_text(parser.dump(config, skip_unset=False))
    again = parser.parse_args(["--config", str(path)])
    assert parser.dump(again, skip_unset=False) == path.read_text()
    data = parser.instantiate(again).data
    assert data.augment[0].p == 0.25 and data.image_size == ((64, 64) if image_size == 64 else (48, 64))


REAL: dict[str, tuple[Callable[[Path], DataModule], tuple[int, int, int], int]] = {
    # data module, scenes of each split as a run has them, what breaks the contract
    "mnist": (lambda root: MNIST(str(root / "mnist"), **SMALL), (55_000, 5_000, 10_000), 0),
    "cifar10": (lambda root: ImageFolder(str(root / "cifar10"), image_size=32, **SMALL), (4_500, 500, 1_000), 0),
    "imagenette": (lambda root: ImageFolder(str(root / "imagenette"), **SMALL), (540, 60, 200), 0),
    "camvid": (lambda root: CamVid(str(root / "camvid"), **SMALL), (90, 10, 30), 0),
    "bccd": (
        lambda root: VOC(str(root / "bccd"), year=2007, classes=("RBC", "WBC", "Platelets"), invalid="skip", **SMALL),
        (205, 87, 72),
        2,
    ),
    "coco": (lambda root: COCO(str(root / "coco"), **SMALL), (68, 7, 25), 0),
    "caltech_boxes": (
        lambda root: CaltechBoxes(str(root / "caltech_boxes"), invalid="skip", **SMALL),
        (364, 45, 41),
        1,
    ),
    "lspet": (lambda root: LSP(str(root / "lspet"), **SMALL), (224, 45, 31), 0),
    "visual_genome": (
        lambda root: VisualGenome(
            str(root / "visual_genome"), images=[str(root / "coco" / f) for f in ("train2017", "val2017")], **SMALL
        ),
        (83, 9, 6),
        0,
    ),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.filterwarnings("ignore:left out")
def test_real_data(name: str, real_data: Path) -> None:
    build, sizes, broken = REAL[name]
    data = build(real_data)
    data.require(data.provides - {"mask"} if name == "bccd" else data.provides - {"label"} if name == "coco" else data.provides)
    metadata = data.metadata
    seen: dict[str, list[int]] = {}
    for split, loader in (("val", data.val_dataloader()), ("test", data.test_dataloader())):
        seen[split] = []
        for batch in loader if name != "mnist" else [next(iter(loader))]:
            assert batch is not None
            seen[split] += batch["index"].tolist()
            assert batch["image"].shape[2:] == metadata.image_size
    assert tuple(len(data.run_scenes(split)) for split in SPLITS) == sizes
    if name != "mnist":
        assert seen == {"val": list(range(sizes[1])), "test": list(range(sizes[2]))}
        if broken:
            for _ in data.train_dataloader():
                pass
        assert len(data.skipped) == broken
