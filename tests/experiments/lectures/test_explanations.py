"""The verdicts on what a net looks at, on runs that nobody made; and what their measurements rest on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.lectures.cnn import _first_layer, _pointing
from experiments.lectures.cnn import feature_visualisation_points_at_the_object as pointing
from experiments.lectures.cnn import simple_filters_are_found_by_the_net as filters
from experiments.lectures.cnn._explained import accuracy, net, shuffled, train
from experiments.studies.results import Runs
from experiments.studies.verdict import Level, Verdict
from lightning_modules.explanations.layers import explainable
from tests.support.exchange import assert_exchange_turns
from tests.support.made_up_verdicts import five

# B12 ------------------------------------------------------------------------------------------------------------------


def gabors(trained: list[float], permuted: list[float], accuracy: float = 0.45, inside: float = 1) -> Runs:
    def values(r2: list[float]) -> dict[str, list[float]]:
        return {_first_layer.R2: r2, "test/accuracy": [accuracy] * 5, "lr inside": [inside] * 5}

    others = {filters.LABELS: values(five(0.39)), filters.RANDOM: values(five(0.22))}
    return Runs.made_up({filters.TRAINED: values(trained), filters.PERMUTED: values(permuted), **others})


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (gabors(five(0.68), five(0.40)), Level.REPRODUCED),
        (gabors(five(0.50), five(0.40)), Level.DIRECTION_ONLY),
        (gabors(five(0.38), five(0.40)), Level.NOT_REPRODUCED),
        (gabors([0.3, 0.6, 0.5, 0.35, 0.45], five(0.40)), Level.INCONCLUSIVE),
        (gabors(five(0.68), five(0.40), inside=0), Level.INCONCLUSIVE),
        (gabors(five(0.68), five(0.40), accuracy=0.15), Level.INCONCLUSIVE),  # it has learned nothing
    ],
)
def test_filters_found_by_the_net(runs: Runs, level: Level) -> None:
    assert Verdict.of(filters.study.parts(runs)).level == level


def test_exchanged_photographs_and_permuted_pixels_turn_the_verdict() -> None:
    assert_exchange_turns(filters.study, gabors(five(0.68), five(0.40)))


# B13 ------------------------------------------------------------------------------------------------------------------


def pointed(
    seen: list[float], random: float = 0.31, *, accuracy: float = 0.9, centre: float = 0.33, guided: float = 0.45
) -> Runs:
    def values(occlusion: list[float], others: float) -> dict[str, list[float]]:
        named = dict.fromkeys(("Grad-CAM", "gradient", _pointing.GUIDED, _pointing.DECONVNET), five(others))
        return {
            _pointing.OCCLUSION: occlusion,
            **named,
            "accuracy": [accuracy] * 5,
            "centre": [centre] * 5,
            "random point": [0.1] * 5,
        }

    return Runs.made_up(
        {
            pointing.TRAINED: values(seen, 0.6),
            pointing.LABELS: values(five(0.4), 0.4),
            pointing.RANDOM: values(five(random), guided),
        }
    )


@pytest.mark.parametrize(
    ("runs", "level"),
    [
        (pointed(five(0.88)), Level.REPRODUCED),
        (pointed(five(0.70)), Level.DIRECTION_ONLY),  # a threshold that is missed refutes nothing
        (pointed(five(0.39)), Level.INCONCLUSIVE),
        (pointed(five(0.88), random=0.45), Level.NOT_REPRODUCED),  # what was not learned points there too
        (pointed([0.3, 0.6, 0.5, 0.35, 0.45]), Level.INCONCLUSIVE),
        (pointed(five(0.88), accuracy=0.7), Level.INCONCLUSIVE),
        (pointed(five(0.88), centre=0.45), Level.INCONCLUSIVE),
    ],
)
def test_occlusion_points_at_the_object(runs: Runs, level: Level) -> None:
    assert Verdict.of(pointing.study.parts(runs)).level == level


@pytest.mark.parametrize(("share", "level"), [(0.45, Level.REPRODUCED), (0.25, Level.NOT_REPRODUCED)])
def test_maps_of_random_weights_are_beyond_the_lecture(share: float, level: Level) -> None:
    part = Verdict.of(pointing.study.parts(pointed(five(0.88), guided=share))).parts["b"]
    assert part.beyond and part.level == level


def test_exchanged_trained_and_random_weights_turn_the_verdict() -> None:
    named = [f"{name} − centre, random weights" for name in (_pointing.GUIDED, _pointing.DECONVNET)]
    pairs = [(pointing.TRAINED, pointing.RANDOM)]
    swaps = {f"{_pointing.OCCLUSION}, {pointing.TRAINED}": pairs}
    runs = pointed(five(0.88))
    # Of the maps of random weights there is nothing to exchange: each is held against the centre, in the same run.
    assert {effect.name for effect in Verdict.of(pointing.study.parts(runs)).parts["b"].effects} == set(named)
    assert_exchange_turns(pointing.study, runs, swaps)


# What both rest on --------------------------------------------------------------------------------------------------------


def test_a_small_net_learns_what_there_is_and_not_what_is_shuffled() -> None:
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(256) % 2
    images = torch.randn(256, 3, 8, 8, generator=rng) + labels[:, None, None, None]
    torch.manual_seed(0)
    network = net(2, (4,), 3)
    loss = train(network, images, labels, steps=40, lr=0.1, seed=0)
    assert loss < 0.3 and accuracy(network, images, labels) > 0.9
    other = shuffled(labels, 1)
    assert torch.equal(other.sort().values, labels.sort().values) and not torch.equal(other, labels)


def test_the_same_seed_trains_the_same_net() -> None:
    images, labels = torch.randn(128, 3, 8, 8), torch.arange(128) % 2
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        network = net(2, (4,), 5)
        train(network, images, labels, steps=5, lr=0.1, seed=3)
        found.append(network[-1].weight)
    assert torch.equal(*found)


def test_a_measurement_of_pointing_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pointing, "SCENES", 16)
    monkeypatch.setattr(_pointing, "TEST", 4)
    monkeypatch.setattr(_pointing, "STEPS", 2)
    names = {"accuracy", "centre", "random point", *_pointing.explained(explainable(net(6, (4,), 3)))}
    found = _pointing.pointing(seed=1, folder=tmp_path, weights="trained")
    assert found.values.keys() == names and all(0 <= value <= 1 for value in found.values.values())
    assert found.data


def test_a_measurement_of_filters_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (torch.randn(80, 3, 32, 32), torch.arange(80) % 10, torch.randn(10, 3, 32, 32), torch.arange(10))
    monkeypatch.setattr(_first_layer, "photographs", lambda root: data)
    monkeypatch.setattr(_first_layer, "WIDTHS", (2, 4, 4))
    monkeypatch.setattr(_first_layer, "STEPS", 2)
    monkeypatch.setattr(_first_layer, "LRS", (0.1,))
    _first_layer.best_lr.cache_clear()
    seen = set()
    for weights in ("random labels", "permuted pixels"):
        found = _first_layer.first_layer(seed=1, folder=tmp_path, weights=weights, root="made up")  # type: ignore[arg-type]
        assert 0 <= found.values[_first_layer.R2] <= 1 and len(found.curves["filters"]) == 2
        seen.add(found.data)
    assert len(seen) == 2  # permuted images are others
    assert (tmp_path / "pictures" / "filters.png").is_file()
    _first_layer.best_lr.cache_clear()
