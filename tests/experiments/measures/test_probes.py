"""Linear probes: what a layer gives at a pixel, and the layer at which a property is known, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from experiments.measures.hog import LabelledFeatures
from experiments.measures.probes import at_pixels, balanced, first_layer, layer_outputs, probe_accuracy


def test_a_pixel_has_the_vector_of_the_cell_that_it_lies_in() -> None:
    rng = torch.Generator().manual_seed(0)
    maps, pixels = torch.rand(3, 5, 4, 6, generator=rng), torch.randint(0, 24, (3, 7, 2), generator=rng)
    found = at_pixels(maps, pixels, (24, 24))
    assert found.shape == (3, 7, 5)
    for i in range(3):
        for p in range(7):
            row, column = pixels[i, p].tolist()
            assert torch.equal(found[i, p], maps[i, :, row // 6, column // 4])


def test_each_layer_is_looked_at_for_all_images_whatever_the_batches() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, 2, 3))
    images = torch.rand(7, 3, 8, 8)
    seen: list[slice] = []

    def look(maps: torch.Tensor, place: slice) -> torch.Tensor:
        seen.append(place)
        return maps.mean((2, 3))

    net.train()
    found = layer_outputs(net, {"first": net[0], "last": net}, images, look, batch=3)
    assert net.training and {(s.start, s.stop) for s in seen} == {(0, 3), (3, 6), (6, 7)}
    net.eval()
    torch.testing.assert_close(found["first"], net[0](images).mean((2, 3)))
    torch.testing.assert_close(found["last"], net(images).mean((2, 3)))
    assert not any(module._forward_hooks for module in net.modules())


def test_hooks_go_where_a_network_fails() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3))
    with pytest.raises(RuntimeError):
        layer_outputs(net, {"first": net[0]}, torch.rand(2, 1, 8, 8), lambda maps, place: maps)
    assert not net[0]._forward_hooks


def features(rng: np.random.Generator, count: int, noise: float) -> LabelledFeatures:
    labels = rng.integers(0, 4, count)
    return LabelledFeatures((np.eye(4)[labels] + noise * rng.standard_normal((count, 4))).astype(np.float32) * 100, labels)


def test_a_probe_is_a_logistic_regression_on_standardised_features() -> None:
    rng = np.random.default_rng(0)
    train, test = features(rng, 200, 0.5), features(rng, 100, 0.5)
    mean, deviation = train.features.mean(0), train.features.std(0)
    plain = LogisticRegression(max_iter=1000).fit((train.features - mean) / deviation, train.labels)
    expected = (plain.predict((test.features - mean) / deviation) == test.labels).mean()
    assert 0.5 < expected < 1
    assert probe_accuracy(train, test) == pytest.approx(expected)
    shuffled = train._replace(labels=rng.permutation(train.labels))
    assert probe_accuracy(shuffled, test) < 0.5


def test_classes_are_drawn_equally_often_and_nothing_twice() -> None:
    labels = np.repeat([0, 1, 2], [50, 7, 20])
    chosen = balanced(labels, np.random.default_rng(0), most=10)
    assert np.bincount(labels[chosen]).tolist() == [7, 7, 7] and len(set(chosen.tolist())) == 21
    assert np.bincount(labels[balanced(labels, np.random.default_rng(0), most=5)]).tolist() == [5, 5, 5]


@pytest.mark.parametrize(
    ("accuracies", "layer"),
    [
        ([0.2, 0.5, 0.8, 0.7], 2),
        ([0.2, 0.75, 0.8, 0.6], 1),  # 0.2 + 0.9 · 0.6 = 0.74
        ([0.2, 0.73, 0.8, 0.6], 2),
        ([0.5, 0.4, 0.3, 0.2], 0),
        ([0.2, 0.3, 0.4, 0.5], 3),
    ],
)
def test_a_property_is_known_at_the_first_layer_with_nine_tenths_of_its_rise(accuracies: list[float], layer: int) -> None:
    assert first_layer(accuracies) == layer
