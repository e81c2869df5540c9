"""KeypointAP gives the numbers of pycocotools."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from datamodules.scene import InputError
from lightning_modules.metrics.oks import KEYPOINT_KEYS, SIGMAS, KeypointAP, sigmas_of
from tests.support.tiny import COCO_KEYPOINTS

CLASSES = ("person", "car", "statue")
KEYPOINTS = ("right_ankle", "left_knee", "right_hip", "wrist", "neck", "head_top", "tail")
OWN = {"tail": 0.05}
Objects = dict[str, Tensor]
Images = list[tuple[Objects, Objects]]


def scenes(seed: int, images: int, *, instances: int = 5, detections: int = 12, side: float = 300) -> Images:
    """Images with any number of instances and detections near them and elsewhere.

    Some instances are crowds, some have keypoints without a label or none with one, and many scores are equal. Cars have no
    keypoints.
    """
    random = torch.Generator().manual_seed(seed)

    def uniform(*size: int) -> Tensor:
        return torch.rand(*size, generator=random)

    made: Images = []
    for _ in range(images):
        there, found = (int(torch.randint(0, most + 1, (1,), generator=random)) for most in (instances, detections))
        corner = uniform(there, 2) * side / 2
        boxes = torch.cat([corner, corner + 10 + uniform(there, 2) * side * 0.45], 1)
        keypoints = boxes[:, None, :2] + uniform(there, len(KEYPOINTS), 2) * (boxes[:, None, 2:] - boxes[:, None, :2])
        visible = torch.randint(0, 3, (there, len(KEYPOINTS)), generator=random).float()
        labels = torch.randint(0, 3, (there,), generator=random)
        visible[labels == 1] = 0
        visible[uniform(there) < 0.15] = 0
        target = {
            "boxes": boxes,
            "labels": labels,
            "keypoints": torch.cat([keypoints, visible[..., None]], -1) * (visible > 0)[..., None],
            "crowd": uniform(there) < 0.15,
            "area": (boxes[:, 2:] - boxes[:, :2]).prod(1) * (0.3 + 0.5 * uniform(there)),
        }
        guesses, guessed = uniform(found, len(KEYPOINTS), 2) * side, torch.randint(0, 3, (found,), generator=random)
        if there:
            matched, near = torch.randint(0, there, (found,), generator=random), uniform(found) < 0.75
            size = (boxes[matched, 2:] - boxes[matched, :2]).mean(1)[:, None, None]
            noise = torch.randn(found, len(KEYPOINTS), 2, generator=random) * size * 0.12 * uniform(found, 1, 1)
            guesses[near] = (keypoints[matched] + noise)[near]
            guessed[near] = labels[matched][near]
        prediction = {
            "boxes": torch.cat([guesses.amin(1), guesses.amax(1)], 1),
            "labels": guessed,
            "keypoints": torch.cat([guesses, torch.ones(found, len(KEYPOINTS), 1)], -1),
            "scores": torch.randint(1, 30, (found,), generator=random) / 30,
        }
        made.append((prediction, target))
    return made


def pycocotools(images: Images) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Its ten numbers, and the mean precision of each class."""
    there: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for image, (prediction, target) in enumerate(images):
        for i, (x1, y1, x2, y2) in enumerate(target["boxes"].tolist()):
            keypoints = target["keypoints"][i]
            there.append(
                {
                    "id": len(there) + 1,
                    "image_id": image,
                    "category_id": int(target["labels"][i]),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": float(target["area"][i]),
                    "iscrowd": int(target["crowd"][i]) if "crowd" in target else 0,
                    "keypoints": keypoints.flatten().tolist(),
                    "num_keypoints": int((keypoints[:, 2] > 0).sum()),
                }
            )
        for i, keypoints in enumerate(prediction["keypoints"]):
            about = {"image_id": image, "category_id": int(prediction["labels"][i])}
            found.append(about | {"keypoints": keypoints.flatten().tolist(), "score": float(prediction["scores"][i])})
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i, "height": 300, "width": 300} for i in range(len(images))],
        "categories": [{"id": c, "name": name} for c, name in enumerate(CLASSES)],
        "annotations": there,
    }
    with redirect_stdout(StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found) if found else COCO(), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(sigmas_of(KEYPOINTS, OWN))
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats, evaluation.eval["precision"][:, :, :, 0, -1].mean((0, 1))


def measured(images: Images, **kwargs: Any) -> dict[str, float]:
    metric = KeypointAP(CLASSES, KEYPOINTS, sigmas=OWN, **kwargs)
    predictions, targets = map(list, zip(*images, strict=True))
    metric.update(predictions, targets, torch.arange(len(images)))
    return {key: value.item() for key, value in metric.compute().items()}


