"""What is measured in pixels is measured in the annotation's, however the network's image was resized: pycocotools agrees."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO as Reference
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn
from torch.utils.data._utils.pin_memory import pin_memory

from datamodules import COCO, COCOKeypoints
from datamodules.resizing import ResizeMode, resize_matrix
from datamodules.scene import scales_of
from lightning_modules import Detection, Pose
from lightning_modules.metrics.coco import KEYS, CocoAP
from lightning_modules.metrics.oks import KEYPOINT_KEYS, KeypointAP
from lightning_modules.metrics.pose import KeypointError, TorsoPCK

NAMES = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
SIGMAS = (0.079, 0.079, 0.107, 0.107)
MODES: tuple[ResizeMode, ...] = ("stretch", "letterbox")


def write(root: Path, annotations: list[dict[str, Any]], sizes: Sequence[tuple[int, int]], kind: type[COCO]) -> Path:
    """A validation set of images of ``sizes`` (W, H), and a training set without images."""
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    images = [{"id": i, "file_name": f"{i}.png", "width": w, "height": h} for i, (w, h) in enumerate(sizes)]
    for i, size in enumerate(sizes):
        Image.new("RGB", size).save(root / "val2017" / f"{i}.png")
    category = {"id": 1, "name": "person", "keypoints": list(NAMES), "skeleton": [[1, 2]]}
    content = {"images": images, "annotations": annotations, "categories": [category]}
    (root / f"annotations/{kind.annotations}_val2017.json").write_text(json.dumps(content))
    return root


def reference(root: Path, results: list[dict[str, Any]], kind: type[COCO], what: str) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = Reference(str(root / f"annotations/{kind.annotations}_val2017.json"))
        evaluation = COCOeval(truth, truth.loadRes(results), what)
        if what == "keypoints":
            evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats]


def inputs(data: COCO, results: list[dict[str, Any]], *needs: str) -> list[dict[str, Any]]:
    """What the task gives its metrics for each batch, where the network says ``results`` (of one category) of each image."""
    data.require(frozenset(needs))
    given = []
    for batch in data.val_dataloader():
        assert batch is not None
        predictions = []
        for place, size in zip(batch["index"].tolist(), batch["size"], strict=True):
            own = [result for result in results if result["image_id"] == place]
            matrix = resize_matrix(size, data.image_size, data.resize_mode)
            x, y, w, h = torch.tensor([one["bbox"] for one in own], dtype=torch.float64).reshape(-1, 4).unbind(1)
            corners = moved(torch.stack([x, y, x + w, y + h], 1).reshape(-1, 2, 2), matrix).reshape(-1, 4)
            prediction = {
                "boxes": corners.float(),
                "labels": torch.zeros(len(own), dtype=torch.long),
                "scores": torch.tensor([one["score"] for one in own]),
            }
            if "keypoints" in needs:
                points = torch.tensor([one["keypoints"] for one in own], dtype=torch.float64).reshape(-1, len(NAMES), 3)
                points[..., :2] = moved(points[..., :2] + 0.5, matrix)
                prediction["keypoints"] = points.float()
            predictions.append(prediction)
        given.append(Detection.metric_inputs(SimpleNamespace(), predictions, batch))  # type: ignore[arg-type]
    return given


def moved(points: Tensor, matrix: Any) -> Tensor:
    return points * torch.from_numpy(matrix[:, :2].diagonal().copy()) + torch.from_numpy(matrix[:, 2].copy())


def figures(rng: np.random.Generator, sizes: Sequence[tuple[int, int]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Truth and what was found of it, some pixels off, in images of ``sizes`` (W, H)."""
    truth: list[dict[str, Any]] = []
    found = []
    for image, (width, height) in enumerate(sizes):
        for _ in range(2):
            w, h = rng.uniform(20, width / 2), rng.uniform(20, height / 2)
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            points = np.column_stack([rng.uniform(x, x + w, 4), rng.uniform(y, y + h, 4), rng.integers(0, 3, 4)])
            points[0, 2] = 2
            points[points[:, 2] == 0] = 0
            off = rng.normal(0, 0.08 * np.sqrt(w * h), (4, 2))
            common = {"image_id": image, "category_id": 1}
            box, number = [float(v) for v in (x, y, w, h)], len(truth) + 1
            truth.append(
                {
                    **common,
                    "id": number,
                    "bbox": box,
                    "area": float(0.53 * w * h),
                    "iscrowd": 0,
                    "keypoints": points.ravel().tolist(),
                }
                | {"num_keypoints": int((points[:, 2] > 0).sum()), "segmentation": []}
            )
            points[:, :2] += off
            grown = [box[0] + off[0, 0] / 4, box[1], box[2] * 1.1, box[3]]
            score = float(np.float32(rng.uniform()))
            found.append({**common, "score": score, "keypoints": points.ravel().tolist(), "bbox": grown})
    return truth, found


