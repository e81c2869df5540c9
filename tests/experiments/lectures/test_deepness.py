"""The verdicts on depth, on learned functions, on sparse units and on learning without labels, on runs that nobody made."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from experiments.lectures.cnn import _few_digits as few
from experiments.lectures.cnn import _hidden_exclusive_or as hidden
from experiments.lectures.cnn import _pretexts as pretexts
from experiments.lectures.cnn import deep_learning_learns_its_nonlinear_functions as learned
from experiments.lectures.cnn import deep_nets_beat_shallow_ones as deep
from experiments.lectures.cnn import relu_is_computationally_efficient as relu
from experiments.lectures.cnn import sparse_hidden_units_generalise as sparse
from experiments.lectures.cnn import unsupervised_learning_helps_small_datasets as unsupervised
from experiments.lectures.cnn._classical_denoising import psnr
from experiments.lectures.cnn.cascades_of_nonlinear_transformations import cuts_that_agree, from_affine, gradients_by_stages
from experiments.studies.results import Runs
from experiments.studies.study import Study
from experiments.studies.verdict import Level, Verdict
from lightning_modules.networks import StackClassifier, StackFilter
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import Values, five

REPRODUCED, DIRECTION, REFUTED = Level.REPRODUCED, Level.DIRECTION_ONLY, Level.NOT_REPRODUCED
OPEN = Level.INCONCLUSIVE
APART = [0.10, 0.50, 0.20, 0.40, 0.30]


def levels(study: Study, values: Values | dict[str, Values], **options: dict[str, bool]) -> dict[str, Level]:
    made_up = Runs.made_up(values, **options)  # type: ignore[arg-type]
    return {key: part.level for key, part in Verdict.of(study.parts(made_up)).parts.items()}


# A03 ------------------------------------------------------------------------------------------------------------------


def test_stages_are_told_from_a_net_that_is_none_of_theirs_and_from_an_affine_one() -> None:
    torch.manual_seed(0)
    stages: list[nn.Module] = [nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3)]
    x, labels = torch.randn(8, 5), torch.randint(3, (8,))
    assert cuts_that_agree(stages, x) == 4
    assert cuts_that_agree([nn.Linear(5, 5), nn.Dropout(0.5)], x) < 3
    assert from_affine(stages, x) > 1e-3 and from_affine([stages[0], stages[2]], x) < 1e-6
    apart, reached = gradients_by_stages(stages, x, labels)
    assert apart < 1e-6 and reached == 4
    assert gradients_by_stages([stages[0], nn.Threshold(1e9, 0.0), stages[2]], x, labels)[1] == 1  # the last bias alone


# A04 ------------------------------------------------------------------------------------------------------------------

SHAPES, DIGITS = (deep.name(task, "{}") for task in (deep.CLASSIFICATION, deep.OCR))


def depths(
    shapes: tuple[list[float], list[float]],
    noise: tuple[float, float] = (27.0, 26.0),
    digits: tuple[list[float], list[float]] = (five(0.03), five(0.05)),
) -> dict[str, Values]:
    """Deep and shallow of each task."""
    values: dict[str, Values] = {deep.CLASSICAL: {deep.PSNR: five(24)}}
    for depth, shape, db, digit in zip(("deep", "shallow"), shapes, noise, digits, strict=True):
        values[SHAPES.format(depth)] = {deep.ERROR: shape}
        values[DIGITS.format(depth)] = {deep.ERROR: digit}
        values[deep.name(deep.DENOISING, depth)] = {deep.PSNR: five(db, 0.02), deep.NOISY: five(20.2)}
    for own in values.values():
        own |= {"cost/parameters": [8000.0] * 5, "cost/gflop": [0.01] * 5}
    return values


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (depths((five(0.2), five(0.3))), {"a": REPRODUCED, "b": REPRODUCED, "c": REPRODUCED}),
        (depths((five(0.3), five(0.2)), (25.0, 26.0)), {"a": REFUTED, "b": REFUTED, "c": REPRODUCED}),
        (depths((five(0.2), five(0.2)), (26.0, 26.0)), {"a": REFUTED, "b": REFUTED, "c": REPRODUCED}),
        (depths((five(0.2), APART), (21.0, 20.6)), {"a": OPEN, "b": OPEN, "c": REPRODUCED}),
        (depths((five(0.2), five(0.82)), digits=(five(0.2), five(0.88))), {"a": OPEN, "b": REPRODUCED, "c": OPEN}),
    ],
)
def test_deep_and_shallow(values: dict[str, Values], expected: dict[str, Level]) -> None:
    assert levels(deep.study, values) == expected


def test_a_rate_at_the_edge_is_a_matter_of_its_task() -> None:
    found = levels(deep.study, depths((five(0.2), five(0.3))), inside={SHAPES.format("deep"): False})
    assert found == {"a": OPEN, "b": REPRODUCED, "c": REPRODUCED}


def test_an_exchange_turns_depth() -> None:
    assert_exchange_turns(deep.study, Runs.made_up(depths((five(0.2), five(0.3)))))


@pytest.mark.parametrize(
    ("kind", "settings", "outputs", "side"),
    [(StackClassifier, deep.STACKS, 6, 16), (StackClassifier, deep.STACKS, 10, 14), (StackFilter, deep.FILTERS, 3, 24)],
)
def test_deep_and_shallow_have_as_many_parameters_and_see_as_far(kind: type, settings: dict, outputs: int, side: int) -> None:  # type: ignore[type-arg]
    counts, seen = [], []
    for own in settings.values():
        net = kind(outputs, **own)
        x = torch.randn(1, 3, 48, 48, requires_grad=True)
        features = nn.Sequential(*list(net)[:-2]) if kind is StackClassifier else net
        y = features(x)
        y[0, :, y.shape[2] // 2, y.shape[3] // 2].sum().backward()
        assert x.grad is not None
        rows = x.grad.abs().sum((0, 1, 3)).nonzero()
        seen.append(int(rows.max() - rows.min()) + 1)
        net(torch.zeros(1, 3, side, side))
        counts.append(sum(p.numel() for p in net.parameters()))
    assert counts[0] == pytest.approx(counts[1], rel=0.05)
    # A maximum hands its gradient to one place: what is seen in one image is at most the field.
    assert max(seen) <= (16 if kind is StackClassifier else 11)
    assert kind is StackClassifier or seen == [11, 11]


def test_classical_methods_are_scored_as_the_task_is() -> None:
    clean = torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8)
    noisy = (clean.int() + 10).clamp(max=255).to(torch.uint8)
    squared = (noisy.double() - clean.double()).square().mean()
    assert psnr(lambda image, s: image, 0.0, noisy, clean) == pytest.approx(10 * math.log10(255**2 / float(squared)), rel=1e-5)


# A08 ------------------------------------------------------------------------------------------------------------------


def examples(kernel: float, learns: float, fixed: float = 2000.0, last: float = 0.9, seeds: int = 6) -> dict[str, Values]:
    own = {learned.KERNEL: kernel, learned.LEARNED: learns, learned.FIXED: fixed, learned.RELEVANCE: 300.0}
    found = {}
    for variant, count in own.items():
        counts = [count * (1 + 0.01 * seed) for seed in range(seeds)]
        values = {learned.NEEDED: counts, learned.BEFORE: [0.6] * seeds}
        found[variant] = values | ({learned.LAST: [last] * seeds} if variant != learned.RELEVANCE else {})
    return found


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (examples(1800, 600), REPRODUCED),
        (examples(math.inf, 600), REPRODUCED),  # more than three times, and nobody knows how much
        (examples(800, 600), DIRECTION),
        (examples(1800, 600, fixed=500), DIRECTION),  # drawn functions would have done
        (examples(math.inf, 1500), DIRECTION),
        (examples(400, 600), REFUTED),
        (examples(math.inf, math.inf), OPEN),
        (examples(1800, 600, last=0.6), OPEN),  # the net did not learn
    ],
)
def test_learned_functions(values: dict[str, Values], level: Level) -> None:
    assert levels(learned.study, values) == {"a": level}


def test_an_exchange_turns_learned_functions() -> None:
    assert_exchange_turns(learned.study, Runs.made_up(examples(1800, 600)))


def test_the_examples_that_an_accuracy_takes_lie_between_two_counts() -> None:
    curve = [(100.0, 0.5), (400.0, 0.7), (1600.0, 0.9)]
    assert hidden.examples_to(0.8, curve) == pytest.approx(800)
    assert hidden.examples_to(0.5, curve) == 100 and hidden.examples_to(0.95, curve) == math.inf


def test_the_class_is_that_of_the_first_two_inputs_alone() -> None:
    points, classes = hidden.draw(3, 50)
    assert points.shape == (50, 64) and np.abs(points[:, :2]).min() >= 0.05
    assert (classes == [1 if a * b > 0 else -1 for a, b in points[:, :2]]).all()


def test_distances_are_those_of_a_plain_loop() -> None:
    a, b = torch.randn(5, 4), torch.randn(3, 4)
    expected = torch.tensor([[float(((x - y) ** 2).sum()) for y in b] for x in a])
    torch.testing.assert_close(hidden._squared_distances(a, b), expected, rtol=1e-4, atol=1e-5)


def test_functions_that_are_not_learned_stay_as_they_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "STEPS", 3)
    points = hidden.draw(0, 40)
    torch.manual_seed(7)
    drawn = nn.Linear(hidden.INPUTS, hidden.HIDDEN).weight.T
    for moves in (False, True):
        (net,) = hidden.trained([points], [(1e-2, 0.1)], 7, moves)
        assert torch.equal(net.hidden[0].detach(), drawn) != moves


def test_nets_that_are_trained_side_by_side_are_those_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden, "STEPS", 4)
    points, settings = hidden.draw(0, 60), [(1e-2, 0.1), (3e-3, 1.0)]
    together = hidden.trained([points], settings, 1, True)
    for net, own in zip(together, settings, strict=True):
        (alone,) = hidden.trained([points], [own], 1, True)
        for a, b in zip(net, alone, strict=True):
            torch.testing.assert_close(a, b)


# A16 ------------------------------------------------------------------------------------------------------------------


def costs(tanh: float, sigmoid: float, spread: float = 0.0) -> dict[str, Values]:
    counts = {relu.RELU: 3.0, relu.LEAKY: 5.0, relu.TANH: 3 * tanh, relu.SIGMOID: 3 * sigmoid}
    times = (relu.IN_MEMORY, relu.IN_CACHE, relu.STEP)
    return {
        name: {
            relu.OPERATIONS_OF_A_FLOAT: five(count, spread * count * (name != relu.RELU)),
            **{time: five(0.1, 0.01) for time in times},
        }
        for name, count in counts.items()
    }


@pytest.mark.parametrize(
    ("values", "level"),
    [
        (costs(9.0, 8.0), REPRODUCED),
        (costs(1.3, 8.0), DIRECTION),
        (costs(9.0, 0.9), REFUTED),
        (costs(1.0, 1.0, spread=0.4), OPEN),
    ],
)
def test_the_cost_of_an_activation(values: dict[str, Values], level: Level) -> None:
    assert levels(relu.study, values) == {"a": level, "b": Level.EXACT}


def test_an_exchange_turns_the_cost() -> None:
    assert_exchange_turns(relu.study, Runs.made_up(costs(9.0, 8.0)))


@pytest.mark.parametrize("name", relu.ACTIVATIONS)
def test_what_is_timed_is_the_activation_and_its_gradient(name: str) -> None:
    operation, layer, _ = relu.ACTIVATIONS[name]
    x, g = torch.randn(50), torch.randn(50)
    y, d = torch.zeros(50), torch.zeros(50)
    operation(x, y, g, d)
    own = x.clone().requires_grad_()
    expected = layer()(own)
    expected.backward(g)
    torch.testing.assert_close(y, expected.detach())
    torch.testing.assert_close(d, own.grad)


# C04 ------------------------------------------------------------------------------------------------------------------


def units(
    classifier: tuple[list[float], list[float]], code: tuple[list[float], list[float]], active: float = 0.1
) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for kind, (few_active, as_before) in ((sparse.CLASSIFIER, classifier), (sparse.AUTOENCODER, code)):
        for is_sparse, errors in ((True, few_active), (False, as_before)):
            share = five(active if is_sparse else 0.4)
            found[sparse.name(kind, is_sparse)] = {sparse.ERROR: errors, sparse.SHARE: share, sparse.DEAD: five(0.05)}
    return found


@pytest.mark.parametrize(
    ("values", "a", "b"),
    [
        (units((five(0.06), five(0.08)), (five(0.06), five(0.08))), REPRODUCED, REPRODUCED),
        (units((five(0.06), five(0.08)), (five(0.06), five(0.08)), active=0.3), DIRECTION, DIRECTION),
        (units((five(0.078, 1e-4), five(0.08, 1e-4)), (five(0.08), five(0.06))), DIRECTION, REFUTED),
        (units((five(0.08), five(0.08)), (APART, five(0.3))), REFUTED, OPEN),  # neutral is no help
        (units((five(0.06), five(0.88)), (five(0.06), five(0.08))), OPEN, REPRODUCED),
    ],
)
def test_sparse_units(values: dict[str, Values], a: Level, b: Level) -> None:
    assert levels(sparse.study, values) == {"a": a, "b": b}


def test_an_exchange_turns_sparsity() -> None:
    assert_exchange_turns(sparse.study, Runs.made_up(units((five(0.06), five(0.08)), (five(0.06), five(0.08)))))


def made_up_digits(count: int) -> few.Digits:
    labels = torch.arange(count) % few.CLASSES
    return few.Digits(torch.randn(count, 1, few.SIDE, few.SIDE) + labels[:, None, None, None], labels)


def test_a_penalty_makes_fewer_units_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse, "STEPS", 30)
    train = made_up_digits(60)._replace(images=torch.randn(60, 1, few.SIDE, few.SIDE))
    for kind in (sparse.CLASSIFIER, sparse.AUTOENCODER):
        active = []
        for penalty in (0.0, 10.0):
            layer, _ = sparse.trained(kind, train, train, 1e-2, penalty, 0)
            active.append(float((few.features(layer, train) > 0).mean()))
        assert active[1] < 0.7 * active[0], kind


def test_digits_are_taken_once_and_by_the_seed() -> None:
    everything = made_up_digits(100)._replace(labels=torch.arange(100))
    first, second = few.taken(everything, 1, 30, 20)
    assert not {*first.labels.tolist()} & {*second.labels.tolist()}
    assert few.seen(first) == few.seen(few.taken(everything, 1, 30)[0]) != few.seen(few.taken(everything, 2, 30)[0])
    assert few.balanced(made_up_digits(100), 3).labels.bincount().tolist() == [3] * few.CLASSES


def test_a_probe_finds_what_is_linear_in_the_features() -> None:
    torch.manual_seed(0)
    train, test = made_up_digits(100), made_up_digits(100)
    means = nn.AdaptiveAvgPool2d(2)
    assert few.probe_error(means, train, test) < 0.3
    assert few.probe_error(means, train._replace(labels=train.labels[torch.randperm(100)]), test) > 0.6


# C07 ------------------------------------------------------------------------------------------------------------------


def without_labels(
    probe: float, random: float = 0.10, permuted: float = 0.09, scratch: float = 0.08, tuned: float = 0.05
) -> dict[str, Values]:
    def errors(of_probe: float, whole: float) -> Values:
        found = {unsupervised.PROBE: five(of_probe), unsupervised.TUNED: five(whole)}
        return found | {unsupervised.PROBE_FEWER: five(2 * of_probe), unsupervised.TUNED_FEWER: five(2 * whole)}

    values = {unsupervised.of_permuted(p): errors(permuted, 0.08) for p in unsupervised.PRETEXTS}
    values |= {p: errors(probe, tuned) for p in unsupervised.PRETEXTS}
    return values | {unsupervised.RANDOM: errors(random, scratch)}


@pytest.mark.parametrize(
    ("values", "level", "begun"),
    [
        (without_labels(0.05), REPRODUCED, REPRODUCED),
        (without_labels(0.085), DIRECTION, REPRODUCED),  # labels alone would have done better
        (without_labels(0.05, permuted=0.05), DIRECTION, REPRODUCED),  # pixels that are no picture would have done as well
        (without_labels(0.10, tuned=0.10), REFUTED, REFUTED),
        (without_labels(0.05, random=0.85), OPEN, REPRODUCED),
        (without_labels(0.05, scratch=0.88), REPRODUCED, OPEN),
    ],
)
def test_unsupervised_learning(values: dict[str, Values], level: Level, begun: Level) -> None:
    assert levels(unsupervised.study, values) == {"a": level, "b": level, "c": begun}


def test_an_exchange_turns_unsupervised_learning() -> None:
    runs = Runs.made_up(without_labels(0.05))
    swaps = {
        f"test error, probe on {p} − net {unsupervised.SCRATCH}": [(p, unsupervised.RANDOM)] for p in unsupervised.PRETEXTS
    }
    assert_exchange_turns(unsupervised.study, runs, swaps)


@pytest.mark.parametrize("pretext", unsupervised.PRETEXTS)
def test_a_pretext_is_learned_without_labels(pretext: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretexts, "STEPS", 25)
    unlabelled = made_up_digits(50)
    found = [
        pretexts.pretrained(pretext, few.Digits(unlabelled.images, labels), 3e-3, 0)
        for labels in (unlabelled.labels, -unlabelled.labels)
    ]
    rng = torch.Generator()
    first, other = (float(pretexts.pretext_loss(pretext, net, unlabelled.images, rng.manual_seed(0)).detach()) for net in found)
    torch.manual_seed(0)
    fresh = nn.Sequential(pretexts.encoder(), pretexts.head_of(pretext))
    assert first == other < float(pretexts.pretext_loss(pretext, fresh, unlabelled.images, rng.manual_seed(0)).detach())


def test_permuted_pixels_keep_their_values_and_leave_their_places() -> None:
    before = made_up_digits(3)
    after = pretexts.shuffled(before)
    assert not torch.equal(before.images, after.images)
    assert torch.equal(before.images.flatten(1).sort(1).values, after.images.flatten(1).sort(1).values)


def test_fine_tuning_leaves_the_beginning_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretexts, "LABELLED_STEPS", 2)
    start = pretexts.encoder()
    before = {key: value.clone() for key, value in start.state_dict().items()}
    labelled = made_up_digits(30)
    assert pretexts.fine_tuned(start, labelled, 0)(labelled.images).shape == (30, few.CLASSES)
    assert all(torch.equal(value, before[key]) for key, value in start.state_dict().items())