@given(st.integers(0, 2**31), st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_all_numbers_are_those_of_pycocotools(seed: int, count: int) -> None:
    images = scenes(seed, count)
    if not any(len(prediction["scores"]) for prediction, _ in images):
        return  # pycocotools cannot load an empty result
    stats, per_class = pycocotools(images)
    expected = {f"keypoint_{key}": value for key, value in zip(KEYPOINT_KEYS, stats, strict=True)}
    expected |= {f"keypoint_AP/{name}": value for name, value in zip(CLASSES, per_class, strict=True)}
    assert measured(images, per_class=True) == pytest.approx(expected, abs=1e-6)


def test_the_random_scenes_try_everything() -> None:
    """Or the test above would prove little: sizes, crowds, instances without a label, values that are neither 0 nor 1."""
    stats, per_class = pycocotools(scenes(0, 12))
    assert len(set(stats.tolist())) >= 8 and ((stats > 0.05) & (stats < 1)).all()
    assert per_class[1] == -1 and (per_class[[0, 2]] > 0).all()
    truth = [target for _, target in scenes(0, 12)]
    assert any(target["crowd"].any() for target in truth)
    assert any((target["keypoints"][target["labels"] != 1][..., 2] == 0).all(1).any() for target in truth)


def test_more_than_20_detections_are_cut() -> None:
    images = scenes(3, 2, instances=3, detections=90)
    assert max(p["labels"].bincount().max() for p, _ in images) > 20
    assert list(measured(images).values()) == pytest.approx(pycocotools(images)[0], abs=1e-6)


def instance(offset: float = 0.0, labelled: int = len(KEYPOINTS)) -> Tensor:
    """(1, K, 3): keypoints on the diagonal from (10, 10) to (70, 70), moved to the right."""
    places = torch.linspace(10, 70, len(KEYPOINTS))
    visible = (torch.arange(len(KEYPOINTS)) < labelled).float()
    return torch.stack([places + offset, places, visible], -1)[None]


BOX = torch.tensor([[10.0, 10.0, 70.0, 70.0]])


def there(**fields: Tensor) -> Objects:
    return {"boxes": BOX, "labels": torch.tensor([0]), "keypoints": instance(), **fields}


def found(offset: float = 0.0) -> Objects:
    return {"boxes": BOX, "labels": torch.tensor([0]), "keypoints": instance(offset), "scores": torch.tensor([0.9])}


def test_similarity_falls_with_the_distance_by_each_keypoint_s_own_scale() -> None:
    """OKS by hand: an instance of area .53 · 60², all keypoints off by the same distance."""
    k, area = 2 * np.array(sigmas_of(KEYPOINTS, OWN)), 0.53 * 60**2
    for offset in (1.0, 3.0, 6.0, 12.0):
        oks = np.exp(-(offset**2) / (2 * area * k**2)).mean()
        passed = sum(oks >= t for t in np.linspace(0.5, 0.95, 10))
        assert measured([(found(offset), there())])["keypoint_mAP"] == pytest.approx(passed / 10), offset
    assert measured([(found(6.0), there(area=torch.tensor([1e4])))])["keypoint_mAP"] > 0.5


def test_keypoints_without_a_label_do_not_count() -> None:
    half = instance(labelled=3)
    wrong = found() | {"keypoints": torch.cat([instance()[:, :3], instance(500.0)[:, 3:]], 1)}
    assert measured([(wrong, there(keypoints=half))])["keypoint_mAP"] == 1
    assert measured([(wrong, there())])["keypoint_mAP"] == 0


def test_what_cannot_be_measured_is_minus_one() -> None:
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long)}
    nothing["keypoints"] = torch.zeros(0, len(KEYPOINTS), 3)
    assert set(measured([(found(), nothing)]).values()) == {-1.0}
    assert set(measured([(found(), there(keypoints=torch.zeros(1, len(KEYPOINTS), 3)))]).values()) == {-1.0}
    none_found = measured([(nothing | {"scores": torch.zeros(0)}, there())], per_class=True)
    assert (none_found["keypoint_mAP"], none_found["keypoint_AP/car"]) == (0, -1)


def test_sigmas_are_coco_s_and_a_keypoint_without_one_is_named() -> None:
    assert sigmas_of(COCO_KEYPOINTS) == pytest.approx(COCOeval(iouType="keypoints").params.kpt_oks_sigmas)
    assert sigmas_of(["left_hip", "tail"], {"hip": 0.2, "tail": 0.1}) == (0.2, 0.1)
    assert sigmas_of(["head_top"]) == (SIGMAS["shoulder"],)
    with pytest.raises(InputError, match="'fin'"):
        sigmas_of(["neck", "fin"])