@pytest.mark.parametrize("resize_mode", MODES)
@pytest.mark.parametrize("off", [(8, 0), (0, 8)])
def test_a_figure_is_as_far_off_in_every_direction(resize_mode: ResizeMode, off: tuple[int, int], tmp_path: Path) -> None:
    """A photograph of 400 x 100, stretched to a square: pycocotools says .3 of both joints 8 pixels off, and PCK says 0."""
    keypoints = [110, 20, 2, *[0] * 6, 150, 60, 2]
    truth = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [100, 10, 60, 60], "area": 1908, "iscrowd": 0}
    truth |= {"segmentation": [], "keypoints": keypoints, "num_keypoints": 2}
    found = {"image_id": 0, "category_id": 1, "score": 0.9, "bbox": [100, 10, 60, 60]}
    found["keypoints"] = [110 + off[0], 20 + off[1], 1, *[1] * 6, 150 + off[0], 60 + off[1], 1]
    root = write(tmp_path, [truth], [(400, 100)], COCOKeypoints)
    expected = reference(root, [{k: v for k, v in found.items() if k != "bbox"}], COCOKeypoints, "keypoints")
    assert expected[0] == pytest.approx(0.3)
    data = COCOKeypoints(str(root), image_size=100, batch_size=1, workers=0, resize_mode=resize_mode)
    (given,) = inputs(data, [found], "boxes", "labels", "keypoints", "area")
    metric = KeypointAP(("person",), NAMES)
    metric.update(**given)
    assert [float(metric.compute()[f"keypoint_{key}"]) for key in KEYPOINT_KEYS] == pytest.approx(expected)

    network = lambda count: nn.Linear(1, count)  # noqa: E731
    pose = Pose(network=network, metadata=data.metadata.as_dict())
    (batch,) = data.val_dataloader()
    assert batch is not None
    pose.test_metrics.update(**pose.metric_inputs([{"keypoints": p["keypoints"]} for p in given["predictions"]], batch))
    values = pose.test_metrics.compute()
    assert float(values["PCK10"]) == 0 and float(values["PCK20"]) == 1  # 8 pixels are .14 of the torso's 56.6
    assert float(values["keypoint_error"]) == pytest.approx(8, abs=1e-3)


