"""Tables as Excel saves them, and PASCAL VOC as annotation tools write it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datamodules.base import Split
from datamodules.caltech_boxes import CaltechBoxes, separator
from datamodules.prepared import PreparedScenes
from datamodules.scene import InputError, SceneError
from datamodules.voc import VOC
from tests.support import tiny

SMALL: dict[str, Any] = {"workers": 0, "batch_size": 1, "image_size": 16}
SPLITS: tuple[Split, ...] = ("train", "val", "test")
ROWS = [[f"{i}.jpg", "1.5", "2", "30.25", "40", "cup"] for i in range(12)]


def written(rows: list[list[str]], delimiter: str = ",", end: str = "\n", decimal: str = ".") -> str:
    text = io.StringIO(newline="")
    lines = csv.writer(text, delimiter=delimiter, lineterminator=end)
    lines.writerows([row[0], *(value.replace(".", decimal) for value in row[1:5]), row[5]] for row in rows)
    return text.getvalue()


def table(root: Path, content: bytes) -> list[tuple[str, tuple[float, ...]]]:
    """File and box of each row, as the data module has them."""
    (root / "annotations").mkdir(exist_ok=True)
    (root / "annotations/cup.csv").write_bytes(content)
    data = CaltechBoxes(str(root), **SMALL)
    return sorted((item[1], item[3]) for split in SPLITS for item in data.scenes(split).items)


def expected(rows: list[list[str]]) -> list[tuple[str, tuple[float, ...]]]:
    return sorted((row[0].strip(), tuple(map(float, row[1:5]))) for row in rows)


@pytest.mark.parametrize(
    "content",
    [
        written(ROWS).encode("utf-8-sig"),
        (written(ROWS, end="\r\n") + "\r\n").encode(),
        (written(ROWS) + ",,,,,\n,,,,,\n").encode(),
        written(ROWS, ";", "\r\n", decimal=",").encode("utf-8-sig"),
        ("\n" + written(ROWS, "\t")).encode(),
    ],
    ids=["mark", "blank last line", "empty rows", "semicolons and decimal commas", "tabs"],
)
def test_a_table_of_excel_is_read(content: bytes, tmp_path: Path) -> None:
    assert table(tmp_path, content) == expected(ROWS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((written(ROWS) + "café.jpg,1,2,30,40,cup\n").encode("latin-1"), "may be Latin-1 or another.*save it as UTF-8"),
        (written(ROWS).encode("utf-16"), "may be UTF-16, as Excel's .*save it as UTF-8"),
        (b"file,x1,y1,x2,y2,class\n", "line 1: 'file,x1,y1,x2,y2,class', expected file"),
        (b"a.jpg|1|2|30|40|cup\n", "line 1"),
        (b"a.jpg;1;2;30;cup\n", "line 1"),
    ],
)
def test_another_table_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"cup\.csv.*{message}") as error:
        table(tmp_path, content)
    assert "\n" not in str(error.value)


FILES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1, max_size=6)
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: f"{value:.3f}")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(FILES, NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5, unique_by=lambda row: row[0]),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.integers(0, 2),
)
def test_any_table_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, ...]],
    delimiter: str,
    end: str,
    encoding: str,
    blank: int,
) -> None:
    cells = [[*row, "cup"] for row in rows]
    text = written(cells, delimiter, end, decimal="," if delimiter == ";" else ".") + blank * end
    root = tmp_path_factory.getbasetemp() / "tables"
    root.mkdir(exist_ok=True)
    try:
        found = table(root, text.encode(encoding))
    except InputError as error:
        # A name with a separator in it may make another of it look right; that ends in an error, and never in other boxes.
        assert any(sign in row[0] for row in rows for sign in ",;\t\"'") and "\n" not in str(error)
        return
    assert found == expected(cells)


@given(st.text(st.sampled_from('ab,;\t"\n1 '), max_size=30), st.integers(1, 6))
def test_a_separator_is_found_in_any_text(text: str, columns: int) -> None:
    assert separator(text, columns) in ",;\t"


def voc(root: Path, **options: Any) -> VOC:
    data = VOC(str(tiny.write_voc(root, classes=("cat",))), year=2007, classes=["cat"], **SMALL, **options)
    data.require(frozenset({"boxes", "labels", "difficult"}))
    return data


@pytest.mark.parametrize("ending", ["png", "JPG", "jpeg", "Png", "tif"])
def test_voc_images_have_any_ending(ending: str, tmp_path: Path) -> None:
    data = voc(tmp_path)
    folder = tmp_path / "VOCdevkit/VOC2007/JPEGImages"
    for path in sorted(folder.glob("*.jpg")):
        Image.open(path).save(path.with_suffix(f".{ending}"))
        if path.suffix != f".{ending}":
            path.unlink()
    scene = data.scenes("train")[0]
    assert scene["name"] == f"JPEGImages/000000.{ending}" and scene["boxes"].shape == (2, 4)


def test_voc_names_images_of_one_name(tmp_path: Path) -> None:
    data = voc(tmp_path)
    image = tmp_path / "VOCdevkit/VOC2007/JPEGImages/000000.jpg"
    for ending in (".png", ".bmp"):
        Image.open(image).save(image.with_suffix(ending))
    assert data.scenes("train")[0]["name"].endswith("000000.jpg")
    image.unlink()
    with pytest.raises(SceneError, match=r"000000\.jpg: not there, and 000000\.bmp and 000000\.png both have its name"):
        data.scenes("train")[0]


def test_voc_names_an_image_that_is_not_there(tmp_path: Path) -> None:
    data = voc(tmp_path)
    (tmp_path / "VOCdevkit/VOC2007/JPEGImages/000000.jpg").unlink()
    with pytest.raises(SceneError, match=r"000000\.jpg: no such file"):
        data.scenes("train")[0]


def test_voc_lists_may_have_a_mark(tmp_path: Path) -> None:
    data = voc(tmp_path)
    (tmp_path / "VOCdevkit/VOC2007/ImageSets/Main/train.txt").write_bytes("000000\r\n\r\n".encode("utf-8-sig"))
    assert [data.scenes("train")[i]["name"] for i in range(len(data.scenes("train")))] == ["JPEGImages/000000.jpg"]


DIFFICULT = {"0": False, "1": True, "False": False, "True": True, "true": True, " 1 ": True, "": False}


@pytest.mark.parametrize("text", [*DIFFICULT, "Unspecified", "2", "-1", "yes"])
def test_voc_difficult_is_a_flag_in_any_spelling(text: str, tmp_path: Path) -> None:
    data = voc(tmp_path)
    path = tmp_path / "VOCdevkit/VOC2007/Annotations/000000.xml"
    path.write_text(path.read_text().replace("<difficult>0<", f"<difficult>{text}<"))
    if text in DIFFICULT:
        assert data.scenes("train")[0]["difficult"].tolist() == [DIFFICULT[text], True]
    else:
        with pytest.raises(SceneError, match=rf"<difficult> is '{text}'; 0 or 1 expected in .*000000\.xml"):
            PreparedScenes(data, "train", augment=False)[0, 0]


def test_a_mask_of_another_ending_is_not_guessed(tmp_path: Path) -> None:
    """A JPEG mask has other classes at its borders: it is named as missing."""
    data = voc(tmp_path)
    data.require(frozenset({"mask"}))
    path = tmp_path / "VOCdevkit/VOC2007/SegmentationClass/000000.png"
    tiny.save(path.with_suffix(".jpg"), np.zeros((40, 50), np.uint8))
    path.unlink()
    with pytest.raises(SceneError, match=r"SegmentationClass/000000\.png: no such file"):
        data.scenes("train")[0]
