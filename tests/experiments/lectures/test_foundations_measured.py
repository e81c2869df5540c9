"""What the measurements of learned features, layers, margins and codes do, on images and points that one can count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.drawing import Style
from datamodules.scene import Scene
from experiments.lectures.cnn import _annotated_pixels as pixels
from experiments.lectures.cnn import _hand_features as hand
from experiments.lectures.cnn import _layer_probes as probes
from experiments.lectures.cnn import _margins as lines
from experiments.lectures.cnn import _shared_units as units
from experiments.lectures.cnn import codes_are_distributed as codes
from experiments.lectures.cnn._plain_training import ImageSplit, PlainNet, Splits, error, settle, train, tuned_rate

# Training and reading -------------------------------------------------------------------------------------------------


def tiny(seed: int, classes: int = 3) -> Splits:
    """Classes that differ in colour, 32 × 32."""

    def split(count: int) -> ImageSplit:
        rng = torch.Generator().manual_seed(seed * 1000 + count)
        labels = torch.arange(count) % classes
        images = torch.randint(60, 120, (count, 3, 32, 32), generator=rng)
        images[torch.arange(count), labels % 3] += 100
        return ImageSplit(images.to(torch.uint8), labels)

    return Splits(split(128), split(48), split(60))


def test_a_net_learns_and_its_rate_is_one_that_lets_it() -> None:
    data = tiny(0)
    torch.manual_seed(0)
    net = PlainNet(3, ((4, 3, 4), (8, 3, 4)), 32)
    before = error(net, data.test)
    train(net, data.train, 12, 0.1, 0)
    assert not net.training and error(net, data.test) < 0.1 < before
    rate = tuned_rate(lambda: PlainNet(3, ((4, 3, 4), (8, 3, 4)), 32), data, 6, 0)
    assert rate in (0.0316, 0.1, 0.316)


def test_the_same_seed_trains_the_same_net_and_another_one_another() -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(0)
        net = PlainNet(3, ((4, 3, 4),), 32)
        train(net, tiny(0).train, 3, 0.1, seed)
        weights.append(net.classes.weight.detach().clone())
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_a_net_at_random_has_the_statistics_of_the_images_it_sees() -> None:
    torch.manual_seed(0)
    net, images = PlainNet(3, ((4, 3, 4),), 32), tiny(0).train.images
    settle(net, images)
    convolution, norm = net.features[0][0], net.features[0][1]
    with torch.no_grad():
        maps = convolution((images.float() - 128) / 64)
    torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)), atol=1e-4, rtol=1e-3)
    assert not net.training


def test_shuffled_labels_are_as_many_of_each_class_and_permuted_pixels_are_the_same_for_all() -> None:
    data = tiny(0)
    shuffled = hand.labels_shuffled(data, 1)
    assert torch.equal(shuffled.train.labels.bincount(), data.train.labels.bincount())
    assert not torch.equal(shuffled.train.labels, data.train.labels) and torch.equal(shuffled.test.labels, data.test.labels)
    permuted = hand.pixels_permuted(data, 1)
    order = torch.randperm(1024, generator=torch.Generator().manual_seed(1))
    for before, after in zip(data, permuted, strict=True):
        assert torch.equal(after.images.flatten(2), before.images.flatten(2)[:, :, order])
        assert torch.equal(after.labels, before.labels)


@pytest.mark.parametrize("features", [hand.PIXELS, hand.HOG, hand.RANDOM, *hand.SEEN])
def test_features_of_each_kind_are_read(features: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hand, "splits", lambda seed, root, count: tiny(seed))
    monkeypatch.setattr(hand, "rate", lambda root, count, steps: 0.1)
    found = hand.read_out(seed=0, folder=tmp_path, features=features, root=None, train_images=128, steps=4).values
    assert 0 <= found[hand.ERROR] <= 1
    assert (hand.OWN in found) == (features in hand.SEEN)
    if features in (hand.PIXELS, hand.LEARNED):
        assert found[hand.ERROR] == 0, "classes of one colour each are read without an error"


# Margins --------------------------------------------------------------------------------------------------------------


def test_the_greatest_margin_of_four_points_is_found(tmp_path: Path) -> None:
    points = np.array([[-1.0, 0.0], [-2.0, 1.0], [1.0, 0.5], [3.0, -1.0]])
    classes = np.array([-1.0, -1.0, 1.0, 1.0])
    nearest = np.hypot(2, 0.5) / 2  # between (−1, 0) and (1, 0.5)
    for line in lines.quadratic_program(points, classes):
        assert lines.margin(line, points, classes) == pytest.approx(nearest, rel=1e-4)
    assert 0 < lines.margin(lines.perceptron(points, classes, 0), points, classes) <= nearest
    assert lines.margin(np.array([-1.0, 0.0, 0.0]), points, classes) == pytest.approx(-3)


def test_the_slopes_are_those_of_the_losses() -> None:
    score = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
    for slope, loss in ((lines.hinge, torch.relu(1 - score)), (lines.logistic, torch.nn.functional.softplus(-score))):
        (gradient,) = torch.autograd.grad(loss.sum(), score)
        np.testing.assert_allclose(slope(score.detach().numpy()), -gradient.numpy(), atol=1e-12)


def test_no_point_lies_nearer_to_the_line_that_separates_them_than_the_gap() -> None:
    points, classes = lines.separable(3)
    assert len(points) == lines.COUNT and set(classes) == {-1.0, 1.0}
    assert lines.margin(lines.quadratic_program(points, classes)[0], points, classes) >= lines.GAP - 1e-6


# Layers --------------------------------------------------------------------------------------------------------------


def plain_scene(mask: np.ndarray, label: int) -> Scene:
    image = np.full((3, *mask.shape), 40, np.uint8)
    image[:, mask > 0] = 200
    return {
        "image": torch.from_numpy(image),
        "mask": torch.from_numpy(mask * (label + 1)),
        "label": torch.tensor(label),
        "captions": ["a large red striped square"],
    }


def square() -> Scene:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 8:28] = 1
    return plain_scene(mask, probes.STYLE.classes.index("square"))


def test_a_square_has_four_corners_between_straight_sides() -> None:
    places, kinds = pixels.outline_parts(square(), probes.STYLE)
    corners = np.array([[10, 8], [10, 27], [29, 8], [29, 27]])
    away = np.linalg.norm(places[:, None] - corners[None], axis=-1).min(1)
    assert (away[kinds == pixels.CORNER] <= pixels.NEAR).all() and (away[kinds == pixels.STRAIGHT] >= pixels.FAR).all()
    assert (kinds == pixels.CORNER).sum() == 4 * 3 and (kinds == pixels.STRAIGHT).sum() == 4 * 14
    assert not (kinds == pixels.ARC).any()


def test_the_rims_of_a_ring_are_arcs_and_both_are_there() -> None:
    y, x = np.mgrid[:40, :40]
    radius = np.hypot(x - 20, y - 20)
    mask = ((radius < 14) & (radius > 6)).astype(np.uint8)
    places, kinds = pixels.outline_parts(plain_scene(mask, probes.STYLE.classes.index("ring")), probes.STYLE)
    away = np.hypot(*(places - 20).T)
    assert set(kinds.tolist()) == {pixels.ARC} and away.max() > 12 and away.min() < 8


def test_the_directions_of_a_squares_edges_are_from_dark_to_light() -> None:
    places, kinds = pixels.edges(square(), probes.STYLE)
    middle = (places[:, 0] > 12) & (places[:, 0] < 27)
    left, right = middle & (places[:, 1] < 18), middle & (places[:, 1] >= 18)
    assert set(kinds[left].tolist()) == {0} and set(kinds[right].tolist()) == {4}
    top = (places[:, 0] < 15) & (places[:, 1] > 10) & (places[:, 1] < 25)
    assert set(kinds[top].tolist()) == {2}, "downwards is 90 degrees: rows count down"


def test_an_objects_pixels_have_its_texture_and_its_class() -> None:
    scene = square()
    for places, kinds in (pixels.textures(scene, probes.STYLE), pixels.objects(scene, probes.STYLE)):
        assert len(places) == 400 and (scene["mask"][tuple(places.T)] > 0).all() and len(set(kinds.tolist())) == 1
    assert pixels.textures(scene, probes.STYLE)[1][0] == 0
    scene["captions"] = ["a large red square"]
    assert pixels.textures(scene, probes.STYLE)[1][0] == 4


def test_drawn_pixels_have_every_class_of_every_property() -> None:
    images, found = pixels.annotated(0, 40, probes.STYLE)
    assert images.shape == (40, 3, 40, 40) and images.dtype == torch.uint8
    wanted = {"edge": range(8), "texture": (0, 1, 2, 4), "part": range(3), "class": range(6), pixels.CORNERS: range(2)}
    for name, classes in wanted.items():
        labels = found[name].labels
        assert set(labels[labels >= 0].tolist()) == set(classes), name
        assert found[name].pixels.shape == (40, pixels.EACH, 2) and int(found[name].pixels.max()) < 40
    assert not torch.equal(images[:2], pixels.annotated(1, 2, probes.STYLE)[0])


def test_a_probe_of_every_layer_ends_in_the_layer_of_each_property(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(probes, "PROBED", 90)
    monkeypatch.setattr(probes, "HELD", 30)
    monkeypatch.setattr(probes, "drawn", lambda seed, *sizes: Splits(*(drawn40(seed, n) for n in (64, 1, 20))))
    found = probes.probe_layers(seed=0, folder=tmp_path, net=probes.RANDOM, steps=1)
    assert all(0 <= found.values[name] <= 6 for name in pixels.PROPERTIES)
    assert [x for x, _ in found.curves["accuracy, class"]] == [0, 1, 2, 3, 4, 5, 6]


def drawn40(seed: int, count: int) -> ImageSplit:
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 3, 40, 40), generator=rng, dtype=torch.uint8)
    return ImageSplit(images, torch.arange(count) % 6)


def test_the_scenes_of_layers_are_of_one_object_whose_colour_says_nothing() -> None:
    assert isinstance(probes.STYLE, Style) and probes.STYLE.objects == (1, 1) and probes.STYLE.color_cue == 0


# Codes --------------------------------------------------------------------------------------------------------------


def test_nets_of_different_depth_have_as_many_parameters_and_a_last_map_of_one_size() -> None:
    nets = {depth: PlainNet(units.CLASSES, stages, units.SIZE) for depth, stages in units.STAGES.items()}
    counts = [sum(p.numel() for p in net.parameters()) for net in nets.values()]
    assert max(counts) / min(counts) < 1.02
    images = torch.zeros(1, 3, units.SIZE, units.SIZE)
    assert {net.features(images).shape for net in nets.values()} == {(1, 24, 4, 4)}
    assert [len(net.features) for net in nets.values()] == [1, 2, 3]
    assert units.GrandmotherCells()(images).shape == (1, units.CLASSES)


@pytest.mark.parametrize("variant", [units.DEEP, units.CELLS, units.RANDOM])
def test_codes_are_measured(variant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(units, "photographs", lambda seed, *sizes: tiny(seed, classes=10))
    monkeypatch.setattr(units, "rate", lambda depth, count, steps: 0.1)
    changes = codes.study.variant(variant).changes
    found = units.codes(seed=0, folder=tmp_path, **changes, train_images=128, steps=2).values
    assert 0 <= found[units.SHARED] <= 1 and -1 <= found[units.FALL] <= 1 and 0 <= found[units.ERROR] <= 1
