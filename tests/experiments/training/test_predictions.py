"""What is drawn and written of what was found."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from functools import wraps
from io import StringIO
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from faster_coco_eval.core import mask as rle
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from datamodules import image_files
from datamodules.drawing import Style
from datamodules.drawing import metadata as drawn_metadata
from datamodules.kinds import Map
from datamodules.resizing import ResizeMode, resize_matrix, resize_scene
from datamodules.scene import FIELDS, DatasetMetadata, Scene, printable
from experiments.training.drawing import draw
from experiments.training.legend import MIN_SCORE
from experiments.training.predictions import PredictionWriter, SortedLines, as_json, on_disk, place_of
from lightning_modules import Segmentation
from lightning_modules.base import Prediction
from lightning_modules.networks import FCN
from tests.conftest import Lectern
from tests.support.hostile import examples, nothing_written, text
from tests.support.tiny import COCO_KEYPOINTS

METADATA = DatasetMetadata("x", (64, 64), ("person", "ring"), keypoints=COCO_KEYPOINTS, skeleton=((0, 5), (5, 6)))


def scene(size: tuple[int, int]) -> Scene:
    """A figure whose keypoints lie on its box's diagonal, and a ring; their masks are made of blocks of 4 x 4 pixels."""
    random = torch.Generator().manual_seed(0)
    boxes = torch.tensor([[8.0, 4, 40, 28], [44, 8, 60, 24]])
    masks = torch.zeros(2, *size, dtype=torch.uint8)
    for i, (x1, y1, x2, y2) in enumerate(boxes.int().tolist()):
        blocks = torch.randint(0, 2, ((y2 - y1) // 4, (x2 - x1) // 4), generator=random, dtype=torch.uint8)
        blocks[0, 0] = blocks[-1, -1] = 1
        masks[i, y1:y2, x1:x2] = blocks.repeat_interleave(4, 0).repeat_interleave(4, 1)
    keypoints = torch.zeros(2, len(COCO_KEYPOINTS), 3)
    keypoints[0, :, :2] = boxes[0, :2] + torch.linspace(0.1, 0.9, len(COCO_KEYPOINTS))[:, None] * (boxes[0, 2:] - boxes[0, :2])
    keypoints[0, :, 2] = 2
    image = torch.randint(0, 255, (3, *size), generator=random, dtype=torch.uint8)
    return {"image": image, "boxes": boxes, "labels": torch.tensor([0, 1]), "masks": masks, "keypoints": keypoints}


def prediction(scene: Scene) -> Prediction:
    fields: Any = {field: scene[field] for field in ("boxes", "labels", "masks", "keypoints")}  # type: ignore[literal-required]
    found: Prediction = fields | {"scores": torch.tensor([0.9, 0.8])}
    return found


def test_masks_and_keypoints_of_a_low_score_are_not_drawn() -> None:
    truth = scene((32, 64))
    found = prediction(truth)
    assert not torch.equal(draw(truth["image"], found, METADATA), draw(truth["image"], {}, METADATA))
    for fields in (("boxes", "labels", "masks"), ("boxes", "labels", "keypoints")):
        shown: Any = {field: found[field] for field in (*fields, "scores")}  # type: ignore[literal-required]
        only_one = {field: values[:1] for field, values in shown.items()}
        with_low = shown | {"scores": torch.tensor([0.9, MIN_SCORE - 0.01])}
        assert torch.equal(draw(truth["image"], with_low, METADATA), draw(truth["image"], only_one, METADATA))
        assert not torch.equal(draw(truth["image"], shown, METADATA), draw(truth["image"], only_one, METADATA))


@pytest.mark.parametrize(
    ("resize_mode", "image_size"), [("stretch", (64, 64)), ("letterbox", (128, 128)), ("stretch", (16, 32))]
)
def test_a_picture_shows_the_image_as_it_lies_on_disk(resize_mode: ResizeMode, image_size: tuple[int, int]) -> None:
    original = scene((32, 64))
    found = on_disk(
        prediction(resize_scene(original, image_size, resize_mode)), resize_matrix((32, 64), image_size, resize_mode), (32, 64)
    )
    assert torch.allclose(found["boxes"], original["boxes"], atol=1e-4)
    assert torch.allclose(found["keypoints"][0], original["keypoints"][0], atol=1e-4)
    assert torch.equal(found["masks"].byte(), original["masks"])
    assert torch.equal(found["scores"], torch.tensor([0.9, 0.8]))
    draw(original["image"], found, METADATA)


@pytest.mark.parametrize(
    ("resize_mode", "image_size"), [("stretch", (64, 64)), ("letterbox", (128, 128)), ("stretch", (16, 32))]
)
def test_written_objects_are_results_as_coco_s_tools_read_them(resize_mode: ResizeMode, image_size: tuple[int, int]) -> None:
    """What a perfect network says of the fitted image scores 1 on the original one, by pycocotools."""
    original = scene((32, 64))
    fitted = resize_scene(original, image_size, resize_mode)
    matrix = resize_matrix((32, 64), image_size, resize_mode)
    entry = as_json(prediction(fitted), matrix, (32, 64), METADATA)
    assert "keypoints" not in entry  # of an image without boxes they stand for themselves
    for written, mask in zip(entry["objects"], original["masks"], strict=True):
        assert np.array_equal(rle.decode(written["segmentation"]), mask.numpy())
    truth = COCO()
    corners = original["boxes"].tolist()
    truth.dataset = {
        "images": [{"id": 1, "height": 32, "width": 64}],
        "categories": [{"id": i, "name": name} for i, name in enumerate(METADATA.classes)],
        "annotations": [
            {
                "id": i + 1,
                "image_id": 1,
                "category_id": i,
                "iscrowd": 0,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": float(original["masks"][i].sum()),
                "segmentation": rle.encode(np.asfortranarray(original["masks"][i].numpy())),
                # COCO's keypoints are pixels' indices: a scene's are half a pixel more.
                "keypoints": (original["keypoints"][i] - torch.tensor([0.5, 0.5, 0])).flatten().tolist(),
                "num_keypoints": int((original["keypoints"][i, :, 2] > 0).sum()),
            }
            for i, (x1, y1, x2, y2) in enumerate(corners)
        ],
    }
    results = [{k: v for k, v in one.items() if k != "category"} | {"image_id": 1} for one in entry["objects"]]
    for kind in ("segm", "keypoints", "bbox"):
        with redirect_stdout(StringIO()):
            truth.createIndex()
            fields = {"segm": "segmentation"}.get(kind, kind)
            kept = ("image_id", "category_id", "score", fields)
            evaluation = COCOeval(truth, truth.loadRes([{k: one[k] for k in kept} for one in results]), kind)
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        assert evaluation.stats[0] == pytest.approx(1), kind


@pytest.fixture
def heat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantity for each pixel, which is declared and nothing else."""
    monkeypatch.setitem(FIELDS, "heat", Map())


def test_a_quantity_lies_over_the_image_in_colours_that_truth_and_prediction_share(heat: None) -> None:
    image = torch.full((3, 160, 160), 100, dtype=torch.uint8)
    truth, found = torch.full((160, 160), 2.0), torch.full((160, 160), 5.0)
    truth[:, 80:], truth[:40] = 8, float("nan")
    drawn = draw(image, {"heat": truth}, METADATA)
    assert torch.equal(drawn[:, :40], image[:, :40])  # nothing is known there
    near, far = drawn[:, 100, 20], drawn[:, 100, 120]
    assert not torch.equal(near, far) and (drawn[:, 40:, :80] == near[:, None, None]).all()
    beside = draw(image, {"heat": found}, METADATA, scale={"heat": truth})[:, 100, 20]
    middle = draw(image, {"heat": torch.where(truth == 8, 5, truth)}, METADATA, scale={"heat": truth})[:, 100, 120]
    assert torch.equal(beside, middle) and not torch.equal(beside, near) and not torch.equal(beside, far)


def test_a_predicted_quantity_is_written_in_pixels_of_the_image_as_it_lies_on_disk(heat: None, tmp_path: Path) -> None:
    """An image of 32 x 64 pixels, predicted at 32 x 32 after a crop: its left and right quarter are not known."""
    image = torch.zeros(3, 32, 64, dtype=torch.uint8)
    values = torch.arange(32.0).expand(32, 32).clone() + 0.5
    data = SimpleNamespace(image_size=(32, 32), resize_mode="crop")
    trainer: Any = SimpleNamespace(datamodule=data, is_global_zero=True)
    writer, task = PredictionWriter(tmp_path), SimpleNamespace(metadata=METADATA)
    batch: Any = {"name": ["a/b.jpg"], "size": [(32, 64)], "index": torch.tensor([0]), "original": [image]}
    writer.on_predict_batch_end(trainer, task, [{"heat": values}], batch)
    with redirect_stdout(StringIO()):
        writer.on_predict_epoch_end(trainer, task)  # type: ignore[arg-type]
    (entry,) = json.loads((tmp_path / "predictions" / "predictions.json").read_text())
    written = np.load(tmp_path / "predictions" / entry["heat"])
    assert written.dtype == np.float32 and written.shape == (32, 64)
    assert np.array_equal(written[:, 16:48], values.numpy())
    assert np.isnan(written[:, :16]).all() and np.isnan(written[:, 48:]).all()


# Names that lead elsewhere ------------------------------------------------------------------------------------------------


@given(names=st.lists(text, min_size=1, max_size=4, unique=True), first=st.integers(0, 10**7))
@examples(250)
def test_every_picture_lies_below_its_folder_and_no_two_are_one_file(names: list[str], first: int) -> None:
    files = []
    for index, name in enumerate(names, first):
        place = place_of(name, index)
        parts = place.split("/")
        assert place.isprintable() or printable(place) == place
        assert all(part.strip(". ") and len(part.encode()) <= 200 and not part.startswith(".") for part in parts)
        assert not set(place) & set('\\:*?"<>|\0') and len(place.encode()) <= 1000
        files += [
            f"{place}.jpg",
            f"{place}.png",
            *(f"{place}_{field}.{ending}" for field in FIELDS for ending in ("png", "npy")),
        ]
    assert len(set(files)) == len(files) and "predictions.json" not in files
    assert not {parent.as_posix() for file in files for parent in PurePosixPath(file).parents} & {*files, "predictions.json"}


def test_a_picture_is_called_like_its_image() -> None:
    assert place_of("photos/a b.jpg", 3) == "photos/a b.jpg" and place_of("test/12", 12) == "test/12"
    assert place_of("Bildschirmfoto um 10.00.00\u202fAM.png", 0) == "Bildschirmfoto um 10.00.00\u202fAM.png"
    assert place_of("../../x.jpg", 7) == "unnamed/000007"


NAMES = [
    "a.jpg",
    "a.png",
    "../../x.jpg",
    "/tmp/x.jpg",
    "C:\\x.jpg",
    "y" * 300,
    "\x1b[2J.jpg",
    "a.jpg_mask",
    "a.jpg_mask.png",
    "predictions.json",
]
NAMES += [
    "predictions.json/x.jpg",
    "a.jpg.png/x.jpg",
    "a.jpg.jpg/x.jpg",
    "unnamed/000000",
    "\ud800",
    "a/../../../x.jpg",
    "",
    ".",
    "a\nb.jpg",
    "nul\0.jpg",
]


def test_predictions_stay_in_their_folder_whatever_images_are_called(tmp_path: Path) -> None:
    """Each has a picture and a map of its own, with its own pixels."""
    images = [torch.full((3, 8, 8), 10 * i, dtype=torch.uint8) for i in range(len(NAMES))]
    data = SimpleNamespace(image_size=(8, 8), resize_mode="stretch")
    trainer: Any = SimpleNamespace(datamodule=data, is_global_zero=True)
    metadata = DatasetMetadata("x", (8, 8), mask_classes=("background", "b"))
    (folder := tmp_path / "a" / "b" / "run").mkdir(parents=True)
    writer = PredictionWriter(folder)
    found: Any = [{"mask": torch.full((8, 8), i, dtype=torch.uint8)} for i in range(len(NAMES))]
    batch: Any = {"name": NAMES, "size": [(8, 8)] * len(NAMES), "index": torch.arange(len(NAMES)), "original": images}
    with nothing_written(tmp_path, within=folder), redirect_stdout(StringIO()):
        writer.on_predict_batch_end(trainer, SimpleNamespace(metadata=metadata), found, batch)
        writer.on_predict_epoch_end(trainer, SimpleNamespace(metadata=metadata))  # type: ignore[arg-type]
    entries = {entry["file"]: entry for entry in json.loads((folder / "predictions" / "predictions.json").read_text())}
    assert sorted(entries) == sorted(NAMES)
    for i, name in enumerate(NAMES):
        assert (folder / "predictions" / entries[name]["picture"]).is_file()
        assert np.unique(np.asarray(Image.open(folder / "predictions" / entries[name]["mask"]))).tolist() == [i]
    assert len({entry["picture"] for entry in entries.values()}) == len(NAMES)


def test_what_is_not_finite_is_null_in_the_file(tmp_path: Path) -> None:
    """JSON has no NaN, and a reader of another language stops at it."""
    data = SimpleNamespace(image_size=(8, 8), resize_mode="stretch")
    trainer: Any = SimpleNamespace(datamodule=data, is_global_zero=True)
    metadata = DatasetMetadata("x", (8, 8), classes=("a", "b"))
    found: Any = [
        {"boxes": torch.tensor([[1.0, 1, 5, 5]]), "labels": torch.tensor([1]), "scores": torch.tensor([float("nan")])},
    ]
    batch: Any = {"name": ["a.jpg"], "size": [(8, 8)], "index": torch.arange(1)}
    writer = PredictionWriter(tmp_path, pictures=False)
    with redirect_stdout(StringIO()):
        writer.on_predict_batch_end(trainer, SimpleNamespace(metadata=metadata), found, batch)
        writer.on_predict_epoch_end(trainer, SimpleNamespace(metadata=metadata))  # type: ignore[arg-type]
    text = (tmp_path / "predictions" / "predictions.json").read_text()
    assert "NaN" not in text and json.loads(text)[0]["objects"][0]["score"] is None


# Many images ------------------------------------------------------------------------------------------------------------


def test_each_image_is_read_once_and_predictions_are_not_kept(
    lectern: Lectern, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures included, and in batches of images of different sizes."""
    (workdir / "photos").mkdir()
    for i in range(5):
        Image.new("RGB", (40 + 10 * i, 60 - 5 * i), (50 * i, 99, 9)).save(workdir / "photos" / f"{i}.jpg")
    read, kept = list[str](), list[Any]()
    own, predict = image_files.read_image, pl.Trainer.predict
    monkeypatch.setattr(image_files, "read_image", lambda path: (read.append(path.name), own(path))[1])
    keep = wraps(predict)(lambda *args, **more: kept.append(predict(*args, **more)))  # the parser reads its arguments
    monkeypatch.setattr(pl.Trainer, "predict", keep)
    model = {"class_path": "Segmentation", "init_args": {"network": {"class_path": "lightning_modules.networks.FCN"}}}
    task = Segmentation(network=FCN, metadata=drawn_metadata(Style(image_size=(32, 32))).as_dict())
    content = {"state_dict": task.state_dict(), "hyper_parameters": {"metadata": task.metadata.as_dict()}}
    torch.save({**content, "experiment": {"model": model}, "pytorch-lightning_version": "2.6.6"}, workdir / "fcn.ckpt")
    arguments = ["--ckpt_path", "fcn.ckpt", "--data", "ImageFiles", "--data.root", "photos", "--data.workers", "0"]
    done = lectern("predict", *arguments, "--data.batch_size", "2")
    assert done.code == 0, done.err
    assert sorted(read) == [f"{i}.jpg" for i in range(5)] and kept == [None]
    (folder,) = (workdir / "runs").glob("*/evaluations/*/predictions")
    entries = json.loads((folder / "predictions.json").read_text())
    assert [entry["size"] for entry in entries] == [[60 - 5 * i, 40 + 10 * i] for i in range(5)]
    for entry in entries:
        height, width = entry["size"]
        picture, mask = (Image.open(folder / entry[name]) for name in ("picture", "mask"))
        assert picture.format == "JPEG" and picture.width * height == picture.height * width
        assert mask.format == "PNG" and mask.size == (width, height)


def test_lines_wait_on_disk_and_are_written_in_the_order_of_their_names(tmp_path: Path) -> None:
    lines = SortedLines(tmp_path / "new")
    for name in ("b", "ü", "a"):
        lines.add(name, json.dumps({"file": name}, ensure_ascii=False))
    assert [name for name, _ in lines] == ["a", "b", "ü"]
    lines.add("0", "{}")  # they can be read before the last is there
    assert lines.write(tmp_path / "all.json") == 4
    assert json.loads((tmp_path / "all.json").read_text()) == [{}, {"file": "a"}, {"file": "b"}, {"file": "ü"}]
    lines.close()
    assert SortedLines(tmp_path).write(tmp_path / "none.json") == 0 and json.loads((tmp_path / "none.json").read_text()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.json", "new", "none.json"]
