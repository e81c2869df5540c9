"""Names that data give: below their folder or refused in one line, and none of them commands a terminal."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from PIL import Image

import datamodules
from datamodules import COCO, VOC, CaltechBoxes, COCOCaptions, ImageFiles
from datamodules.base import DataModule, PreparedScenes
from datamodules.files import below
from datamodules.loading import Skipped
from datamodules.scene import InputError, SceneError, printable, quoted
from tests.support import tiny
from tests.support.hostile import (
    OPTIONS,
    anything,
    examples,
    read_or_refused,
    text,
)

LEADING_OUT = (
    "../../secret.jpg",
    "a/../../../secret.jpg",
    "..\\..\\secret.jpg",
    "/etc/passwd",
    "C:\\x.jpg",
    "\\x",
    "a\0.jpg",
    "\x1b[2J",
    "..",
)


# Names --------------------------------------------------------------------------------------------------------------------


@given(name=text | anything)
@examples(250)
def test_a_name_lies_below_its_folder_or_is_refused(name: Any, tmp_path: Path) -> None:
    if path := read_or_refused(lambda: below(tmp_path, name, "list.txt")):
        assert Path(os.path.normpath(path)).is_relative_to(tmp_path) and os.path.normpath(path) != str(tmp_path)
        path.exists()  # no error: the system takes it for a name


@pytest.mark.parametrize("name", LEADING_OUT)
def test_a_name_that_leads_out_is_refused_with_its_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        SceneError, match=r"^annotations\.json: file name '.*' (is absolute|leads out|has a control char|is none)"
    ):
        below(tmp_path, name, "annotations.json")


@pytest.mark.parametrize(
    "name", ["a.jpg", "./a.jpg", "a/b.jpg", "..a.jpg", "a..b.jpg", "ü é 日.jpg", ".hidden/a.jpg", "a b.jpg"]
)
def test_names_as_people_have_them_are_taken(name: str, tmp_path: Path) -> None:
    assert below(tmp_path, name, "x") == tmp_path / name


def rename(path: Path, old: str, new: str) -> None:
    written = json.dumps(new)[1:-1] if path.suffix == ".json" else new
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, written))


NAMED: dict[str, Callable[[Path, str], DataModule]] = {}
"""By the data module's name: its tiny data, with the name of one training image replaced."""


def named(make: Callable[[Path, str], DataModule]) -> Callable[[Path, str], DataModule]:
    NAMED[make.__name__] = make
    return make


@named
def coco(root: Path, name: str) -> DataModule:
    rename(tiny.write_coco(root) / "annotations/instances_train2017.json", "000000000007.jpg", name)
    return COCO(str(root), **OPTIONS)


@named
def captions(root: Path, name: str) -> DataModule:
    rename(tiny.write_coco_captions(root) / "annotations/captions_train2017.json", "000000000001.jpg", name)
    return COCOCaptions(str(root), min_count=1, **OPTIONS)


@named
def voc(root: Path, name: str) -> DataModule:
    (tiny.write_voc(root) / "VOCdevkit/VOC2007/ImageSets/Main/train.txt").write_text(f"{name.removesuffix('.jpg')}\n")
    return VOC(str(root), year=2007, **OPTIONS)


@named
def caltech(root: Path, name: str) -> DataModule:
    tiny.write_caltech_boxes(root)
    (root / "annotations/face.csv").write_text("\n".join(f"{n},1,2,9,8,face" for n in [name, "image_0001.jpg"]))
    return CaltechBoxes(str(root), **OPTIONS)


def scenes_of(data: DataModule) -> list[Any]:
    """Every scene of every split; an error in place of one that cannot be used."""
    found: list[Any] = []
    for split in ("train", "val", "test"):
        prepared = PreparedScenes(data, split, augment=False)  # type: ignore[arg-type]
        found += [read_or_refused(partial(prepared.__getitem__, (0, i))) for i in range(len(prepared))]
    return found