@pytest.mark.parametrize("resize_mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_ten_numbers_of_figures_are_pycocotools_own(resize_mode: ResizeMode, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    sizes = [(int(w), int(h)) for w, h in rng.integers(80, 500, (12, 2))]
    truth, found = figures(rng, sizes)
    root = write(tmp_path, truth, sizes, COCOKeypoints)
    expected = reference(root, [{k: v for k, v in one.items() if k != "bbox"} for one in found], COCOKeypoints, "keypoints")
    data = COCOKeypoints(str(root), image_size=(128, 160), batch_size=4, workers=0, resize_mode=resize_mode)
    metric = KeypointAP(("person",), NAMES)
    for given in inputs(data, found, "boxes", "labels", "keypoints", "area"):
        metric.update(**given)
    assert [float(metric.compute()[f"keypoint_{key}"]) for key in KEYPOINT_KEYS] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("resize_mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_small_medium_and_large_are_the_photograph_s(resize_mode: ResizeMode, seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    sizes = [(int(w), int(h)) for w, h in rng.integers(80, 500, (12, 2))]
    truth, found = figures(rng, sizes)
    root = write(tmp_path, truth, sizes, COCO)
    expected = reference(root, found, COCO, "bbox")
    data = COCO(str(root), image_size=(128, 160), batch_size=4, workers=0, resize_mode=resize_mode)
    metric = CocoAP(("person",))
    for given in inputs(data, found, "boxes", "labels", "area"):
        metric.update(**given)
    assert [float(metric.compute()[key]) for key in KEYS] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("side", "there"), [(31, "small"), (40, "medium"), (97, "large")])
@pytest.mark.parametrize("image_size", [640, 320, 333, (100, 640)])
def test_an_object_has_its_size_whatever_the_network_s_image(side: int, there: str, image_size: Any, tmp_path: Path) -> None:
    truth = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [100, 100, side, side], "area": side**2, "iscrowd": 0}
    root = write(tmp_path, [truth], [(640, 640)], COCO)
    for with_area in (True, False):
        data = COCO(str(root), image_size=image_size, batch_size=1, workers=0)
        needs = ("boxes", "labels", *(["area"] if with_area else []))
        (given,) = inputs(data, [{**truth, "score": 0.9}], *needs)
        metric = CocoAP(("person",))
        metric.update(**given)
        values = {size: float(metric.compute()[f"mAP_{size}"]) for size in ("small", "medium", "large")}
        assert values == {size: 1.0 if size == there else -1.0 for size in values}


@pytest.mark.parametrize("side", [32, 96])
@pytest.mark.parametrize("image_size", [640, 333, 97])
def test_an_area_on_a_bound_stays_there(side: int, image_size: int, tmp_path: Path) -> None:
    """It is of both sizes, as pycocotools has it."""
    truth = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [100.5, 100.25, side, side], "area": side**2, "iscrowd": 0}
    root = write(tmp_path, [truth], [(640, 480)], COCO)
    found = [{**truth, "score": 0.9}]
    (given,) = inputs(COCO(str(root), image_size=image_size, batch_size=1, workers=0), found, "boxes", "labels", "area")
    metric = CocoAP(("person",))
    metric.update(**given)
    expected = reference(root, found, COCO, "bbox")
    assert [float(metric.compute()[f"mAP_{size}"]) for size in ("small", "medium", "large")] == pytest.approx(expected[3:6])


def test_without_a_scale_pixels_are_those_given() -> None:
    there = torch.tensor([[[0.0, 0, 2], [1, 1, 0], [1, 1, 0], [30, 40, 2]]])
    found = there + torch.tensor([6.0, 0, 0])
    for scale, error in ((None, 6.0), (torch.ones(1, 2), 6.0), (torch.tensor([[2.0, 1.0]]), 3.0)):
        metric, pck = KeypointError(NAMES), TorsoPCK(NAMES)
        metric.update(found, there, scale)
        pck.update(found, there, scale)
        assert float(metric.compute()["keypoint_error"]) == error
        assert float(pck.compute()["PCK10"]) == (1.0 if error <= 0.1 * (50 if scale is None else 42.7) else 0.0)


def test_a_size_knows_its_scale_through_workers_pinned_memory_and_the_cache(tmp_path: Path) -> None:
    root = write(tmp_path, [], [(400, 100)], COCO)
    for workers in (0, 1):
        data = COCO(str(root), image_size=100, batch_size=1, workers=workers)
        data.require(frozenset({"boxes", "labels"}))
        for _ in range(2):  # the second one is of the cache
            (batch,) = data.val_dataloader()
            assert batch is not None and batch["size"] == [(100, 400)] and scales_of(batch) == [(0.25, 1)]
    for kept in (pickle.loads(pickle.dumps(batch)), {"size": pin_memory(batch["size"])}):
        assert scales_of(kept) == [(0.25, 1)]
    assert json.dumps(batch["size"]) == "[[100, 400]]" and scales_of({}) == []
