"""The parts of R-CNN's stages: features on disk, SVMs with mined negatives, and ridge regressors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC
from torchvision.ops import box_iou

from datamodules.scene import InputError
from lightning_modules.feature_store import FeatureStore, ImageFeatures
from lightning_modules.linear_svms import LinearSVMs, class_overlaps
from lightning_modules.networks.region_heads import FullyConnected, StagedHead
from lightning_modules.ridge_regressors import RidgeRegressors


def image(seed: int, objects: int = 2, proposals: int = 30, width: int = 5) -> ImageFeatures:
    """Regions whose first features tell the class of an object that they overlap, and how much."""
    draw = np.random.default_rng(seed)
    corners = draw.uniform(0, 40, (objects, 2))
    boxes = np.concatenate([corners, corners + draw.uniform(10, 24, (objects, 2))], 1)
    near = boxes[draw.integers(objects, size=proposals)] + draw.normal(0, 3, (proposals, 4)) if objects else boxes
    far = draw.uniform(0, 50, (proposals, 2))
    regions = np.concatenate([boxes, near, np.concatenate([far, far + 10], 1)]).astype(np.float32)
    labels = draw.integers(3, size=objects)
    features = draw.normal(0, 0.3, (len(regions), width)).astype(np.float32)
    blank = ImageFeatures(features, regions, labels, np.zeros((0, 2), np.int64), features[:0])
    features[:, :3] += class_overlaps(blank, 3) > 0.5
    pairs: Any = np.zeros((0, 2), np.int64)
    if objects:
        iou = box_iou(torch.from_numpy(regions[objects:]), torch.from_numpy(regions[:objects])).numpy()
        rows = (iou.max(1) > 0.6).nonzero()[0]
        pairs = np.stack([objects + rows, iou[rows].argmax(1)], 1)
    return blank._replace(near=pairs, pooled=features[pairs[:, 0]])


# The store ------------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again_and_its_bytes_are_counted(tmp_path: Path) -> None:
    store, images = FeatureStore(tmp_path / "features"), {7: image(0), 1_234_567: image(1, objects=0)}
    for index, kept in images.items():
        store.write(index, image(9))
        store.write(index, kept)
    for found, kept in zip(store.all([*images]), images.values(), strict=True):
        for part in ImageFeatures._fields:
            read, written = getattr(found, part), getattr(kept, part)
            assert read.dtype == written.dtype and np.array_equal(read, written)
    features, total = store.size([*images])
    assert total == sum(path.stat().st_size for path in store.folder.iterdir())
    assert features == sum(kept.features.nbytes for kept in images.values()) + 2 * 128  # of each file, the header
    store.delete()
    assert not store.folder.exists()


@pytest.mark.parametrize("kind", ["features.npy", "pooled.npy", "npz"])
def test_features_that_are_missing_or_damaged_are_named(kind: str, tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.write(3, image(0))
    path = tmp_path / f"000003.{kind}"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="the features of image 3 are missing or damaged"):
        store.read(3)
    path.unlink()
    with pytest.raises(InputError, match="the features of image 3 are missing or damaged"):
        store.read(3)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file/features: features cannot be written"):
        FeatureStore(tmp_path / "file" / "features").write(0, image(0))


# SVMs -----------------------------------------------------------------------------------------------------------------


def passes(images: list[ImageFeatures]) -> Any:
    def begin() -> Iterable[ImageFeatures]:
        return iter(images)

    return begin


def whole(images: list[ImageFeatures], label: int, svms: LinearSVMs) -> np.ndarray[Any, Any]:
    """Bias and weights of an SVM on all negatives at once, by a plain loop."""
    lengths = [np.linalg.norm(row) for example in images for row in example.features]
    scale, positives, negatives = svms.norm / np.mean(lengths), [], []
    for example in images:
        for r, (region, features) in enumerate(zip(example.boxes, example.features, strict=True)):
            mine = example.boxes[: len(example.labels)][example.labels == label]
            iou = max((float(box_iou(torch.from_numpy(region[None]), torch.from_numpy(b[None]))) for b in mine), default=0)
            if r < len(example.labels) and example.labels[r] == label:
                positives.append(features * scale)
            elif iou < svms.negative_iou:
                negatives.append(features * scale)
    weight = {1: svms.positive_weight}
    svm = LinearSVC(C=svms.c, loss="hinge", intercept_scaling=svms.bias, class_weight=weight, max_iter=100_000, tol=1e-6)
    svm.fit(np.stack(positives + negatives), [1] * len(positives) + [0] * len(negatives))
    return np.concatenate([svm.intercept_, svm.coef_[0] * scale])


def test_mined_negatives_give_the_svm_of_all_negatives() -> None:
    """What is left out lies beyond the margin, and changes nothing; two passes see what the first SVMs could not know."""
    images = [image(seed) for seed in range(30)]
    svms = LinearSVMs(c=0.01, refit=50, passes=3)
    found = svms.fit(passes(images), 3)
    for label in range(3):
        expected = whole(images, label, svms)
        assert np.abs(found[label] - expected).max() < 0.02 * np.abs(expected).max()


def test_mining_keeps_few_of_the_negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []
    fit = LinearSVC.fit

    def counted(self: LinearSVC, x: Any, y: Any) -> Any:
        fitted.append(int((np.asarray(y) == 0).sum()))
        return fit(self, x, y)

    monkeypatch.setattr(LinearSVC, "fit", counted)
    images = [image(seed) for seed in range(60)]
    LinearSVMs(c=0.05, refit=100).fit(passes(images), 3)
    assert fitted[-1] < 0.5 * sum(len(example.boxes) for example in images)


def test_the_svms_tell_the_classes_apart_and_pass_over_what_overlaps_an_object_in_part() -> None:
    images = [image(seed) for seed in range(40)]
    svms = LinearSVMs(c=0.05, refit=100).fit(passes(images), 3)
    for example in (image(seed) for seed in range(100, 120)):
        scores = example.features @ svms[:, 1:].T + svms[:, 0]
        assert (scores[: len(example.labels)].argmax(1) == example.labels).all()
    # An image whose only region that is no object overlaps it by .43 has no negative of that class.
    regions = np.array([[0, 0, 10, 10], [0, 0, 10, 23]], np.float32)
    none = images[0].near[:0], images[0].pooled[:0]
    between = ImageFeatures(np.ones((2, 5), np.float32), regions, np.array([1]), *none)
    assert LinearSVMs().fit(passes([between]), 3)[1].tolist() == [-10, 0, 0, 0, 0, 0]


def test_a_class_without_objects_is_never_found() -> None:
    images = [example._replace(labels=example.labels % 2) for example in (image(seed) for seed in range(10))]
    assert LinearSVMs().fit(passes(images), 3)[2].tolist() == [-10, 0, 0, 0, 0, 0]
    assert LinearSVMs().fit(passes([image(0, objects=0)]), 3).tolist() == [[-10, 0, 0, 0, 0, 0]] * 3


def test_the_fit_is_the_same_each_time() -> None:
    images = [image(seed) for seed in range(10)]
    one, other = (LinearSVMs(refit=50).fit(passes(images), 3) for _ in range(2))
    assert np.array_equal(one, other)


# Regressors -----------------------------------------------------------------------------------------------------------


def test_regressors_recover_offsets_that_are_linear_in_the_features() -> None:
    """Girshick et al. 2014, appendix C: the predicted box of a proposal is its object's."""
    draw = np.random.default_rng(0)
    true = draw.normal(0, 0.1, (3, 4, 7))  # the constant and six weights of each class's offsets
    images, proposals = [], []
    for _ in range(40):
        labels = draw.integers(3, size=2)
        pooled = draw.normal(size=(8, 6)).astype(np.float32)
        near = np.stack([np.arange(2, 10), np.arange(8) % 2], 1)
        corners = np.array([[10, 10], [40, 40]]) + draw.uniform(0, 5, (2, 2))
        objects = np.concatenate([corners, corners + 20], 1)
        offsets = np.stack([true[labels[g], :, 0] + true[labels[g], :, 1:] @ f for (_, g), f in zip(near, pooled, strict=True)])
        # The proposal from which these offsets lead to the object: equations 1 to 4 read backwards.
        size = (objects[:, 2:] - objects[:, :2])[near[:, 1]] / np.exp(offsets[:, 2:])
        centre = ((objects[:, 2:] + objects[:, :2]) / 2)[near[:, 1]] - offsets[:, :2] * size
        boxes = np.concatenate([objects, np.concatenate([centre - size / 2, centre + size / 2], 1)]).astype(np.float32)
        images.append(ImageFeatures(np.zeros((10, 1), np.float32), boxes, labels, near, pooled))
        proposals.append((boxes, labels[near[:, 1]], objects[near[:, 1]], pooled))
    fitted = RidgeRegressors(strength=1e-6).fit(passes(images), 3)
    np.testing.assert_allclose(fitted, true, atol=1e-4)
    head = StagedHead(6, 3, layers=partial(FullyConnected, widths=()))
    head.regressor.copy_(torch.from_numpy(fitted)), head.has_regressor.fill_(True)
    for boxes, classes, objects, pooled in proposals:
        moved, _ = head(torch.from_numpy(pooled), torch.from_numpy(boxes[2:]))
        np.testing.assert_allclose(moved[torch.arange(8), torch.from_numpy(classes)].detach(), objects, atol=1e-2)


def test_a_class_without_pairs_leaves_boxes_where_they_are() -> None:
    images = [example._replace(labels=example.labels % 2) for example in (image(seed) for seed in range(5))]
    fitted = RidgeRegressors().fit(passes(images), 3)
    assert fitted[:2].any() and not fitted[2].any() and fitted.shape == (3, 4, 6)
