"""Images reach the network in the memory format that is asked for, and nothing but rounding comes of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules import Classification
from lightning_modules.means import values, with_total
from lightning_modules.networks import LinearClassifier, SmallConvNet
from tests.support.uneven import TASKS, Uneven, batch_of, data, task_on

LAST = torch.channels_last


@pytest.fixture(scope="module")
def scenes() -> Uneven:
    return data()


@pytest.mark.parametrize("name", TASKS)
def test_losses_and_gradients_are_equal_up_to_rounding(name: str, scenes: Uneven) -> None:
    task = task_on(name, scenes).double()
    batch: Any = batch_of(scenes, range(4))
    seen: list[Tensor] = []
    task.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    found = []
    for task.channels_last in (False, True):
        task.zero_grad()
        torch.manual_seed(0)
        losses = with_total(values(task.losses(task.respond(batch), batch)))
        losses["loss"].backward()
        found.append((losses, {n: p.grad.clone() for n, p in task.named_parameters() if p.grad is not None}))
    first, last = seen
    assert first.is_contiguous() and not last.is_contiguous() and last.is_contiguous(memory_format=LAST)
    assert torch.equal(first, last)
    for plain, other in zip(*found, strict=True):
        assert plain.keys() == other.keys()
        for key, value in plain.items():
            torch.testing.assert_close(other[key], value, rtol=1e-7, atol=1e-9, msg=key)


@pytest.mark.parametrize("build, own", [(partial(SmallConvNet, widths=(4, 8)), True), (LinearClassifier, False)])
@pytest.mark.parametrize("asked", [None, True, False])
def test_the_network_s_class_says_which_format_unless_it_is_asked_for(build: Any, own: bool, asked: bool | None) -> None:
    task = Classification(network=build, channels_last=asked, metadata=data().metadata.as_dict())
    assert task.channels_last is (own if asked is None else asked)
    assert ("channels_last" in task.hparams) and task.hparams["channels_last"] is asked


def test_a_batch_is_normalised_as_ever_and_left_as_it_is(scenes: Uneven) -> None:
    task = task_on("classification", scenes)
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    for given in (images, images.float()):
        before = given.clone()
        assert torch.equal(task.normalized(given), (given - task.mean) / task.std)
        assert torch.equal(given, before)


def test_an_attribute_that_was_text_or_nothing_may_become_a_module_or_parameter() -> None:
    # A task has a way of its own to set text, of which Lightning sets much at each step.
    task: Any = Classification(network=LinearClassifier, metadata=data().metadata.as_dict())
    task.part = None
    task.part = "text"
    assert task.part == "text"
    task.part = nn.Linear(2, 2)
    assert "part.weight" in dict(task.named_parameters())
    task.part = None
    assert task.part is None and "part.weight" not in dict(task.named_parameters())
    with pytest.raises(TypeError):
        task.network = "text"
