"""A deformable part model: its scores, where its parts are, and that what an SVM sees is what it scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datamodules.scene import InputError
from lightning_modules.networks import DPM, Quadratic, Rigid
from lightning_modules.networks.pyramid import PyramidLayout

IMAGE = torch.rand(2, 3, 40, 48, generator=torch.Generator().manual_seed(3)) * 255


def random_model(seed: int = 0, num_classes: int = 2, spring: type = Quadratic, parts: int = 3) -> DPM:
    torch.manual_seed(seed)
    model = DPM(num_classes, roots=((5, 4), (3, 5)), parts=parts, part=(3, 4), spring=spring)
    for each in model.models:
        each.root.normal_()
        each.parts.normal_()
        each.bias.normal_()
        each.costs.copy_(torch.rand_like(each.costs) * 0.3 + 0.01)
        for anchors in each.anchors.unbind():
            anchors.copy_(torch.randint(0, 4, anchors.shape))
    model.has_parts.fill_(parts > 0)
    return model


@pytest.mark.parametrize("spring", [Quadratic, Rigid])
@pytest.mark.parametrize("parts", [0, 3])
def test_a_margin_is_the_weights_times_what_the_svm_sees(spring: type, parts: int) -> None:
    model = random_model(spring=spring, parts=parts)
    pyramid = model(IMAGE)
    for c in range(2):
        places = model.places(pyramid, 1, c)
        assert {r.component for r in places.responses} == {0, 1}
        for index in range(0, len(places.scores), 37):
            place = places.place(index)
            component = model.models[place.component]
            seen = component.features(pyramid, 1, place, c, model.finer)
            margin = seen.astype(float) @ component.weights(c, parts > 0)
            assert margin == pytest.approx(places.scores[index], rel=1e-4, abs=1e-3)


def test_parts_are_where_root_and_parts_together_score_most() -> None:
    """Against all places of each part."""
    model = random_model()
    pyramid = model(IMAGE)
    places, component = model.places(pyramid, 0, 0), model.models[0]
    for index in range(0, places.responses[0].scores.size, 11):
        place = places.place(index)
        maps = pyramid.maps[place.level - model.finer][0]
        root = pyramid.maps[place.level][0][:, 2 + place.row : 7 + place.row, 2 + place.column : 6 + place.column]
        best = float((root * component.root[0]).sum() + component.bias[0])
        for part, costs, (down, across) in zip(
            component.parts[0], component.costs[0], component.anchors[0].tolist(), strict=True
        ):
            scores = torch.nn.functional.conv2d(maps[None], part[None])[0, 0]
            dy = (torch.arange(scores.shape[0]) - (2 * place.row + down))[:, None]
            dx = torch.arange(scores.shape[1]) - (2 * place.column + across)
            best += float((scores - (costs[0] * dx + costs[1] * dx**2 + costs[2] * dy + costs[3] * dy**2)).max())
        assert places.scores[index] == pytest.approx(best, rel=1e-4, abs=1e-3)


def test_rigid_parts_stay_at_their_anchors() -> None:
    model = random_model(spring=Rigid)
    places = model.places(model(IMAGE), 0, 0)
    for index in range(0, places.responses[0].scores.size, 7):
        place, anchors = places.place(index), model.models[0].anchors[0]
        assert list(place.rows) == (2 * place.row + anchors[:, 0]).tolist()
        assert list(place.columns) == (2 * place.column + anchors[:, 1]).tolist()


def test_weights_come_back_as_they_were_set() -> None:
    model = random_model().models[0]
    weights = np.random.default_rng(0).normal(size=len(model.weights(1, True)))
    before = model.weights(0, True)
    model.set_weights(1, weights, True)
    np.testing.assert_allclose(model.weights(1, True), weights, rtol=1e-6)
    assert (model.weights(0, True) == before).all(), "another class' weights stay"
    least = model.least(True)
    assert len(least) == len(weights) and np.isfinite(least).sum() == 2 * 3


def test_parts_begin_where_the_root_says_most() -> None:
    model = random_model(num_classes=1, parts=2).models[0]
    model.root.zero_()
    model.root[0, 4, 0:2, 0:2], model.root[0, 9, 3:5, 2:4], model.root[0, 7, 2, 2] = 5.0, 3.0, -50.0
    model.add_parts(0)
    (top, left), (bottom, right) = model.anchors[0].tolist()
    assert (top, left) == (0, 0) and bottom >= 5 and right >= 3, "negative weights are no energy"
    assert float(model.parts[0, 0].max()) == pytest.approx(5 / 4, rel=0.1)


@given(st.integers(8, 60), st.integers(8, 60), st.integers(0, 1))
@settings(max_examples=6, deadline=None)
def test_detections_keep_the_contract_at_any_size(height: int, width: int, octaves: int) -> None:
    model = random_model()
    model.octaves, model.score_threshold, model.max_detections = octaves, 0.0, 7
    found = model.predict(model(torch.rand(1, 3, height, width) * 255))[0]
    boxes, count = found["boxes"], len(found["boxes"])
    assert count <= 7 and found["labels"].shape == found["scores"].shape == (count,)
    assert found["parts"].shape == (count, 3, 4) or count == 0
    assert bool(((found["scores"] >= 0) & (found["scores"] <= 1)).all()) and bool((found["scores"].diff() <= 0).all())
    assert bool((boxes >= 0).all() and (boxes[:, 2:] > boxes[:, :2]).all())
    assert bool((boxes[:, [0, 2]] <= width).all() and (boxes[:, [1, 3]] <= height).all())


def test_a_pyramid_comes_back_from_its_rows() -> None:
    layout = PyramidLayout((40, 48), 4, 3, 1, (4, 4), 4)
    pyramid = layout.of(IMAGE)
    again = layout.from_rows(layout.rows(pyramid, 1))
    assert all(torch.equal(a[1], b[0]) for a, b in zip(pyramid.maps, again.maps, strict=True))


def test_a_model_whose_parts_do_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="do not fit a root"):
        DPM(1, roots=((3, 3),), part=(7, 6))
    with pytest.raises(InputError, match="an even cell"):
        DPM(1, cell=5)
