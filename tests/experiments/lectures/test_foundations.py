"""The verdicts on learned features, layers, margins and codes, on runs that nobody made; and what their measurements do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.drawing import Style
from datamodules.scene import Scene
from experiments.lectures.cnn import _annotated_pixels as pixels
from experiments.lectures.cnn import _hand_features as hand
from experiments.lectures.cnn import codes_are_distributed as codes
from experiments.lectures.cnn import convolutions_hold_the_feature_extraction as inside
from experiments.lectures.cnn import end_to_end_beats_fixed_features as end_to_end
from experiments.lectures.cnn import features_grow_from_edges_to_objects as grow
from experiments.lectures.cnn import svms_maximise_the_margin as svms
from experiments.lectures.cnn._plain_training import ImageSplit, PlainNet, Splits, error, settle, train, tuned_rate
from experiments.studies.levels import Level
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Verdict
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

R, D, N, I = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED, Level.INCONCLUSIVE  # noqa: E741
APART = [0.3, 0.6, 0.35, 0.55, 0.45]


def levels(study: Study, runs: Runs) -> tuple[Level, ...]:
    return tuple(part.level for part in Verdict.of(study.parts(runs)).parts.values())


# A01 ------------------------------------------------------------------------------------------------------------------


def fixed(hog: Sequence[float], random: Sequence[float], shuffled: Sequence[float], learned: Sequence[float]) -> Runs:
    """The same test errors on photographs and on drawn scenes."""
    made = {hand.HOG: hog, hand.RANDOM: random, hand.SHUFFLED: shuffled, hand.LEARNED: learned}
    return Runs.made_up(
        {
            hand.named(name, root): {hand.ERROR: list(errors), hand.OWN: list(errors)}
            for root in (hand.PHOTOGRAPHS, None)
            for name, errors in made.items()
        }
    )


@pytest.mark.parametrize(
    ("hog", "random", "shuffled", "learned", "level"),
    [
        (five(0.55), five(0.53), five(0.60), five(0.45), R),
        (five(0.48), five(0.53), five(0.60), five(0.45), D),  # 3 points, and not 5
        (five(0.55), five(0.53), five(0.45), five(0.45), D),  # any training is as good
        (five(0.45), five(0.53), five(0.60), five(0.45), N),
        (five(0.40), five(0.53), five(0.60), five(0.45), N),
        (five(0.55), five(0.40), five(0.60), five(0.45), N),
        (five(0.55), APART, five(0.60), five(0.45), I),
        (five(0.89), five(0.53), five(0.60), five(0.45), I),  # HOG at chance is no control
    ],
)
def test_learned_features(
    hog: list[float], random: list[float], shuffled: list[float], learned: list[float], level: Level
) -> None:
    assert levels(end_to_end.study, fixed(hog, random, shuffled, learned))[0] == level


def test_photographs_and_scenes_are_judged_apart() -> None:
    runs = fixed(five(0.55), five(0.53), five(0.60), five(0.45))
    scenes = hand.named(hand.LEARNED, None), hand.named(hand.HOG, None)
    assert levels(end_to_end.study, runs) == (R, R)
    assert levels(end_to_end.study, runs.exchanged(*scenes)) == (R, N)


def test_fixed_features_that_are_exchanged_with_learned_ones_lose() -> None:
    assert_exchange_turns(end_to_end.study, fixed(five(0.55), five(0.53), five(0.60), five(0.45)))


# B11 ------------------------------------------------------------------------------------------------------------------


def extraction(pixel: Sequence[float], hog: Sequence[float], permuted: Sequence[float], learned: Sequence[float]) -> Runs:
    made = {hand.PIXELS: pixel, hand.HOG: hog, hand.PERMUTED: permuted, hand.LEARNED: learned, hand.RANDOM: five(0.53)}
    return Runs.made_up({hand.named(name, hand.PHOTOGRAPHS): {hand.ERROR: list(errors)} for name, errors in made.items()})


@pytest.mark.parametrize(
    ("pixel", "hog", "permuted", "learned", "level"),
    [
        (five(0.65), five(0.55), five(0.60), five(0.45), R),
        (five(0.65), five(0.55), five(0.45), five(0.45), D),  # filters work without neighbours: it is not they
        (five(0.48), five(0.47), five(0.60), five(0.45), D),
        (five(0.55), five(0.65), five(0.60), five(0.45), N),  # no preprocessing is needed
        (five(0.65), five(0.45), five(0.60), five(0.55), N),  # nor does the net have it
        (five(0.65), APART, five(0.60), five(0.45), I),
        (five(0.85), five(0.55), five(0.60), five(0.45), I),
    ],
)
def test_extraction_inside(
    pixel: list[float], hog: list[float], permuted: list[float], learned: list[float], level: Level
) -> None:
    assert levels(inside.study, extraction(pixel, hog, permuted, learned)) == (level,)


def test_an_extraction_that_is_exchanged_is_outside() -> None:
    assert_exchange_turns(inside.study, extraction(five(0.65), five(0.55), five(0.60), five(0.45)))


def test_both_studies_of_features_share_their_runs() -> None:
    jobs = {s.claim: {s.job("cpu", v, None, 0).hash for v in s.variants} for s in (end_to_end.study, inside.study)}
    assert len(jobs["A01"] & jobs["B11"]) == 3


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


# A06 ------------------------------------------------------------------------------------------------------------------


def margins(svm: float, perceptron: float, exact: float = 0.1, slsqp: float | None = None) -> Runs:
    def values(margin: float) -> list[float]:
        return [margin * (1 + seed / 5000) for seed in range(10)]

    made = {svms.SVM: svm, svms.PERCEPTRON: perceptron, svms.LOGISTIC: 0.09, svms.EXACT: exact}
    variants = {name: {svms.MARGIN: values(margin)} for name, margin in made.items()}
    variants[svms.EXACT][svms.SLSQP] = values(slsqp or exact)
    return Runs.made_up(variants)


@pytest.mark.parametrize(
    ("svm", "perceptron", "slsqp", "level"),
    [
        (0.0995, 0.05, None, R),
        (0.0950, 0.05, None, N),  # it does not reach the greatest
        (0.0995, 0.1, None, N),
        (-0.01, 0.05, None, I),  # some point is wrong: no margin
        (0.0995, 0.05, 0.11, N),  # the solvers do not agree
    ],
)
def test_margins(svm: float, perceptron: float, slsqp: float | None, level: Level) -> None:
    assert levels(svms.study, margins(svm, perceptron, slsqp=slsqp)) == (level,)


def test_a_perceptron_that_is_exchanged_with_the_svm_has_the_smaller_margin() -> None:
    assert_exchange_turns(svms.study, margins(0.0995, 0.05))


def test_the_greatest_margin_of_four_points_is_found(tmp_path: Path) -> None:
    points = np.array([[-1.0, 0.0], [-2.0, 1.0], [1.0, 0.5], [3.0, -1.0]])
    classes = np.array([-1.0, -1.0, 1.0, 1.0])
    nearest = np.hypot(2, 0.5) / 2  # between (−1, 0) and (1, 0.5)
    for line in svms.quadratic_program(points, classes):
        assert svms.margin(line, points, classes) == pytest.approx(nearest, rel=1e-4)
    assert 0 < svms.margin(svms.perceptron(points, classes, 0), points, classes) <= nearest
    assert svms.margin(np.array([-1.0, 0.0, 0.0]), points, classes) == pytest.approx(-3)


def test_the_slopes_are_those_of_the_losses() -> None:
    score = torch.linspace(-3, 3, 50, dtype=torch.float64, requires_grad=True)
    for slope, loss in ((svms.hinge, torch.relu(1 - score)), (svms.logistic, torch.nn.functional.softplus(-score))):
        (gradient,) = torch.autograd.grad(loss.sum(), score)
        np.testing.assert_allclose(slope(score.detach().numpy()), -gradient.numpy(), atol=1e-12)


def test_no_point_lies_nearer_to_the_line_that_separates_them_than_the_gap() -> None:
    points, classes = svms.separable(3)
    assert len(points) == svms.COUNT and set(classes) == {-1.0, 1.0}
    assert svms.margin(svms.quadratic_program(points, classes)[0], points, classes) >= svms.GAP - 1e-6


# A02 ------------------------------------------------------------------------------------------------------------------


def layers(trained: Sequence[float], random: Sequence[float] = (1, 2, 2, 2), accuracy: float = 0.8, rise: float = 0.2) -> Runs:
    """Layers of edge, texture, part and class; of the net that was taught nothing those of the random one."""

    def values(of_net: Sequence[float], right: float) -> dict[str, list[float]]:
        own = {name: [layer + 0.001 * seed for seed in range(6)] for name, layer in zip(grow.JUDGED, of_net, strict=True)}
        own |= {pixels.CORNERS: own["part"]}
        return own | {grow.ACCURACY: [right] * 6} | {f"rise of {name}": [rise] * 6 for name in own}

    nets = {grow.TRAINED: values(trained, accuracy), grow.RANDOM: values(random, 0.17), grow.SHUFFLED: values(random, 0.17)}
    return Runs.made_up(nets)


@pytest.mark.parametrize(
    ("trained", "random", "accuracy", "rise", "level"),
    [
        ((1, 2, 3, 5), (1, 2, 2, 2), 0.8, 0.2, R),
        ((1, 2, 3, 3), (1, 2, 2, 2), 0.8, 0.2, N),
        ((1, 3, 2, 5), (1, 2, 2, 2), 0.8, 0.2, N),
        ((1, 2, 3, 5), (1, 2, 3, 6), 0.8, 0.2, D),  # a random net has the order too
        ((1, 2, 3, 5), (1, 2, 2, 2), 0.3, 0.2, I),
        ((1, 2, 3, 5), (1, 2, 2, 2), 0.8, 0.01, I),
    ],
)
def test_layers(trained: Sequence[float], random: Sequence[float], accuracy: float, rise: float, level: Level) -> None:
    assert levels(grow.study, layers(trained, random, accuracy, rise)) == (level,)


def test_a_random_net_that_is_exchanged_with_the_trained_one_shows_no_order() -> None:
    assert_exchange_turns(grow.study, layers((1, 2, 3, 5)))


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
    return plain_scene(mask, grow.STYLE.classes.index("square"))


def test_a_square_has_four_corners_between_straight_sides() -> None:
    places, kinds = pixels.outline_parts(square(), grow.STYLE)
    corners = np.array([[10, 8], [10, 27], [29, 8], [29, 27]])
    away = np.linalg.norm(places[:, None] - corners[None], axis=-1).min(1)
    assert (away[kinds == pixels.CORNER] <= pixels.NEAR).all() and (away[kinds == pixels.STRAIGHT] >= pixels.FAR).all()
    assert (kinds == pixels.CORNER).sum() == 4 * 3 and (kinds == pixels.STRAIGHT).sum() == 4 * 14
    assert not (kinds == pixels.ARC).any()


def test_the_rims_of_a_ring_are_arcs_and_both_are_there() -> None:
    y, x = np.mgrid[:40, :40]
    radius = np.hypot(x - 20, y - 20)
    mask = ((radius < 14) & (radius > 6)).astype(np.uint8)
    places, kinds = pixels.outline_parts(plain_scene(mask, grow.STYLE.classes.index("ring")), grow.STYLE)
    away = np.hypot(*(places - 20).T)
    assert set(kinds.tolist()) == {pixels.ARC} and away.max() > 12 and away.min() < 8


def test_the_directions_of_a_squares_edges_are_from_dark_to_light() -> None:
    places, kinds = pixels.edges(square(), grow.STYLE)
    middle = (places[:, 0] > 12) & (places[:, 0] < 27)
    left, right = middle & (places[:, 1] < 18), middle & (places[:, 1] >= 18)
    assert set(kinds[left].tolist()) == {0} and set(kinds[right].tolist()) == {4}
    top = (places[:, 0] < 15) & (places[:, 1] > 10) & (places[:, 1] < 25)
    assert set(kinds[top].tolist()) == {2}, "downwards is 90 degrees: rows count down"


def test_an_objects_pixels_have_its_texture_and_its_class() -> None:
    scene = square()
    for places, kinds in (pixels.textures(scene, grow.STYLE), pixels.objects(scene, grow.STYLE)):
        assert len(places) == 400 and (scene["mask"][tuple(places.T)] > 0).all() and len(set(kinds.tolist())) == 1
    assert pixels.textures(scene, grow.STYLE)[1][0] == 0
    scene["captions"] = ["a large red square"]
    assert pixels.textures(scene, grow.STYLE)[1][0] == 4


def test_drawn_pixels_have_every_class_of_every_property() -> None:
    images, found = pixels.annotated(0, 60, grow.STYLE)
    assert images.shape == (60, 3, 40, 40) and images.dtype == torch.uint8
    wanted = {"edge": range(8), "texture": (0, 1, 2, 4), "part": range(3), "class": range(6), pixels.CORNERS: range(2)}
    for name, classes in wanted.items():
        labels = found[name].labels
        assert set(labels[labels >= 0].tolist()) == set(classes), name
        assert found[name].pixels.shape == (60, pixels.EACH, 2) and int(found[name].pixels.max()) < 40
    assert not torch.equal(images, pixels.annotated(1, 60, grow.STYLE)[0])


def test_a_probe_of_every_layer_ends_in_the_layer_of_each_property(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grow, "PROBED", 90)
    monkeypatch.setattr(grow, "HELD", 30)
    monkeypatch.setattr(grow, "drawn", lambda seed, *sizes: Splits(*(drawn40(seed, n) for n in (64, 1, 20))))
    found = grow.probe_layers(seed=0, folder=tmp_path, net=grow.RANDOM, steps=1)
    assert all(0 <= found.values[name] <= 6 for name in pixels.PROPERTIES)
    assert [x for x, _ in found.curves["accuracy, class"]] == [0, 1, 2, 3, 4, 5, 6]


def drawn40(seed: int, count: int) -> ImageSplit:
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 3, 40, 40), generator=rng, dtype=torch.uint8)
    return ImageSplit(images, torch.arange(count) % 6)


def test_the_scenes_of_layers_are_of_one_object_whose_colour_says_nothing() -> None:
    assert isinstance(grow.STYLE, Style) and grow.STYLE.objects == (1, 1) and grow.STYLE.color_cue == 0


# A20 ------------------------------------------------------------------------------------------------------------------


def coded(
    shared: Sequence[float] = five(0.7),
    fall: Sequence[float] = five(0.2),
    shallow: Sequence[float] = five(0.55),
    deep: Sequence[float] = five(0.45),
    parameters: float = 9800.0,
) -> Runs:
    def values(shared: Sequence[float], fall: Sequence[float], errors: Sequence[float], count: float) -> dict[str, list[float]]:
        figures = {codes.SHARED: list(shared), codes.FALL: list(fall), codes.ERROR: list(errors)}
        return figures | {codes.CODES: [90.0] * 5, codes.PARAMETERS: [count] * 5}

    return Runs.made_up(
        {
            codes.SHALLOW: values(five(0.5), five(0.2), shallow, parameters),
            codes.MIDDLE: values(five(0.5), five(0.2), five(0.5), 9826.0),
            codes.RANDOM: values(five(0.3), five(0.2), five(0.6), 9682.0),
            codes.CELLS: values(five(0.1), five(0.5), five(0.5), 5000.0),
            codes.DEEP: values(shared, fall, deep, 9682.0),
        }
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (coded(), (R, R)),
        (coded(shared=five(0.4)), (I, R)),  # a missed threshold refutes nothing
        (coded(shared=five(0.05)), (N, R)),
        (coded(fall=APART), (I, R)),
        (coded(fall=five(0.6)), (N, R)),
        (coded(deep=five(0.55)), (R, N)),
        (coded(deep=five(0.6)), (R, N)),
        (coded(deep=APART), (R, I)),
        (coded(parameters=12_000), (R, N)),
        (coded(shallow=five(0.89)), (I, I)),
    ],
)
def test_codes(runs: Runs, expected: tuple[Level, Level]) -> None:
    assert levels(codes.study, runs) == expected


def test_grandmother_cells_that_are_exchanged_with_units_are_not_shared() -> None:
    assert_exchange_turns(codes.study, coded())


def test_nets_of_different_depth_have_as_many_parameters_and_a_last_map_of_one_size() -> None:
    nets = {depth: PlainNet(codes.CLASSES, stages, codes.SIZE) for depth, stages in codes.STAGES.items()}
    counts = [sum(p.numel() for p in net.parameters()) for net in nets.values()]
    assert max(counts) / min(counts) < 1.02
    images = torch.zeros(1, 3, codes.SIZE, codes.SIZE)
    assert {net.features(images).shape for net in nets.values()} == {(1, 24, 4, 4)}
    assert [len(net.features) for net in nets.values()] == [1, 2, 3]
    assert codes.GrandmotherCells()(images).shape == (1, codes.CLASSES)


@pytest.mark.parametrize("variant", [codes.DEEP, codes.CELLS, codes.RANDOM])
def test_codes_are_measured(variant: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(codes, "photographs", lambda seed, *sizes: tiny(seed, classes=10))
    monkeypatch.setattr(codes, "rate", lambda depth, count, steps: 0.1)
    changes = codes.study.variant(variant).changes
    found = codes.codes(seed=0, folder=tmp_path, **changes, train_images=128, steps=2).values
    assert 0 <= found[codes.SHARED] <= 1 and -1 <= found[codes.FALL] <= 1 and 0 <= found[codes.ERROR] <= 1
