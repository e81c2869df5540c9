"""ImageFolder on folders as people have them: other names of splits, folders around, what systems leave, links."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datamodules.base import Split
from datamodules.image_folder import ImageFolder
from datamodules.remarks import Remark
from datamodules.scene import InputError
from datamodules.split_folders import NAMES

SMALL: dict[str, Any] = {"image_size": 8, "workers": 0, "batch_size": 2}
SPLITS: tuple[Split, ...] = ("train", "val", "test")

pytestmark = pytest.mark.filterwarnings("ignore::datamodules.remarks.Remark")


def write(root: Path, *names: str) -> Path:
    for name in names:
        (path := root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(path, "JPEG")
    return root


def folder(root: Path, splits: Mapping[str, int], classes: tuple[str, ...] = ("egg", "ham")) -> Path:
    """So many images a class in each of these folders."""
    for split, count in splits.items():
        write(root / split, *(f"{name}/{i}.jpg" for name in classes for i in range(count)))
    return root


def names(data: ImageFolder, split: Split) -> set[str]:
    scenes = data.scenes(split)
    return {scenes[i]["name"] for i in range(len(scenes))}


def first_folders(data: ImageFolder, split: Split) -> set[str]:
    return {name.split("/")[0] for name in names(data, split)}


@pytest.mark.parametrize("around", ["", "set/", "download/set/"])
@pytest.mark.parametrize(
    "splits",
    [
        ("train", "valid", "test"),
        ("Train", "Val", "Test"),
        ("training", "validation", "testing"),
        ("TRAIN", "dev", "eval"),
        ("train_images", "val-2017", "my test"),
    ],
)
def test_splits_have_many_names(splits: tuple[str, ...], around: str, tmp_path: Path) -> None:
    data = ImageFolder(str(folder(tmp_path, {f"{around}{name}": 2 for name in splits})), **SMALL)
    assert data.classes == ("egg", "ham")
    assert [first_folders(data, split) for split in SPLITS] == [{name} for name in splits]
    assert all(f"{name}/ is taken for the" in " ".join(data.remarks) for name in splits if name not in SPLITS)


def test_a_folder_around_is_said(tmp_path: Path) -> None:
    data = ImageFolder(str(folder(tmp_path, {"set": 10, "__MACOSX": 1})), **SMALL)
    with pytest.warns(Remark, match=r"the data are those of .*set, the only folder there"):
        assert data.classes == ("egg", "ham")
    assert data.metadata.name == tmp_path.name
    assert set.union(*(names(data, split) for split in SPLITS)) == {f"{c}/{i}.jpg" for c in ("egg", "ham") for i in range(10)}


def test_one_class_is_no_folder_around(tmp_path: Path) -> None:
    assert ImageFolder(str(write(tmp_path, *(f"ham/{i}.jpg" for i in range(9)))), **SMALL).classes == ("ham",)


def test_what_systems_leave_is_passed_over(tmp_path: Path) -> None:
    folder(tmp_path, {"train": 3, "val": 1, "test": 1})
    write(
        tmp_path,
        "__MACOSX/train/ham/._0.jpg",
        "train/@eaDir/x.jpg",
        "train/ham/@eaDir/0.jpg",
        "train/ham/._0.jpg",
        ".git/a/b.jpg",
    )
    write(tmp_path, "$RECYCLE.BIN/ham/0.jpg", "System Volume Information/ham/0.jpg", "train/egg/.ipynb_checkpoints/0.jpg")
    data = ImageFolder(str(tmp_path), **SMALL)
    assert data.classes == ("egg", "ham")
    assert names(data, "train") == {f"train/{c}/{i}.jpg" for c in ("egg", "ham") for i in range(3)}


def mistake(root: Path) -> str:
    with pytest.raises(InputError) as error:
        data = ImageFolder(str(root), **SMALL)
        _ = data.metadata, [data.scenes(split) for split in SPLITS]
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_empty_class_is_named(tmp_path: Path) -> None:
    folder(tmp_path, {"train": 2, "val": 2})
    (tmp_path / "train/wood").mkdir()
    assert "train/wood holds no images: a class needs some" in mistake(tmp_path)
    (tmp_path / "train/wood/a.HEIC").touch()
    assert "train/wood holds no images" in mistake(tmp_path) and "1 .heic; save them as JPEG or PNG" in mistake(tmp_path)


def test_two_folders_of_one_split_are_named(tmp_path: Path) -> None:
    assert "both val/ and valid/ are named as the val split" in mistake(folder(tmp_path, {"train": 2, "val": 1, "valid": 1}))


def test_a_split_of_an_unknown_name_is_named(tmp_path: Path) -> None:
    folder(tmp_path, {"train": 10, "holdout": 2})
    assert "holdout: holds class folders, and its name is that of no split; known are train" in mistake(tmp_path)


def test_splits_without_a_train_are_no_classes(tmp_path: Path) -> None:
    assert "Val/ and everything/ hold the same folders" in mistake(folder(tmp_path, {"everything": 2, "Val": 2}))


def test_a_class_may_be_called_as_a_split(tmp_path: Path) -> None:
    root = write(tmp_path, *(f"{name}/{i}.jpg" for name in ("train station", "test tube", "dev") for i in range(9)))
    assert ImageFolder(str(root), **SMALL).classes == ("dev", "test tube", "train station")


def test_a_folder_beside_the_splits_is_said(tmp_path: Path) -> None:
    write(folder(tmp_path, {"train": 2, "val": 1, "test": 1}), "unlabelled/0.jpg")
    with pytest.warns(Remark, match="unlabelled: its name is that of no split, and it is passed over"):
        assert ImageFolder(str(tmp_path), **SMALL).classes == ("egg", "ham")


def test_images_beside_the_classes_are_said(tmp_path: Path) -> None:
    write(folder(tmp_path, {"": 10}), "stray.jpg")
    with pytest.warns(Remark, match="1 images beside the class folders have no class"):
        ImageFolder(str(tmp_path), **SMALL).scenes("train")


def test_pictures_that_are_not_read_are_said(tmp_path: Path) -> None:
    (folder(tmp_path, {"": 10}) / "ham/phone.HEIC").touch()
    with pytest.warns(Remark, match=r"passed over: 1 \.heic"):
        ImageFolder(str(tmp_path), **SMALL).scenes("train")


def test_a_link_to_a_parent_adds_nothing(tmp_path: Path) -> None:
    folder(tmp_path, {"train": 1, "val": 1})
    (tmp_path / "train/ham/back").symlink_to(tmp_path / "train", target_is_directory=True)
    (tmp_path / "train/ham/around").symlink_to(tmp_path, target_is_directory=True)
    assert names(ImageFolder(str(tmp_path), **SMALL), "train") == {"train/egg/0.jpg", "train/ham/0.jpg"}


def test_no_image_has_two_labels_by_a_link(tmp_path: Path) -> None:
    folder(tmp_path, {"train": 2, "val": 1, "test": 1})
    (tmp_path / "train/ham/more").symlink_to(tmp_path / "train/egg", target_is_directory=True)
    assert len(ImageFolder(str(tmp_path), **SMALL).scenes("train")) == 4
    (tmp_path / "train/fish").symlink_to(tmp_path / "train/egg", target_is_directory=True)
    assert "are one folder, by a symbolic link: different classes expected" in mistake(tmp_path)


def test_validation_is_not_training_by_a_link(tmp_path: Path) -> None:
    folder(tmp_path, {"train": 2})
    (tmp_path / "val").symlink_to(tmp_path / "train", target_is_directory=True)
    assert "are one folder, by a symbolic link: different splits expected" in mistake(tmp_path)


LABELS = ("ham", "egg", "__MACOSX", "@eaDir", ".git")
OUTER = [*sorted(NAMES), "Train", "VALID", "Test", "set", "holdout", "__MACOSX", ".cache"]
FILES = ("0.jpg", "1.JPG", "._0.jpg", "notes.txt", "2.heic", "deep/3.png")


@settings(max_examples=150, deadline=None)
@given(st.sets(st.tuples(st.sampled_from(OUTER), st.sampled_from(LABELS), st.sampled_from(FILES)), max_size=12), st.booleans())
def test_any_folders_are_understood_or_named(
    tmp_path_factory: pytest.TempPathFactory, files: set[tuple[str, str, str]], inner: bool
) -> None:
    """What is given has the label of its class folder, and no image is in two splits, whatever they are called."""
    root = tmp_path_factory.mktemp("any")
    write(root / "set" if inner else root, *("/".join(parts) for parts in files))
    data = ImageFolder(str(root), **SMALL)
    seen: dict[Split, set[str]] = {}
    try:
        for split in SPLITS:
            scenes = data.scenes(split)
            seen[split] = set(scenes.items)
            for i, name in enumerate(scenes.items):
                assert name.rsplit("/", 1)[-1] in ("0.jpg", "1.JPG", "3.png")
                assert data.classes[int(scenes[i]["label"])] in name.split("/")[:-1]
                assert not {"__MACOSX", "@eaDir", ".git", ".cache"}.intersection(name.split("/"))
            held = [name for name in scenes.items if name.split("/")[0].lower() in NAMES]
            if len({name.split("/")[0] for name in scenes.items}) == 1 and held and len(data.classes) > 1:
                official = NAMES[held[0].split("/")[0].lower()]
                assert official == split or data.remarks, "another split's images, and not a word"
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert not seen["train"] & seen["val"] and not seen["train"] & seen["test"]
    if seen["val"] & seen["test"]:
        assert any("validation is the test split" in remark for remark in data.remarks)
