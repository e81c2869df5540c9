"""A network that is recorded learns what it would have learned; without a GPU the recording is played by a stand-in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lightning_modules.graphing import forget, record


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten())


IMAGES = torch.rand(5, 8, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def trained(net: nn.Module, images: Tensor, bf16: bool = False) -> dict[str, Tensor]:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for batch in images:
        optimizer.zero_grad()
        with half_precision(images) if bf16 else nullcontext():  # at each step, as Lightning does: it keeps copies of weights
            logits = net(batch)
        F.cross_entropy(logits.float(), torch.arange(8, device=images.device) % 4).backward()
        optimizer.step()
    return net.state_dict()


def half_precision(images: Tensor) -> AbstractContextManager[Any]:
    return torch.autocast(images.device.type, torch.bfloat16)


def stand_in(calls: list[Tensor]) -> Any:
    """Runs the network thrice, as torch does before it records, and then in place of its replays."""

    def make(net: nn.Module, sample: tuple[Tensor], **_: Any) -> None:
        assert not torch.is_autocast_cache_enabled()
        ever = net.forward
        for _ in range(3):
            ever(*sample).sum()
        net.__dict__["forward"] = lambda batch: calls.append(batch) or ever(batch)

    return make


@pytest.mark.parametrize("bf16", [False, True])
def test_recording_leaves_the_network_as_it_was(monkeypatch: pytest.MonkeyPatch, bf16: bool) -> None:
    replayed: list[Tensor] = []
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", stand_in(replayed))
    net = network()
    record(net, torch.rand(8, 3, 6, 6), half_precision(IMAGES) if bf16 else nullcontext())
    assert torch.is_autocast_cache_enabled()
    expected = trained(network(), IMAGES, bf16)
    assert all(value.equal(expected[name]) for name, value in trained(net, IMAGES, bf16).items())
    assert len(replayed) == len(IMAGES)
    net.eval()(IMAGES[0])
    net.train()(IMAGES[0, :3])
    with torch.no_grad():
        net(IMAGES[0])
    assert len(replayed) == len(IMAGES), "an evaluation, another batch's size and what learns nothing are not replayed"
    forget(net)
    net(IMAGES[0])
    assert len(replayed) == len(IMAGES)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_recorded_network_learns_the_same_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    net, images = network().cuda(), IMAGES.cuda()
    record(net, torch.rand(8, 3, 6, 6, device="cuda"), half_precision(images))
    expected = trained(network().cuda(), images, bf16=True)
    assert all(value.equal(expected[name]) for name, value in trained(net, images, bf16=True).items())