@pytest.mark.parametrize("make", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("name", ["../../secret.jpg", "{outside}/secret.jpg"])
def test_no_image_outside_the_data_s_folder_is_read(make: Callable[[Path, str], DataModule], name: str, tmp_path: Path) -> None:
    outside = tmp_path / "secret.jpg"
    root = tmp_path / "data" / "inner"
    data = make(root, name.format(outside=tmp_path))
    for path in (outside, root / "secret.jpg", root / "../secret.jpg", root / "VOCdevkit/secret.jpg"):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (50, 40), (255, 0, 0)).save(path)
    data.invalid = "skip"
    data.require(data.provides - {"mask"})  # whose images are in another list
    with_errors = [scene for scene in scenes_of(data) if isinstance(scene, Skipped)]
    assert with_errors and all("file name '" in scene and "\n" not in scene for scene in with_errors)
    for scene in scenes_of(data):
        assert isinstance(scene, Skipped) or not bool((scene["image"] == torch.tensor([254, 0, 0])[:, None, None]).all())


@pytest.mark.parametrize("make", NAMED.values(), ids=NAMED)
def test_an_image_or_a_folder_that_is_a_link_is_normal(make: Callable[[Path, str], DataModule], tmp_path: Path) -> None:
    data = make(
        tmp_path / "data", {"voc": "000001"}.get(make.__name__, "000000000001.jpg" if make is captions else "linked.jpg")
    )
    elsewhere = tmp_path / "elsewhere"
    for folder in [p for p in (tmp_path / "data").rglob("*") if p.is_dir() and any(p.glob("*.jpg"))]:
        moved = elsewhere / folder.relative_to(tmp_path / "data")
        moved.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(moved)
        folder.symlink_to(moved, target_is_directory=True)
        (moved / "linked.jpg").symlink_to(sorted(moved.glob("*[0-9].jpg"))[0])
    assert PreparedScenes(data, "val", augment=False)[0, 0]["image"].shape == (3, 16, 16)  # type: ignore[call-overload]


JOINED = {
    "camvid.py": {"folder", "f'{folder}annot'", "f'{path.stem}.png'"},  # a split's name, and that of a file that was listed
    "image_folder.py": {"name", "min(strangers)"},  # of folders that were listed
    "visual_genome.py": {"folder"},  # the user's own, in data.images
    "caltech_boxes.py": {"name", "f'{name}.csv'"},  # of tables that were listed
    "coco.py": {"f'{self.annotations}_{name}{self.year}.json'", "self.folder"},
    "coco_captions.py": {"f'captions_{name}{self.year}.json'", "f'{name}{self.year}'"},
    # Of JSON files that were listed, and what is held by below() afterwards.
    "labelme.py": {"name", "file", "f'{stem}{ending}'"},
    "mnist.py": {"name", "f'{name}.gz'"},  # of its four files
    "voc.py": {  # lists of splits, and the user's year
        *("kind", "f'{name}.txt'", "f'{read[-1]}.txt'", "f'VOC{self.year}'", "f'{image_set}.txt'", "folder"),
    },
}
"""What data modules join to a folder beside constants: none of this is a name that data gave."""


@pytest.mark.parametrize("path", sorted(Path(datamodules.__file__).parent.glob("*.py")), ids=lambda p: p.name)
def test_names_that_data_give_become_paths_in_one_function(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not any(isinstance(node, ast.ClassDef) and "DataModule" in map(ast.unparse, node.bases) for node in tree.body):
        return
    divided = [node.right for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    joined = {ast.unparse(right) for right in divided if not (isinstance(right, ast.Constant) and isinstance(right.value, str))}
    assert joined - {"2"} <= JOINED.get(path.name, set()), "datamodules.files.below joins a name that data give"


# Messages -----------------------------------------------------------------------------------------------------------------


@given(text)
@examples(150)
def test_no_message_commands_a_terminal(name: str) -> None:
    for shown in (str(InputError(name)), printable(name), quoted(name)):
        assert not any((c < " " and c not in "\n\t") or "\x7f" <= c < "\xa0" or c in "\u202e\u2066" for c in shown)
        shown.encode()
    assert "\n" not in quoted(name) and len(quoted(name)) < 900
    assert printable("ein Häuschen, 3\u202f000 – 日本\n\t") == "ein Häuschen, 3\u202f000 – 日本\n\t"


def test_a_name_with_a_command_for_the_terminal_is_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "\x1b]0;evil\x07.png").write_bytes(b"no image")
    data = ImageFiles(str(tmp_path), VOC(str(tmp_path)).metadata.as_dict(), workers=0)
    with pytest.raises(InputError) as refused:
        PreparedScenes(data, "test", augment=False)[0, 0]
    assert "\\x1b]0;evil\\x07.png" in str(refused.value)
