"""R-CNN's SVMs with C chosen on images that are held out."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.lectures.cs231n._chosen_svms import ChosenSVMs
from lightning_modules.feature_store import ImageFeatures
from lightning_modules.linear_svms import LinearSVMs

CS = (1e-5, 1e-2)


def image(seed: int) -> ImageFeatures:
    """An object of one of two classes, a region that is nearly its box, and ten of background; features tell them apart."""
    draw = np.random.default_rng(seed)
    label = seed % 2
    box = np.array([5, 5, 25, 25])
    far = draw.uniform(30, 40, (10, 2))
    boxes = np.concatenate([[box], [box + 1], np.concatenate([far, far + 10], 1)]).astype(np.float32)
    features = draw.normal(0, 0.3, (12, 4)).astype(np.float32)
    features[:2, label] += 2
    none = np.zeros((0, 2), np.int64)
    return ImageFeatures(features, boxes, np.array([label]), none, features[:0])


IMAGES = [image(seed) for seed in range(20)]


def test_the_c_with_the_better_ap_is_taken_and_fitted_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for best in CS:
        with monkeypatch.context() as m:
            svms = ChosenSVMs(cs=CS)
            m.setattr(ChosenSVMs, "average_precision", lambda self, weights, images, best=best: float(self.c == best))
            found = svms.fit(lambda: IMAGES, 2)
        assert svms.c == best
        np.testing.assert_array_equal(found, LinearSVMs(c=best).fit(lambda: IMAGES, 2))


def test_an_image_that_judges_is_not_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    svms, seen = ChosenSVMs(cs=CS, held_out=4), []
    monkeypatch.setattr(svms, "average_precision", lambda weights, images: float(len(seen.append(list(images)) or [])))
    fitted = []
    monkeypatch.setattr(LinearSVMs, "fit", lambda self, images, classes: fitted.append(list(images())))
    svms.fit(lambda: IMAGES, 2)
    judged, taught = ([id(example.boxes) for example in part] for part in (seen[0], fitted[0]))
    assert len(judged) == 5 and len(taught) == 15 and not set(judged) & set(taught)
    assert len(fitted) == 3 and len(fitted[2]) == 20


def test_average_precision_is_that_of_the_proposals() -> None:
    svms = ChosenSVMs()
    perfect = np.array([[-1.0, 1, 0, 0, 0], [-1.0, 0, 1, 0, 0]])
    assert svms.average_precision(perfect, IMAGES) == 1.0
    assert svms.average_precision(-perfect, IMAGES) < 0.3
    assert svms.average_precision(perfect, []) == 0.0
