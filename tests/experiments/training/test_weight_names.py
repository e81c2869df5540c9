"""Which weights of a file belong to which of a task's."""

from __future__ import annotations

import time

import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models import resnet18

from experiments.training.weight_names import groups_of, match


def named(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    return {name.replace("_", "."): torch.zeros(shape) for name, shape in shapes.items()}


PREFIX = st.lists(st.sampled_from(["network", "backbone", "module", "stages", "a"]), max_size=3).map(
    lambda parts: "".join(f"{part}." for part in parts)
)


@given(there=PREFIX, here=PREFIX, before=PREFIX)
def test_a_network_is_found_wherever_it_stands(there: str, here: str, before: str) -> None:
    """``there`` and ``here`` before the same network's names, ``before`` the head that only the task has."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Conv2d(4, 4, 3), nn.Linear(4, 2)))
    weights = dict(network.state_dict())
    target = {here + name: value for name, value in weights.items()} | {f"{before}head.weight": torch.zeros(7, 9)}
    assume(len(target) == len(weights) + 1)
    found = match({there + name: value for name, value in weights.items()}, target, {})
    assert found.same == {here + name: there + name for name in weights}
    assert not found.of_another_shape


@given(st.dictionaries(st.sampled_from(["a.w", "a.b", "b.w", "b.a.w", "c"]), st.integers(1, 2), min_size=1))
def test_names_as_they_are_are_preferred(shapes: dict[str, int]) -> None:
    target = {name: torch.zeros(size) for name, size in shapes.items()}
    assert match(target, target, {}).same == {name: name for name in target}


def test_another_number_of_classes_is_another_shape() -> None:
    found = match(
        named(network_conv_weight=(4, 3), network_head_weight=(14, 4)),
        named(network_conv_weight=(4, 3), network_head_weight=(5, 4)),
        {},
    )
    assert found.same == {"network.conv.weight": "network.conv.weight"} and set(found.of_another_shape) == {
        "network.head.weight"
    }


def test_layers_that_only_look_alike_are_not_taken_for_one_another() -> None:
    """One name, ``weight``, and one shape are no sign: every network has those."""
    assert not match(named(encoder_first_weight=(4, 3)), named(network_head_weight=(4, 3)), {}).same
    assert not match(named(encoder_0_weight=(4, 3)), named(network_head_0_weight=(4, 3)), {}).same, "one layer of a row"
    assert not match({"a.n": torch.tensor(3)}, {"b.a.n": torch.tensor(0), "b.a.w": torch.zeros(2)}, {}).same, "a count alone"
    assert not match({"a.w": torch.zeros(2, dtype=torch.int64)}, {"a.w": torch.zeros(2)}, {}).same, "other kinds of numbers"


def test_other_names_of_the_task_s_weights_count_too() -> None:
    target = named(network_stages_0_weight=(8, 3), network_stages_1_weight=(8,), network_head_weight=(2, 8))
    aliases = {"network.stages.0.weight": "conv1.weight", "network.stages.1.weight": "bn1.weight"}
    for before in ("", "network.network."):
        stored = {f"{before}{k}": v for k, v in named(conv1_weight=(8, 3), bn1_weight=(8,), fc_weight=(9, 8)).items()}
        assert match(stored, target, aliases).same == {name: before + alias for name, alias in aliases.items()}


def test_twenty_thousand_weights_take_seconds() -> None:
    many = {f"network.{i % 100}.block{i}.conv.weight": torch.zeros(2) for i in range(20_000)}
    began = time.process_time()
    assert len(match({f"module.{name}": value for name, value in many.items()}, many, {}).same) == len(many)
    assert time.process_time() - began < 20


def test_names_are_said_by_what_is_common_to_them() -> None:
    names = [*resnet18().state_dict(), "head.weight", "head.bias"]
    some = [name for name in names if name.startswith(("layer4.", "head.", "layer1.0.conv1"))]
    assert {k: len(v) for k, v in groups_of(some, names).items()} == {"layer1.0.conv1": 1, "layer4": 30, "head": 2}
